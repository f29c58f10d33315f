/*
 * As much of msgpack as launches-server.c needs: values are added to bytes that grow, and found in a
 * message of our own daemon, a fault in which ends the program.
 */
#ifndef LAUNCHES_MSGPACK_H
#define LAUNCHES_MSGPACK_H
#include <endian.h>
#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    uint8_t *at;
    size_t size, room;
};

static void put(struct bytes *to, const void *from, size_t size)
{
    if (to->size + size > to->room) {
        to->room = 2 * (to->size + size);
        if (!(to->at = realloc(to->at, to->room))) err(1, NULL);
    }
    memcpy(to->at + to->size, from, size);
    to->size += size;
}

static void put_byte(struct bytes *to, uint8_t byte) { put(to, &byte, 1); }

/* msgpack: a whole number, text, bytes. */
static void put_number(struct bytes *to, uint32_t value)
{
    const uint32_t big = htobe32(value);
    put_byte(to, 0xce);
    put(to, &big, 4);
}

static void put_text(struct bytes *to, const char *text, size_t size)
{
    put_byte(to, 0xd9);
    put_byte(to, (uint8_t)size);
    put(to, text, size);
}

static void put_name(struct bytes *to, const char *name) { put_text(to, name, strlen(name)); }

static void put_blob(struct bytes *to, const struct bytes *blob)
{
    const uint32_t big = htobe32((uint32_t)blob->size);
    put_byte(to, 0xc6);
    put(to, &big, 4);
    put(to, blob->at, blob->size);
}

static void number_field(struct bytes *to, const char *name, uint32_t value)
{
    put_name(to, name);
    put_number(to, value);
}

static uint64_t big_endian(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    while (size-- > 0) value = value << 8 | *at++;
    return value;
}

/* Kinds of msgpack that a daemon sends: header's size, and bytes or values that follow it. */
static void head_of(const uint8_t *at, size_t *header, uint64_t *bytes, uint64_t *values)
{
    const uint8_t head = *at;
    *header = 1, *bytes = *values = 0;
    if (head <= 0x7f || head >= 0xe0 || head == 0xc0 || head == 0xc2 || head == 0xc3) return;
    if (head <= 0x8f) *values = 2 * (head & 15);
    else if (head <= 0x9f) *values = head & 15;
    else if (head <= 0xbf) *bytes = head & 31;
    else if (head >= 0xc4 && head <= 0xc6) *header = 1 + (1u << (head - 0xc4));
    else if (head >= 0xd9 && head <= 0xdb) *header = 1 + (1u << (head - 0xd9));
    else if (head >= 0xcc && head <= 0xcf) *bytes = 1u << (head - 0xcc);
    else if (head >= 0xd0 && head <= 0xd3) *bytes = 1u << (head - 0xd0);
    else if (head == 0xca || head == 0xcb) *bytes = head == 0xca ? 4 : 8;
    else if (head == 0xdc || head == 0xde) *header = 3;
    else if (head == 0xdd || head == 0xdf) *header = 5;
    else errx(1, "a value of msgpack type %d", head);
    if (*header == 1) return;
    const uint64_t length = big_endian(at + 1, *header - 1);
    if (head < 0xdc) *bytes = length;
    else *values = head < 0xde ? length : 2 * length;
}

/* What comes after the value at a place. */
static const uint8_t *skip(const uint8_t *at, const uint8_t *limit)
{
    for (uint64_t left = 1; left > 0; left--) {
        size_t header;
        uint64_t bytes, values;
        if (at >= limit) errx(1, "a value runs past its frame");
        head_of(at, &header, &bytes, &values);
        at += header + bytes;
        left += values;
    }
    return at;
}

/* The value of a field of the map that a body is. */
static const uint8_t *field(const uint8_t *at, const uint8_t *limit, const char *name)
{
    size_t header;
    uint64_t bytes, left;
    head_of(at, &header, &bytes, &left);
    for (at += header; left > 0; left -= 2) {
        uint64_t size, none;
        head_of(at, &header, &size, &none);
        const uint8_t *value = at + header + size;
        if (size == strlen(name) && memcmp(at + header, name, size) == 0) return value;
        at = skip(value, limit);
    }
    errx(1, "a message without %s", name);
}

static uint64_t number_in(const uint8_t *value)
{
    size_t header;
    uint64_t bytes, values;
    if (*value <= 0x7f) return *value;
    head_of(value, &header, &bytes, &values);
    return big_endian(value + header, bytes);
}

static void take_digest(char *to, const uint8_t *value)
{
    size_t header;
    uint64_t bytes, values;
    head_of(value, &header, &bytes, &values);
    if (bytes != 64) errx(1, "a digest of %d bytes", (int)bytes);
    memcpy(to, value + header, 64);
}

#endif
