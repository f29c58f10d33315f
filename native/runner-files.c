/*
 * Landlock: which files a compiler may open, by whatever name, for what. Without a root of its own
 * these are the files of the toolchain to read and the job's directory to write. In a sealed root
 * all that is there, which is the job's own; but no device or socket is made there, nothing is
 * mounted, and nobody outside can be sent a signal or be met at an abstract socket. Where a supervisor
 * opens all files, the host's own programs are what is left to be started.
 */
#include "runner.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* As in linux/landlock.h, which is older than what it tells of on many a host. */
enum {
    FS_EXECUTE = 1 << 0, FS_WRITE_FILE = 1 << 1, FS_READ_FILE = 1 << 2, FS_READ_DIR = 1 << 3,
    FS_MAKE_CHAR = 1 << 6, FS_MAKE_SOCK = 1 << 9, FS_MAKE_BLOCK = 1 << 11, FS_FIRST = (1 << 13) - 1,
    FS_REFER = 1 << 13, FS_TRUNCATE = 1 << 14, FS_IOCTL_DEV = 1 << 15,
    NET_BIND_TCP = 1 << 0, NET_CONNECT_TCP = 1 << 1,
    SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0, SCOPE_SIGNAL = 1 << 1,
    RULE_PATH_BENEATH = 1, CREATE_RULESET_VERSION = 1
};

struct ruleset_attr {
    uint64_t handled_access_fs, handled_access_net, scoped;
};

struct path_beneath_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

/* What this kernel can forbid; each version can more. */
static struct ruleset_attr handled_since(long version)
{
    struct ruleset_attr all = {.handled_access_fs = FS_FIRST};
    if (version >= 2) all.handled_access_fs |= FS_REFER;
    if (version >= 3) all.handled_access_fs |= FS_TRUNCATE;
    if (version >= 4) all.handled_access_net = NET_BIND_TCP | NET_CONNECT_TCP;
    if (version >= 5) all.handled_access_fs |= FS_IOCTL_DEV;
    if (version >= 6) all.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
    return all;
}

/* A file that is not there needs no rule. */
static int allow(int rules, const char *path, uint64_t access)
{
    const uint64_t of_files = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
    struct path_beneath_attr rule = {.parent_fd = open(path, O_PATH | O_CLOEXEC)};
    struct stat found;
    if (rule.parent_fd < 0) return errno == ENOENT ? 0 : -1;
    int failed = fstat(rule.parent_fd, &found);
    if (!failed) {
        rule.allowed_access = S_ISDIR(found.st_mode) ? access : access & of_files;
        failed = (int)syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0);
    }
    int error = errno;
    close(rule.parent_fd);
    errno = error;
    return failed;
}

static step add_rules(int rules, const struct request *r, uint64_t all)
{
    const uint64_t made = FS_MAKE_CHAR | FS_MAKE_BLOCK | FS_MAKE_SOCK;
    if (root_of(r) == SEALED_ROOT) return allow(rules, "/", all & ~made) ? "allow its root" : NULL;
    const uint64_t read = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR;
    for (size_t i = 0; i < r->readable->count; i++)
        if (allow(rules, r->readable->items[i], read)) return "allow a file of the compiler";
    /* Whatever else it opens, its supervisor opens for it. */
    if (root_of(r) == SUPERVISED_ROOT) return NULL;
    if (allow(rules, r->string[CWD], all & ~made & ~(uint64_t)FS_EXECUTE))
        return "allow the job directory";
    const uint64_t device = all & (FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE);
    /* Not /dev/zero: a source that says to be it has a first line without an end. */
    if (allow(rules, "/dev/null", device) || allow(rules, "/dev/urandom", FS_READ_FILE))
        return "allow the devices";
    return NULL;
}

step restrict_files(const struct request *r)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    if (version < 0) return "use Landlock";
    const struct ruleset_attr all = handled_since(version);
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (rules < 0) return "use Landlock";
    step failed = add_rules(rules, r, all.handled_access_fs);
    if (!failed && syscall(SYS_landlock_restrict_self, rules, 0)) failed = "restrict its files";
    int error = errno;
    close(rules);
    errno = error;
    return failed;
}
