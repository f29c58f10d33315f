/*
 * tscc-watch STATE-DIRECTORY: raw inotify for the include server, since Node's own watchers drop
 * events. Speaks docs/protocol.md section 4 on standard input, whose end ends it, and output (twin:
 * src/include-server/watcher.ts):
 *
 *   frame  := length:u32 type:u8 field*           field := tag:u8 length:u32 bytes
 *   daemon -> NAMES | CONTENT | REMOVE | COOKIE   watch -> ADDED | REFUSED | CHANGED | REACHED |
 *                                                          OVERFLOW | MOUNTS
 * A watch is on an inode. That of a directory tells which names come and go in it, that of a file
 * that its bytes or its mode change, through whichever of its names. Nothing is kept here: while
 * the daemon does not read, this blocks, and the kernel's queue runs over, which is told.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES = 0x01, CONTENT, REMOVE, COOKIE };
enum { ADDED = 0x81, REFUSED, CHANGED, REACHED, OVERFLOW, MOUNTS };
enum { ID = 1, PATH, WATCH, MASK, NAME, ERRNO, DEVICE, INODE }; /* tags */
enum { HEADER = 5, MAX_FRAME = 8192, MAX_ANSWER = 512 }; /* INCLUDES.watchFrameBytes */

/* IN_CLOSE_WRITE as well as IN_MODIFY: it alone tells of what was written through a mapping. */
static const uint32_t of_content = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB;
static const uint32_t of_names = IN_ONLYDIR | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
    IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

/*
 * Gathered until a cookie is answered or it has been quiet for a while: objects appear beside headers
 * all the time, and each write would wake the daemon. No signal has a handler that cuts it short.
 */
enum { QUIET = 50 }; /* ms */
static unsigned char out[65536];
static size_t used, frame;
static int is_due;

static void flush(void)
{
    if (used && write(STDOUT_FILENO, out, used) != (ssize_t)used) err(1, "cannot tell the daemon");
    used = 0;
    is_due = 0;
}

static void begin(uint8_t type)
{
    if (sizeof out - used < MAX_ANSWER) flush();
    frame = used;
    out[frame + 4] = type;
    used += 5;
}

static void put_bytes(uint8_t tag, const void *bytes, uint32_t length)
{
    out[used] = tag;
    memcpy(out + used + 1, &(uint32_t){htole32(length)}, 4);
    memcpy(out + used + HEADER, bytes, length);
    used += HEADER + length;
}

static void put_number(uint8_t tag, uint64_t value, uint32_t size)
{
    put_bytes(tag, &(uint64_t){htole64(value)}, size);
}

static void end(void)
{
    memcpy(out + frame, &(uint32_t){htole32((uint32_t)(used - frame) - 4)}, 4);
}

/*
 * The cookie: a file of one byte in the state directory that nobody else can open, since it has no
 * name any more. To read it is an event, and the queue keeps order: when that event comes, all
 * earlier ones have come. Unlike creating a file it needs no disk, so a full one does not matter.
 */
static int inotify, mounts, cookie, cookie_watch;
static uint32_t awaited; /* id of the COOKIE whose event is on its way, 0 for none */

static void make_cookie(const char *directory)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/watch.XXXXXX", directory);
    if ((cookie = mkostemp(path, O_CLOEXEC)) < 0) err(1, "cannot make a file in '%s'", directory);
    cookie_watch = inotify_add_watch(inotify, path, IN_ACCESS);
    int is_made = cookie_watch >= 0 && write(cookie, "c", 1) == 1, failure = errno;
    unlink(path);
    errno = failure;
    if (!is_made) err(1, "cannot watch a file in '%s'", directory);
}

static void tell_reached(void)
{
    /* What is mounted hides directories without an event. The kernel says once that it changed. */
    struct pollfd polled = {mounts, POLLPRI, 0};
    if (!awaited) return;
    if (poll(&polled, 1, 0) > 0) begin(MOUNTS), end();
    begin(REACHED), put_number(ID, awaited, 4), end();
    awaited = 0;
    is_due = 1;
}

static void tell_event(const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) begin(OVERFLOW), end();
    /* After an overflow the cookie's own event may never come; and all that is lost is told. */
    if (event->mask & IN_Q_OVERFLOW || event->wd == cookie_watch) return tell_reached();
    begin(CHANGED), put_number(WATCH, (uint32_t)event->wd, 4), put_number(MASK, event->mask, 4);
    if (event->len) put_bytes(NAME, event->name, (uint32_t)strlen(event->name));
    end();
}

static void read_events(void)
{
    static char buffer[65536] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n = read(inotify, buffer, sizeof buffer);
    if (n < 0 && errno != EINTR && errno != EAGAIN) err(1, "cannot read from inotify");
    const struct inotify_event *event;
    for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof *event + event->len))
        tell_event(event = (const void *)(buffer + at));
}

/* The inode is told as well: what is at a path when it is watched need not be what was read. */
static void add(uint32_t id, const char *path, uint32_t mask)
{
    char opened[32];
    struct stat seen;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), watch = -1;
    snprintf(opened, sizeof opened, "/proc/self/fd/%d", fd);
    if (fd >= 0 && !fstat(fd, &seen)) watch = inotify_add_watch(inotify, opened, mask);
    uint32_t failure = watch < 0 ? (uint32_t)errno : 0;
    begin(failure ? REFUSED : ADDED);
    put_number(ID, id, 4);
    put_number(failure ? ERRNO : WATCH, failure ? failure : (uint32_t)watch, 4);
    if (!failure) put_number(DEVICE, seen.st_dev, 8), put_number(INODE, seen.st_ino, 8);
    end();
    if (fd >= 0) close(fd);
}

static uint32_t take_number(const unsigned char *bytes)
{
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void handle_frame(uint8_t type, const unsigned char *field, size_t size)
{
    char path[PATH_MAX] = "";
    uint32_t number[256] = {0}, length; /* by tag */
    for (; size; field += HEADER + length, size -= HEADER + length) {
        if (size < HEADER || (length = take_number(field + 1)) > size - HEADER)
            errx(1, "malformed frame: a field runs past it");
        if (field[0] == PATH && length < sizeof path) memcpy(path, field + HEADER, length);
        else if (length == 4) number[field[0]] = take_number(field + HEADER);
        else errx(1, "malformed frame: field %d of %u bytes", field[0], length);
    }
    if (type == NAMES) add(number[ID], path, of_names);
    else if (type == CONTENT) add(number[ID], path, of_content);
    else if (type == REMOVE) inotify_rm_watch(inotify, (int)number[WATCH]); /* if still there */
    else if (type != COOKIE || awaited) errx(1, "malformed frame: unexpected type %d", type);
    else if (pread(cookie, path, 1, 0) != 1) err(1, "cannot read the cookie");
    else awaited = number[ID];
}

/* Reads what is there and handles each whole frame; false at the end of the stream. */
static int read_frames(void)
{
    static unsigned char buffer[65536];
    static size_t filled;
    ssize_t n = read(STDIN_FILENO, buffer + filled, sizeof buffer - filled);
    if (n < 0 && errno != EINTR && errno != EAGAIN) err(1, "cannot read from the daemon");
    if (n <= 0) return n != 0;
    filled += (size_t)n;
    size_t at = 0;
    for (uint32_t length; filled - at >= 4; at += 4 + (size_t)length) {
        length = take_number(buffer + at);
        if (length < 1 || length > MAX_FRAME) errx(1, "malformed frame: %u bytes", length);
        if (filled - at - 4 < length) break;
        handle_frame(buffer[at + 4], buffer + at + 5, length - 1);
    }
    memmove(buffer, buffer + at, filled -= at);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 2) errx(1, "usage: tscc-watch STATE-DIRECTORY; tscc starts it by itself");
    for (int n = 1; n < NSIG; n++) signal(n, SIG_IGN); /* the daemon's end is told by the pipe */
    if ((inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) < 0) err(1, "cannot start inotify");
    if ((mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) < 0) err(1, "no /proc");
    make_cookie(argv[1]);
    struct pollfd polled[] = {{STDIN_FILENO, POLLIN, 0}, {inotify, POLLIN, 0}};
    do {
        if (is_due) flush();
        int ready = poll(polled, 2, used ? QUIET : -1);
        if (ready < 0 && errno != EINTR) err(1, "poll");
        if (ready <= 0) flush();
        if (polled[1].revents) read_events();
    } while (!polled[0].revents || read_frames());
}
