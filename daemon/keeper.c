#include "keeper.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEEPER_STACK_BYTES = 96 * 1024 };

struct turn {
	void (*work)(void *);
	void *arg;
};

static int keep(void *arg)
{
	const struct turn *turn = arg;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	turn->work(turn->arg);
	return 0;
}

/* See spawn.c. */
extern int __clone(int (*run)(void *), void *stack, int flags, void *arg, ...);

/* By a raw system call, since the keeper has our thread local variables, errno among them, until it has ended. */
static int await_end(pid_t keeper)
{
	siginfo_t end;

	while (syscall(SYS_waitid, P_PID, keeper, &end, WEXITED | __WALL, NULL) < 0)
		if (errno != EINTR)
			return -errno;
	return end.si_code == CLD_EXITED ? 0 : -ECHILD;
}

int keeper_run(void (*work)(void *arg), void *arg)
{
	char stack[KEEPER_STACK_BYTES] __attribute__((aligned(16)));
	struct turn turn = { work, arg };
	/* Not a vfork, in which a parent counts as busy. No signal at its end: only this thread waits for it. */
	pid_t keeper = __clone(keep, stack + sizeof(stack), CLONE_VM | CLONE_FILES, &turn);

	return keeper < 0 ? -errno : await_end(keeper);
}
