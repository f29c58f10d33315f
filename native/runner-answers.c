/*
 * What a supervised compiler gets for the system calls that name files. The name is read once, out of
 * the compiler's memory, and what it leads to is done here, so that nothing the compiler's other
 * threads write meanwhile makes a difference. Only programs are started by the kernel itself: for
 * these Landlock says which may be.
 */
#include "supervisor.h"
#include <elf.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#ifndef SECCOMP_ADDFD_FLAG_SEND /* Linux 5.14 */
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

const char *working_directory;
uint64_t processes_left;

static int listener;
static struct seccomp_notif call;

/* ---- the compiler's memory ---- */

static bool is_waiting(void)
{
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call.id) == 0;
}

/* Up to the page's end at a time: what lies behind may not be there. */
static int read_path(uint64_t from, char path[PATH_ROOM])
{
    for (size_t have = 0; have < PATH_ROOM;) {
        size_t length = 4096 - (from + have) % 4096;
        if (length > PATH_ROOM - have) length = PATH_ROOM - have;
        struct iovec to = {path + have, length}, at = {(void *)(from + have), length};
        const ssize_t n = process_vm_readv((pid_t)call.pid, &to, 1, &at, 1, 0);
        if (n <= 0 && errno != EFAULT && is_waiting()) give_up("read a compiler's memory", errno);
        if (n <= 0) return -EFAULT;
        if (memchr(path + have, 0, (size_t)n)) return is_waiting() ? 0 : -EINTR;
        have += (size_t)n;
    }
    return -ENAMETOOLONG;
}

/* By a descriptor that is known to be the caller's: its number may be another's by now. */
static int write_result(uint64_t to, const void *bytes, size_t length)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%u/mem", call.pid);
    const int memory = open(path, O_WRONLY | O_CLOEXEC);
    if (memory < 0 && is_waiting()) give_up("write to a compiler's memory", errno);
    if (memory < 0) return -EINTR;
    const ssize_t n = is_waiting() ? pwrite(memory, bytes, length, (off_t)to) : -1;
    close(memory);
    return n == (ssize_t)length ? 0 : -EFAULT;
}

/* ---- names ---- */

static int find(int64_t directory, uint64_t pointer, bool follow, struct node **found)
{
    char path[PATH_ROOM];
    const int error = read_path(pointer, path);
    if (error) return error;
    if (*path && *path != '/' && (int)directory != AT_FDCWD)
        give_up("follow a descriptor of a directory", ENOTSUP);
    return find_node(path, follow, found);
}

static int find_existing(int64_t directory, uint64_t pointer, bool follow, struct node **found)
{
    const int error = find(directory, pointer, follow, found);
    return error ? error : (*found)->kind == ABSENT ? -ENOENT : 0;
}

/* What to hand to a call that takes a directory's descriptor and a name. */
struct place {
    int directory;
    const char *name;
};

static struct place place_of(const struct node *n)
{
    if (n->kind == DEVICE) return (struct place){AT_FDCWD, path_of(n)};
    return (struct place){layer_of(n), below_layer(n)};
}

static int result_of(long returned)
{
    return returned < 0 ? -errno : (int)returned;
}

/* ---- descriptors ---- */

/* A program's loader runs what it opens, so that it may open no program or library but this
   host's. Objects, which nobody runs, are another type. */
static void keep_from_code(int fd)
{
    unsigned char start[18];
    if (pread(fd, start, sizeof start, 0) != sizeof start || memcmp(start, "\177ELF", 4)) return;
    const bool is_little = start[5] == 1;
    const unsigned type = start[is_little ? 16 : 17] | start[is_little ? 17 : 16] << 8;
    if (type != ET_REL) give_up("keep the client's own programs and libraries out", EACCES);
}

static int open_existing(struct node *n, int flags)
{
    const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
    if ((flags & O_CREAT) && (flags & O_EXCL)) return -EEXIST;
    if (n->kind == LINK) return -ELOOP;
    if (n->kind == DIRECTORY && (writes || (flags & O_CREAT))) return -EISDIR;
    if (n->kind != DIRECTORY && (flags & O_DIRECTORY)) return -ENOTDIR;
    if (n->kind == DIRECTORY && !(flags & O_PATH)) return list_directory(n);
    if (n->kind == REGULAR && writes && !is_in_upper(n)) {
        const int error = copy_up(n, !(flags & O_TRUNC));
        if (error) return error;
    }
    const struct place at = n->is_program ? (struct place){AT_FDCWD, path_of(n)} : place_of(n);
    const int fd = openat(at.directory, at.name, (flags & ~O_CREAT) | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    if (n->kind == REGULAR && !n->is_program && !writes) keep_from_code(fd);
    return fd;
}

static int create(struct node *n, int flags, mode_t mode)
{
    const int error = make_way(n);
    if (error) return error;
    const int how = flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int fd = openat(upper_layer(), below_layer(n), how, mode & 0777);
    if (fd < 0) return -errno;
    put_in_upper(n, REGULAR);
    return fd;
}

static void answer(int64_t value, bool proceeds)
{
    struct seccomp_notif_resp response = {
        .id = call.id,
        .val = value < 0 ? 0 : value,
        .error = value < 0 ? (int32_t)value : 0,
        .flags = proceeds ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0,
    };
    /* ENOENT: the caller has been killed, or begins anew after a signal. */
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) && errno != ENOENT)
        give_up("answer a compiler", errno);
}

static void answer_open(int64_t directory, uint64_t pointer, uint64_t how, mode_t mode)
{
    const int kept = O_ACCMODE | O_APPEND | O_NONBLOCK | O_DIRECTORY | O_TRUNC | O_CREAT | O_EXCL |
                     O_PATH | O_NOFOLLOW;
    const int flags = (int)how & kept;
    struct node *n;
    int fd = find(directory, pointer, !(flags & (O_NOFOLLOW | O_EXCL)), &n);
    if (!fd && (how & O_TMPFILE) == O_TMPFILE) fd = -EOPNOTSUPP;
    else if (!fd && n->kind != ABSENT) fd = open_existing(n, flags);
    else if (!fd) fd = flags & O_CREAT ? create(n, flags, mode) : -ENOENT;
    if (fd < 0) return answer(fd, false);
    struct seccomp_notif_addfd added = {
        .id = call.id, .flags = SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)fd,
        .newfd_flags = how & O_CLOEXEC,
    };
    const int error = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &added) < 0 ? errno : 0;
    close(fd);
    /* With an error nothing has been answered: it has as many descriptors as it may have. */
    if (error && error != ENOENT) answer(-error, false);
}

/* ---- looks ---- */

static int look(const struct node *n, uint64_t to)
{
    struct stat found;
    const struct place at = place_of(n);
    /* As the kernel has it, and not as a C library. */
    if (syscall(SYS_newfstatat, at.directory, at.name, &found, AT_SYMLINK_NOFOLLOW)) return -errno;
    return write_result(to, &found, sizeof found);
}

static int answer_stat(int64_t directory, uint64_t pointer, uint64_t to, bool follow)
{
    struct node *n;
    const int error = find_existing(directory, pointer, follow, &n);
    return error ? error : look(n, to);
}

static int answer_access(int64_t directory, uint64_t pointer, int mode)
{
    struct node *n;
    const int error = find_existing(directory, pointer, true, &n);
    if (error) return error;
    const struct place at = place_of(n);
    return result_of(syscall(SYS_faccessat, at.directory, at.name, mode));
}

static int write_string(uint64_t to, const char *string, size_t length)
{
    const int error = write_result(to, string, length);
    return error ? error : (int)length;
}

static int answer_readlink(int64_t directory, uint64_t pointer, uint64_t to, uint64_t room)
{
    struct node *n;
    const int error = find_existing(directory, pointer, false, &n);
    if (error) return error;
    if (n->kind != LINK || (int)room <= 0) return -EINVAL;
    const size_t length = strlen(n->target);
    return write_string(to, n->target, length < room ? length : (size_t)room);
}

static int answer_getcwd(uint64_t to, uint64_t room)
{
    const size_t length = strlen(working_directory) + 1;
    return room < length ? -ERANGE : write_string(to, working_directory, length);
}

/* ---- changes ---- */

static int answer_unlink(int64_t directory, uint64_t pointer, uint64_t flags)
{
    struct node *n;
    int error = find_existing(directory, pointer, false, &n);
    if (error) return error;
    if (flags) give_up("remove a directory", ENOTSUP);
    if (n->kind == DIRECTORY) return -EISDIR;
    if (n->kind == DEVICE) return -EBUSY;
    if (is_in_upper(n) && unlinkat(upper_layer(), below_layer(n), 0)) return -errno;
    remove_node(n);
    return 0;
}

static int answer_rename(int64_t from_at, uint64_t from, int64_t to_at, uint64_t to, uint64_t flags)
{
    struct node *old, *new;
    char name[PATH_ROOM];
    int error = find_existing(from_at, from, false, &old);
    if (!error) error = find(to_at, to, false, &new);
    if (error) return error;
    if (flags) return -EINVAL;
    if (old == new) return 0;
    if (old->kind != REGULAR || (new->kind != ABSENT && new->kind != REGULAR)) return -EXDEV;
    if (!is_in_upper(old)) error = copy_up(old, true);
    if (!error) error = make_way(new);
    if (error) return error;
    snprintf(name, sizeof name, "%s", below_layer(old));
    if (renameat(upper_layer(), name, upper_layer(), below_layer(new))) return -errno;
    remove_node(old);
    put_in_upper(new, REGULAR);
    return 0;
}

static int answer_mkdir(int64_t directory, uint64_t pointer)
{
    struct node *n;
    int error = find(directory, pointer, false, &n);
    if (!error) error = n->kind == ABSENT ? make_way(n) : -EEXIST;
    if (error) return error;
    if (mkdirat(upper_layer(), below_layer(n), 0700)) return -errno;
    put_in_upper(n, DIRECTORY);
    return 0;
}

static int answer_chmod(int64_t directory, uint64_t pointer, mode_t mode)
{
    struct node *n;
    int error = find_existing(directory, pointer, true, &n);
    if (!error && n->kind != REGULAR) error = -EPERM;
    if (!error && !is_in_upper(n)) error = copy_up(n, true);
    return error ? error : result_of(fchmodat(upper_layer(), below_layer(n), mode & 0777, 0));
}

/* What of the compiler's is open there, in this memory until the next call. */
static const char *file_at(int fd)
{
    static char target[PATH_ROOM];
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/fd/%d", call.pid, fd);
    const ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) return NULL;
    target[length] = 0;
    return target;
}

/* A file of a layer is open to be read, and its owner could still change its mode. */
static int answer_fchmod(int fd, mode_t mode)
{
    char upper[64], path[PATH_ROOM];
    const char *file = file_at(fd);
    snprintf(upper, sizeof upper, "/proc/self/fd/%d", upper_layer());
    const ssize_t length = readlink(upper, path, sizeof path - 1);
    if (!file || length < 0) return -EBADF;
    if (strncmp(file, path, (size_t)length) || file[length] != '/') return -EPERM;
    return result_of(fchmodat(upper_layer(), file + length + 1, mode & 0777, AT_SYMLINK_NOFOLLOW));
}

/* ---- programs ---- */

/* By this name the kernel finds the host's file, which is the same as the client's. */
static void answer_execve(uint64_t pointer)
{
    char path[PATH_ROOM];
    struct node *n;
    struct stat ours, named;
    int error = read_path(pointer, path);
    if (!error) error = find_node(path, true, &n);
    if (!error && n->kind == ABSENT) error = -ENOENT;
    if (!error && n->kind == DIRECTORY) error = -EACCES;
    if (error) return answer(error, false);
    if (!n->is_program || *path != '/' || stat(path, &named) || stat(path_of(n), &ours) ||
        named.st_ino != ours.st_ino || named.st_dev != ours.st_dev)
        give_up("start a program that this host does not have", EACCES);
    answer(0, true);
}

static void answer_process(void)
{
    if (processes_left == 0) return answer(-EAGAIN, false);
    processes_left--;
    answer(0, true);
}

static void answer_call(void)
{
    const uint64_t *a = (const uint64_t *)call.data.args;
    const int64_t here = AT_FDCWD;
    switch (call.data.nr) {
    case SYS_openat: return answer_open((int)a[0], a[1], a[2], (mode_t)a[3]);
    case SYS_execve: return answer_execve(a[0]);
    case SYS_clone: return answer_process();
    case SYS_newfstatat:
        return answer(answer_stat((int)a[0], a[1], a[2], !(a[3] & AT_SYMLINK_NOFOLLOW)), false);
    case SYS_faccessat: return answer(answer_access((int)a[0], a[1], (int)a[2]), false);
    case SYS_readlinkat: return answer(answer_readlink((int)a[0], a[1], a[2], a[3]), false);
    case SYS_getcwd: return answer(answer_getcwd(a[0], a[1]), false);
    case SYS_unlinkat: return answer(answer_unlink((int)a[0], a[1], a[2]), false);
    case SYS_renameat2:
        return answer(answer_rename((int)a[0], a[1], (int)a[2], a[3], a[4]), false);
    case SYS_mkdirat: return answer(answer_mkdir((int)a[0], a[1]), false);
    case SYS_fchmodat: return answer(answer_chmod((int)a[0], a[1], (mode_t)a[2]), false);
    case SYS_fchmod: return answer(answer_fchmod((int)a[0], (mode_t)a[1]), false);
#ifdef SYS_renameat
    case SYS_renameat: return answer(answer_rename((int)a[0], a[1], (int)a[2], a[3], 0), false);
#endif
#ifdef SYS_open /* what newer architectures do without */
    case SYS_open: return answer_open(here, a[0], a[1], (mode_t)a[2]);
    case SYS_creat:
        return answer_open(here, a[0], O_CREAT | O_WRONLY | O_TRUNC, (mode_t)a[1]);
    case SYS_fork: case SYS_vfork: return answer_process();
    case SYS_stat: return answer(answer_stat(here, a[0], a[1], true), false);
    case SYS_lstat: return answer(answer_stat(here, a[0], a[1], false), false);
    case SYS_access: return answer(answer_access(here, a[0], (int)a[1]), false);
    case SYS_readlink: return answer(answer_readlink(here, a[0], a[1], a[2]), false);
    case SYS_unlink: return answer(answer_unlink(here, a[0], 0), false);
    case SYS_rename: return answer(answer_rename(here, a[0], here, a[1], 0), false);
    case SYS_mkdir: return answer(answer_mkdir(here, a[0]), false);
    case SYS_chmod: return answer(answer_chmod(here, a[0], (mode_t)a[1]), false);
#endif
    default: return answer(-ENOSYS, false);
    }
}

void answer_calls(int from)
{
    listener = from;
    memset(&call, 0, sizeof call); /* the kernel insists */
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0) return answer_call();
    /* ENOENT: the caller was killed before it could be heard. */
    if (errno != ENOENT && errno != EINTR) give_up("hear a compiler", errno);
}
