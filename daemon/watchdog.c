#include "watchdog.h"

#include "leatd.h"
#include "log.h"
#include "loop.h"
#include "../lib/chan.h"
#include "../lib/generator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

enum { TICKS_WITHIN = 3 };

/* A loop, or, behind them, the log. TO_ASK: its channel was full. */
struct part {
	enum { TO_ASK, ASKED, ANSWERED } state;
	int64_t missed;         /* ticks since it was to be asked */
};

struct watchdog {
	struct leatd *leatd;
	struct loop *const *loops;
	size_t loop_count;
	struct ctx *ctx;        /* of the generator */
	struct chan *ticks, *beats;
	struct part *parts;     /* the loops, and the log */
	size_t unanswered;      /* of this round */
	uint64_t log_written;   /* lines at the last tick */
	bool pools_move;
};

/* --- The ticks --- */

static bool next_tick(void *elem, struct ctx *ctx, void *ticker)
{
	return chan_recv(ticker, elem, ctx, FOREVER) == CHAN_OK;
}

static void end_ticks(void *ticker)
{
	chan_unref(ticker);
}

static struct chan *start_ticks(struct ctx *ctx, int64_t period_ns)
{
	struct generator_options options = { .out = { .elem_size = sizeof(moment) }, .next = next_tick, .end = end_ticks, .name = "watchdog" };
	struct chan *ticks;

	options.arg = chan_ticker(period_ns);
	ticks = options.arg ? generator_start(&options, ctx) : NULL;
	if (!ticks)
		chan_unref(options.arg);
	return ticks;
}

/* --- A round --- */

static struct pool_stand stand_of(struct type *type)
{
	size_t waiting = chan_len(pool_chan(type->pool)), outstanding = pool_outstanding(type->pool);
	struct pool_stand stand = { .idle = waiting > 0 && pool_threads(type->pool) + waiting > outstanding };

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		stand.begun += shim_load(&type->books->queued.buckets[i], relaxed);
	return stand;
}

static bool look_at_pool(struct watchdog *w, struct type *type)
{
	struct pool_stand now = stand_of(type);
	bool moves = pool_moves(type->stand, now);

	type->stand = now;
	if (!moves)
		log_error(w->leatd->log, "a pool does not move", log_text("job", type->name));
	return moves;
}

static void look_at_pools(struct watchdog *w)
{
	w->pools_move = true;
	for (size_t i = 0; i < w->leatd->catalogue->type_count; i++)
		w->pools_move = look_at_pool(w, w->leatd->catalogue->types[i]) && w->pools_move;
}

static void ask(struct watchdog *w, size_t i)
{
	bool sent = i < w->loop_count ? loop_beat(w->loops[i], w->beats, i) : log_beat(w->leatd->log, w->beats, i);

	if (sent)
		w->parts[i].state = ASKED;
}

static void begin_round(struct watchdog *w)
{
	look_at_pools(w);
	w->log_written = log_written(w->leatd->log);
	w->unanswered = w->loop_count + 1;
	for (size_t i = 0; i <= w->loop_count; i++) {
		w->parts[i] = (struct part){ .state = TO_ASK };
		ask(w, i);
	}
}

static void answered(struct watchdog *w, size_t i)
{
	w->parts[i].state = ANSWERED;
	if (--w->unanswered == 0 && w->pools_move)
		sd_notify(0, "WATCHDOG=1");
}

static void complain(struct watchdog *w, size_t i)
{
	char name[32] = "log";

	if (i < w->loop_count)
		snprintf(name, sizeof(name), "loop %zu", i);
	log_error(w->leatd->log, "a thread does not move", log_text("thread", slice_of(name)), log_number("ticks", w->parts[i].missed));
}

/* Nobody is asked twice: the second answer would be one to the next round. A log that is behind and writes is at work. */
static void remind(struct watchdog *w, size_t i)
{
	struct part *part = &w->parts[i];

	if (i == w->loop_count && log_written(w->leatd->log) != w->log_written && part->state == TO_ASK) {
		answered(w, i);
		return;
	}
	part->missed++;
	complain(w, i);
	if (part->state == TO_ASK)
		ask(w, i);
}

void watchdog_tick(struct watchdog *w)
{
	if (w->unanswered == 0) {
		begin_round(w);
		return;
	}
	for (size_t i = 0; i <= w->loop_count; i++) {
		if (w->parts[i].state != ANSWERED)
			remind(w, i);
	}
}

void watchdog_beat(struct watchdog *w, size_t part)
{
	answered(w, part);
}

struct chan *watchdog_ticks(const struct watchdog *w)
{
	return w ? w->ticks : NULL;
}

struct chan *watchdog_beats(const struct watchdog *w)
{
	return w ? w->beats : NULL;
}

/* --- Start and stop --- */

static bool init(struct watchdog *w, int64_t period_ns)
{
	w->parts = calloc(w->loop_count + 1, sizeof(*w->parts));
	w->beats = chan_new(sizeof(size_t), w->loop_count + 1);
	w->ctx = ctx_with_cancel(NULL);
	if (w->parts && w->beats && w->ctx)
		w->ticks = start_ticks(w->ctx, period_ns);
	return w->ticks;
}

int watchdog_start(struct watchdog **to, struct leatd *leatd, struct loop *const *loops, size_t count)
{
	struct watchdog *w;
	uint64_t usec;

	*to = NULL;
	if (sd_watchdog_enabled(0, &usec) <= 0)
		return 0;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->leatd = leatd;
	w->loops = loops;
	w->loop_count = count;
	if (init(w, (int64_t)(usec / TICKS_WITHIN) * MICROSECONDS)) {
		*to = w;
		return 0;
	}
	watchdog_stop(w);
	return -ENOMEM;
}

void watchdog_stop(struct watchdog *w)
{
	if (!w)
		return;
	/* From here on it is the time for stopping that counts. */
	sd_notify(0, "WATCHDOG_USEC=0");
	ctx_cancel(w->ctx);
	/* Until the generator has closed it. */
	while (w->ticks && chan_recv(w->ticks, NULL, NULL, FOREVER) == CHAN_OK)
		;
	chan_unref(w->ticks);
	chan_unref(w->beats);
	ctx_unref(w->ctx);
	free(w->parts);
	free(w);
}
