#include "select.h"
#include "chan_impl.h"
#include "random.h"

#include <stdlib.h>

enum { SLOTS_ON_STACK = 8 };

/* What a select keeps for one case; `order` and `locked` are two lists that happen to be as long. */
struct slot {
	struct waiter waiter;
	int order;             /* the case to look at so-manieth */
	struct chan *locked;   /* the channels in the order of their addresses, each once */
};

struct selection {
	struct chan_case *cases;
	int n;
	struct slot *slots;
	int channels;          /* how many `locked` there are */
	struct ctx *ctx;
	moment deadline;
	struct call call;
	struct wakes wakes;
};

static bool is_live(const struct chan_case *one)
{
	return one->op != CHAN_OP_SKIP && one->chan;
}

static bool is_valid(const struct chan_case *one)
{
	if (!is_live(one))
		return one->op == CHAN_OP_SKIP || one->op == CHAN_OP_SEND || one->op == CHAN_OP_RECV;
	if (one->chan->elem_size && one->elem_size != CHAN_ANY_SIZE && one->elem_size != one->chan->elem_size)
		return false;
	if (one->op == CHAN_OP_RECV)
		return true;
	return one->op == CHAN_OP_SEND && !chan_is_polled(one->chan) && (one->elem || one->chan->elem_size == 0);
}

static bool all_valid(const struct chan_case *cases, int n)
{
	int i;

	if (n < 0 || (n > 0 && !cases))
		return false;
	for (i = 0; i < n; i++)
		if (!is_valid(&cases[i]))
			return false;
	return true;
}

/* Fisher and Yates, from the inside out. */
static void shuffle(struct selection *s)
{
	int i, j;

	for (i = 0; i < s->n; i++) {
		j = (int)random_below((uint32_t)i + 1);
		s->slots[i].order = s->slots[j].order;
		s->slots[j].order = i;
	}
}

static void keep_order(struct selection *s)
{
	int i;

	for (i = 0; i < s->n; i++)
		s->slots[i].order = i;
}

/* By insertion: selects are short. */
static void sort_channels(struct selection *s)
{
	int i, at, to;

	for (i = 0; i < s->n; i++) {
		struct chan *c = s->cases[i].chan;
		if (!is_live(&s->cases[i]))
			continue;
		for (at = s->channels; at > 0 && (uintptr_t)s->slots[at - 1].locked > (uintptr_t)c; at--)
			;
		if (at > 0 && s->slots[at - 1].locked == c)
			continue;
		for (to = s->channels++; to > at; to--)
			s->slots[to].locked = s->slots[to - 1].locked;
		s->slots[at].locked = c;
	}
}

static void lock_all(struct selection *s)
{
	int i;

	for (i = 0; i < s->channels; i++)
		lock_acquire(&s->slots[i].locked->lock);
}

static void unlock_all(struct selection *s)
{
	int i;

	for (i = s->channels; i-- > 0;)
		lock_release(&s->slots[i].locked->lock);
}

static enum chan_status try_case(struct chan_case *one)
{
	return one->op == CHAN_OP_SEND ? chan_try_send(one->chan, one->elem) : chan_try_recv(one->chan, one->elem);
}

static enum chan_status try_case_locked(struct chan_case *one, struct wakes *wakes)
{
	if (one->op == CHAN_OP_SEND)
		return chan_offer_locked(one->chan, one->elem, wakes);
	if (chan_is_polled(one->chan))
		return one->chan->kind->poll(one->chan, one->elem);
	return chan_take_locked(one->chan, one->elem, wakes);
}

/* Looks at one channel at a time. Enough to find one that is ready, not to say that none is. */
static int try_each(struct selection *s)
{
	int i;

	for (i = 0; i < s->n; i++) {
		struct chan_case *one = &s->cases[s->slots[i].order];
		if (is_live(one) && (one->status = try_case(one)) != CHAN_WOULD_BLOCK)
			return s->slots[i].order;
	}
	return -1;
}

/* All locks are held: this is one instant. */
static int try_all_locked(struct selection *s)
{
	int i;

	for (i = 0; i < s->n; i++) {
		struct chan_case *one = &s->cases[s->slots[i].order];
		if (is_live(one) && (one->status = try_case_locked(one, &s->wakes)) != CHAN_WOULD_BLOCK)
			return s->slots[i].order;
	}
	return -1;
}

static void enlist_all_locked(struct selection *s)
{
	int i;

	call_init(&s->call);
	for (i = 0; i < s->n; i++) {
		struct chan_case *one = &s->cases[i];
		struct waiter *w = &s->slots[i].waiter;
		if (!is_live(one))
			continue;
		waiter_init(w, &s->call, i);
		if (one->op == CHAN_OP_SEND)
			chan_enlist_sender_locked(one->chan, w, one->elem, &s->wakes);
		else
			chan_enlist_receiver_locked(one->chan, w, one->elem);
	}
}

/* All but the one it was claimed through, if it was. */
static void delist_all(struct selection *s, int claimed)
{
	int i;

	for (i = 0; i < s->n; i++) {
		struct chan_case *one = &s->cases[i];
		if (is_live(one) && i != claimed)
			chan_delist(one->chan, one->op == CHAN_OP_SEND ? &one->chan->senders : &one->chan->receivers,
				&s->slots[i].waiter);
	}
}

/* When there is something to do even if nobody comes: the deadline, or the first timer. */
static moment next_moment(const struct selection *s)
{
	moment next = s->deadline;
	int i;

	for (i = 0; i < s->channels; i++)
		next = moment_min(next, shim_load(&s->slots[i].locked->due, relaxed));
	return next;
}

/* One try, and one wait if that was in vain. True: it is decided, *index and *why say how. */
static bool select_round(struct selection *s, int *index, enum chan_status *why)
{
	bool wait;

	s->wakes = (struct wakes){ 0 };
	lock_all(s);
	*index = try_all_locked(s);
	wait = *index < 0 && !moment_reached(s->deadline);
	if (wait)
		enlist_all_locked(s);
	unlock_all(s);
	wakes_deliver(&s->wakes);
	if (!wait) {
		*why = s->deadline <= NOW ? CHAN_WOULD_BLOCK : CHAN_TIMED_OUT;
		return true;
	}
	*why = ctx_wait(s->ctx, &s->call, next_moment(s), s->channels ? &s->slots[0].locked->receiving : NULL);
	*index = *why == CHAN_OK ? s->call.index : -1;
	delist_all(s, *index);
	if (*index >= 0)
		s->cases[*index].status = s->call.status;
	/* Out of time may mean that a timer's moment has come: look again. */
	return *why != CHAN_TIMED_OUT;
}

static int select_run(struct selection *s, bool ordered, enum chan_status *why)
{
	int index;

	if (ordered) {
		keep_order(s);
	} else {
		shuffle(s);
		index = try_each(s);
		if (index >= 0)
			return index;
	}
	sort_channels(s);
	while (!select_round(s, &index, why))
		;
	return index;
}

static int select_in(struct selection *s, bool ordered, enum chan_status *why)
{
	struct slot on_stack[SLOTS_ON_STACK], *slots = on_stack;
	int index;

	if (s->n > SLOTS_ON_STACK) {
		slots = calloc((size_t)s->n, sizeof(*slots));
		if (!slots) {
			*why = CHAN_NOMEM;
			return -1;
		}
	}
	s->slots = slots;
	index = select_run(s, ordered, why);
	if (slots != on_stack)
		free(slots);
	return index;
}

static int select_checked(struct chan_case *cases, int n, struct ctx *ctx, moment deadline, bool ordered, enum chan_status *why)
{
	struct selection s = { .cases = cases, .n = n, .ctx = ctx, .deadline = deadline };
	enum chan_status reason;
	int index = -1;

	if (!all_valid(cases, n))
		reason = CHAN_INVALID;
	else if ((reason = ctx_error(ctx)) == CHAN_OK)
		index = select_in(&s, ordered, &reason);
	if (why)
		*why = index >= 0 ? cases[index].status : reason;
	return index;
}

int chan_select(struct chan_case *cases, int n, struct ctx *ctx, moment deadline, enum chan_status *why)
{
	return select_checked(cases, n, ctx, deadline, false, why);
}

int chan_select_ordered(struct chan_case *cases, int n, struct ctx *ctx, moment deadline, enum chan_status *why)
{
	return select_checked(cases, n, ctx, deadline, true, why);
}
