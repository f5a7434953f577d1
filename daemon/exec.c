#include "exec.h"

#include "job.h"
#include "leatd.h"
#include "spawn.h"
#include "text.h"
#include "type.h"
#include "../lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_FIRST_BYTES = 4096, ENV_MAX = 16, ENV_ROOM_BYTES = 512, ERROR_READS_MAX = 256 };

enum stage { STAGE_RUNNING, STAGE_TERMINATED, STAGE_KILLED };
enum limit { LIMIT_NONE, LIMIT_OUTPUT, LIMIT_MEMORY };

/* One run. Descriptors are -1 when they are closed. */
struct command {
	struct job *job;
	const struct job_config *config;
	pid_t pid;                      /* and its process group */
	int pidfd;
	int in, out, err;               /* our ends of its pipes */
	struct chan_watch *watch;       /* tells of a client that went away */
	int watch_fd;
	size_t sent;                    /* bytes of the payload */
	size_t len, cap;                /* of job->output */
	size_t line_len;                /* of the line of stderr that is being read */
	char line[sizeof(((struct job *)0)->last_error)];
	enum stage stage;
	enum limit limit;
	moment next;                    /* when the stage ends */
	siginfo_t end;                  /* how the first process ended */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* --- Start --- */

struct environment {
	char *const *configured;        /* replace what a command finds otherwise */
	size_t configured_count;
	char *vars[ENV_MAX];
	size_t count;
	char room[ENV_ROOM_BYTES];
	size_t used;
};

static bool is_configured(const struct environment *env, const char *var)
{
	size_t name = strcspn(var, "=") + 1;

	for (size_t i = 0; i < env->configured_count; i++) {
		if (strncmp(env->configured[i], var, name) == 0)
			return true;
	}
	return false;
}

printf_like(2, 3) static void add_var(struct environment *env, const char *format, ...)
{
	size_t left = sizeof(env->room) - env->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(env->room + env->used, left, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= left || env->count == ENV_MAX - 1 || is_configured(env, env->room + env->used))
		return;
	env->vars[env->count++] = env->room + env->used;
	env->used += (size_t)n + 1;
}

/* A fresh environment: nothing of leatd's own gets into a command. The caller frees the vector, not what it points to. */
static char **make_environment(struct environment *env, const struct job *job)
{
	const struct job_config *config = job->type->config;
	char **envp;

	env->configured = config->env;
	env->configured_count = config->env_count;
	add_var(env, "PATH=" COMMAND_PATH);
	add_var(env, "LANG=C.UTF-8");
	add_var(env, "HOME=%s", config->account.home ? config->account.home : "/");
	add_var(env, "LEAT_ID=%s", job->id);
	add_var(env, "LEAT_JOB=%s", config->name);
	add_var(env, "LEAT_DEADLINE_MS=%lld", (long long)((job->deadline - moment_now()) / MILLISECONDS));
	if (job->traceparent.len)
		add_var(env, "TRACEPARENT=%.*s", (int)job->traceparent.len, job->traceparent.at);
	envp = calloc(env->count + config->env_count + 1, sizeof(*envp));
	if (!envp)
		return NULL;
	if (config->env_count)
		memcpy(envp, config->env, config->env_count * sizeof(*envp));
	memcpy(envp + config->env_count, env->vars, env->count * sizeof(*envp));
	return envp;
}

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
	struct environment env = { .count = 0 };
	autofree char **envp = make_environment(&env, c->job);
	struct spawn_order order = {
		.path = c->config->path, .argv = c->config->argv, .envp = envp, .cwd = c->config->cwd,
		.account = &c->config->account, .descriptors = c->job->type->leatd->descriptors, .in = in, .out = out, .err = err,
	};

	if (!envp)
		return -ENOMEM;
	c->pid = spawn(&order, &c->pidfd, what);
	return c->pid < 0 ? c->pid : 0;
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

/* Makes room for more output, within the limits; false sets c->limit. */
static bool grow_output(struct command *c)
{
	size_t most = c->config->max_output + 1;        /* one more, to see that it is over */
	size_t cap = c->cap ? c->cap * 2 : OUTPUT_FIRST_BYTES;
	char *output;

	if (cap > most)
		cap = most;
	if (!job_charge(c->job, cap - c->cap)) {
		c->limit = LIMIT_MEMORY;
		return false;
	}
	output = realloc(c->job->output, cap);
	if (!output) {
		c->limit = LIMIT_MEMORY;
		return false;
	}
	c->job->output = output;
	c->cap = cap;
	return true;
}

static void read_output(struct command *c)
{
	while (c->limit == LIMIT_NONE) {
		ssize_t n;

		if (c->len == c->cap && !grow_output(c))
			return;
		n = read(c->out, c->job->output + c->len, c->cap - c->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close_fd(&c->out);
			return;
		}
		c->len += (size_t)n;
		if (c->len > c->config->max_output)
			c->limit = LIMIT_OUTPUT;
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

static void signal_group(const struct command *c, int signal)
{
	/* The first process is not reaped before the group is gone, so the number cannot be another's. */
	kill(-c->pid, signal);
}

/* `grace`, but at most a quarter of the time that was left at the start. */
static int64_t grace_of(const struct command *c)
{
	int64_t quarter = (c->job->deadline - c->job->started) / 4;

	return c->config->grace < quarter ? c->config->grace : quarter;
}

static void terminate(struct command *c, moment kill_at)
{
	signal_group(c, SIGTERM);
	c->stage = STAGE_TERMINATED;
	c->next = moment_min(kill_at, c->job->deadline);
}

static void kill_now(struct command *c)
{
	signal_group(c, SIGKILL);
	c->stage = STAGE_KILLED;
	c->next = FOREVER;
}

/* The next step, when its time has come or the context has ended. */
static void advance(struct command *c)
{
	moment now = moment_now();

	if (c->stage == STAGE_RUNNING && ctx_error(c->job->ctx) == CHAN_CANCELED)
		terminate(c, moment_add(now, grace_of(c)));
	else if (c->stage == STAGE_RUNNING && now >= c->next)
		terminate(c, c->job->deadline);
	if (c->stage == STAGE_TERMINATED && now >= c->next)
		kill_now(c);
	if (c->stage != STAGE_KILLED && c->limit != LIMIT_NONE)
		kill_now(c);
}

/* --- The run --- */

enum { WAIT_IN, WAIT_OUT, WAIT_ERR, WAIT_PID, WAIT_WATCH, WAITS };

/* Waits for whatever comes first. A descriptor of -1 is passed over by poll. */
static void wait_for_events(struct command *c, struct pollfd polls[WAITS])
{
	int64_t left = c->next == FOREVER ? -1 : c->next - moment_now();
	struct timespec timeout = { .tv_sec = left / SECONDS, .tv_nsec = left % SECONDS };

	if (c->next != FOREVER && left < 0)
		timeout = (struct timespec){ 0 };
	polls[WAIT_IN] = (struct pollfd){ c->in, POLLOUT, 0 };
	polls[WAIT_OUT] = (struct pollfd){ c->out, POLLIN, 0 };
	polls[WAIT_ERR] = (struct pollfd){ c->err, POLLIN, 0 };
	polls[WAIT_PID] = (struct pollfd){ c->pidfd, POLLIN, 0 };
	polls[WAIT_WATCH] = (struct pollfd){ c->stage == STAGE_RUNNING ? c->watch_fd : -1, POLLIN, 0 };
	if (ppoll(polls, WAITS, c->next == FOREVER ? NULL : &timeout, NULL) < 0)
		memset(polls, 0, WAITS * sizeof(*polls));
}

/* Until the first process has ended. */
static void attend(struct command *c)
{
	struct pollfd polls[WAITS];

	write_payload(c);
	do {
		advance(c);
		wait_for_events(c, polls);
		if (polls[WAIT_IN].revents)
			write_payload(c);
		if (polls[WAIT_OUT].revents)
			read_output(c);
		if (polls[WAIT_ERR].revents)
			read_errors(c);
		/* Armed in vain means that it is cancelled; advance() will see it. */
		if (polls[WAIT_WATCH].revents)
			(void)!chan_watch_arm(c->watch);
		if (c->limit != LIMIT_NONE)
			close_fd(&c->out);
	} while (!polls[WAIT_PID].revents);
}

/* Nothing of the group survives the first process. Children it left are ours to reap: leatd is their subreaper. */
static void bury(struct command *c)
{
	siginfo_t other;

	/* How it ended, but not yet reaped: as long as it is there, the number of the group is not given to another. */
	while (waitid((idtype_t)P_PIDFD, (id_t)c->pidfd, &c->end, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	signal_group(c, SIGKILL);
	/* Each of them ends without delay now, and those whose parents ended become ours. */
	while (waitid(P_PGID, (id_t)c->pid, &other, WEXITED) == 0 || errno == EINTR)
		;
}

/* --- The answer --- */

static void answer_failed(struct job *job, int status)
{
	job_set_failure(job, CODE_FAILED, "exited with status %d", status);
	answer_fact(&job->answer, "status", status);
	if (*job->last_error)
		answer_fact_text(&job->answer, "error", slice_of(job->last_error));
}

static void answer_killed(struct job *job, int signal)
{
	const char *name = sigabbrev_np(signal);

	snprintf(job->last_error, sizeof(job->last_error), "SIG%s", name ? name : "?");
	job_set_failure(job, CODE_KILLED, "died of a signal");
	answer_fact_text(&job->answer, "signal", slice_of(job->last_error));
}

static void answer_limit(struct command *c)
{
	struct job *job = c->job;

	if (c->limit == LIMIT_MEMORY) {
		job_set_failure(job, CODE_KILLED, "no memory left for its output");
		answer_fact_text(&job->answer, "reason", SLICE("memory"));
		return;
	}
	job_set_failure(job, CODE_TOOBIG, "the output is over max_output");
	answer_fact(&job->answer, "max_output", (int64_t)c->config->max_output);
	job->answer.http_status = 502;
}

static void answer(struct command *c)
{
	struct job *job = c->job;

	if (c->limit != LIMIT_NONE) {
		answer_limit(c);
	} else if (ctx_error(job->ctx) == CHAN_CANCELED) {
		job_cut_short(job);
	} else if (c->end.si_code == CLD_EXITED && c->end.si_status == 0) {
		/* Also in time when it took SIGTERM as a hint to hurry. */
		job->answer = answer_make(CODE_OK, "");
		job->answer.output = (struct slice){ job->output, c->len };
		job->outcome = OUTCOME_done;
	} else if (c->stage != STAGE_RUNNING) {
		job_cut_short(job);
	} else if (c->end.si_code == CLD_EXITED) {
		answer_failed(job, c->end.si_status);
	} else {
		answer_killed(job, c->end.si_status);
	}
}

static void finish(struct command *c)
{
	if (c->out >= 0)
		read_output(c);
	/* No more than a pipe holds: whoever still writes has left the group. */
	for (int i = 0; i < ERROR_READS_MAX && c->err >= 0 && read_errors(c); i++)
		;
	end_line(c);
	answer(c);
}

void exec_run(struct job *job)
{
	struct command c = { .job = job, .config = job->type->config, .pidfd = -1, .in = -1, .out = -1, .err = -1, .watch_fd = -1 };
	const char *what = "watching its client";
	int r;

	c.next = job->deadline - grace_of(&c);
	errno = ENOMEM;         /* a lack of descriptors says so itself */
	c.watch = chan_watch_new(ctx_done(job->ctx), &c.watch_fd);
	r = c.watch ? start(&c, &what) : -errno;
	if (r == 0) {
		(void)!chan_watch_arm(c.watch);
		attend(&c);
		bury(&c);
		finish(&c);
	} else {
		job_set_failure(job, CODE_FAILED, "cannot be started: %s: %s", what, strerror(-r));
		answer_fact(&job->answer, "status", r == -ENOENT ? 127 : 126);
	}
	chan_watch_free(c.watch);
	close_fd(&c.in);
	close_fd(&c.out);
	close_fd(&c.err);
	close_fd(&c.pidfd);
}
