#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_STACK_BYTES = 32 * 1024 };

/* The child writes here, in the memory that it shares with its parent, why it could not become the command. */
struct attempt {
	const struct spawn_order *order;
	int error;
	const char *what;
};

/* The sanitizers would take the child for a thread of leatd. */
#define in_child __attribute__((no_sanitize("address", "thread", "undefined")))

/* Raw system calls throughout: those of libc would change the whole process (setuid), or tell a sanitizer that its descriptors
 * were closed. */
#define TRY(step, ...) do { if (syscall(__VA_ARGS__) < 0) { a->what = step; return false; } } while (0)

in_child static bool set_signals(struct attempt *a)
{
	uint64_t none = 0;
	struct {
		uintptr_t handler, flags, restorer;
		uint64_t mask;
	} normal = { 0 };

	for (int s = 1; s <= 64; s++)
		if (s != SIGKILL && s != SIGSTOP)
			TRY("resetting signals", SYS_rt_sigaction, s, &normal, NULL, sizeof(uint64_t));
	TRY("unblocking signals", SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(uint64_t));
	return true;
}

in_child static bool set_descriptors(struct attempt *a)
{
	const struct spawn_order *o = a->order;

	TRY("connecting stdin", SYS_dup3, o->in, 0, 0);
	TRY("connecting stdout", SYS_dup3, o->out, 1, 0);
	TRY("connecting stderr", SYS_dup3, o->err, 2, 0);
	return true;
}

in_child static bool set_account(struct attempt *a)
{
	const struct account *account = a->order->account;

	if (account->change) {
		TRY("setting groups", SYS_setgroups, account->group_count, account->groups);
		TRY("setting the group", SYS_setresgid, account->gid, account->gid, account->gid);
		TRY("setting the user", SYS_setresuid, account->uid, account->uid, account->uid);
	}
	/* After the user, which clears it: the command does not outlive a keeper that is killed. */
	TRY("binding to leatd", SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return true;
}

in_child static bool set_limits(struct attempt *a)
{
	const struct limits *limits = a->order->limits;

	for (size_t i = 0; i < limits->count; i++)
		TRY("limiting resources", SYS_prlimit64, 0, limits->each[i].resource, &limits->each[i].is, NULL);
	return true;
}

/* A leatd that is the last to be killed when memory is short (OOMScoreAdjust=) does not want that of its commands. Never in the way. */
in_child static void be_killed_first(void)
{
	long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	char sign = '\0';

	if (fd < 0)
		return;
	if (syscall(SYS_read, fd, &sign, 1) == 1 && sign == '-')
		syscall(SYS_write, fd, "0", 1);
	syscall(SYS_close, fd);
}

in_child static bool become(struct attempt *a)
{
	const struct spawn_order *o = a->order;

	TRY("making a session", SYS_setsid);
	/* With the rights of leatd; 0 stands for whoever writes it. */
	if (o->cgroup >= 0)
		TRY("entering its cgroup", SYS_write, o->cgroup, "0", 1);
	/* While it is still the same user. */
	be_killed_first();
	/* The limits after the user: a change of user looks at RLIMIT_NPROC, and then execve() may fail for it. */
	if (!set_descriptors(a) || !set_account(a) || !set_limits(a))
		return false;
	TRY("entering its folder", SYS_chdir, o->cwd);
	TRY("closing descriptors", SYS_close_range, 3, ~0U, 0);
	if (!set_signals(a))
		return false;
	TRY("executing", SYS_execve, o->path, o->argv, o->envp);
	return true;
}

in_child static int child(void *arg)
{
	struct attempt *a = arg;

	become(a);
	a->error = errno;
	syscall(SYS_exit_group, 127);
	return 127;
}

/* clone() by the other name that glibc exports. The thread sanitizer puts itself in front of the first one, and does there what is
 * right after a fork, to the memory that this child shares. */
extern int __clone(int (*run)(void *), void *stack, int flags, void *arg, ...);

pid_t spawn(const struct spawn_order *order, const char **what)
{
	/* vfork: this thread sleeps until the child has executed, so the child may use a piece of this stack. */
	char stack[CHILD_STACK_BYTES] __attribute__((aligned(16)));
	struct attempt a = { .order = order };
	sigset_t all, before;
	pid_t pid;
	int error;

	/* No signal may be handled by the child on the memory of its parent. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = __clone(child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &a);
	error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) {
		*what = "making a process";
		return -error;
	}
	if (!a.error)
		return pid;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	*what = a.what;
	return -a.error;
}
