/*
 * A user for one compile, whom nothing belongs to and whom nobody else is: on hosts that have neither
 * Landlock nor namespaces, what is closed to others is closed to the compiler, no process outside its
 * own can be reached, and all of its own can be found when it has ended.
 */
#include "runner.h"
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* By system calls: the C library's functions change all threads of a process, and after vfork it
   would take the runner's for them. */
step become_user(uint64_t user)
{
    const uid_t id = (uid_t)user;
    if (syscall(SYS_setgroups, 0, NULL)) return "give up its groups";
    if (syscall(SYS_setresgid, id, id, id)) return "take a group of its own";
    if (syscall(SYS_setresuid, id, id, id)) return "take a user of its own";
    return NULL;
}

void kill_user(uint64_t user)
{
    pid_t pid = vfork();
    if (pid == 0) {
        /* To all that this user may send one to, but not to the sender. ESRCH: there is nobody. */
        if (!become_user(user)) kill(-1, SIGKILL);
        _exit(0);
    }
    if (pid < 0) die("cannot kill the processes of user %lu: %s", (unsigned long)user, strerror(errno));
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
}
