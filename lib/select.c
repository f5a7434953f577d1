#include "select.h"
#include "ring.h"
#include "random.h"

#include <stdlib.h>

enum { SLOTS_ON_STACK = 8 };

/* What a select keeps for one case; `order` and `sorted` are two lists that happen to be as long. */
struct slot {
	struct waiter waiter;
	int order;                  /* the case to look at so-manieth */
	int sorted;                 /* the cases in the order of the addresses of their channels */
	uint64_t before, behind;    /* what the case's channel looked like before it was tried */
};

struct selection {
	struct chan_case *cases;
	int n;
	bool ordered;
	bool looked;           /* the caller has, for a while, in vain */
	struct slot *slots;
	struct ctx *ctx;
	moment deadline;
	int first;             /* the case through which it was called in vain, or -1 */
	struct call call;
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

	s->slots[0].order = 0;
	for (i = 1; i < s->n; i++) {
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
	int i, at;

	for (i = 0; i < s->n; i++) {
		for (at = i; at > 0 && (uintptr_t)s->cases[s->slots[at - 1].sorted].chan > (uintptr_t)s->cases[i].chan; at--)
			s->slots[at].sorted = s->slots[at - 1].sorted;
		s->slots[at].sorted = i;
	}
}

/* What changes whenever a case that is not ready becomes ready and stops being so: positions that only grow, who came,
 * when the tick is due. */
static void picture(const struct chan_case *one, uint64_t *before, uint64_t *behind)
{
	struct chan *c = one->chan;

	*before = chan_is_buffered(c) ? shim_load(ring_head(c), seq_cst) : (uint64_t)shim_load(&c->due, seq_cst);
	*behind = chan_is_buffered(c) ? shim_load(ring_tail(c), seq_cst) : shim_load(&c->attention, seq_cst) / ATTENTION_COMER;
}

static bool looks_the_same(const struct chan_case *one, const struct slot *slot)
{
	uint64_t before, behind;

	picture(one, &before, &behind);
	return before == slot->before && behind == slot->behind;
}

/* Some of the other side wait although the buffer seems to be in their favour: they have not come yet. */
static bool could_go_past(const struct chan_case *one)
{
	return chan_is_buffered(one->chan) &&
		shim_load(&one->chan->attention, seq_cst) & (one->op == CHAN_OP_SEND ? ATTENTION_RECEIVERS : ATTENTION_SENDERS);
}

/* Not ready now, and as it was when it was found not to be ready: so it was not meanwhile. */
static bool was_idle(const struct selection *s, int i)
{
	const struct chan_case *one = &s->cases[i];

	return !is_live(one) || (chan_look(one->chan, one->op) != LOOK_READY && !could_go_past(one) &&
		looks_the_same(one, &s->slots[i]));
}

static bool all_were_idle(const struct selection *s, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (!was_idle(s, i))
			return false;
	return true;
}

static bool attempt(struct selection *s, int i, bool past)
{
	struct chan_case *one = &s->cases[i];

	one->status = chan_attempt(one->chan, one->op, one->elem, past);
	return one->status != CHAN_WOULD_BLOCK;
}

static int try_at_random(struct selection *s, bool past)
{
	int i, at;

	for (i = 0; i < s->n; i++) {
		at = s->slots[i].order;
		if (!is_live(&s->cases[at]))
			continue;
		if (past)
			picture(&s->cases[at], &s->slots[at].before, &s->slots[at].behind);
		if (attempt(s, at, past))
			return at;
	}
	return -1;
}

static bool promises(const struct chan_case *one, bool past)
{
	return chan_look(one->chan, one->op) != LOOK_IDLE || (past && could_go_past(one));
}

/* Before a later case runs, those before it must not have become ready. */
static int try_in_order(struct selection *s, bool past)
{
	int i;

	for (i = 0; i < s->n; i++) {
		if (!is_live(&s->cases[i]))
			continue;
		picture(&s->cases[i], &s->slots[i].before, &s->slots[i].behind);
		if (!promises(&s->cases[i], past))
			continue;
		if (!all_were_idle(s, i))
			i = -1;
		else if (attempt(s, i, past))
			return i;
	}
	return -1;
}

static int try_all(struct selection *s, bool past)
{
	return s->ordered ? try_in_order(s, past) : try_at_random(s, past);
}

static struct waitlist *list_of(const struct chan_case *one)
{
	return one->op == CHAN_OP_SEND ? &inside(one->chan)->senders : &inside(one->chan)->receivers;
}

/* An unbuffered channel is ready if the other side waits, who must not be ourselves. */
static bool can_meet_locked(const struct selection *s, const struct chan_case *one)
{
	struct chan *c = one->chan;

	if (chan_is_buffered(c))
		return false;
	return chan_is_closed(c) || waitlist_has_other(one->op == CHAN_OP_SEND ? &inside(c)->receivers : &inside(c)->senders, &s->call);
}

static bool enlist(struct selection *s, int i)
{
	struct chan_case *one = &s->cases[i];
	struct waiter *w = &s->slots[i].waiter;
	struct wakes wakes = { 0 };
	bool ready;

	lock_acquire(&inside(one->chan)->lock);
	ready = can_meet_locked(s, one);
	if (!ready && one->op == CHAN_OP_SEND)
		chan_enlist_sender_locked(one->chan, w, one->elem, i == s->first, &wakes);
	else if (!ready)
		chan_enlist_receiver_locked(one->chan, w, one->elem, i == s->first);
	lock_release(&inside(one->chan)->lock);
	wakes_deliver(&wakes);
	return !ready;
}

/* In the order of addresses, so that of two selects that could meet one comes first everywhere. */
static bool enlist_all(struct selection *s)
{
	int i, at;

	call_init(&s->call);
	for (i = 0; i < s->n; i++)
		waiter_init(&s->slots[i].waiter, &s->call, i);
	for (i = 0; i < s->n; i++) {
		at = s->slots[i].sorted;
		if (is_live(&s->cases[at]) && !enlist(s, at))
			return false;
	}
	return true;
}

/* All but the one it was claimed through, if it was. */
static void delist_all(struct selection *s, int claimed)
{
	int i;

	for (i = 0; i < s->n; i++)
		if (is_live(&s->cases[i]) && i != claimed)
			chan_delist(s->cases[i].chan, list_of(&s->cases[i]), &s->slots[i].waiter);
}

/* The second look, after it stands in all lists. An unbuffered channel has been looked at under its lock. */
static bool look_again(const struct selection *s)
{
	int i;

	for (i = 0; i < s->n; i++)
		if (is_live(&s->cases[i]) && chan_is_buffered(s->cases[i].chan) && chan_look_again(s->cases[i].chan, s->cases[i].op))
			return true;
	return false;
}

/* What becomes ready by the clock alone is not looked for: its moment is known. */
static struct spin *spin_of(const struct selection *s)
{
	int i;

	for (i = 0; i < s->n; i++)
		if (is_live(&s->cases[i]) && !chan_is_polled(s->cases[i].chan))
			return s->cases[i].op == CHAN_OP_SEND ? &inside(s->cases[i].chan)->sending : &inside(s->cases[i].chan)->receiving;
	return NULL;
}

/* Before it stands in any list: so nobody has to wake it. */
static bool any_is_ready(const void *arg)
{
	const struct selection *s = arg;
	int i;

	for (i = 0; i < s->n; i++)
		if (is_live(&s->cases[i]) && chan_look(s->cases[i].chan, s->cases[i].op) == LOOK_READY)
			return true;
	return false;
}

/* When there is something to do even if nobody comes: the deadline, or the first timer. */
static moment next_moment(const struct selection *s)
{
	moment next = s->deadline;
	int i;

	for (i = 0; i < s->n; i++)
		if (is_live(&s->cases[i]))
			next = moment_min(next, shim_load(&s->cases[i].chan->due, relaxed));
	return next;
}

/* It was claimed through a case. False: in vain. */
static bool arrive(struct selection *s, int *index)
{
	struct chan_case *one = &s->cases[s->call.index];

	*index = s->call.index;
	delist_all(s, *index);
	if (s->call.called)
		chan_answer(one->chan, one->op);
	one->status = (enum chan_status)s->call.status;
	s->first = *index;
	return one->status != CHAN_WOULD_BLOCK;
}

/* Waits once. True: it is decided, *index and *why say how; otherwise things have changed. */
static bool wait_once(struct selection *s, int *index, enum chan_status *why)
{
	moment until = next_moment(s);

	if (enlist_all(s) && !look_again(s))
		*why = ctx_wait(s->ctx, &s->call, until, NULL);
	else if (call_abandon(&s->call))
		*why = CHAN_TIMED_OUT;
	else
		*why = call_await(&s->call, FOREVER, NULL) ? CHAN_OK : CHAN_TIMED_OUT;
	if (*why == CHAN_OK)
		return arrive(s, index);
	*index = -1;
	delist_all(s, -1);
	/* Out of time may mean that a timer's moment has come, or just that things have changed: try again. */
	return *why != CHAN_TIMED_OUT;
}

static int select_loop(struct selection *s, enum chan_status *why)
{
	bool late = s->deadline <= NOW, prepared = false;
	unsigned round = 0;
	int index;

	for (;;) {
		index = try_all(s, late);
		if (index >= 0)
			return index;
		if (late && all_were_idle(s, s->n)) {
			*why = s->deadline <= NOW ? CHAN_WOULD_BLOCK : CHAN_TIMED_OUT;
			return -1;
		}
		if (late) {
			round = ring_pause(round);
			continue;
		}
		late = moment_reached(s->deadline);
		if (late)
			continue;
		if (!prepared) {
			prepared = true;
			sort_channels(s);
			if (!s->looked && spin_until(spin_of(s), s->deadline, any_is_ready, s))
				continue;
		}
		if (wait_once(s, &index, why))
			return index;
	}
}

static int select_run(struct selection *s, enum chan_status *why)
{
	s->first = -1;
	if (s->ordered)
		keep_order(s);
	else if (s->n > 0)
		shuffle(s);
	return select_loop(s, why);
}

static int select_in(struct selection *s, enum chan_status *why)
{
	struct slot on_stack[SLOTS_ON_STACK], *slots = on_stack;
	int index;

	if (s->n > SLOTS_ON_STACK) {
		slots = s->n > CALL_INDEX_MOST ? NULL : calloc((size_t)s->n, sizeof(*slots));
		if (!slots) {
			*why = CHAN_NOMEM;
			return -1;
		}
	}
	s->slots = slots;
	index = select_run(s, why);
	if (slots != on_stack)
		free(slots);
	return index;
}

int select_wait(struct chan_case *cases, int n, bool looked, struct ctx *ctx, moment deadline, enum chan_status *why)
{
	struct selection s = { .cases = cases, .n = n, .looked = looked, .ctx = ctx, .deadline = deadline };

	return select_in(&s, why);
}

static int select_checked(struct chan_case *cases, int n, struct ctx *ctx, moment deadline, bool ordered, enum chan_status *why)
{
	struct selection s = { .cases = cases, .n = n, .ordered = ordered, .ctx = ctx, .deadline = deadline };
	enum chan_status reason;
	int index = -1;

	if (!all_valid(cases, n))
		reason = CHAN_INVALID;
	else if ((reason = ctx_error(ctx)) == CHAN_OK)
		index = select_in(&s, &reason);
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
