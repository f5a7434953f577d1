#include "worker.h"

#include "job.h"
#include "leatd.h"
#include "log.h"
#include "output.h"
#include "type.h"
#include "workers.h"

#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

/* How long a job is waited for before it is worth to watch also for its client's going away; and how often is looked when there is no
 * descriptor for that. */
#define WATCH_AFTER (1 * MILLISECONDS)
#define LOOK_EVERY (10 * MILLISECONDS)

/* From the end of a worker's stdout to its own end, or it has only closed it. */
#define END_AFTER_OUTPUT (200 * MILLISECONDS)

/* Workers that turn out to be dead when they are given a job; the next one is tried. */
enum { TRIES_MAX = 5 };

enum stage { STAGE_RUNNING, STAGE_TERMINATED, STAGE_OVER };

/* How it ended, when it is over: by the worker's words, or without. */
enum end { END_NONE, END_DONE, END_FAIL, END_OUTPUT, END_WRONG, END_LIMIT, END_TIME };

/* One job with one worker. */
struct dialogue {
	struct job *job;
	struct worker *worker;
	struct output output;
	char head[JOB_ID_MAX + JOB_TRACE_MAX + 64];     /* the line of the job */
	size_t head_len;
	size_t sent;                    /* bytes of head and payload */
	enum stage stage;
	enum end end;
	bool told_to_end;
	struct chan_watch *watch;       /* tells of a client that went away; NULL: not yet, or there was no descriptor */
	int watch_fd;
	moment next;                    /* when the stage ends */
	moment heard;                   /* something of the worker */
	struct slice unsent;            /* of its output, in its room: the stream is full, and until it is not, no more is heard */
	bool unsent_is_last;            /* of what it has said with DONE */
};

/* --- Giving the job --- */

static void write_head(struct dialogue *d)
{
	const struct job *job = d->job;
	struct buf head = buf_on(d->head);
	int64_t left = d->next - d->heard;

	buf_add_slice(&head, SLICE("JOB "));
	buf_add_slice(&head, slice_of(job->id));
	buf_add_char(&head, ' ');
	buf_add_uint(&head, left > 0 ? (uint64_t)(left / MILLISECONDS) : 0);
	buf_add_char(&head, ' ');
	buf_add_uint(&head, job->payload.len);
	buf_add_char(&head, ' ');
	buf_add_slice(&head, job->traceparent.len > 0 ? job->traceparent : SLICE("-"));
	buf_add_char(&head, '\n');
	d->head_len = head.len;
}

static bool is_sent(const struct dialogue *d)
{
	return d->sent == d->head_len + d->job->payload.len;
}

/* What is left of `whole` after the first `done` bytes. */
static struct iovec rest_of(const char *at, size_t len, size_t done)
{
	size_t skipped = done < len ? done : len;

	return (struct iovec){ (void *)(uintptr_t)(at + skipped), len - skipped };
}

/* As much as it takes now. False: it does not read any more. */
static bool send_some(struct dialogue *d)
{
	const struct slice payload = d->job->payload;

	while (!is_sent(d)) {
		struct iovec pieces[2] = {
			rest_of(d->head, d->head_len, d->sent),
			rest_of(payload.at, payload.len, d->sent > d->head_len ? d->sent - d->head_len : 0),
		};
		ssize_t n = writev(d->worker->process.program.in, pieces, 2);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		d->sent += (size_t)n;
	}
	return true;
}

/* Whether it has kept quiet since its last job, and is there. What it has said on stderr is about that one. */
static bool is_quiet(struct dialogue *d)
{
	struct worker *w = d->worker;
	struct pollfd polls[] = { { w->process.program.out, POLLIN, 0 }, { worker_errors_fd(&w->errors), POLLIN, 0 } };

	(void)!poll(polls, countof(polls), 0);
	worker_errors_begin(&w->errors, d->job->id, polls[1].revents != 0);
	if (polls[0].revents & POLLIN)
		w->wrong = "wrote something although it had no job";
	return polls[0].revents == 0;
}

static void log_wrong(const struct dialogue *d)
{
	const struct worker *w = d->worker;

	log_warning(d->job->type->leatd->log, "a worker does not keep to the protocol", log_text("job", d->job->type->name),
		    log_text("id", slice_of(d->job->id)), log_text("what", slice_of(w->wrong)));
}

/* False: this one is of no use, and has been let go. */
static bool begin(struct dialogue *d)
{
	struct worker *w = d->worker;

	w->at = w->len = 0;
	d->sent = 0;
	d->heard = moment_now();
	write_head(d);
	if (is_quiet(d) && (send_some(d) || d->sent > 0)) {
		w->jobs++;
		return true;
	}
	if (w->wrong)
		log_wrong(d);
	/* One that was ready and never got as far as a job has failed as much as one that died of its first. */
	workers_discard(w, w->wrong || w->jobs == 0);
	return false;
}

/* False: there is no worker for it, and the answer is set. */
static bool find_worker(struct dialogue *d)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		d->worker = workers_take(d->job->type->workers, d->job);
		if (!d->worker)
			return false;
		if (moment_reached(d->next)) {
			/* It took so long to get one that the job could only be ended again. */
			workers_give(d->worker, false);
			job_cut_short(d->job);
			return false;
		}
		if (begin(d))
			return true;
	}
	job_set_failure(d->job, CODE_FAILED, "its workers die before they take it");
	return false;
}

/* --- Hearing what it says --- */

static void end_by(struct dialogue *d, enum end end)
{
	d->end = end;
	d->stage = STAGE_OVER;
}

static void end_wrong(struct dialogue *d, const char *what)
{
	d->worker->wrong = what;
	end_by(d, END_WRONG);
}

/* Whether the job may be over by its words. */
static void end_by_word(struct dialogue *d, enum end end)
{
	if (d->worker->at < d->worker->len)
		end_wrong(d, "wrote more than its answer");
	else if (!is_sent(d))
		end_wrong(d, "answered before it had read its payload");
	else
		end_by(d, end);
}

static void terminate(struct dialogue *d, moment kill_at)
{
	worker_process_order(&d->worker->process, WORKER_ORDER_TERMINATE);
	d->stage = STAGE_TERMINATED;
	d->told_to_end = true;
	d->next = moment_min(kill_at, d->job->deadline);
}

/* Nobody reads its output any more, so its job is as good as cancelled: it is told to end, and what else it says is not passed on. */
static void lose_reader(struct dialogue *d)
{
	d->unsent.len = 0;
	if (d->stage == STAGE_RUNNING)
		terminate(d, moment_in(program_grace(d->job)));
}

/* What the stream takes without waiting. */
static void pass_on(struct dialogue *d)
{
	if (d->output.limit == OUTPUT_FITS && !output_offer(&d->output, &d->unsent) && d->output.limit != OUTPUT_CUT_SHORT) {
		end_by(d, END_LIMIT);
		return;
	}
	if (d->output.limit == OUTPUT_CUT_SHORT)
		lose_reader(d);
	if (d->unsent.len == 0 && d->unsent_is_last)
		end_by_word(d, END_DONE);
}

static void take_output(struct dialogue *d, const struct worker_said *said)
{
	d->unsent = said->output;
	d->unsent_is_last = said->word == WORKER_DONE;
	pass_on(d);
}

static void take_word(struct dialogue *d, const struct worker_said *said)
{
	if (said->word == WORKER_OUTPUT || said->word == WORKER_DONE)
		take_output(d, said);
	else if (said->word == WORKER_FAIL)
		end_by_word(d, END_FAIL);
	else if (said->word == WORKER_READY)
		end_wrong(d, "said READY although it was ready");
	else if (said->word == WORKER_RUBBISH)
		end_wrong(d, said->why);
}

static void parse_all(struct dialogue *d)
{
	struct worker *w = d->worker;
	struct worker_said said;

	do {
		said = worker_parse(&w->parser, w->room + w->at, w->len - w->at);
		w->at += said.used;
		take_word(d, &said);
	} while (said.word != WORKER_MORE && d->stage != STAGE_OVER && d->unsent.len == 0);
	if (d->stage == STAGE_OVER || d->unsent.len > 0)
		return;
	/* The rest is a line that is not whole. */
	memmove(w->room, w->room + w->at, w->len - w->at);
	w->len -= w->at;
	w->at = 0;
}

/* One read at a time: a worker that writes without end must not keep us from its deadline. */
static void hear(struct dialogue *d)
{
	struct worker *w = d->worker;
	ssize_t n = read(w->process.program.out, w->room + w->len, WORKER_ROOM_BYTES - w->len);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end_by(d, END_OUTPUT);
		return;
	}
	if (d->job->type->config->heartbeat > 0)
		d->heard = moment_now();
	w->len += (size_t)n;
	parse_all(d);
}

/* The stream takes more, or nobody reads it any more. */
static void go_on(struct dialogue *d)
{
	pass_on(d);
	if (d->stage == STAGE_OVER || d->unsent.len > 0)
		return;
	/* It could not be heard meanwhile. */
	d->heard = moment_now();
	parse_all(d);
}

/* --- Time --- */

/* When it has been silent for too long. */
static moment silent_at(const struct dialogue *d)
{
	int64_t heartbeat = d->job->type->config->heartbeat;

	return heartbeat > 0 && d->stage == STAGE_RUNNING && d->unsent.len == 0 ? moment_add(d->heard, heartbeat) : FOREVER;
}

static void advance(struct dialogue *d)
{
	moment now = moment_now();

	if (d->stage == STAGE_RUNNING) {
		if (ctx_is_canceled(d->job->ctx))
			terminate(d, moment_add(now, program_grace(d->job)));
		else if (now >= d->next)
			terminate(d, d->job->deadline);
		else if (now >= silent_at(d))
			end_wrong(d, "said nothing for longer than heartbeat");
	}
	if (d->stage == STAGE_TERMINATED && now >= d->next)
		end_by(d, END_TIME);
}

enum { WAIT_OUT, WAIT_STREAM, WAIT_IN, WAIT_WATCH, WAITS };

/* For this time at most. False: nothing has come. */
static bool wait_for_events(struct dialogue *d, struct pollfd polls[WAITS], int64_t left)
{
	const struct program *program = &d->worker->process.program;
	struct timespec timeout = { .tv_sec = left > 0 ? left / SECONDS : 0, .tv_nsec = left > 0 ? left % SECONDS : 0 };
	int n;

	polls[WAIT_OUT] = (struct pollfd){ d->unsent.len > 0 ? -1 : program->out, POLLIN, 0 };
	polls[WAIT_STREAM] = (struct pollfd){ d->unsent.len > 0 ? d->job->out.writer : -1, POLLOUT, 0 };
	polls[WAIT_IN] = (struct pollfd){ is_sent(d) ? -1 : program->in, POLLOUT, 0 };
	polls[WAIT_WATCH] = (struct pollfd){ d->stage == STAGE_RUNNING ? d->watch_fd : -1, POLLIN, 0 };
	n = ppoll(polls, WAITS, &timeout, NULL);
	if (n < 0)
		memset(polls, 0, WAITS * sizeof(*polls));
	return n != 0;
}

static void use_events(struct dialogue *d, struct pollfd polls[WAITS])
{
	/* A worker that does not read any more may still have an answer; if not, its stdout ends, or its time. */
	if (polls[WAIT_IN].revents && !send_some(d))
		d->sent = d->head_len + d->job->payload.len;
	if (polls[WAIT_STREAM].revents)
		go_on(d);
	if (polls[WAIT_OUT].revents)
		hear(d);
	/* Armed in vain means that it is cancelled; advance() will see it. */
	if (polls[WAIT_WATCH].revents)
		(void)!chan_watch_arm(d->watch);
}

/* The answer to a small job may come sooner than one could fall asleep and be woken. */
static void listen_awake(struct dialogue *d)
{
	moment began = d->heard, now = began;

	while (d->stage == STAGE_RUNNING && is_sent(d) && d->unsent.len == 0 && patience_wait(&d->worker->patience, began, &now))
		hear(d);
}

/* Most jobs are over within a moment, and nothing else has to be made or looked at for those. */
static void talk_briefly(struct dialogue *d)
{
	struct pollfd polls[WAITS];
	moment until = moment_min(moment_add(d->heard, WATCH_AFTER), d->next);
	int64_t left = until - d->heard;

	for (; d->stage == STAGE_RUNNING && left > 0 && wait_for_events(d, polls, left); left = until - moment_now())
		use_events(d, polls);
}

static void talk(struct dialogue *d)
{
	struct pollfd polls[WAITS];

	d->watch = chan_watch_new(ctx_done(d->job->ctx), &d->watch_fd);
	if (d->watch)
		(void)!chan_watch_arm(d->watch);
	for (advance(d); d->stage != STAGE_OVER; advance(d)) {
		int64_t left = moment_min(d->next, silent_at(d)) - moment_now();

		if (!d->watch && left > LOOK_EVERY)
			left = LOOK_EVERY;
		wait_for_events(d, polls, left);
		use_events(d, polls);
	}
	chan_watch_free(d->watch);
}

/* --- The answer --- */

static void answer_fail(struct dialogue *d)
{
	struct job *job = d->job;
	const struct worker_parser *parser = &d->worker->parser;

	memcpy(job->last_error, parser->message, parser->message_len + 1);
	job_set_failure(job, CODE_FAILED, "the worker says that it has failed");
	if (parser->message_len > 0)
		answer_fact_text(&job->answer, "error", slice_of(job->last_error));
}

static void answer_done(struct dialogue *d)
{
	if (d->end == END_DONE)
		output_answer_done(&d->output);
	else
		answer_fail(d);
}

/* Of a worker of which nothing is left. */
static void answer_ended(struct dialogue *d)
{
	struct job *job = d->job;
	const struct worker_process *process = &d->worker->process;

	if (d->output.limit != OUTPUT_FITS)
		output_answer_limit(&d->output);
	else if (ctx_is_canceled(job->ctx))
		job_cut_short(job);
	else if (d->end == END_DONE)
		answer_done(d);
	else if (d->told_to_end)
		job_cut_short(job);
	else if (process->error)
		job_set_failure(job, CODE_KILLED, "%s", process->what);
	else if (d->end == END_OUTPUT && process->by_itself)
		program_answer_end(job, &process->program);
	else
		job_set_failure(job, CODE_FAILED, "the worker %s", d->worker->wrong);
}

/* Its stdout has ended: most likely it has, too, and how is worth to be known. */
static void wait_for_end(struct dialogue *d)
{
	struct worker *w = d->worker;
	moment until = d->told_to_end ? d->next : moment_min(d->next, moment_in(END_AFTER_OUTPUT));
	char gone = 0;

	if (chan_recv(w->gone, &gone, NULL, until) == CHAN_OK)
		(void)chan_try_send(w->gone, &gone);
	else if (!d->told_to_end)
		w->wrong = "closed its stdout";
}

static void end_worker(struct dialogue *d)
{
	struct worker *w = d->worker;
	bool failed = !d->told_to_end && d->end != END_LIMIT;

	if (d->end == END_OUTPUT)
		wait_for_end(d);
	workers_kill(w);
	worker_errors_last(&w->errors, d->job->last_error);
	if (w->wrong)
		log_wrong(d);
	answer_ended(d);
	workers_bury(w, failed);
}

void worker_run(struct job *job)
{
	struct dialogue d = { .job = job, .watch_fd = -1, .next = job->deadline - program_grace(job) };
	moment began;

	output_init(&d.output, job);
	if (!find_worker(&d))
		return;
	began = d.heard;
	listen_awake(&d);
	talk_briefly(&d);
	if (d.stage != STAGE_OVER)
		talk(&d);
	patience_learn(&d.worker->patience, moment_now() - began);
	if ((d.end == END_DONE || d.end == END_FAIL) && !d.told_to_end) {
		answer_done(&d);
		workers_give(d.worker, true);
	} else {
		end_worker(&d);
	}
}
