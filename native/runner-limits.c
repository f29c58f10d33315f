/* What every compiler is bound by from its first instruction on, in a sealed root or without. */
#include "runner.h"
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Never above the runner's own limit, which only root may raise. */
static int limit(int resource, uint64_t value)
{
    struct rlimit bound;
    if (getrlimit(resource, &bound)) return -1;
    if (value < bound.rlim_max) bound.rlim_max = value;
    bound.rlim_cur = bound.rlim_max;
    return setrlimit(resource, &bound);
}

static step set_limits(const struct request *r)
{
    if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_CPU, r->number[CPU])) return "limit its time";
    if (limit(RLIMIT_AS, r->number[MEMORY])) return "limit its memory";
    if (limit(RLIMIT_FSIZE, r->number[FILE_SIZE])) return "limit its files";
    if (limit(RLIMIT_NOFILE, r->number[FILES])) return "limit its descriptors";
    /* Counted for each user namespace, and so for each root; without one, with all that the user
       has: unless that is nobody else's, it would hit the innocent. A supervisor counts itself. */
    const bool is_counted = root_of(r) == SEALED_ROOT || r->number[USER];
    if (is_counted && limit(RLIMIT_NPROC, r->number[PROCESSES]))
        return "limit its processes";
    return NULL;
}

/* No privilege is left, and by no_new_privs none comes back with exec, not even root's. */
static step drop_privileges(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return "give up privileges";
    return syscall(SYS_capset, &header, none) ? "drop capabilities" : NULL;
}

step confine(const struct request *r)
{
    const uint64_t layers = r->number[SANDBOX];
    step failed = set_limits(r);
    if (!failed && r->number[USER]) failed = become_user(r->number[USER]);
    if (!failed) failed = drop_privileges();
    if (!failed && (layers & SANDBOX_LANDLOCK)) failed = restrict_files(r);
    if (!failed && r->number[TERMINAL]) failed = imitate_terminal();
    if (!failed && root_of(r) == SUPERVISED_ROOT) failed = be_supervised();
    /* The last: it takes away what the others are made with. */
    if (!failed && (layers & SANDBOX_SECCOMP)) failed = filter_system_calls();
    return failed;
}
