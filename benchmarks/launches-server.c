/*
 * launches-server PORT VERSION SLOTS DELAY DIGEST OBJECT: a compile server that compiles nothing, for
 * launches.ts. It speaks as much of docs/protocol.md §2 as pump jobs without a key need: it has every
 * compiler, misses no content, and answers each job, DELAY milliseconds after its source has come, with
 * OBJECT, whose SHA-256 is DIGEST. It says that the compile read all of its closure. All hosts of a
 * client may be this one program, at other addresses of loopback. Prints `ready` when it listens.
 *
 * What it is sent comes from our own daemon: a fault in it ends the program, with a message.
 */
#define _GNU_SOURCE
#include "launches-msgpack.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HELLO = 1, WELCOME, STATE, PING, PONG, ASK = 0x10, TOOLCHAIN, CHUNK = 0x21 };
enum { PUMP_JOB = 0x25, PUMP_RESULT, GOODBYE = 0x30 };
enum { HEADER = 9, CONNECTIONS = 1024, CHUNK_BYTES = 256 * 1024 };

struct job {
    struct job *next;
    uint32_t number;
    int64_t left;     /* bytes of its source */
    int64_t due;      /* milliseconds; when it is answered */
    char digest[64];  /* of the source */
    struct bytes closure;
    int connection;   /* -1: gone */
};

struct connection {
    struct bytes in, out;
    struct job *sending; /* jobs whose source comes */
};

static struct pollfd polled[CONNECTIONS]; /* the first one listens */
static struct connection connections[CONNECTIONS];
static int count = 1;
static struct job *first, **last = &first; /* sources are there; the one due first comes first */
static uint32_t version, slots;
static int64_t delay;
static const char *digest;
static struct bytes object;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000) + time.tv_nsec / 1000000;
}

static size_t begin(struct bytes *to, uint8_t type, uint32_t job)
{
    const size_t start = to->size;
    const uint32_t number = htole32(job);
    put(to, "\0\0\0", 4);
    put_byte(to, type);
    put(to, &number, 4);
    return start;
}

static void end(struct bytes *to, size_t start)
{
    const uint32_t length = htole32((uint32_t)(to->size - start - 4));
    memcpy(to->at + start, &length, 4);
}

static void greet(struct bytes *out)
{
    size_t start = begin(out, WELCOME, 0);
    put_byte(out, 0x80 | 8);
    number_field(out, "protocol", version);
    put_name(out, "version"), put_name(out, "stand-in");
    put_name(out, "host"), put_name(out, "stand-in");
    number_field(out, "slots", slots);
    put_name(out, "features"), put_byte(out, 0x90);
    number_field(out, "tier", 3);
    number_field(out, "plainTier", 2);
    put_name(out, "missing"), put_byte(out, 0x90);
    end(out, start);
    start = begin(out, STATE, 0);
    put_byte(out, 0x80 | 5);
    number_field(out, "slots", slots);
    number_field(out, "running", 0);
    number_field(out, "queued", 0);
    number_field(out, "load", 0);
    put_name(out, "draining"), put_byte(out, 0xc2);
    end(out, start);
}

static void answer(struct job *job)
{
    struct bytes *out = &connections[job->connection].out;
    size_t start = begin(out, PUMP_RESULT, job->number);
    put_byte(out, 0x80 | 12);
    number_field(out, "status", 0);
    number_field(out, "signal", 0);
    put_name(out, "sourceDigest"), put_text(out, job->digest, sizeof job->digest);
    put_name(out, "outputs"), put_byte(out, 0x91), put_byte(out, 0x95);
    put_number(out, 0);
    put_name(out, digest);
    put_number(out, (uint32_t)object.size);
    put_name(out, "none");
    put_number(out, (uint32_t)object.size);
    number_field(out, "stdoutBytes", 0);
    number_field(out, "stderrBytes", 0);
    put_name(out, "dependencies"), put_blob(out, &job->closure);
    put_name(out, "uncovered"), put_byte(out, 0x90);
    number_field(out, "cpuMicroseconds", 0);
    number_field(out, "wallMilliseconds", (uint32_t)delay);
    number_field(out, "queueMilliseconds", 0);
    number_field(out, "maxRssKiB", 0);
    end(out, start);
    for (size_t at = 0, size; at < object.size; at += size) {
        size = object.size - at < CHUNK_BYTES ? object.size - at : CHUNK_BYTES;
        start = begin(out, CHUNK, job->number);
        put(out, object.at + at, size);
        end(out, start);
    }
}

/* Its source is there. */
static void queue(struct job *job)
{
    job->due = now() + delay;
    job->next = NULL;
    *last = job;
    last = &job->next;
}

static void take_job(int index, uint32_t number, const uint8_t *body, const uint8_t *limit)
{
    struct job *job = calloc(1, sizeof *job);
    size_t header;
    uint64_t bytes, values;
    if (!job) err(1, NULL);
    const uint8_t *closure = field(body, limit, "closure");
    head_of(closure, &header, &bytes, &values);
    put(&job->closure, closure + header, bytes);
    take_digest(job->digest, field(body, limit, "sourceDigest"));
    job->connection = index;
    job->number = number;
    job->left = (int64_t)number_in(field(body, limit, "encodedBytes"));
    if (job->left == 0) queue(job);
    else job->next = connections[index].sending, connections[index].sending = job;
}

static void take_chunk(int index, uint32_t number, int64_t size)
{
    for (struct job **at = &connections[index].sending, *job; (job = *at); at = &job->next) {
        if (job->number != number) continue;
        if ((job->left -= size) > 0) return;
        *at = job->next;
        queue(job);
        return;
    }
}

static void take_frame(int index, uint8_t type, uint32_t job, const uint8_t *body, size_t size)
{
    struct bytes *out = &connections[index].out;
    const uint8_t *limit = body + size;
    char asked[64];
    size_t start;
    switch (type) {
    case HELLO: greet(out); break;
    case PING: end(out, begin(out, PONG, 0)); break;
    case ASK:
        take_digest(asked, field(body, limit, "digest"));
        start = begin(out, TOOLCHAIN, 0);
        put_byte(out, 0x82);
        put_name(out, "digest"), put_text(out, asked, sizeof asked);
        put_name(out, "known"), put_byte(out, 0xc3);
        end(out, start);
        break;
    case PUMP_JOB: take_job(index, job, body, limit); break;
    case CHUNK: take_chunk(index, job, (int64_t)size); break;
    default: break; /* entries, options: it keeps no tree; a cancelled job's answer is passed over */
    }
}

static void hang_up(int index)
{
    close(polled[index].fd);
    polled[index].fd = -1;
    for (struct job *job = first; job; job = job->next) {
        if (job->connection == index) job->connection = -1;
    }
}

static void receive(int index)
{
    struct bytes *in = &connections[index].in;
    uint8_t part[1 << 16];
    const ssize_t size = read(polled[index].fd, part, sizeof part);
    if (size <= 0) return hang_up(index);
    put(in, part, (size_t)size);
    size_t at = 0;
    while (in->size - at >= HEADER) {
        uint32_t length, job;
        memcpy(&length, in->at + at, 4);
        memcpy(&job, in->at + at + 5, 4);
        length = le32toh(length);
        if (in->size - at < 4 + (size_t)length) break;
        take_frame(index, in->at[at + 4], le32toh(job), in->at + at + HEADER, length - 5);
        at += 4 + (size_t)length;
    }
    memmove(in->at, in->at + at, in->size -= at);
}

static void answer_due(void)
{
    for (struct job *job; (job = first) && job->due <= now();) {
        if (!(first = job->next)) last = &first;
        if (job->connection >= 0) answer(job);
        free(job->closure.at);
        free(job);
    }
}

static void send_out(int index)
{
    struct bytes *out = &connections[index].out;
    const ssize_t size = send(polled[index].fd, out->at, out->size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size > 0) memmove(out->at, out->at + size, out->size -= (size_t)size);
}

static void take_connection(void)
{
    const int fd = accept4(polled[0].fd, NULL, NULL, SOCK_CLOEXEC), yes = 1;
    if (fd < 0 || count == CONNECTIONS) errx(1, "cannot take a connection");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    polled[count++] = (struct pollfd){fd, POLLIN, 0};
}

static void read_object(const char *path)
{
    struct stat file;
    const int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &file) < 0) err(1, "%s", path);
    object.at = malloc((size_t)file.st_size + 1);
    object.size = (size_t)file.st_size;
    if (!object.at || read(fd, object.at, object.size) != file.st_size) err(1, "%s", path);
    close(fd);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    if (argc != 7) errx(2, "usage: launches-server PORT VERSION SLOTS DELAY DIGEST OBJECT");
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    version = (uint32_t)atoi(argv[2]);
    slots = (uint32_t)atoi(argv[3]);
    delay = atoi(argv[4]);
    digest = argv[5];
    read_object(argv[6]);
    polled[0] = (struct pollfd){socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), POLLIN, 0};
    if (bind(polled[0].fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(polled[0].fd, 128) < 0 ||
        getsockname(polled[0].fd, (struct sockaddr *)&address, &length) < 0) {
        err(1, "cannot listen");
    }
    printf("ready %d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        for (int i = 1; i < count; i++) {
            polled[i].events = POLLIN | (connections[i].out.size > 0 ? POLLOUT : 0);
        }
        const int64_t wait = first ? first->due - now() : -1;
        poll(polled, (nfds_t)count, first && wait < 0 ? 0 : (int)wait);
        const int known = count;
        if (polled[0].revents) take_connection();
        for (int i = 1; i < known; i++) {
            if (polled[i].fd >= 0 && polled[i].revents & (POLLIN | POLLHUP | POLLERR)) receive(i);
        }
        answer_due();
        for (int i = 1; i < known; i++) {
            if (polled[i].fd >= 0 && connections[i].out.size > 0) send_out(i);
        }
    }
}
