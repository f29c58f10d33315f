/*
 * PROBE: shows that a root is sealed by looking at it from inside, in a compiler's place. Its
 * words are paths of the host that must not be there. The root's lower layers hold /shown and
 * /hidden, and a layer above has a whiteout for /hidden.
 */
#include "runner.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static bool is_absent(const char *path)
{
    struct stat found;
    if (lstat(path, &found) == 0) errno = EEXIST;
    return errno == ENOENT || errno == ENOTDIR;
}

/* Not even its loopback is up, so that no address can be reached. */
static bool has_no_network(void)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons(9)};
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno == EAFNOSUPPORT;
    bool reached = connect(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    if (reached) errno = EISCONN;
    close(fd);
    return !reached && errno == ENETUNREACH;
}

static bool has_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capget, &header, now)) return true;
    bool some = now[0].permitted || now[1].permitted || getuid() == 0;
    if (some) errno = EPERM;
    return some;
}

static bool can_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    ssize_t n = write(fd, "x", 1);
    return close(fd) == 0 && n == 1;
}

static bool can_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, &byte, 1);
    close(fd);
    return n == 1;
}

step probe_root(const struct request *r)
{
    if (has_capabilities()) return "be without privileges in the root";
    if (getpid() != 2 || kill(-1, 0) == 0) return "be alone in the root";
    for (size_t i = 0; i < r->words->count; i++)
        if (!is_absent(r->words->items[i])) return "hide the host's files";
    if (!is_absent("/proc/self")) return "hide the host's processes";
    if (!has_no_network()) return "do without a network";
    if (!can_read("/shown")) return "see a lower layer";
    if (!is_absent("/hidden")) return "hide a file by a whiteout";
    if (!can_write("/new") || !can_write("/shown")) return "write in the root";
    if (unlink("/shown") || !is_absent("/shown")) return "remove a file in the root";
    if (!can_write("/.tscc/new")) return "write in /.tscc";
    if (!can_write("/dev/null") || !can_read("/dev/zero") || !can_read("/dev/urandom"))
        return "use the devices";
    return NULL;
}
