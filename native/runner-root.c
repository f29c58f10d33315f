/*
 * The sealed root of a job: an overlay of its own upper directory over read-only layers, three
 * devices, a small file system for temporary files, and nothing else. Called in new user, mount,
 * network, ipc and uts namespaces.
 */
#include "runner.h"
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef OPEN_TREE_CLONE /* glibc has them since 2.36 */
#define OPEN_TREE_CLONE 1
#define MOVE_MOUNT_F_EMPTY_PATH 4
#endif

/* Inside, everybody is this user and group: not root, so that exec leaves no capability. */
enum { INSIDE_ID = 1000 };

static int write_file(const char *path, const char *format, ...)
{
    char text[32];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t n = write(fd, text, (size_t)length);
    int error = errno;
    close(fd);
    errno = error;
    return n < 0 ? -1 : 0;
}

static step map_user(uid_t uid, gid_t gid)
{
    if (write_file("/proc/self/setgroups", "deny")) return "give up setgroups";
    if (write_file("/proc/self/uid_map", "%u %u 1", INSIDE_ID, uid)) return "map its user";
    if (write_file("/proc/self/gid_map", "%u %u 1", INSIDE_ID, gid)) return "map its group";
    return NULL;
}

/*
 * Less to attack the kernel with: no more namespaces in this one (where /proc/sys can be written,
 * which in containers it often cannot) and no key of the server's session (an error says that
 * there are no keys, or that nobody may use them).
 */
static void bar_extras(void)
{
    write_file("/proc/sys/user/max_user_namespaces", "0");
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

/* Appends `SEPARATOR/proc/self/fd/N` for a directory; -1 with errno set on failure. */
static int append(char *options, size_t size, const char *separator, const char *directory)
{
    size_t used = strlen(options);
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int n = snprintf(options + used, size - used, "%s/proc/self/fd/%d", separator, fd);
    if (n >= 0 && (size_t)n < size - used) return 0;
    errno = E2BIG;
    return -1;
}

/* What overlayfs makes in there has no permissions at all, so that a server that is not root could
   not remove it. The mark of a volatile overlay is for those who would mount it again. */
static int open_work(const char *directory)
{
    static const struct { const char *name; int how; } marks[] = {
        {"work/incompat/volatile/dirty", 0},
        {"work/incompat/volatile", AT_REMOVEDIR},
        {"work/incompat", AT_REMOVEDIR},
    };
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (unlinkat(fd, marks[i].name, marks[i].how) && errno != ENOENT) return -1;
    return fchmodat(fd, "work", 0700, 0);
}

/*
 * Directories are named by descriptor: their own names may hold what overlayfs takes for a
 * separator, and the options of a mount must fit into a page, which holds 230 such names. (The
 * newer lowerdir+ of fsconfig has neither trouble, but needs Linux 6.7; this works since 5.11.)
 *
 * userxattr: only these attributes may an unprivileged mount use, for directories that replace
 * others. volatile: without it, the end of the mount would write all dirty data of the store's
 * file system to its disk.
 */
static step mount_overlay(const struct request *r)
{
    char options[4096] = "userxattr,volatile";
    for (size_t i = 0; i < r->layers->count; i++)
        if (append(options, sizeof options, i ? ":" : ",lowerdir=", r->layers->items[i]))
            return "open a layer";
    if (append(options, sizeof options, ",upperdir=", r->string[UPPER])) return "open upper";
    if (append(options, sizeof options, ",workdir=", r->string[WORK])) return "open work";
    const unsigned long flags = MS_NOSUID | MS_NODEV;
    if (mount("tscc", r->string[MOUNT], "overlay", flags, options)) return "mount the overlay";
    if (open_work(r->string[WORK])) return "open the overlay's work directory";
    if (chdir(r->string[MOUNT])) return "enter the overlay";
    return NULL;
}

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/urandom"};
enum { DEVICES = sizeof devices / sizeof *devices };

/* Taken before the host's files are out of sight, attached in the root when links lead nowhere. */
static step take_devices(int trees[DEVICES])
{
    for (int i = 0; i < DEVICES; i++) {
        const int flags = OPEN_TREE_CLONE | O_CLOEXEC;
        trees[i] = (int)syscall(SYS_open_tree, AT_FDCWD, devices[i], flags);
        if (trees[i] < 0) return "take the devices";
    }
    return NULL;
}

static step attach_devices(const int trees[DEVICES])
{
    for (int i = 0; i < DEVICES; i++) {
        const int how = MOVE_MOUNT_F_EMPTY_PATH;
        if (syscall(SYS_move_mount, trees[i], "", AT_FDCWD, devices[i], how))
            return "attach the devices";
    }
    return NULL;
}

static step mount_scratch(uint64_t bytes)
{
    char options[80];
    const unsigned long long size = bytes;
    /* A file takes a page at least. */
    snprintf(options, sizeof options, "size=%llu,nr_inodes=%llu,mode=0700", size, size / 4096);
    if (mount("tscc", "/.tscc", "tmpfs", MS_NOSUID | MS_NODEV, options)) return "mount /.tscc";
    return NULL;
}

step enter_root(const struct request *r, uid_t uid, gid_t gid)
{
    int trees[DEVICES];
    step failed;
    if ((failed = map_user(uid, gid))) return failed;
    bar_extras();
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return "detach its mounts";
    if ((failed = take_devices(trees)) || (failed = mount_overlay(r))) return failed;
    /* With one name for both, the old root comes to lie on the new one, where "." finds it. */
    if (syscall(SYS_pivot_root, ".", ".")) return "change the root";
    if (umount2(".", MNT_DETACH)) return "let go of the old root";
    if (chdir("/")) return "enter the root";
    if ((failed = attach_devices(trees)) || (failed = mount_scratch(r->number[SCRATCH])))
        return failed;
    if (sethostname("tscc", 4) || setdomainname("", 0)) return "set its host name";
    return NULL;
}
