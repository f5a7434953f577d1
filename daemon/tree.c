#include "tree.h"

#include "cgroup.h"
#include "../lib/cleanup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { FOUND_MAX = 1024, PASSES_MAX = 1000 };

int trees_init(struct trees *trees)
{
	sigset_t ended;

	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	*trees = (struct trees){ -1, -1, NULL };
	/* What is read from it are the signals of whoever reads: one does for all keepers. */
	trees->child_ended = signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);
	trees->leatd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	return trees->child_ended < 0 || trees->leatd < 0 ? -errno : 0;
}

void trees_free(struct trees *trees)
{
	cleanup_close(&trees->child_ended);
	cleanup_close(&trees->leatd);
}

/* --- Those who have ended --- */

bool tree_is_gone(struct tree *tree)
{
	siginfo_t end = { .si_pid = 0 };
	struct rusage used;

	while (waitid(P_ALL, 0, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid != 0) {
		if (end.si_pid == tree->first) {
			tree->end = end;
			tree->first_ended = true;
			/* Before it is reaped: as long as it is there, the number of the group is not given to another. */
			if (!tree->spares)
				kill(-tree->first, SIGKILL);
		}
		/* The system call also tells what it has used. */
		syscall(SYS_waitid, P_PID, end.si_pid, &end, WEXITED, &used);
		if (end.si_pid == tree->first)
			tree->used = used;
		end.si_pid = 0;
		errno = 0;
	}
	tree->childless = errno == ECHILD;
	return tree->childless && (!tree->leaf || leaf_is_empty(tree->leaf));
}

/* --- Looking for the others --- */

struct found {
	pid_t pid, parent;
};

/* One pass from the keeper down. Nothing is allocated: it must work when leatd was killed in the middle of anything. */
struct pass {
	struct tree *tree;
	int signal;
	bool anyone_new;
	size_t count;
	struct found found[FOUND_MAX];
};

/* The children of one thread: numbers, with a blank after each. The list may lack some when one of them ends while it is read. */
static void find_children_of_thread(struct pass *pass, pid_t parent, const char *thread)
{
	char path[64], room[1024];
	ssize_t n;
	pid_t pid = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", (int)parent, thread);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = read(fd, room, sizeof(room))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (isdigit((unsigned char)room[i])) {
				pid = pid * 10 + (room[i] - '0');
				continue;
			}
			if (pid > 0 && pass->count < FOUND_MAX)
				pass->found[pass->count++] = (struct found){ pid, parent };
			pid = 0;
		}
	}
}

static void find_children(struct pass *pass, pid_t parent)
{
	char path[32], room[2048] __attribute__((aligned(8)));
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)parent);
	autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0 && (n = getdents64(fd, room, sizeof(room))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *thread = (const void *)(room + at);

			if (isdigit((unsigned char)thread->d_name[0]))
				find_children_of_thread(pass, parent, thread->d_name);
			at += thread->d_reclen;
		}
	}
}

struct stat_line {
	char state;
	int parent, group, threads;
};

/* False: it has gone. */
static bool read_stat(pid_t pid, struct stat_line *is)
{
	char path[32], stat[512], *after_name;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

	n = fd >= 0 ? read(fd, stat, sizeof(stat) - 1) : -1;
	stat[n > 0 ? n : 0] = '\0';
	/* The name may hold anything, but it is the last with a parenthesis. */
	after_name = strrchr(stat, ')');
	return after_name && sscanf(after_name, ") %c %d %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d", &is->state,
				    &is->parent, &is->group, &is->threads) == 4;
}

static bool is_new(struct tree *tree, pid_t pid)
{
	pid_t *slot = &tree->killed[(size_t)pid % TREE_KILLED_MAX];
	bool is = *slot != pid;

	*slot = pid;
	return is;
}

/* True: it is alive. Where /proc hides the processes of others (ProtectProc=), it may be hidden from us, but not that it is our child. */
static bool look_at(struct found found, struct stat_line *is)
{
	if (!read_stat(found.pid, is)) {
		*is = (struct stat_line){ 0 };
		return found.parent == getpid();
	}
	/* Dead, and not only its first thread. */
	return is->parent == found.parent && (is->state != 'Z' || is->threads > 1);
}

/* The number could be another's by now: it is held by a pidfd, and the one that holds it must still be the child that was found. */
static void visit(struct pass *pass, struct found found)
{
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, found.pid, 0);
	struct stat_line is;

	if (pidfd < 0 || !look_at(found, &is))
		return;
	find_children(pass, found.pid);
	if (pass->signal == SIGKILL) {
		pass->anyone_new |= is_new(pass->tree, found.pid);
		/* A group in one stroke, however fast it forks. */
		if (is.group > 1 && is.group != getpgrp())
			kill(-is.group, SIGKILL);
	} else if (is.group == pass->tree->first) {
		return;         /* has it, with the group */
	}
	syscall(SYS_pidfd_send_signal, pidfd, pass->signal, NULL, 0);
}

static bool signal_all(struct tree *tree, int signal)
{
	struct pass pass = { .tree = tree, .signal = signal };

	find_children(&pass, getpid());
	for (size_t i = 0; i < pass.count; i++)
		visit(&pass, pass.found[i]);
	if (pass.count == FOUND_MAX)
		tree_is_gone(tree);     /* makes room for those who were not seen */
	return pass.anyone_new;
}

static void signal_group(const struct tree *tree, int signal)
{
	/* Once it has been reaped, its number may be another's. 0 would be our own group. */
	if (tree->first > 0 && !tree->first_ended)
		kill(-tree->first, signal);
}

void tree_terminate(struct tree *tree)
{
	signal_group(tree, SIGTERM);
	signal_all(tree, SIGTERM);
}

void tree_kill(struct tree *tree)
{
	signal_group(tree, SIGKILL);
	if (tree->leaf)
		leaf_kill(tree->leaf);
	if (tree_is_gone(tree))
		return;
	/* The dead are not reaped meanwhile: they count towards what limits the number of processes, so that a fork bomb that has
	 * reached its limit cannot put new ones in their places. */
	for (int i = 0; i < PASSES_MAX && signal_all(tree, SIGKILL); i++) {
		/* Who forks faster than we look for them gets less of the CPU. */
		if (i == 1)
			setpriority(PRIO_PROCESS, 0, -20);
	}
}
