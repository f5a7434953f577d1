#include "program.h"

#include "cgroup.h"
#include "controllers.h"
#include "job.h"
#include "leatd.h"
#include "limits.h"
#include "spawn.h"
#include "type.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* How often a tree that does not go away is looked for anew: from the first of them, each time twice as long, to the last. */
#define LOOK_FIRST (5 * MILLISECONDS)
#define LOOK_LAST (500 * MILLISECONDS)

void program_init(struct program *p, const struct trees *trees)
{
	*p = (struct program){ .tree = { .trees = trees }, .in = -1, .out = -1, .err = -1, .theirs = { -1, -1, -1 } };
}

void program_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_theirs(struct program *p)
{
	for (size_t i = 0; i < countof(p->theirs); i++)
		program_close_fd(&p->theirs[i]);
}

void program_close(struct program *p)
{
	close_theirs(p);
	program_close_fd(&p->in);
	program_close_fd(&p->out);
	program_close_fd(&p->err);
}

/* --- Its leaf --- */

int program_take_leaf(struct program *p, struct type *type)
{
	struct cgroup *cgroup = p->tree.trees->cgroup;
	struct leaf_limits limits;

	limits_of_leaf(&limits, type->config);
	p->tree.leaf = cgroup ? leaf_take(cgroup, type->leaves, type->config->name, &limits) : NULL;
	return cgroup && !p->tree.leaf ? -errno : 0;
}

/* Also when its leaf has been given back. */
static bool has_run_out_of_memory(const struct program *p)
{
	if (p->tree.end.si_code != CLD_KILLED || !p->tree.leaf)
		return p->ran_out_of_memory;
	return leaf_ran_out_of_memory(p->tree.trees->cgroup, p->tree.leaf);
}

void program_give_leaf(struct program *p, struct type *type)
{
	struct cgroup *cgroup = p->tree.trees->cgroup;

	p->ran_out_of_memory = has_run_out_of_memory(p);
	if (p->tree.leaf && p->tree.first == 0)
		leaf_remove(cgroup, p->tree.leaf);
	else if (p->tree.leaf)
		leaf_give(cgroup, type->leaves, p->tree.leaf);
	p->tree.leaf = NULL;
}

/* --- Start --- */

/* A pipe whose end `ours` does not block; `theirs` is for the child. */
static int make_pipe(int *ours, int *theirs, bool we_read)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ours = ends[we_read ? 0 : 1];
	*theirs = ends[we_read ? 1 : 0];
	return fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int program_open(struct program *p)
{
	int r = p->theirs[0] < 0 ? make_pipe(&p->in, &p->theirs[0], false) : 0;

	if (r == 0 && p->theirs[1] < 0)
		r = make_pipe(&p->out, &p->theirs[1], true);
	return r < 0 ? r : make_pipe(&p->err, &p->theirs[2], true);
}

int program_start(struct program *p, const struct type *type, char *const *argv, char *const *envp, const char **what)
{
	const struct job_config *config = type->config;
	struct limits limits;
	struct spawn_order order = {
		.path = config->path, .argv = argv, .envp = envp, .cwd = config->cwd, .account = &config->account, .limits = &limits,
		.in = p->theirs[0], .out = p->theirs[1], .err = p->theirs[2], .cgroup = p->tree.leaf ? p->tree.leaf->procs : -1,
	};
	pid_t pid;

	limits_make(&limits, config, &type->leatd->descriptors, p->tree.leaf ? cgroup_controllers(p->tree.trees->cgroup) : 0);
	pid = spawn(&order, what);
	close_theirs(p);
	if (pid < 0)
		return pid;
	p->tree.first = pid;
	return 0;
}

/* --- End --- */

moment program_kill(struct program *p)
{
	tree_kill(&p->tree);
	p->look_in = p->look_in == 0 ? LOOK_FIRST : p->look_in < LOOK_LAST ? 2 * p->look_in : LOOK_LAST;
	return moment_in(p->look_in);
}

void program_die_with_leatd(struct program *p)
{
	struct timespec while_ending = { .tv_nsec = 20 * MILLISECONDS };
	sigset_t ended;

	p->tree.spares = false;
	if (p->tree.leaf)
		leaf_kill(p->tree.leaf);
	p->tree.leaf = NULL;
	close_range(0, ~0U, CLOSE_RANGE_UNSHARE);
	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	do {
		tree_kill(&p->tree);
		sigtimedwait(&ended, NULL, &while_ending);
	} while (!tree_is_gone(&p->tree));
	_exit(0);
}

void program_kill_without_keeper(struct program *p)
{
	if (p->tree.first > 0)
		kill(-p->tree.first, SIGKILL);
	while (p->tree.leaf && !leaf_is_empty(p->tree.leaf)) {
		leaf_kill(p->tree.leaf);
		poll(&(struct pollfd){ p->tree.leaf->events, POLLPRI, 0 }, 1, 100);
	}
}

/* --- What it means for a job --- */

int64_t program_grace(const struct job *job)
{
	int64_t grace = job->type->config->grace, quarter = (job->deadline - job->started) / 4;

	return grace < quarter ? grace : quarter;
}

void program_answer_not_started(struct job *job, const char *what, int error)
{
	job_set_failure(job, CODE_FAILED, "cannot be started: %s: %s", what, strerror(error));
	answer_fact(&job->answer, "status", error == ENOENT ? 127 : 126);
}

static void answer_failed(struct job *job, int status)
{
	job_set_failure(job, CODE_FAILED, "exited with status %d", status);
	answer_fact(&job->answer, "status", status);
	if (*job->last_error)
		answer_fact_text(&job->answer, "error", slice_of(job->last_error));
}

/* Why a program died of a signal: the words, and the limit that it went over, or NULL. */
static const char *why_killed(const struct program *p, const struct job_config *config, const char **limit)
{
	int signal = p->tree.end.si_status;

	if (signal == SIGKILL && has_run_out_of_memory(p)) {
		*limit = "limit.memory";
		return "used more memory than limit.memory";
	}
	if (limits_ended_by_cpu(config, signal, &p->tree.used)) {
		*limit = "limit.cpu";
		return "used more CPU time than limit.cpu";
	}
	*limit = NULL;
	return "died of a signal";
}

static void answer_killed(struct job *job, const struct program *p)
{
	const char *name = sigabbrev_np(p->tree.end.si_status), *limit, *words = why_killed(p, job->type->config, &limit);

	snprintf(job->last_error, sizeof(job->last_error), "SIG%s", name ? name : "?");
	job_set_failure(job, CODE_KILLED, "%s", words);
	answer_fact_text(&job->answer, "signal", slice_of(job->last_error));
	if (limit)
		answer_fact_text(&job->answer, "reason", slice_of(limit));
}

void program_answer_end(struct job *job, const struct program *p)
{
	if (p->tree.end.si_code == CLD_EXITED)
		answer_failed(job, p->tree.end.si_status);
	else
		answer_killed(job, p);
}
