#include "timer.h"
#include "chan_impl.h"

#include <stdlib.h>
#include <string.h>

struct timer {
	struct chan chan;    /* first; its `due` is the next tick, FOREVER when there will be none */
	int64_t period_ns;   /* 0: once */
};

/* The tick after `due`, in phase with it, and after the present: what was missed is dropped. */
static moment following(const struct timer *t, moment due, moment present)
{
	if (t->period_ns == 0)
		return FOREVER;
	return moment_add(present, t->period_ns - (present - due) % t->period_ns);
}

/* Who moves `due` on has the tick. */
static enum chan_status timer_poll(struct chan *c, void *elem)
{
	struct timer *t = container_of(c, struct timer, chan);
	moment due = shim_load(&c->due, relaxed), present;

	do {
		if (due == FOREVER || (present = moment_now()) < due)
			return CHAN_WOULD_BLOCK;
	} while (!shim_cas(&c->due, &due, following(t, due, present), relaxed));
	if (elem)
		memcpy(elem, &due, sizeof(due));
	return CHAN_OK;
}

static bool timer_ready(const struct chan *c)
{
	return moment_reached(shim_load(&c->due, relaxed));
}

static void timer_destroy(struct chan *c)
{
	free(container_of(c, struct timer, chan));
}

static const struct chan_kind timer_kind = { .poll = timer_poll, .ready = timer_ready, .destroy = timer_destroy };

static struct chan *timer_new(moment due, int64_t period_ns)
{
	struct timer *t = aligned_alloc(CACHE_LINE, (sizeof(*t) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);

	if (!t)
		return NULL;
	chan_init(&t->chan, &timer_kind, &(struct chan_options){ .elem_size = sizeof(moment), .capacity = 1 });
	shim_init(&t->chan.due, due);
	t->period_ns = period_ns;
	return &t->chan;
}

struct chan *chan_after(moment when)
{
	return timer_new(when, 0);
}

struct chan *chan_ticker(int64_t period_ns)
{
	return period_ns < 1 ? NULL : timer_new(moment_in(period_ns), period_ns);
}
