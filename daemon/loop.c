#include "loop_impl.h"

#include "conn.h"
#include "exchange.h"
#include "inquiry.h"
#include "job.h"
#include "leatd.h"
#include "log.h"
#include "../lib/stock.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	ORDERS_WAITING = 8,
	/* Runners wait when so many of their jobs have not been fetched: the loop is drowning then. */
	DONE_WAITING = 4096,
	DONE_BATCH = 64,
};

/* A yield that took so long has let others run who wanted this CPU. */
#define CROWDED (4 * MICROSECONDS)

/* How long connections may take at least to fetch their last answers when leatd stops. */
#define LAST_ANSWERS_NS (2 * SECONDS)

void loop_enter(struct loop *loop)
{
	loop->now = moment_now();
	if (loop->now >= loop->date_until) {
		http_date_line(loop->date_line, time(NULL));
		loop->date_until = moment_add(loop->now, 100 * MILLISECONDS);
	}
}

static void arm_wheel(struct loop *loop)
{
	moment next = wheel_next(&loop->wheel);
	int64_t in = next - loop->now;
	struct timeval tv;

	if (next >= loop->wheel_at)
		return;
	if (in < 0)
		in = 0;
	/* Rounded up, or it would wake too early and go round once more. */
	tv.tv_sec = in / SECONDS;
	tv.tv_usec = in % SECONDS / MICROSECONDS + 1;
	evtimer_add(loop->wheel_event, &tv);
	loop->wheel_at = next;
}

static bool may_end(const struct loop *loop)
{
	return loop->stopping && loop->conn_count == 0 && loop->jobs_out == 0;
}

void loop_leave(struct loop *loop)
{
	conns_flush(loop);
	if (loop->draining && loop->jobs_out == 0) {
		loop->draining = false;
		chan_send(loop->drained, &loop->index, NULL, FOREVER);
	}
	loop->ended = may_end(loop);
	if (!loop->ended)
		arm_wheel(loop);
}

static void on_wheel(evutil_socket_t fd unused_arg, short what unused_arg, void *arg)
{
	struct loop *loop = arg;

	loop_enter(loop);
	loop->wheel_at = FOREVER;
	wheel_turn(&loop->wheel, loop->now);
	loop_leave(loop);
}

/* Jobs that have come home; false if there were none. */
static bool fetch_done(struct loop *loop)
{
	struct job *jobs[DONE_BATCH];
	size_t n = chan_try_recv_many(loop->done, jobs, DONE_BATCH, NULL);

	if (n == 0)
		return false;
	loop_enter(loop);
	for (size_t i = 0; i < n; i++)
		exchange_job_home(jobs[i]);
	loop_leave(loop);
	return true;
}

/* It is enough that the loop wakes: it looks for jobs by itself. An edge, since the descriptor stays readable until the next arming. */
static void on_done(evutil_socket_t fd unused_arg, short what unused_arg, void *arg)
{
	struct loop *loop = arg;

	loop_enter(loop);
}

static void quit(struct loop *loop)
{
	moment until = shim_load(&loop->leatd->finish_by, acquire);
	moment least = moment_add(loop->now, LAST_ANSWERS_NS);

	loop->stopping = true;
	summary_stop(loop);
	listeners_stop(loop);
	inquiries_finish(loop);
	conns_finish(loop, until > least ? until : least);
}

static void renew(struct loop *loop, struct catalogue *catalogue)
{
	const struct catalogue *told = catalogue;
	struct catalogue *old = loop->catalogue;

	loop->catalogue = catalogue;
	conns_renew(loop);
	catalogue_unref(old);
	/* Full: nobody waits for it any more. */
	(void)chan_try_send(loop->renewed, &told);
}

static void beat(const struct loop_message *message)
{
	chan_try_send(message->beats, &message->who);
	chan_unref(message->beats);
}

static void on_orders(evutil_socket_t fd unused_arg, short what unused_arg, void *arg)
{
	struct loop *loop = arg;
	struct loop_message message;

	loop_enter(loop);
	while (chan_try_recv(loop->orders, &message) == CHAN_OK) {
		switch (message.order) {
		case LOOP_DRAIN:
			loop->draining = true;
			if (loop->leave_backlog)
				listeners_stop(loop);
			break;
		case LOOP_CANCEL:
			conns_cancel(loop);
			break;
		case LOOP_RENEW:
			renew(loop, message.catalogue);
			break;
		case LOOP_BEAT:
			beat(&message);
			break;
		case LOOP_TRIM:
			stock_empty();
			break;
		case LOOP_QUIT:
			quit(loop);
			break;
		}
	}
	loop_leave(loop);
	if (!chan_watch_arm(loop->orders_watch))
		event_active(loop->orders_event, EV_READ, 0);
}

/* Questions of other loops, and their answers to ours. */
static void on_mail(evutil_socket_t fd unused_arg, short what unused_arg, void *arg)
{
	struct loop *loop = arg;
	struct question *q;

	loop_enter(loop);
	while (chan_try_recv(loop->mails[loop->index], &q) == CHAN_OK)
		inquiry_mail(loop, q);
	loop_leave(loop);
	if (!chan_watch_arm(loop->mail_watch))
		event_active(loop->mail_event, EV_READ, 0);
}

/* Everything that is ready now; false if nothing was. */
static bool do_ready(struct loop *loop)
{
	moment before = loop->now;
	bool fetched, resumed = conns_resume(loop);

	/* With EVLOOP_NONBLOCK alone it would come back only when nothing at all is ready any more. */
	event_base_loop(loop->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
	fetched = fetch_done(loop);
	/* Every callback that does something takes the time. */
	return resumed || fetched || loop->now != before;
}

/* Waits awake for what comes soon, unless others need this CPU. */
static bool look(struct loop *loop)
{
	moment began = moment_now(), now = began, before;
	bool won = false;

	do {
		before = now;
		if (!patience_wait(&loop->patience, began, &now))
			break;
		won = do_ready(loop);
	} while (!won && now - before < CROWDED);
	loop->waited_since = began;
	return won;
}

/* Sleeps until there is something to do. */
static void block(struct loop *loop)
{
	/* Not while awake: a runner writes the descriptor only when its loop sleeps. */
	if (!chan_watch_arm(loop->done_watch))
		return;
	purse_empty(&loop->purse);
	event_base_loop(loop->base, EVLOOP_ONCE);
}

static void *loop_thread(void *arg)
{
	struct loop *loop = arg;
	char name[16];

	snprintf(name, sizeof(name), "loop %zu", loop->index);
	pthread_setname_np(pthread_self(), name);
	stock_open();
	while (!loop->ended) {
		if (do_ready(loop))
			continue;
		if (!look(loop))
			block(loop);
		patience_learn(&loop->patience, loop->now - loop->waited_since);
	}
	stock_close();
	return NULL;
}

/* A channel whose readiness is an event of the loop. */
static bool watch(struct loop *loop, struct chan *chan, struct chan_watch **w, struct event **event, short edge, event_callback_fn callback)
{
	int fd;

	*w = chan ? chan_watch_new(chan, &fd) : NULL;
	if (!*w)
		return false;
	*event = event_new(loop->base, fd, EV_READ | EV_PERSIST | edge, callback, loop);
	if (!*event || event_add(*event, NULL) < 0)
		return false;
	if (!chan_watch_arm(*w))
		event_active(*event, EV_READ, 0);
	return true;
}

/* Orders that came too late may hold something. */
static void drop_orders(struct loop *loop)
{
	struct loop_message message;

	while (loop->orders && chan_try_recv(loop->orders, &message) == CHAN_OK) {
		catalogue_unref(message.catalogue);
		chan_unref(message.beats);
	}
}

void loop_free(struct loop *loop)
{
	drop_orders(loop);
	catalogue_unref(loop->catalogue);
	listeners_stop(loop);
	if (loop->wheel_event)
		event_free(loop->wheel_event);
	if (loop->done_event)
		event_free(loop->done_event);
	if (loop->orders_event)
		event_free(loop->orders_event);
	if (loop->mail_event)
		event_free(loop->mail_event);
	chan_watch_free(loop->done_watch);
	chan_watch_free(loop->orders_watch);
	chan_watch_free(loop->mail_watch);
	chan_unref(loop->done);
	chan_unref(loop->orders);
	ctx_unref(loop->ctx);
	if (loop->base)
		event_base_free(loop->base);
	free(loop->scratch);
	free(loop);
}

/* epoll and nothing slower; no lock inside libevent, as only one thread ever touches this base. */
static struct event_base *make_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static bool loop_init(struct loop *loop, const struct loop_options *options)
{
	loop->leatd = options->leatd;
	loop->catalogue = catalogue_ref(options->leatd->catalogue);
	loop->index = options->index;
	loop->drained = options->drained;
	loop->leave_backlog = options->leave_backlog;
	loop->renewed = options->renewed;
	purse_init(&loop->purse, loop->leatd);
	loop->mails = options->mails;
	loop->mail_count = options->mail_count;
	loop->wheel_at = FOREVER;
	loop_enter(loop);
	wheel_init(&loop->wheel, loop->now);
	loop->scratch = malloc(LOOP_SCRATCH_BYTES);
	loop->base = make_base();
	loop->ctx = ctx_with_cancel(NULL);
	loop->done = chan_new(sizeof(struct job *), DONE_WAITING);
	loop->orders = chan_new(sizeof(struct loop_message), ORDERS_WAITING);
	if (!loop->scratch || !loop->base || !loop->ctx)
		return false;
	loop->wheel_event = evtimer_new(loop->base, on_wheel, loop);
	return loop->wheel_event && watch(loop, loop->done, &loop->done_watch, &loop->done_event, EV_ET, on_done) &&
	       watch(loop, loop->orders, &loop->orders_watch, &loop->orders_event, 0, on_orders) &&
	       watch(loop, loop->mails[loop->index], &loop->mail_watch, &loop->mail_event, 0, on_mail) &&
	       listeners_start(loop, options->listeners, options->listeners_tls, options->listener_count) == 0;
}

struct loop *loop_start(const struct loop_options *options)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	if (loop_init(loop, options) && pthread_create(&loop->thread, NULL, loop_thread, loop) == 0)
		return loop;
	loop_free(loop);
	return NULL;
}

void loop_order(struct loop *loop, enum loop_order order)
{
	chan_send(loop->orders, &(struct loop_message){ .order = order }, NULL, FOREVER);
}

void loop_renew(struct loop *loop, struct catalogue *catalogue)
{
	chan_send(loop->orders, &(struct loop_message){ .order = LOOP_RENEW, .catalogue = catalogue }, NULL, FOREVER);
}

bool loop_beat(struct loop *loop, struct chan *beats, size_t who)
{
	struct loop_message message = { .order = LOOP_BEAT, .beats = chan_ref(beats), .who = who };

	if (chan_try_send(loop->orders, &message) == CHAN_OK)
		return true;
	chan_unref(beats);
	return false;
}

void loop_trim(struct loop *loop)
{
	(void)chan_try_send(loop->orders, &(struct loop_message){ .order = LOOP_TRIM });
}

void loop_join(struct loop *loop)
{
	pthread_join(loop->thread, NULL);
}
