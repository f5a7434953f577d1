#include "exec.h"

#include "args.h"
#include "cgroup.h"
#include "cmdline.h"
#include "environment.h"
#include "job.h"
#include "keeper.h"
#include "leatd.h"
#include "log.h"
#include "output.h"
#include "program.h"
#include "text.h"
#include "type.h"
#include "../lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { ERROR_READS_MAX = 256 };

enum stage { STAGE_RUNNING, STAGE_TERMINATED, STAGE_KILLED };

/* One run. */
struct command {
	struct job *job;
	const struct job_config *config;
	struct program program;
	char *const *argv, *const *envp;
	struct chan_watch *watch;       /* tells of a client that went away */
	int watch_fd;
	size_t sent;                    /* bytes of the payload */
	struct output output;
	bool reader_is_slow;            /* its output waits for who reads the stream */
	bool cut_short;                 /* ... and was not all read in time */
	size_t line_len;                /* of the line of stderr that is being read */
	char line[sizeof(((struct job *)0)->last_error)];
	enum stage stage;
	moment next;                    /* when the stage ends, or when a killed tree is looked for again */
	bool by_itself;                 /* the first process ended before it was told to */
};

/* --- Start --- */

/* What is to be its stdin and its stdout: the stream of the job, if it has one, and that into the next stage. 0 or -errno. */
static int give_streams(struct command *c)
{
	struct job *job = c->job;

	c->program.theirs[0] = job->in.reader;
	job->in.reader = -1;
	if (!job->is_piped)
		return 0;
	/* Ours stays open: who reads is to see no end of what has not ended well. */
	c->program.theirs[1] = fcntl(job->out.writer, F_DUPFD_CLOEXEC, 3);
	return c->program.theirs[1] < 0 ? -errno : 0;
}

/* 0 or -errno, and then *what is the step that failed. */
static int start(struct command *c, const char **what)
{
	int r;

	r = give_streams(c);
	if (r == 0)
		r = program_open(&c->program);
	*what = "making pipes";
	return r < 0 ? r : program_start(&c->program, c->job->type, c->argv, c->envp, what);
}

/* --- What goes in and comes out --- */

static void write_payload(struct command *c)
{
	const struct slice payload = c->job->payload;

	while (c->sent < payload.len) {
		ssize_t n = write(c->program.in, payload.at + c->sent, payload.len - c->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;          /* it does not want the rest: EPIPE */
		c->sent += (size_t)n;
	}
	program_close_fd(&c->program.in);
}

static void take_output(struct command *c)
{
	enum output_taken taken = output_take(&c->output, c->program.out);

	c->reader_is_slow = taken == OUTPUT_WAITS_FOR_READER;
	if (taken == OUTPUT_ENDED)
		program_close_fd(&c->program.out);
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
	ssize_t n = read(c->program.err, room, sizeof(room));

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			program_close_fd(&c->program.err);
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

static void terminate(struct command *c, moment kill_at)
{
	c->program.tree.spares = true;
	tree_terminate(&c->program.tree);
	c->stage = STAGE_TERMINATED;
	c->next = moment_min(kill_at, c->job->deadline);
}

static void kill_now(struct command *c)
{
	c->program.tree.spares = false;
	c->stage = STAGE_KILLED;
	c->next = program_kill(&c->program);
}

/* The next step, when its time has come, the context has ended, or the first process has. */
static void advance(struct command *c)
{
	moment now = moment_now();

	if (c->stage == STAGE_RUNNING) {
		if (c->program.tree.first_ended)
			c->by_itself = true;
		else if (ctx_is_canceled(c->job->ctx))
			terminate(c, moment_add(now, program_grace(c->job)));
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

/* What has to become ready for its output to go on. */
static struct pollfd out_of(const struct command *c)
{
	if (c->program.out >= 0 && c->reader_is_slow)
		return (struct pollfd){ c->job->out.writer, POLLOUT, 0 };
	return (struct pollfd){ c->program.out, POLLIN, 0 };
}

/* A descriptor of -1 is passed over by poll. */
static void poll_until(struct pollfd *polls, size_t n, moment until)
{
	int64_t left = until - moment_now();
	struct timespec timeout = { .tv_sec = left / SECONDS, .tv_nsec = left % SECONDS };

	if (left < 0)
		timeout = (struct timespec){ 0 };
	if (ppoll(polls, n, &timeout, NULL) < 0)
		memset(polls, 0, n * sizeof(*polls));
}

/* Waits for whatever comes first. */
static void wait_for_events(struct command *c, struct pollfd polls[WAITS])
{
	polls[WAIT_IN] = (struct pollfd){ c->program.in, POLLOUT, 0 };
	polls[WAIT_OUT] = out_of(c);
	polls[WAIT_ERR] = (struct pollfd){ c->program.err, POLLIN, 0 };
	polls[WAIT_CHILD] = (struct pollfd){ c->program.tree.trees->child_ended, POLLIN, 0 };
	polls[WAIT_LEAF] = (struct pollfd){ c->program.tree.leaf && c->program.tree.childless ? c->program.tree.leaf->events : -1, POLLPRI, 0 };
	polls[WAIT_LEATD] = (struct pollfd){ c->program.tree.trees->leatd, POLLIN, 0 };
	polls[WAIT_WATCH] = (struct pollfd){ c->stage == STAGE_RUNNING ? c->watch_fd : -1, POLLIN, 0 };
	poll_until(polls, WAITS, c->next);
}

/* A child of the keeper has ended, or its leaf is said to be empty. */
static bool is_over(struct command *c, bool child_ended)
{
	struct signalfd_siginfo heard;

	if (child_ended)
		(void)!read(c->program.tree.trees->child_ended, &heard, sizeof(heard));
	if (tree_is_gone(&c->program.tree))
		return true;
	if (child_ended && c->stage == STAGE_KILLED) {
		/* Its children are ours now, and not dead yet. */
		c->program.look_in = 0;
		c->next = NOW;
	}
	return c->stage == STAGE_RUNNING && c->program.tree.first_ended && c->config->leave_children;
}

/* Until nothing of it is left. */
static void attend(struct command *c)
{
	struct pollfd polls[WAITS];

	if (c->program.in >= 0)
		write_payload(c);
	do {
		advance(c);
		wait_for_events(c, polls);
		if (polls[WAIT_LEATD].revents)
			program_die_with_leatd(&c->program);
		if (polls[WAIT_IN].revents)
			write_payload(c);
		if (polls[WAIT_OUT].revents)
			take_output(c);
		if (polls[WAIT_ERR].revents)
			read_errors(c);
		/* Armed in vain means that it is cancelled; advance() will see it. */
		if (polls[WAIT_WATCH].revents)
			(void)!chan_watch_arm(c->watch);
	} while ((!polls[WAIT_CHILD].revents && !polls[WAIT_LEAF].revents) || !is_over(c, polls[WAIT_CHILD].revents));
}

/* --- The answer --- */

/* Also in time when it took SIGTERM as a hint to hurry; but many say by another status that it was in the way. */
static bool is_success(const struct command *c, bool told_to_end)
{
	const siginfo_t *end = &c->program.tree.end;

	return end->si_code == CLD_EXITED && config_is_success(c->config, end->si_status) && (!told_to_end || end->si_status == 0);
}

/* The next stage wants no more, and so what became of this one does not count. */
static bool is_unread(const struct job *job)
{
	struct pollfd writer = { job->out.writer, POLLOUT, 0 };

	return job->is_piped && poll(&writer, 1, 0) > 0 && (writer.revents & POLLERR);
}

static void answer(struct command *c)
{
	struct job *job = c->job;
	bool told_to_end = c->stage != STAGE_RUNNING && !c->by_itself;

	if (c->output.limit != OUTPUT_FITS) {
		output_answer_limit(&c->output);
	} else if (c->cut_short || ctx_is_canceled(job->ctx)) {
		job_cut_short(job);
	} else if (is_success(c, told_to_end)) {
		output_answer_done(&c->output);
	} else if (told_to_end) {
		job_cut_short(job);
	} else if (is_unread(job)) {
		output_answer_done(&c->output);
	} else {
		program_answer_end(job, &c->program);
	}
}

/* The command is over, but not all that it wrote has been read: until there is room for more, or it is too late. */
static bool wait_for_reader(struct command *c)
{
	struct pollfd polls[] = { { c->program.tree.trees->leatd, POLLIN, 0 }, { c->watch_fd, POLLIN, 0 }, out_of(c) };

	poll_until(polls, countof(polls), c->job->deadline);
	if (polls[0].revents)
		program_die_with_leatd(&c->program);
	if (polls[1].revents)
		(void)!chan_watch_arm(c->watch);
	c->cut_short = ctx_error(c->job->ctx) != CHAN_OK || moment_reached(c->job->deadline);
	return !c->cut_short;
}

static void finish(struct command *c)
{
	do {
		if (c->program.out >= 0)
			take_output(c);
	} while (c->program.out >= 0 && c->reader_is_slow && wait_for_reader(c));
	/* No more than a pipe holds: whoever still writes was left on purpose. */
	for (int i = 0; i < ERROR_READS_MAX && c->program.err >= 0 && read_errors(c); i++)
		;
	end_line(c);
	answer(c);
}

/* In the keeper, from the start of the command to its answer. */
static void run_command(void *arg)
{
	struct command *c = arg;
	const char *what;
	int r = start(c, &what);

	if (r < 0) {
		program_answer_not_started(c->job, what, -r);
		return;
	}
	(void)!chan_watch_arm(c->watch);
	attend(c);
	finish(c);
}

/* Only somebody with leatd's own rights can have done that; what is left of the tree has come to leatd. */
static void answer_for_dead_keeper(struct command *c)
{
	program_kill_without_keeper(&c->program);
	log_error(c->job->type->leatd->log, "a keeper was killed", log_text("id", slice_of(c->job->id)));
	job_set_failure(c->job, CODE_KILLED, "its keeper was killed");
}

/* What needs memory for the start is made before there is a keeper: see exec.h. */
static void run_in_keeper(struct command *c)
{
	const struct job_config *config = c->config;
	autofree char **filled = config->arg_count > 0 ? args_fill(config, c->job->args) : NULL;
	struct environment env;
	autofree char **envp = environment_make(&env, config, c->job);
	int r = -ENOMEM;

	c->argv = filled ? filled : config->cmdline->argv;
	c->envp = envp;
	if (envp && (filled || config->arg_count == 0))
		r = keeper_run(run_command, c);
	if (r == -ECHILD)
		answer_for_dead_keeper(c);
	else if (r < 0)
		program_answer_not_started(c->job, "making a process", -r);
}

void exec_run(struct job *job)
{
	struct type *type = job->type;
	struct command c = { .job = job, .config = type->config, .watch_fd = -1, .next = job->deadline - program_grace(job) };
	int r;

	program_init(&c.program, &type->leatd->trees);
	c.program.tree.spares = type->config->leave_children;
	output_init(&c.output, job);
	errno = ENOMEM;         /* a lack of descriptors says so itself */
	c.watch = chan_watch_new(ctx_done(job->ctx), &c.watch_fd);
	if (!c.watch)
		program_answer_not_started(job, "watching its client", errno);
	else if ((r = program_take_leaf(&c.program, type)) < 0)
		program_answer_not_started(job, "making a cgroup", -r);
	else
		run_in_keeper(&c);
	program_give_leaf(&c.program, type);
	chan_watch_free(c.watch);
	program_close(&c.program);
}
