#include "workers.h"

#include "leatd.h"
#include "log.h"
#include "type.h"
#include "../lib/chan.h"
#include "../lib/crew.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIFE_STACK_BYTES = 256 * 1024 };

#define BACK_OFF_FIRST (100 * MILLISECONDS)
#define BACK_OFF_LAST (10 * SECONDS)

/* What a runner that waits is given. */
struct offer {
	struct worker *worker;          /* NULL: none could be started, and this is why */
	int status;                     /* -1: none */
	char words[160];
	char error[256];                /* the last line of its stderr */
};

/* A runner that waits; on its stack. */
struct want {
	struct chan *offers;            /* of one struct offer */
	struct want *next;
	bool listed;
};

struct workers {
	struct type *type;
	const struct job_config *config;
	struct pool *lives;             /* of struct worker *: a thread for each that lives */
	struct chan *nudges;            /* for the one who tends: something has changed */
	struct waitgroup *tender;       /* of one, while it is there */
	struct worker **all;            /* the tender's: everybody, `alive` of them */
	struct pollfd *polls;           /* the tender's */
	shim_i64 quarantined_until;     /* 0: not quarantined */

	struct lock lock;               /* of all below */
	bool retiring;
	size_t alive, starting, ending;
	struct worker **idle;           /* the last one has been idle for the shortest time, and is taken first */
	size_t idle_count;
	struct want *first, **last;
	unsigned failed_starts;         /* in a row */
	int64_t back_off;               /* 0: nothing has failed lately */
	moment not_before;              /* the next start */
};

static void nudge(struct workers *ws)
{
	char nudge = 0;

	/* One that was not looked at yet does for this one, too. */
	(void)chan_try_send(ws->nudges, &nudge);
}

/* --- Back-off and quarantine --- */

static bool is_quarantined(const struct workers *ws)
{
	return shim_load(&ws->quarantined_until, relaxed) != 0;
}

static void failed_locked(struct workers *ws)
{
	ws->back_off = ws->back_off == 0 ? BACK_OFF_FIRST : ws->back_off < BACK_OFF_LAST / 2 ? 2 * ws->back_off : BACK_OFF_LAST;
	ws->not_before = moment_in(ws->back_off);
	if (is_quarantined(ws))
		shim_store(&ws->quarantined_until, ws->not_before, relaxed);
}

/* Those that take jobs. */
static size_t count_ready_locked(const struct workers *ws)
{
	return ws->alive - ws->starting - ws->ending;
}

static void start_failed_locked(struct workers *ws)
{
	ws->failed_starts++;
	failed_locked(ws);
	if (ws->failed_starts < WORKER_STARTS_MAX || is_quarantined(ws) || count_ready_locked(ws) > 0)
		return;
	shim_store(&ws->quarantined_until, ws->not_before, relaxed);
	log_warning(ws->type->leatd->log, "workers cannot start: new jobs are refused until one can", log_text("job", ws->type->name));
}

static void start_succeeded_locked(struct workers *ws)
{
	ws->failed_starts = 0;
	if (shim_xchg(&ws->quarantined_until, 0, relaxed) != 0)
		log_notice(ws->type->leatd->log, "workers can start again", log_text("job", ws->type->name));
}

int64_t workers_quarantine_ms(const struct workers *ws, moment now)
{
	moment until = shim_load(&ws->quarantined_until, relaxed);

	if (likely(until == 0))
		return 0;
	return until > now ? (until - now) / MILLISECONDS + 1 : 1;
}

/* --- Runners that wait --- */

static void want_locked(struct workers *ws, struct want *want)
{
	want->listed = true;
	*ws->last = want;
	ws->last = &want->next;
}

static void unwant_locked(struct workers *ws, struct want *want)
{
	struct want **at = &ws->first;

	while (*at && *at != want)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = want->next;
	if (!*at)
		ws->last = at;
	want->listed = false;
}

static size_t count_wants_locked(const struct workers *ws)
{
	size_t n = 0;

	for (const struct want *want = ws->first; want; want = want->next)
		n++;
	return n;
}

/* To the one who has waited longest. False: nobody waits. */
static bool offer_locked(struct workers *ws, const struct offer *offer)
{
	struct want *want = ws->first;

	if (!want)
		return false;
	unwant_locked(ws, want);
	(void)chan_try_send(want->offers, offer);
	return true;
}

static void offer_worker_locked(struct workers *ws, struct worker *w)
{
	struct offer offer = { .worker = w };

	w->state = WORKER_BUSY;
	if (offer_locked(ws, &offer))
		return;
	w->state = WORKER_IDLE;
	w->since = moment_now();
	ws->idle[ws->idle_count++] = w;
}

static void unidle_locked(struct workers *ws, size_t at)
{
	ws->idle_count--;
	memmove(&ws->idle[at], &ws->idle[at + 1], (ws->idle_count - at) * sizeof(*ws->idle));
}

/* --- The end of a worker --- */

static void end_locked(struct worker *w, enum worker_order order)
{
	w->state = WORKER_ENDING;
	w->workers->ending++;
	if (order == WORKER_ORDER_END)
		program_close_fd(&w->process.program.in);
	worker_process_order(&w->process, order);
}

/* By itself and without a job: when that is its way to end, and not all that it does. */
static bool may_end(const struct worker *w)
{
	const siginfo_t *end = &w->process.program.tree.end;

	return w->jobs > 0 && end->si_code == CLD_EXITED && end->si_status == 0;
}

/* On a thread of its own: from the start to the end. */
static void live(void *elem, void *unused unused_arg)
{
	struct worker *w = *(struct worker **)elem;
	struct workers *ws = w->workers;
	char gone = 0;

	worker_process_live(&w->process);
	lock_acquire(&ws->lock);
	w->is_gone = true;
	for (size_t i = 0; w->state == WORKER_IDLE && i < ws->idle_count; i++) {
		if (ws->idle[i] != w)
			continue;
		unidle_locked(ws, i);
		end_locked(w, WORKER_ORDER_NONE);
		if (!may_end(w))
			failed_locked(ws);
	}
	/* The last that is done with it, unless a runner has it: then that is. */
	(void)chan_try_send(w->gone, &gone);
	lock_release(&ws->lock);
	nudge(ws);
}

static void worker_free(struct worker *w)
{
	worker_process_free(&w->process);
	chan_unref(w->gone);
	free(w);
}

/* --- Starting one --- */

static struct worker *worker_new(struct workers *ws)
{
	struct worker *w = malloc(sizeof(*w));
	int r;

	if (!w)
		return NULL;
	memset(w, 0, offsetof(struct worker, room));
	w->workers = ws;
	w->since = moment_in(ws->config->start_timeout);
	r = worker_process_init(&w->process, ws->type);
	worker_errors_init(&w->errors, ws->type, &w->process.program.err);
	w->gone = chan_new(sizeof(char), 1);
	if (r == 0 && w->gone)
		return w;
	worker_free(w);
	errno = r < 0 ? -r : ENOMEM;
	return NULL;
}

static void cannot_start(struct workers *ws, const struct offer *offer)
{
	log_warning(ws->type->leatd->log, "a worker could not be started", log_text("job", ws->type->name),
		    log_text("why", slice_of(offer->words)), log_text("error", slice_of(offer->error)));
	lock_acquire(&ws->lock);
	start_failed_locked(ws);
	/* Where there are others, whoever waits gets one of them. */
	if (count_ready_locked(ws) == 0)
		offer_locked(ws, offer);
	while (is_quarantined(ws) && offer_locked(ws, offer))
		;
	lock_release(&ws->lock);
}

static void start_one(struct workers *ws)
{
	struct worker *w = worker_new(ws);
	struct offer offer = { .status = 126 };

	if (w && pool_try_submit(ws->lives, &w) == CHAN_OK) {
		lock_acquire(&ws->lock);
		ws->all[ws->alive++] = w;
		ws->starting++;
		lock_release(&ws->lock);
		return;
	}
	snprintf(offer.words, sizeof(offer.words), "the worker cannot be started: %s", w ? "no thread for it" : strerror(errno));
	if (w)
		worker_free(w);
	cannot_start(ws, &offer);
}

/* How many are to be started now. */
static size_t missing_locked(const struct workers *ws)
{
	size_t wanted = count_wants_locked(ws), living = ws->alive - ws->ending, room = ws->config->concurrency - ws->alive;
	size_t missing = wanted > ws->starting ? wanted - ws->starting : 0;

	if (ws->retiring)
		return 0;
	if (is_quarantined(ws))
		missing = ws->starting == 0;    /* by way of trial */
	else if (living + missing < ws->config->prestart)
		missing = ws->config->prestart - living;
	return missing < room ? missing : room;
}

/* Returns when the next one may be started. */
static moment start_missing(struct workers *ws)
{
	for (;;) {
		size_t missing;
		moment not_before;

		lock_acquire(&ws->lock);
		missing = missing_locked(ws);
		not_before = ws->not_before;
		lock_release(&ws->lock);
		if (missing == 0)
			return FOREVER;
		if (!moment_reached(not_before))
			return not_before;
		start_one(ws);
	}
}

/* --- Hearing that one is ready --- */

/* It came too late, or said something wrong. It counts as one that starts until it is gone, so that no other is started for it. */
static void give_up_start(struct worker *w, const char *why)
{
	w->wrong = why;
	program_close_fd(&w->process.program.out);
	worker_process_order(&w->process, WORKER_ORDER_KILL);
	w->since = FOREVER;
}

static void became_ready(struct worker *w)
{
	struct workers *ws = w->workers;

	w->at = w->len = 0;
	lock_acquire(&ws->lock);
	ws->starting--;
	w->was_ready = true;
	start_succeeded_locked(ws);
	if (ws->retiring)
		end_locked(w, WORKER_ORDER_END);
	else
		offer_worker_locked(ws, w);
	lock_release(&ws->lock);
}

static void hear_ready(struct worker *w)
{
	int *out = &w->process.program.out;
	ssize_t n = read(*out, w->room + w->len, WORKER_ROOM_BYTES - w->len);
	struct worker_said said;

	if (n < 0)
		return;
	if (n == 0) {
		/* It is about to end, or, if it only closed its stdout, to be killed. */
		program_close_fd(out);
		w->wrong = "closed its stdout before it said READY";
		w->since = moment_min(w->since, moment_in(100 * MILLISECONDS));
		return;
	}
	w->len += (size_t)n;
	said = worker_parse(&w->parser, w->room, w->len);
	if (said.word == WORKER_MORE)
		return;
	if (said.word == WORKER_RUBBISH)
		give_up_start(w, said.why);
	else if (said.word != WORKER_READY || said.used < w->len)
		give_up_start(w, "said something else than READY when it started");
	else
		became_ready(w);
}

/* --- Clearing away the dead --- */

/* Why one that never was ready has ended. */
static void explain(struct worker *w, struct offer *offer)
{
	const struct worker_process *p = &w->process;
	const siginfo_t *end = &p->program.tree.end;
	const char *signal = end->si_code == CLD_EXITED ? NULL : sigabbrev_np(end->si_status);

	*offer = (struct offer){ .status = -1 };
	worker_errors_last(&w->errors, offer->error);
	if (p->error) {
		offer->status = p->error == ENOENT ? 127 : 126;
		snprintf(offer->words, sizeof(offer->words), "the worker cannot be started: %s: %s", p->what, strerror(p->error));
	} else if (!p->by_itself) {
		snprintf(offer->words, sizeof(offer->words), "the worker cannot be started: it %s", w->wrong ? w->wrong : "was told to end");
	} else if (end->si_code == CLD_EXITED) {
		offer->status = end->si_status;
		snprintf(offer->words, sizeof(offer->words), "the worker ended before it said READY");
	} else {
		snprintf(offer->words, sizeof(offer->words), "the worker died of SIG%s before it said READY", signal ? signal : "?");
	}
}

static void bury(struct worker *w, bool failed_to_start)
{
	struct offer offer;

	/* Also of one that nobody asks why: its last words are for the log. */
	worker_errors_last(&w->errors, offer.error);
	if (failed_to_start) {
		explain(w, &offer);
		cannot_start(w->workers, &offer);
	}
	worker_free(w);
}

/* Who has ended and is nobody's goes. */
static void bury_the_dead(struct workers *ws)
{
	for (size_t i = 0; i < ws->alive;) {
		struct worker *w = ws->all[i];
		bool is_over, failed_to_start;

		lock_acquire(&ws->lock);
		is_over = w->is_gone && w->state != WORKER_BUSY;
		failed_to_start = !w->was_ready && !ws->retiring;
		if (is_over) {
			ws->starting -= w->state == WORKER_STARTING;
			ws->ending -= w->state == WORKER_ENDING;
			ws->all[i] = ws->all[--ws->alive];
		}
		lock_release(&ws->lock);
		if (is_over)
			bury(w, failed_to_start);
		else
			i++;
	}
}

/* --- Ending those that are not needed --- */

/* When the one that has been idle for the longest time is to end. */
static moment idle_end_locked(const struct workers *ws, moment now)
{
	const struct job_config *config = ws->config;
	/* Those that are busy now may be idle from now on, and nobody is told. */
	moment since = ws->idle_count > 0 ? ws->idle[0]->since : now;

	if (ws->retiring)
		return ws->idle_count > 0 ? NOW : FOREVER;
	if (config->worker_idle == 0 || count_ready_locked(ws) == 0 || ws->alive - ws->ending <= config->prestart)
		return FOREVER;
	return moment_add(since, config->worker_idle);
}

/* Returns when to look again. */
static moment end_idle(struct workers *ws)
{
	moment now = moment_now(), next;

	lock_acquire(&ws->lock);
	while (ws->idle_count > 0 && now >= idle_end_locked(ws, now)) {
		struct worker *longest = ws->idle[0];

		unidle_locked(ws, 0);
		end_locked(longest, WORKER_ORDER_END);
	}
	next = idle_end_locked(ws, now);
	lock_release(&ws->lock);
	return next;
}

/* Those that are not ready in time; all of them when no job comes any more. Returns when to look again. */
static moment end_late(struct workers *ws)
{
	moment now = moment_now(), next = FOREVER;

	for (size_t i = 0; i < ws->alive; i++) {
		struct worker *w = ws->all[i];
		bool is_starting, retiring;

		lock_acquire(&ws->lock);
		is_starting = w->state == WORKER_STARTING;
		retiring = ws->retiring;
		lock_release(&ws->lock);
		/* `since` is ours while it starts; FOREVER: it has been given up. */
		if (!is_starting || w->since == FOREVER)
			continue;
		if (retiring || now >= w->since)
			give_up_start(w, w->wrong ? w->wrong : "did not say READY within start_timeout");
		else
			next = moment_min(next, w->since);
	}
	return next;
}

/* --- The one who tends --- */

/* What each of them has two of: its stderr, and its stdout while it starts. The nudges come before them. */
static size_t list_polls(struct workers *ws, int nudges)
{
	size_t n = 0;

	ws->polls[n++] = (struct pollfd){ nudges, POLLIN, 0 };
	for (size_t i = 0; i < ws->alive; i++) {
		struct worker *w = ws->all[i];
		bool is_starting;

		lock_acquire(&ws->lock);
		is_starting = w->state == WORKER_STARTING;
		lock_release(&ws->lock);
		ws->polls[n++] = (struct pollfd){ worker_errors_fd(&w->errors), POLLIN, 0 };
		ws->polls[n++] = (struct pollfd){ is_starting ? w->process.program.out : -1, POLLIN, 0 };
	}
	return n;
}

static void wait_until(struct workers *ws, size_t n, moment until)
{
	int64_t left = until - moment_now();
	struct timespec timeout = { .tv_sec = left > 0 ? left / SECONDS : 0, .tv_nsec = left > 0 ? left % SECONDS : 0 };

	if (ppoll(ws->polls, n, until == FOREVER ? NULL : &timeout, NULL) < 0)
		memset(ws->polls, 0, n * sizeof(*ws->polls));
}

static void hear_all(struct workers *ws)
{
	for (size_t i = 0; i < ws->alive; i++) {
		const struct pollfd *polls = &ws->polls[1 + 2 * i];

		if (polls[0].revents)
			worker_errors_read(&ws->all[i]->errors);
		if (polls[1].revents)
			hear_ready(ws->all[i]);
	}
}

static bool is_over(struct workers *ws)
{
	bool over;

	lock_acquire(&ws->lock);
	over = ws->retiring && ws->alive == 0;
	lock_release(&ws->lock);
	return over;
}

static void tend(size_t index unused_arg, void *arg)
{
	struct workers *ws = arg;
	int fd;
	struct chan_watch *watch = chan_watch_new(ws->nudges, &fd);

	while (!is_over(ws)) {
		moment next = start_missing(ws);

		next = moment_min(next, end_idle(ws));
		next = moment_min(next, end_late(ws));
		while (chan_try_recv(ws->nudges, NULL) == CHAN_OK)
			next = NOW;
		/* Without a descriptor for it: look now and then. */
		if (!watch)
			next = moment_min(next, moment_in(10 * MILLISECONDS));
		else if (!chan_watch_arm(watch))
			next = NOW;
		wait_until(ws, list_polls(ws, fd), next);
		hear_all(ws);
		bury_the_dead(ws);
	}
	chan_watch_free(watch);
}

static void tend_over(void *arg)
{
	waitgroup_done(((struct workers *)arg)->tender);
}

/* --- For runners --- */

static struct worker *pop_idle(struct workers *ws)
{
	struct worker *w = NULL;

	if (ws->idle_count > 0) {
		w = ws->idle[--ws->idle_count];
		w->state = WORKER_BUSY;
	}
	return w;
}

static void answer_offer(struct job *job, const struct offer *offer)
{
	job_set_failure(job, CODE_FAILED, "%s", offer->words);
	if (offer->status >= 0)
		answer_fact(&job->answer, "status", offer->status);
	if (!*offer->error)
		return;
	memcpy(job->last_error, offer->error, sizeof(offer->error));
	answer_fact_text(&job->answer, "error", slice_of(job->last_error));
}

/* Until there is one, none can be had, or the job's time is over. */
static struct worker *wait_for_offer(struct workers *ws, struct want *want, struct job *job)
{
	struct offer offer = { .status = -1 };
	enum chan_status status;

	nudge(ws);
	status = chan_recv(want->offers, &offer, job->ctx, FOREVER);
	lock_acquire(&ws->lock);
	if (want->listed)
		unwant_locked(ws, want);
	lock_release(&ws->lock);
	if (status == CHAN_OK && !offer.worker)
		answer_offer(job, &offer);
	if (status == CHAN_OK)
		return offer.worker;
	job_cut_short(job);
	/* It may have come at the last moment. */
	if (chan_try_recv(want->offers, &offer) == CHAN_OK && offer.worker)
		workers_give(offer.worker, false);
	return NULL;
}

struct worker *workers_take(struct workers *ws, struct job *job)
{
	struct want want = { 0 };
	struct worker *w;
	bool quarantined;

	lock_acquire(&ws->lock);
	w = pop_idle(ws);
	quarantined = !w && is_quarantined(ws);
	lock_release(&ws->lock);
	if (w)
		return w;
	want.offers = quarantined ? NULL : chan_new(sizeof(struct offer), 1);
	if (!want.offers) {
		job_set_failure(job, CODE_FAILED, "%s", quarantined ? "its workers cannot be started" : "no memory for a worker");
		return NULL;
	}
	lock_acquire(&ws->lock);
	w = pop_idle(ws);
	if (!w)
		want_locked(ws, &want);
	lock_release(&ws->lock);
	if (!w)
		w = wait_for_offer(ws, &want, job);
	chan_unref(want.offers);
	return w;
}

void workers_give(struct worker *w, bool done)
{
	struct workers *ws = w->workers;
	bool is_used_up = ws->config->max_jobs > 0 && w->jobs >= ws->config->max_jobs;
	bool to_be_buried;

	lock_acquire(&ws->lock);
	if (done && ws->back_off > 0)
		ws->back_off = ws->not_before = 0;
	to_be_buried = is_used_up || ws->retiring || w->is_gone;
	if (to_be_buried)
		end_locked(w, WORKER_ORDER_END);
	else
		offer_worker_locked(ws, w);
	lock_release(&ws->lock);
	if (unlikely(to_be_buried))
		nudge(ws);
}

static void let_go(struct worker *w, enum worker_order order, bool failed)
{
	struct workers *ws = w->workers;

	lock_acquire(&ws->lock);
	if (failed)
		failed_locked(ws);
	end_locked(w, order);
	lock_release(&ws->lock);
	nudge(ws);
}

void workers_discard(struct worker *w, bool failed)
{
	let_go(w, WORKER_ORDER_KILL, failed);
}

void workers_kill(struct worker *w)
{
	worker_process_order(&w->process, WORKER_ORDER_KILL);
	chan_recv(w->gone, NULL, NULL, FOREVER);
}

void workers_bury(struct worker *w, bool failed)
{
	let_go(w, WORKER_ORDER_NONE, failed);
}

/* --- Of a type --- */

static void workers_free(struct workers *ws)
{
	if (ws->lives)
		(void)pool_stop(ws->lives, NULL, FOREVER);
	pool_unref(ws->lives);
	waitgroup_unref(ws->tender);
	chan_unref(ws->nudges);
	free(ws->all);
	free(ws->idle);
	free(ws->polls);
	free(ws);
}

static bool fill(struct workers *ws)
{
	size_t most = ws->config->concurrency;
	struct pool_options lives = {
		.elem_size = sizeof(struct worker *),
		/* One that has ended may be replaced before its thread has come back. */
		.max_threads = 2 * most,
		.thread_each = true,
		.idle_ns = 60 * SECONDS,
		.stack_bytes = LIFE_STACK_BYTES,
		.run = live,
		.name = ws->config->name,
	};
	struct crew_order tender = { .name = ws->config->name, .count = 1, .run = tend, .over = tend_over, .arg = ws };

	ws->all = calloc(most, sizeof(*ws->all));
	ws->idle = calloc(most, sizeof(*ws->idle));
	ws->polls = calloc(1 + 2 * most, sizeof(*ws->polls));
	ws->lives = pool_start(&lives);
	ws->nudges = chan_new(sizeof(char), 1);
	ws->tender = waitgroup_new();
	if (!ws->all || !ws->idle || !ws->polls || !ws->lives || !ws->nudges || !ws->tender)
		return false;
	waitgroup_add(ws->tender, 1);
	return crew_start(&tender);
}

int workers_start(struct type *type, struct workers **to)
{
	struct workers *ws = calloc(1, sizeof(*ws));

	if (!ws)
		return -ENOMEM;
	ws->type = type;
	ws->config = type->config;
	ws->last = &ws->first;
	if (fill(ws)) {
		*to = ws;
		return 0;
	}
	workers_free(ws);
	return -ENOMEM;
}

void workers_retire(struct workers *ws)
{
	if (!ws)
		return;
	lock_acquire(&ws->lock);
	ws->retiring = true;
	lock_release(&ws->lock);
	nudge(ws);
}

bool workers_are_over(const struct workers *ws)
{
	return !ws || waitgroup_wait(ws->tender, NULL, NOW) == CHAN_OK;
}

void workers_stop(struct workers *ws)
{
	if (!ws)
		return;
	workers_retire(ws);
	(void)waitgroup_wait(ws->tender, NULL, FOREVER);
	workers_free(ws);
}
