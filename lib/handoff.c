/* What happens under the lock of a channel: the unbuffered channel as a whole, where an element goes straight from the
 * one who has it to the one who wants it; and of the buffered one the serving of those who wait.
 *
 * Who waits on a buffered channel is handed an element (or room) and called: waking costs more than a hundred
 * operations, so only one at a time is under way on each side. The one who was called answers by looking whether there
 * is more to serve, and calls the next. */
#include "ring.h"

static void zero(const struct chan *c, void *into)
{
	if (into && c->elem_size)
		memset(into, 0, c->elem_size);
}

void chan_note_locked(struct chan *c)
{
	uint64_t seen = shim_load(&c->attention, relaxed);
	uint64_t want = (inside(c)->receivers.first ? ATTENTION_RECEIVERS : 0) | (inside(c)->senders.first ? ATTENTION_SENDERS : 0) |
		(inside(c)->watches.first ? ATTENTION_WATCHED : 0);

	if (c->capacity == 0) {
		/* Nobody changes it without the lock. */
		if (want != (seen & ATTENTION_WAITING))
			shim_store(&c->attention, (seen & ~ATTENTION_WAITING) | want, release);
		return;
	}
	if (want & ~seen)
		shim_or(&c->attention, want & ~seen, seq_cst);
	if (seen & ~want & ATTENTION_WAITING)
		shim_and(&c->attention, ~(seen & ~want & ATTENTION_WAITING), seq_cst);
}

static bool closed(struct chan *c)
{
	return shim_load(&c->attention, acquire) & ATTENTION_CLOSED;
}

static int look_to_meet(struct chan *c, uint64_t other)
{
	return shim_load(&c->attention, seq_cst) & (other | ATTENTION_CLOSED) ? LOOK_READY : LOOK_IDLE;
}

int chan_look(struct chan *c, enum chan_op op)
{
	if (chan_is_polled(c))
		return c->kind->ready(c) ? LOOK_READY : LOOK_IDLE;
	if (op == CHAN_OP_SEND)
		return c->capacity ? (int)ring_look_to_send(c) : look_to_meet(c, ATTENTION_RECEIVERS);
	return c->capacity ? (int)ring_look_to_recv(c) : look_to_meet(c, ATTENTION_SENDERS);
}

/* From here on a claim of the single one that is not to be seen has not happened, and one who has stamped without our
 * seeing it has yet to look at `attention`. */
static void barrier(struct chan *c)
{
	if (!c->fenced)
		shim_membarrier();
}

bool chan_look_again(struct chan *c, enum chan_op op)
{
	const bool single = c->flags & (op == CHAN_OP_SEND ? CHAN_SINGLE_CONSUMER : CHAN_SINGLE_PRODUCER);
	int seen = chan_look(c, op);

	if (seen == LOOK_READY || (seen == LOOK_IDLE && !single))
		return seen == LOOK_READY;
	barrier(c);
	return chan_look(c, op) == LOOK_READY;
}

enum chan_status chan_offer_locked(struct chan *c, const void *elem, struct wakes *wakes)
{
	struct waiter *receiver;

	if (closed(c))
		return CHAN_CLOSED;
	receiver = waitlist_claim(&inside(c)->receivers);
	chan_note_locked(c);
	if (!receiver)
		return CHAN_WOULD_BLOCK;
	ring_copy(c->elem_size, receiver->into, elem);
	wakes_add(wakes, receiver, CHAN_OK);
	return CHAN_OK;
}

enum chan_status chan_take_locked(struct chan *c, void *elem, struct wakes *wakes)
{
	struct waiter *sender = waitlist_claim(&inside(c)->senders);

	chan_note_locked(c);
	if (sender) {
		ring_copy(c->elem_size, elem, sender->from);
		wakes_add(wakes, sender, CHAN_OK);
		return CHAN_OK;
	}
	if (!closed(c))
		return CHAN_WOULD_BLOCK;
	zero(c, elem);
	return CHAN_CLOSED;
}

/* On an unbuffered channel it says that what was looked at before is no longer so. */
static void enlist(struct chan *c, struct waitlist *list, struct waiter *w, bool first)
{
	if (first)
		waitlist_add_first(list, w);
	else
		waitlist_add(list, w);
	if (c->capacity == 0)
		shim_store(&c->attention, shim_load(&c->attention, relaxed) + ATTENTION_COMER, relaxed);
	chan_note_locked(c);
}

void chan_enlist_sender_locked(struct chan *c, struct waiter *w, const void *elem, bool first, struct wakes *wakes)
{
	w->from = elem;
	enlist(c, &inside(c)->senders, w, first);
	/* Without a buffer, a sender that waits is what there is to receive. */
	if (c->capacity == 0)
		watch_fire_locked(c, wakes);
}

void chan_enlist_receiver_locked(struct chan *c, struct waiter *w, void *elem, bool first)
{
	w->into = elem;
	enlist(c, &inside(c)->receivers, w, first);
}

void chan_delist(struct chan *c, struct waitlist *list, struct waiter *w)
{
	lock_acquire(&inside(c)->lock);
	waitlist_remove(list, w);
	chan_note_locked(c);
	lock_release(&inside(c)->lock);
}

static void call_over(struct waiter *w, enum chan_status status, struct chan *c, uint64_t bit, struct wakes *wakes)
{
	wakes_add(wakes, w, status);
	if (status != CHAN_OK)
		return;
	w->call->called = true;
	shim_or(&c->attention, bit, seq_cst);
}

/* Hands out an element. False: there is nothing to hand out, or nobody to hand it to, or someone is on his way. */
static bool serve_receiver(struct chan *c, struct wakes *wakes)
{
	uint64_t seen = shim_load(&c->attention, seq_cst);
	struct waiter *w;

	/* Once it is closed each one must be told. */
	if (!inside(c)->receivers.first || (seen & ATTENTION_RECEIVER_CALLED && !(seen & ATTENTION_CLOSED)))
		return false;
	if (ring_look_to_recv(c) != LOOK_READY || !(w = waitlist_claim(&inside(c)->receivers)))
		return false;
	/* Others receive meanwhile: he may have been claimed in vain, and then looks again himself. */
	call_over(w, ring_recv(c, w->into, false, &seen), c, ATTENTION_RECEIVER_CALLED, wakes);
	return true;
}

static bool serve_sender(struct chan *c, struct wakes *wakes)
{
	uint64_t seen = shim_load(&c->attention, seq_cst);
	struct waiter *w;

	if (!inside(c)->senders.first || seen & ATTENTION_SENDER_CALLED)
		return false;
	if (ring_look_to_send(c) != LOOK_READY || !(w = waitlist_claim(&inside(c)->senders)))
		return false;
	call_over(w, ring_send(c, w->from, false, &seen), c, ATTENTION_SENDER_CALLED, wakes);
	return true;
}

void chan_settle_locked(struct chan *c, struct wakes *wakes)
{
	while (serve_receiver(c, wakes) || serve_sender(c, wakes))
		;
	if (!inside(c)->receivers.first && inside(c)->watches.first && ring_look_to_recv(c) == LOOK_READY)
		watch_fire_locked(c, wakes);
	chan_note_locked(c);
}

void chan_settle(struct chan *c)
{
	struct wakes wakes = { 0 };

	lock_acquire(&inside(c)->lock);
	chan_settle_locked(c, &wakes);
	lock_release(&inside(c)->lock);
	wakes_deliver(&wakes);
}

void chan_answer(struct chan *c, enum chan_op op)
{
	const uint64_t called = op == CHAN_OP_SEND ? ATTENTION_SENDER_CALLED : ATTENTION_RECEIVER_CALLED;
	const uint64_t waiting = op == CHAN_OP_SEND ? ATTENTION_SENDERS : ATTENTION_RECEIVERS | ATTENTION_WATCHED;

	if (shim_and(&c->attention, ~called, seq_cst) & waiting && chan_look_again(c, op))
		chan_settle(c);
}

enum chan_status chan_send_past(struct chan *c, const void *elem)
{
	struct wakes wakes = { 0 };
	enum chan_status status;
	struct waiter *w;
	uint64_t seen;

	lock_acquire(&inside(c)->lock);
	while ((status = ring_send(c, elem, false, &seen)) == CHAN_WOULD_BLOCK) {
		if (ring_look_to_recv(c) != LOOK_READY || !(w = waitlist_claim(&inside(c)->receivers)))
			break;
		wakes_add(&wakes, w, ring_recv(c, w->into, false, &seen));
	}
	chan_settle_locked(c, &wakes);
	lock_release(&inside(c)->lock);
	wakes_deliver(&wakes);
	return status;
}

enum chan_status chan_recv_past(struct chan *c, void *elem)
{
	struct wakes wakes = { 0 };
	enum chan_status status;
	struct waiter *w;
	uint64_t seen;

	lock_acquire(&inside(c)->lock);
	while ((status = ring_recv(c, elem, false, &seen)) == CHAN_WOULD_BLOCK) {
		if (ring_look_to_send(c) != LOOK_READY || !(w = waitlist_claim(&inside(c)->senders)))
			break;
		wakes_add(&wakes, w, ring_send(c, w->from, false, &seen));
	}
	chan_settle_locked(c, &wakes);
	lock_release(&inside(c)->lock);
	wakes_deliver(&wakes);
	return status;
}

/* A single producer moves tail without asking, so a mark there would be lost: it looks at CLOSING instead, after its claim,
 * and takes that back. Closed is it when every claim that did not see it is to be seen. */
static void shut_ring(struct chan *c)
{
	if (c->flags & CHAN_SINGLE_PRODUCER) {
		shim_or(&c->attention, ATTENTION_CLOSING, seq_cst);
		barrier(c);
	} else {
		shim_or(ring_tail(c), c->mark, seq_cst);
	}
	shim_or(&c->attention, ATTENTION_CLOSING | ATTENTION_CLOSED, seq_cst);
}

void chan_close_locked(struct chan *c, struct wakes *wakes)
{
	struct waiter *w;

	if (c->capacity && !chan_is_polled(c)) {
		shut_ring(c);
		/* What is on its way into the buffer is still to be handed out. */
		while ((w = waitlist_claim(&inside(c)->senders)))
			wakes_add(wakes, w, CHAN_CLOSED);
		chan_settle_locked(c, wakes);
	} else {
		shim_or(&c->attention, ATTENTION_CLOSING | ATTENTION_CLOSED, seq_cst);
		while ((w = waitlist_claim(&inside(c)->receivers))) {
			zero(c, w->into);
			wakes_add(wakes, w, CHAN_CLOSED);
		}
		while ((w = waitlist_claim(&inside(c)->senders)))
			wakes_add(wakes, w, CHAN_CLOSED);
	}
	watch_fire_all_locked(c, wakes);
	chan_note_locked(c);
}

size_t chan_sweep(struct chan *c, bool (*keep)(void *elem, void *arg), void *arg)
{
	struct wakes wakes = { 0 };
	size_t taken;

	if (!c || chan_is_polled(c) || c->capacity == 0)
		return 0;
	lock_acquire(&inside(c)->lock);
	taken = ring_sweep_locked(c, keep, arg);
	chan_settle_locked(c, &wakes);
	lock_release(&inside(c)->lock);
	wakes_deliver(&wakes);
	return taken;
}
