/*
 * tscc-watch: raw inotify for the include server, which it tells what changes in the directories
 * and files that it was given.
 *
 * One per session daemon: Node's own watchers drop events and hide that the kernel's queue ran
 * over. It speaks docs/protocol.md section 4 on its standard input and output (twin:
 * src/include-server/watcher.ts):
 *
 *   frame  := length:u32 type:u8 field*             field := tag:u8 length:u32 bytes
 *   daemon -> NAMES | CONTENT | REMOVE | COOKIE    watch -> ADDED | REFUSED | CHANGED | REACHED
 *                                                            | OVERFLOW | MOUNTS
 *
 * A watch is on an inode. That of a directory tells which names come and go in it, that of a file
 * that its bytes or its mode change, through whichever of its names. Nothing is kept here: while
 * the daemon does not read, this blocks, and the kernel's queue runs over, which is told.
 *
 * The only argument is the state directory. It ends when standard input ends.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES = 0x01, CONTENT = 0x02, REMOVE = 0x03, COOKIE = 0x04 };
enum { ADDED = 0x81, REFUSED, CHANGED, REACHED, OVERFLOW, MOUNTS };
enum { ID = 1, PATH, WATCH, MASK, NAME, ERRNO, DEVICE, INODE }; /* tags */
enum { FIELD_HEADER = 5, MAX_FRAME = 8192, MAX_ANSWER = 512 }; /* INCLUDES.watchFrameBytes */

/* IN_CLOSE_WRITE as well as IN_MODIFY: it alone tells of what was written through a mapping. */
static const uint32_t of_file = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB;
static const uint32_t of_directory = IN_ONLYDIR | IN_CREATE | IN_DELETE |
    IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("tscc-watch: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

/* ---- frames to the daemon, gathered until there is nothing else to do ---- */

static unsigned char out[65536];
static size_t out_used, frame;

static void flush(void)
{
    for (size_t at = 0; at < out_used;) {
        ssize_t n = write(STDOUT_FILENO, out + at, out_used - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) die("cannot write to the daemon: %s", strerror(errno));
        at += (size_t)n;
    }
    out_used = 0;
}

static void begin(uint8_t type)
{
    if (sizeof out - out_used < MAX_ANSWER) flush();
    frame = out_used;
    out[frame + 4] = type;
    out_used += 5;
}

static void put_bytes(uint8_t tag, const void *bytes, uint32_t length)
{
    uint32_t le = htole32(length);
    out[out_used] = tag;
    memcpy(out + out_used + 1, &le, sizeof le);
    memcpy(out + out_used + FIELD_HEADER, bytes, length);
    out_used += FIELD_HEADER + length;
}

static void put_number(uint8_t tag, uint64_t value, uint32_t size)
{
    value = htole64(value);
    put_bytes(tag, &value, size);
}

static void end(void)
{
    uint32_t length = htole32((uint32_t)(out_used - frame) - 4);
    memcpy(out + frame, &length, sizeof length);
}

static void send_empty(uint8_t type)
{
    begin(type);
    end();
}

/* ---- what the kernel tells ---- */

static int inotify, mounts;

/*
 * The cookie: a file of one byte that nobody else can open, since it has no name. To read it is an
 * event, and the queue keeps order: when that event comes, all earlier ones have come. Unlike the
 * creation of a file it costs no disk and cannot fail because one is full.
 */
static int cookie, cookie_watch;
static uint32_t awaited; /* id of the COOKIE whose event is on its way, 0 for none */

static void make_cookie(const char *directory)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/watch.XXXXXX", directory) >= (int)sizeof path)
        die("the state directory's path is too long");
    if ((cookie = mkostemp(path, O_CLOEXEC)) < 0)
        die("cannot make a file in '%s': %s", directory, strerror(errno));
    cookie_watch = inotify_add_watch(inotify, path, IN_ACCESS);
    int failure = cookie_watch < 0 ? errno : write(cookie, "c", 1) == 1 ? 0 : errno;
    unlink(path);
    if (failure) die("cannot watch a file in '%s': %s", directory, strerror(failure));
}

static void tell_mounts(void)
{
    /* A new mount hides directories without an event. The kernel reports each change once. */
    struct pollfd polled = {mounts, POLLPRI, 0};
    if (poll(&polled, 1, 0) > 0) send_empty(MOUNTS);
}

static void tell_reached(void)
{
    if (!awaited) return;
    tell_mounts();
    begin(REACHED);
    put_number(ID, awaited, 4);
    end();
    awaited = 0;
}

static void tell_event(const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        /* The cookie's own event may be among those that are lost. */
        send_empty(OVERFLOW);
        return tell_reached();
    }
    if (event->wd == cookie_watch) return tell_reached();
    begin(CHANGED);
    put_number(WATCH, (uint32_t)event->wd, 4);
    put_number(MASK, event->mask, 4);
    if (event->len) put_bytes(NAME, event->name, (uint32_t)strlen(event->name));
    end();
}

static void read_events(void)
{
    static char buffer[65536] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n = read(inotify, buffer, sizeof buffer);
    if (n < 0 && errno != EINTR && errno != EAGAIN) die("read inotify: %s", strerror(errno));
    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *event = (const void *)(buffer + at);
        tell_event(event);
        at += (ssize_t)(sizeof *event + event->len);
    }
}

/* ---- frames from the daemon ---- */

static uint32_t take_number(const unsigned char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return le32toh(value);
}

/* The inode is told as well: what is at a path when it is watched need not be what was read. */
static void add(uint32_t id, const char *path, uint32_t mask)
{
    char opened[32];
    struct stat seen;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), watch = -1;
    snprintf(opened, sizeof opened, "/proc/self/fd/%d", fd);
    if (fd >= 0 && !fstat(fd, &seen)) watch = inotify_add_watch(inotify, opened, mask);
    int failure = errno;
    if (fd >= 0) close(fd);
    begin(watch < 0 ? REFUSED : ADDED);
    put_number(ID, id, 4);
    if (watch < 0) return put_number(ERRNO, (uint32_t)failure, 4), end();
    put_number(WATCH, (uint32_t)watch, 4);
    put_number(DEVICE, seen.st_dev, 8);
    put_number(INODE, seen.st_ino, 8);
    end();
}

static void handle_frame(uint8_t type, const unsigned char *body, size_t size)
{
    char path[PATH_MAX] = "";
    uint32_t id = 0, watch = 0;
    for (size_t at = 0; at < size;) {
        const unsigned char *field = body + at;
        uint32_t length = size - at < FIELD_HEADER ? UINT32_MAX : take_number(field + 1);
        if (length > size - at - FIELD_HEADER) die("malformed frame: a field runs past it");
        const unsigned char *value = field + FIELD_HEADER;
        if (field[0] == PATH && length < sizeof path && !memchr(value, 0, length))
            memcpy(path, value, length);
        else if (length != 4) die("malformed frame: field %d of %u bytes", field[0], length);
        else if (field[0] == ID) id = take_number(value);
        else if (field[0] == WATCH) watch = take_number(value);
        at += FIELD_HEADER + length;
    }
    if (type == NAMES) add(id, path, of_directory);
    else if (type == CONTENT) add(id, path, of_file);
    else if (type == REMOVE) inotify_rm_watch(inotify, (int)watch); /* it may be gone by itself */
    else if (type != COOKIE || !id || awaited) die("malformed frame: type %d, id %u", type, id);
    else if (pread(cookie, (char[1]){0}, 1, 0) != 1) die("read the cookie: %s", strerror(errno));
    else awaited = id;
}

/* Reads what is there and handles each whole frame; false at the end of the stream. */
static int read_frames(void)
{
    static unsigned char buffer[65536];
    static size_t used;
    ssize_t n = read(STDIN_FILENO, buffer + used, sizeof buffer - used);
    if (n < 0 && errno != EINTR && errno != EAGAIN) die("read: %s", strerror(errno));
    if (n <= 0) return n != 0;
    used += (size_t)n;
    size_t at = 0;
    while (used - at >= 4) {
        uint32_t length = take_number(buffer + at);
        if (length < 1 || length > MAX_FRAME) die("malformed frame: %u bytes", length);
        if (used - at - 4 < length) break;
        handle_frame(buffer[at + 4], buffer + at + 5, length - 1);
        at += 4 + (size_t)length;
    }
    memmove(buffer, buffer + at, used -= at);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 2) die("usage: tscc-watch STATE-DIRECTORY; tscc starts it by itself");
    const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
    inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (inotify < 0) die("inotify_init1: %s", strerror(errno));
    mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (mounts < 0) die("cannot open /proc/self/mountinfo: %s", strerror(errno));
    make_cookie(argv[1]);
    struct pollfd polled[] = {{STDIN_FILENO, POLLIN, 0}, {inotify, POLLIN, 0}};
    for (;;) {
        flush();
        if (poll(polled, 2, -1) < 0 && errno != EINTR) die("poll: %s", strerror(errno));
        if (polled[1].revents) read_events();
        if (polled[0].revents && !read_frames()) return 0;
    }
}
