/* Frames from and to the server. */
#include "runner.h"
#include <endian.h>
#include <sys/time.h>

enum { FIELD_HEADER = 5, MAX_FRAME = 4 << 20 }; /* SERVER.runnerFrameBytes in core/limits.ts */

/* ---- to the server ---- */

struct answer {
    size_t used;
    unsigned char bytes[256];
};

static void put_field(struct answer *a, uint8_t tag, const void *bytes, uint32_t length)
{
    uint32_t le = htole32(length);
    a->bytes[a->used] = tag;
    memcpy(a->bytes + a->used + 1, &le, sizeof le);
    memcpy(a->bytes + a->used + FIELD_HEADER, bytes, length);
    a->used += FIELD_HEADER + length;
}

static void put_number(struct answer *a, uint8_t tag, uint64_t value, uint32_t size)
{
    value = htole64(value);
    put_field(a, tag, &value, size);
}

static struct answer begin(uint8_t type, uint32_t id)
{
    struct answer a = {.used = 5};
    a.bytes[4] = type;
    put_number(&a, 1, id, 4);
    return a;
}

static void send_answer(struct answer *a)
{
    uint32_t length = htole32((uint32_t)a->used - 4);
    memcpy(a->bytes, &length, sizeof length);
    for (size_t at = 0; at < a->used;) {
        ssize_t n = write(STDOUT_FILENO, a->bytes + at, a->used - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) die("cannot write to the server: %s", strerror(errno));
        at += (size_t)n;
    }
}

void send_started(uint32_t id, pid_t pid)
{
    struct answer a = begin(STARTED, id);
    put_number(&a, 2, (uint32_t)pid, 4);
    send_answer(&a);
}

static uint64_t microseconds(const struct rusage *usage)
{
    struct timeval total;
    timeradd(&usage->ru_utime, &usage->ru_stime, &total);
    return (uint64_t)total.tv_sec * 1000000 + (uint64_t)total.tv_usec;
}

void send_ended(uint32_t id, int status, const struct rusage *usage)
{
    uint32_t signal = WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0;
    struct answer a = begin(ENDED, id);
    put_number(&a, 3, signal ? 128 + signal : (uint32_t)WEXITSTATUS(status), 4);
    put_number(&a, 4, signal, 4);
    put_number(&a, 5, microseconds(usage), 8);
    put_number(&a, 6, (uint32_t)usage->ru_maxrss, 4);
    send_answer(&a);
}

void send_failed(uint32_t id, int error, step failed)
{
    struct answer a = begin(FAILED, id);
    put_number(&a, 7, (uint32_t)error, 4);
    put_field(&a, 8, failed, (uint32_t)strlen(failed));
    send_answer(&a);
}

/* ---- from the server ---- */

static void push(struct vector *v, char *item)
{
    if (v->count + 2 > v->room) {
        v->room = 2 * v->room + 64;
        v->items = checked(realloc(v->items, v->room * sizeof *v->items));
    }
    if (item) v->items[v->count++] = item;
    v->items[v->count] = NULL;
}

/* A field's bytes as a string, moved over the field's own header to make room for the NUL. */
static char *take_string(unsigned char *field, uint32_t length)
{
    if (memchr(field + FIELD_HEADER, 0, length)) die("malformed frame: a NUL inside a string");
    memmove(field, field + FIELD_HEADER, length);
    field[length] = 0;
    return (char *)field;
}

static uint64_t take_number(const unsigned char *bytes, uint32_t length)
{
    uint64_t value = 0;
    if (length != 4 && length != 8) die("malformed frame: a number of %u bytes", length);
    memcpy(&value, bytes, length);
    return le64toh(value);
}

static struct request parse_fields(unsigned char *body, size_t size)
{
    static struct vector words, variables, layers, readable;
    struct request r = {
        .words = &words, .variables = &variables, .layers = &layers, .readable = &readable,
    };
    struct vector *const lists[TAGS] = {
        [WORD] = &words, [VARIABLE] = &variables, [LAYER] = &layers, [READABLE] = &readable,
    };
    const bool is_string[TAGS] = {
        [PROGRAM] = 1, [CWD] = 1, [OUT] = 1, [ERR] = 1, [UPPER] = 1, [WORK] = 1, [MOUNT] = 1,
    };
    words.count = variables.count = layers.count = readable.count = 0;
    for (int tag = 0; tag < TAGS; tag++)
        if (lists[tag]) push(lists[tag], NULL);
    for (size_t at = 0; at < size;) {
        unsigned char *field = body + at, tag = field[0];
        if (size - at < FIELD_HEADER) die("malformed frame: a field header is cut short");
        uint32_t length = (uint32_t)take_number(field + 1, 4);
        if (length > size - at - FIELD_HEADER) die("malformed frame: a field runs past it");
        at += FIELD_HEADER + length;
        if (tag >= TAGS) continue;
        if (lists[tag]) push(lists[tag], take_string(field, length));
        else if (is_string[tag]) r.string[tag] = take_string(field, length);
        else r.number[tag] = take_number(field + FIELD_HEADER, length);
    }
    return r;
}

bool read_frames(frame_handler *handle)
{
    static unsigned char *buffer;
    static size_t size, used;
    if (size - used < 65536) buffer = checked(realloc(buffer, size = used + 131072));
    ssize_t n = read(STDIN_FILENO, buffer + used, size - used);
    if (n < 0 && errno != EINTR && errno != EAGAIN) die("read: %s", strerror(errno));
    if (n <= 0) return n != 0;
    used += (size_t)n;
    size_t at = 0;
    while (used - at >= 4) {
        uint32_t length = (uint32_t)take_number(buffer + at, 4);
        if (length < 1 || length > MAX_FRAME) die("malformed frame: %u bytes", length);
        if (used - at - 4 < length) break;
        struct request r = parse_fields(buffer + at + 5, length - 1);
        handle(buffer[at + 4], &r);
        at += 4 + (size_t)length;
    }
    memmove(buffer, buffer + at, used -= at);
    return true;
}
