/* Frames to and from the session daemon. Numbers on the wire are little-endian. */
#include "launcher.h"
#include <endian.h>

/* Variables that change what compilers or tscc do; `*` stands for any end of a name. */
static const char *const variables[] = {
    "TSCC_*", "DISTCC_*", "LC_*", "_TSCC_GUARD", "PATH", "PWD", "HOME", "TMPDIR", "LANG",
    "LANGUAGE", "TZ", "SOURCE_DATE_EPOCH", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH", "OBJCPLUS_INCLUDE_PATH", "DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES",
    "GCC_EXEC_PREFIX", "COMPILER_PATH", "LIBRARY_PATH", "GCC_COLORS", "GCC_URLS", "TERM",
    "TERM_URLS", "COLUMNS", "CCC_OVERRIDE_OPTIONS", "CXX_MODULE_MAPPER", "XDG_CONFIG_HOME",
    "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "MAKELEVEL", "MAKEFLAGS", "GCC_COMPARE_DEBUG",
    "POSIXLY_CORRECT", NULL,
};

/* The frame under construction. One that fills the buffer is too large. */
static uint8_t outgoing[4 + LIMIT_REQUEST_BYTES + 1];
static size_t outgoing_size;

void put_bytes(const void *bytes, size_t size) {
    size_t room = sizeof outgoing - outgoing_size;
    memcpy(outgoing + outgoing_size, bytes, size < room ? size : room);
    outgoing_size += size < room ? size : room;
}

void begin_frame(enum frame_type type) {
    outgoing_size = 4;
    put_bytes(&(uint8_t){type}, 1);
}

static void put_field(enum field_tag tag, const void *bytes, size_t size) {
    put_bytes(&(uint8_t){tag}, 1);
    put_bytes(&(uint32_t){htole32(size)}, 4);
    put_bytes(bytes, size);
}

void put_text(enum field_tag tag, const char *value) { put_field(tag, value, strlen(value)); }

void put_number(enum field_tag tag, uint32_t value) { put_field(tag, &(uint32_t){htole32(value)}, 4); }

/* False, with errno: the frame is too large, or the daemon does not read, or is gone (EPIPE). */
bool send_frame(int connection) {
    size_t sent = 0;
    memcpy(outgoing, &(uint32_t){htole32(outgoing_size - 4)}, 4);
    errno = EMSGSIZE;
    while (sent < outgoing_size && outgoing_size < sizeof outgoing) {
        ssize_t size = send(connection, outgoing + sent, outgoing_size - sent, MSG_NOSIGNAL);
        if (size < 0) break;
        sent += size;
    }
    return sent == outgoing_size;
}

/* For signal handlers too: neither waits nor touches the frame under construction. */
void send_leaving(int connection, enum leaving why) {
    const uint8_t frame[] = {10, 0, 0, 0, LEAVING, TAG_WHY, 4, 0, 0, 0, why, 0, 0, 0};
    send(connection, frame, sizeof frame, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool is_wanted(const char *assignment) {
    for (const char *const *name = variables; *name; name++) {
        size_t size = strcspn(*name, "*");
        bool is_prefix = (*name)[size] == '*';
        if (strncmp(*name, assignment, size) == 0 && (is_prefix || assignment[size] == '=')) return true;
    }
    return false;
}

/* False as send_frame. */
bool send_request(const struct command *command, int connection) {
    char *cwd = getcwd(NULL, 0), namespace[64] = "";
    struct stat root;
    if (!cwd || stat("/", &root) < 0) return false;
    bool is_known = readlink("/proc/self/ns/mnt", namespace, sizeof namespace - 1) > 0;
    bool is_absolute = command->compiler[0] == '/';
    mode_t mask = umask(0);
    umask(mask);
    begin_frame(RUN);
    put_number(TAG_VERSION, WIRE_VERSION);
    put_number(TAG_PID, getpid());
    put_number(TAG_UMASK, mask);
    put_number(TAG_FLAGS, isatty(STDERR_FILENO) ? FLAG_STDERR_IS_TERMINAL : 0);
    put_text(TAG_CWD, cwd);
    put_text(TAG_WORLD, text("%s %ju %ju", is_known ? namespace : "-", (uintmax_t)root.st_dev,
                             (uintmax_t)root.st_ino));
    put_text(TAG_COMPILER, is_absolute ? command->compiler : text("%s/%s", cwd, command->compiler));
    for (char **word = command->words; *word; word++) put_text(TAG_WORD, *word);
    for (char **entry = environ; *entry; entry++) {
        if (is_wanted(*entry)) put_text(TAG_VARIABLE, *entry);
    }
    return send_frame(connection);
}

/* False, with errno: the daemon is silent, gone (EPIPE), or the frame malformed (EPROTO). */
bool receive_frame(int connection, struct frame *frame) {
    static uint8_t incoming[4 + LIMIT_FRAME_BYTES];
    errno = EPIPE; /* for an end, which recv does not count as an error */
    if (recv(connection, incoming, 4, MSG_WAITALL) != 4) return false;
    ssize_t length = read_number(incoming);
    if (length < 1 || length > LIMIT_FRAME_BYTES) return errno = EPROTO, false;
    if (recv(connection, incoming + 4, length, MSG_WAITALL) != length) return false;
    *frame = (struct frame){incoming[4], incoming + 5, length - 1};
    return true;
}

uint32_t read_number(const void *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return le32toh(value);
}

/* Sorts the values by tag, each with zeroes behind it. False: the frame is malformed. */
bool read_fields(struct frame frame, struct list fields[TAGS]) {
    while (frame.size >= 5) {
        uint8_t tag = frame.body[0];
        uint32_t size = read_number(frame.body + 1);
        if (size > frame.size - 5) return false;
        char *value = text("%*s", (int)size + TOKEN_BYTES, "");
        memset(mempcpy(value, frame.body + 5, size), 0, TOKEN_BYTES);
        if (tag < TAGS) add(&fields[tag], value);
        frame.body += 5 + size;
        frame.size -= 5 + size;
    }
    return frame.size == 0;
}
