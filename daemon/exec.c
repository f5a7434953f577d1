#include "exec.h"

#include "args.h"
#include "cgroup.h"
#include "cmdline.h"
#include "environment.h"
#include "job.h"
#include "keeper.h"
#include "leatd.h"
#include "limits.h"
#include "log.h"
#include "output.h"
#include "spawn.h"
#include "text.h"
#include "tree.h"
#include "type.h"
#include "../lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { ERROR_READS_MAX = 256 };

/* How often a tree that does not go away is looked for anew: from the first of them, each time twice as long, to the last. */
#define LOOK_FIRST (5 * MILLISECONDS)
#define LOOK_LAST (500 * MILLISECONDS)

enum stage { STAGE_RUNNING, STAGE_TERMINATED, STAGE_KILLED };

/* One run. Descriptors are -1 when they are closed. */
struct command {
	struct job *job;
	const struct job_config *config;
	struct tree tree;
	int in, out, err;               /* our ends of its pipes */
	struct chan_watch *watch;       /* tells of a client that went away */
	int watch_fd;
	size_t sent;                    /* bytes of the payload */
	struct output output;
	size_t line_len;                /* of the line of stderr that is being read */
	char line[sizeof(((struct job *)0)->last_error)];
	enum stage stage;
	moment next;                    /* when the stage ends, or when a killed tree is looked for again */
	int64_t look_in;                /* how long after the last time that was */
	bool by_itself;                 /* the first process ended before it was told to */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
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

static int start_with(struct command *c, int in, int out, int err, const char **what)
{
	const struct job_config *config = c->config;
	autofree char **filled = config->arg_count > 0 ? args_fill(config, c->job->args) : NULL;
	struct environment env;
	autofree char **envp = environment_make(&env, c->job);
	struct limits limits;
	struct spawn_order order = {
		.path = config->path, .argv = filled ? filled : config->cmdline->argv, .envp = envp, .cwd = config->cwd,
		.account = &config->account, .limits = &limits, .in = in, .out = out, .err = err,
		.cgroup = c->tree.leaf ? c->tree.leaf->procs : -1,
	};
	pid_t pid;

	if (!envp || (config->arg_count > 0 && !filled))
		return -ENOMEM;
	limits_make(&limits, config, &c->job->type->leatd->descriptors);
	pid = spawn(&order, what);
	if (pid < 0)
		return pid;
	c->tree.first = pid;
	return 0;
}

/* 0 or -errno, and then *what is the step that failed. */
static int start(struct command *c, const char **what)
{
	int in = -1, out = -1, err = -1;
	int r;

	*what = "making pipes";
	if ((r = make_pipe(&c->in, &in, false)) == 0 && (r = make_pipe(&c->out, &out, true)) == 0 &&
	    (r = make_pipe(&c->err, &err, true)) == 0)
		r = start_with(c, in, out, err, what);
	close_fd(&in);
	close_fd(&out);
	close_fd(&err);
	return r;
}

/* --- What goes in and comes out --- */

static void write_payload(struct command *c)
{
	const struct slice payload = c->job->payload;

	while (c->sent < payload.len) {
		ssize_t n = write(c->in, payload.at + c->sent, payload.len - c->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;          /* it does not want the rest: EPIPE */
		c->sent += (size_t)n;
	}
	close_fd(&c->in);
}

static void read_output(struct command *c)
{
	size_t room;
	char *to;

	while ((to = output_room(&c->output, &room))) {
		ssize_t n = read(c->out, to, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close_fd(&c->out);
			return;
		}
		output_put(&c->output, (size_t)n);
	}
}

static void end_line(struct command *c)
{
	if (c->line_len == 0)
		return;
	memcpy(c->job->last_error, c->line, c->line_len);
	c->job->last_error[c->line_len] = '\0';
	c->line_len = 0;
}

/* One read at a time: a command that writes errors without end must not keep us from its deadline. False: nothing was there. */
static bool read_errors(struct command *c)
{
	char room[4096];
	ssize_t n = read(c->err, room, sizeof(room));

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			close_fd(&c->err);
		return false;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (room[i] == '\n')
			end_line(c);
		else if (c->line_len < sizeof(c->line) - 1)
			c->line[c->line_len++] = room[i];
	}
	return true;
}

/* --- Time --- */

/* `grace`, but at most a quarter of the time that was left at the start. */
static int64_t grace_of(const struct command *c)
{
	int64_t quarter = (c->job->deadline - c->job->started) / 4;

	return c->config->grace < quarter ? c->config->grace : quarter;
}

static void terminate(struct command *c, moment kill_at)
{
	c->tree.spares = true;
	tree_terminate(&c->tree);
	c->stage = STAGE_TERMINATED;
	c->next = moment_min(kill_at, c->job->deadline);
}

static void kill_now(struct command *c)
{
	c->tree.spares = false;
	c->stage = STAGE_KILLED;
	tree_kill(&c->tree);
	c->look_in = c->look_in == 0 ? LOOK_FIRST : c->look_in < LOOK_LAST ? 2 * c->look_in : LOOK_LAST;
	c->next = moment_in(c->look_in);
}

/* The next step, when its time has come, the context has ended, or the first process has. */
static void advance(struct command *c)
{
	moment now = moment_now();

	if (c->stage == STAGE_RUNNING) {
		if (c->tree.first_ended)
			c->by_itself = true;
		else if (ctx_error(c->job->ctx) == CHAN_CANCELED)
			terminate(c, moment_add(now, grace_of(c)));
		else if (now >= c->next)
			terminate(c, c->job->deadline);
	}
	if (c->stage != STAGE_RUNNING && now >= c->next)
		kill_now(c);
	else if (c->stage != STAGE_KILLED && (c->by_itself || c->output.limit != OUTPUT_FITS))
		kill_now(c);
}

/* --- The run, in the keeper --- */

enum { WAIT_IN, WAIT_OUT, WAIT_ERR, WAIT_CHILD, WAIT_LEAF, WAIT_LEATD, WAIT_WATCH, WAITS };

/* Waits for whatever comes first. A descriptor of -1 is passed over by poll. */
static void wait_for_events(struct command *c, struct pollfd polls[WAITS])
{
	int64_t left = c->next - moment_now();
	struct timespec timeout = { .tv_sec = left / SECONDS, .tv_nsec = left % SECONDS };

	if (left < 0)
		timeout = (struct timespec){ 0 };
	polls[WAIT_IN] = (struct pollfd){ c->in, POLLOUT, 0 };
	polls[WAIT_OUT] = (struct pollfd){ c->out, POLLIN, 0 };
	polls[WAIT_ERR] = (struct pollfd){ c->err, POLLIN, 0 };
	polls[WAIT_CHILD] = (struct pollfd){ c->tree.trees->child_ended, POLLIN, 0 };
	polls[WAIT_LEAF] = (struct pollfd){ c->tree.leaf && c->tree.childless ? c->tree.leaf->events : -1, POLLPRI, 0 };
	polls[WAIT_LEATD] = (struct pollfd){ c->tree.trees->leatd, POLLIN, 0 };
	polls[WAIT_WATCH] = (struct pollfd){ c->stage == STAGE_RUNNING ? c->watch_fd : -1, POLLIN, 0 };
	if (ppoll(polls, WAITS, &timeout, NULL) < 0)
		memset(polls, 0, WAITS * sizeof(*polls));
}

/* leatd was killed: nothing of it may be used any more but this thread's own. Its sockets are let go first, so that the next leatd can
 * have their addresses however long this takes. */
_Noreturn static void die_with_leatd(struct command *c)
{
	struct timespec while_ending = { .tv_nsec = 20 * MILLISECONDS };
	sigset_t ended;

	if (c->tree.leaf)
		leaf_kill(c->tree.leaf);
	c->tree.leaf = NULL;
	close_range(0, ~0U, CLOSE_RANGE_UNSHARE);
	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	do {
		tree_kill(&c->tree);
		sigtimedwait(&ended, NULL, &while_ending);
	} while (!tree_is_gone(&c->tree));
	_exit(0);
}

/* A child of the keeper has ended, or its leaf is said to be empty. */
static bool is_over(struct command *c, bool child_ended)
{
	struct signalfd_siginfo heard;

	if (child_ended)
		(void)!read(c->tree.trees->child_ended, &heard, sizeof(heard));
	if (tree_is_gone(&c->tree))
		return true;
	if (child_ended && c->stage == STAGE_KILLED) {
		/* Its children are ours now, and not dead yet. */
		c->look_in = 0;
		c->next = NOW;
	}
	return c->stage == STAGE_RUNNING && c->tree.first_ended && c->config->leave_children;
}

/* Until nothing of it is left. */
static void attend(struct command *c)
{
	struct pollfd polls[WAITS];

	write_payload(c);
	do {
		advance(c);
		wait_for_events(c, polls);
		if (polls[WAIT_LEATD].revents)
			die_with_leatd(c);
		if (polls[WAIT_IN].revents)
			write_payload(c);
		if (polls[WAIT_OUT].revents)
			read_output(c);
		if (polls[WAIT_ERR].revents)
			read_errors(c);
		/* Armed in vain means that it is cancelled; advance() will see it. */
		if (polls[WAIT_WATCH].revents)
			(void)!chan_watch_arm(c->watch);
		if (c->output.limit != OUTPUT_FITS)
			close_fd(&c->out);
	} while ((!polls[WAIT_CHILD].revents && !polls[WAIT_LEAF].revents) || !is_over(c, polls[WAIT_CHILD].revents));
}

/* --- The answer --- */

static void answer_failed(struct job *job, int status)
{
	job_set_failure(job, CODE_FAILED, "exited with status %d", status);
	answer_fact(&job->answer, "status", status);
	if (*job->last_error)
		answer_fact_text(&job->answer, "error", slice_of(job->last_error));
}

static void answer_killed(struct command *c, int signal)
{
	struct job *job = c->job;
	const char *name = sigabbrev_np(signal);
	bool by_cpu = limits_ended_by_cpu(c->config, signal, &c->tree.used);

	snprintf(job->last_error, sizeof(job->last_error), "SIG%s", name ? name : "?");
	job_set_failure(job, CODE_KILLED, by_cpu ? "used more CPU time than limit.cpu" : "died of a signal");
	answer_fact_text(&job->answer, "signal", slice_of(job->last_error));
	if (by_cpu)
		answer_fact_text(&job->answer, "reason", SLICE("limit.cpu"));
}

/* Also in time when it took SIGTERM as a hint to hurry; but many say by another status that it was in the way. */
static bool is_success(const struct command *c, bool told_to_end)
{
	const siginfo_t *end = &c->tree.end;

	return end->si_code == CLD_EXITED && config_is_success(c->config, end->si_status) && (!told_to_end || end->si_status == 0);
}

static void answer(struct command *c)
{
	struct job *job = c->job;
	bool told_to_end = c->stage != STAGE_RUNNING && !c->by_itself;

	if (c->output.limit != OUTPUT_FITS) {
		output_answer_limit(&c->output);
	} else if (ctx_error(job->ctx) == CHAN_CANCELED) {
		job_cut_short(job);
	} else if (is_success(c, told_to_end)) {
		output_answer_done(&c->output);
	} else if (told_to_end) {
		job_cut_short(job);
	} else if (c->tree.end.si_code == CLD_EXITED) {
		answer_failed(job, c->tree.end.si_status);
	} else {
		answer_killed(c, c->tree.end.si_status);
	}
}

static void finish(struct command *c)
{
	if (c->out >= 0)
		read_output(c);
	/* No more than a pipe holds: whoever still writes was left on purpose. */
	for (int i = 0; i < ERROR_READS_MAX && c->err >= 0 && read_errors(c); i++)
		;
	end_line(c);
	answer(c);
}

static void answer_not_started(struct job *job, const char *what, int error)
{
	job_set_failure(job, CODE_FAILED, "cannot be started: %s: %s", what, strerror(error));
	answer_fact(&job->answer, "status", error == ENOENT ? 127 : 126);
}

/* In the keeper, from the start of the command to its answer. */
static void run_command(void *arg)
{
	struct command *c = arg;
	const char *what;
	int r = start(c, &what);

	if (r < 0) {
		answer_not_started(c->job, what, -r);
		return;
	}
	(void)!chan_watch_arm(c->watch);
	attend(c);
	finish(c);
}

/* Only somebody with leatd's own rights can have done that; what is left of the tree has come to leatd. */
static void answer_for_dead_keeper(struct command *c)
{
	if (c->tree.first > 0)
		kill(-c->tree.first, SIGKILL);
	while (c->tree.leaf && !leaf_is_empty(c->tree.leaf)) {
		leaf_kill(c->tree.leaf);
		poll(&(struct pollfd){ c->tree.leaf->events, POLLPRI, 0 }, 1, 100);
	}
	log_error(c->job->type->leatd->log, "a keeper was killed", log_text("id", slice_of(c->job->id)));
	job_set_failure(c->job, CODE_KILLED, "its keeper was killed");
}

static void run_in_keeper(struct command *c)
{
	int r = keeper_run(run_command, c);

	if (r == -ECHILD)
		answer_for_dead_keeper(c);
	else if (r < 0)
		answer_not_started(c->job, "making a process", -r);
}

static void give_leaf(struct command *c)
{
	struct cgroup *cgroup = c->tree.trees->cgroup;

	/* It may be the leaf that a command could not be started in. */
	if (c->tree.leaf && c->tree.first == 0)
		leaf_remove(cgroup, c->tree.leaf);
	else if (c->tree.leaf)
		leaf_give(cgroup, c->job->type->leaves, c->tree.leaf);
}

void exec_run(struct job *job)
{
	struct type *type = job->type;
	struct cgroup *cgroup = type->leatd->trees.cgroup;
	struct command c = { .job = job, .config = type->config, .in = -1, .out = -1, .err = -1, .watch_fd = -1,
			     .tree = { .trees = &type->leatd->trees, .spares = type->config->leave_children } };

	output_init(&c.output, job);
	c.next = job->deadline - grace_of(&c);
	errno = ENOMEM;         /* a lack of descriptors says so itself */
	c.watch = chan_watch_new(ctx_done(job->ctx), &c.watch_fd);
	if (!c.watch)
		answer_not_started(job, "watching its client", errno);
	else if (cgroup && !(c.tree.leaf = leaf_take(cgroup, type->leaves, type->config->name)))
		answer_not_started(job, "making a cgroup", errno);
	else
		run_in_keeper(&c);
	give_leaf(&c);
	chan_watch_free(c.watch);
	close_fd(&c.in);
	close_fd(&c.out);
	close_fd(&c.err);
}
