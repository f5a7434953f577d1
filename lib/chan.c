#include "ring.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKS = 8 };

static void ring_destroy(struct chan *c)
{
	uint64_t at;

	if (c->drop && chan_is_buffered(c))
		for (at = shim_load(ring_head(c), relaxed); at != (shim_load(ring_tail(c), relaxed) & ~c->mark); at = ring_next(c, at))
			c->drop(ring_elem(c, at), c->drop_arg);
	free(c);
}

static const struct chan_kind ring_kind = { .destroy = ring_destroy };

void chan_init(struct chan *c, const struct chan_kind *kind, const struct chan_options *options)
{
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->elem_size = options->elem_size;
	c->capacity = options->capacity;
	c->drop = options->drop;
	c->drop_arg = options->drop_arg;
	c->flags = options->flags;
	shim_init(&c->refs, 1);
	shim_init(&c->due, FOREVER);
}

/* What the channel takes in memory. False: the sum does not fit. */
static bool measure(const struct chan_options *options, struct ring_layout layout, size_t *bytes)
{
	*bytes = sizeof(struct chan);
	if (options->capacity == 0)
		return true;
	return options->elem_size <= PTRDIFF_MAX && !__builtin_mul_overflow(layout.stride, options->capacity, bytes) &&
		!__builtin_add_overflow(*bytes, sizeof(struct chan_ring) + CACHE_LINE - 1, bytes) && *bytes <= PTRDIFF_MAX;
}

struct chan *chan_new_with(const struct chan_options *options)
{
	struct ring_layout layout = ring_layout_for(options->elem_size);
	struct chan *c;
	size_t bytes;

	if (!measure(options, layout, &bytes))
		return NULL;
	c = aligned_alloc(CACHE_LINE, bytes / CACHE_LINE * CACHE_LINE);
	if (!c)
		return NULL;
	chan_init(c, &ring_kind, options);
	if (c->capacity)
		ring_init(c, layout);
	return c;
}

struct chan *chan_new(size_t elem_size, size_t capacity)
{
	return chan_new_with(&(struct chan_options){ .elem_size = elem_size, .capacity = capacity });
}

struct chan *chan_ref(struct chan *c)
{
	if (c)
		shim_add(&c->refs, 1, relaxed);
	return c;
}

bool chan_let_go(struct chan *c)
{
	return shim_sub(&c->refs, 1, acq_rel) == 1;
}

void chan_unref(struct chan *c)
{
	if (c && chan_let_go(c))
		c->kind->destroy(c);
}

static bool can_carry(const struct chan *c, const void *elem)
{
	return !chan_is_polled(c) && (elem || c->elem_size == 0);
}

/* Nobody will ever come: waits for the ctx and the clock alone. */
static enum chan_status wait_on_nil(struct ctx *ctx, moment deadline)
{
	struct call call;

	if (moment_reached(deadline))
		return deadline <= NOW ? CHAN_WOULD_BLOCK : CHAN_TIMED_OUT;
	call_init(&call);
	return ctx_wait(ctx, &call, deadline, NULL);
}

/* Waits for what `w` stands in `list` for; afterwards it stands there no more. */
static enum chan_status wait_in(struct chan *c, struct waitlist *list, struct waiter *w, struct ctx *ctx,
	moment deadline, struct spin *spin)
{
	enum chan_status why = ctx_wait(ctx, w->call, deadline, spin);

	/* Who claims a call takes out the waiter he came through. */
	if (why == CHAN_OK)
		return (enum chan_status)w->call->status;
	chan_delist(c, list, w);
	return why;
}

enum chan_status chan_refused(struct chan *c, const void *elem, enum chan_status status, uint64_t attention, bool past)
{
	if (status == CHAN_WOULD_BLOCK)
		return past && attention & ATTENTION_RECEIVERS ? chan_send_past(c, elem) : status;
	/* Not before receivers can see it too: who closes has the lock. And whoever saw the claim of a single producer that
	 * was taken back has left the receivers to us. */
	if (c->flags & CHAN_SINGLE_PRODUCER || !chan_is_closed(c))
		chan_settle(c);
	return status;
}

/* On an unbuffered channel. The look without the lock is exact: at that moment nobody was there. */
static enum chan_status try_meet(struct chan *c, enum chan_op op, void *elem)
{
	struct wakes wakes = { 0 };
	enum chan_status status;

	if (chan_look(c, op) == LOOK_IDLE)
		return CHAN_WOULD_BLOCK;
	lock_acquire(&inside(c)->lock);
	status = op == CHAN_OP_SEND ? chan_offer_locked(c, elem, &wakes) : chan_take_locked(c, elem, &wakes);
	lock_release(&inside(c)->lock);
	wakes_deliver(&wakes);
	return status;
}

enum chan_status chan_attempt(struct chan *c, enum chan_op op, void *elem, bool past)
{
	if (likely(chan_is_buffered(c)))
		return op == CHAN_OP_SEND ? attempt_send(c, ring_layout_of(c), elem, past) : attempt_recv(c, ring_layout_of(c), elem, past);
	return chan_is_polled(c) ? c->kind->poll(c, elem) : try_meet(c, op, elem);
}

static enum chan_status too_late(enum chan_status status, moment deadline)
{
	return status == CHAN_WOULD_BLOCK && deadline > NOW ? CHAN_TIMED_OUT : status;
}

/* Looks for a while before it asks to be woken. What it sees coming others may take first: then it looks again, but not for ever. */
static enum chan_status look_for(enum chan_op op, struct chan *c, void *elem, struct ctx *ctx, moment deadline)
{
	struct spin *spin = op == CHAN_OP_SEND ? &inside(c)->sending : &inside(c)->receiving;
	enum chan_status status = CHAN_WOULD_BLOCK;
	int i;

	for (i = 0; i < LOOKS && status == CHAN_WOULD_BLOCK && ctx_error(ctx) == CHAN_OK; i++) {
		if (!spin_until(spin, deadline, op == CHAN_OP_SEND ? ring_may_send : ring_may_recv, c))
			break;
		status = chan_attempt(c, op, elem, false);
	}
	return status;
}

static never_inline enum chan_status wait_for(enum chan_op op, struct chan *c, void *elem, struct ctx *ctx, moment deadline)
{
	struct chan_case only = { op, c, elem, CHAN_ANY_SIZE, CHAN_OK };
	enum chan_status status, why;

	if (moment_reached(deadline))
		return too_late(chan_attempt(c, op, elem, true), deadline);
	if (chan_is_buffered(c) && (status = look_for(op, c, elem, ctx, deadline)) != CHAN_WOULD_BLOCK)
		return status;
	return select_wait(&only, 1, chan_is_buffered(c), ctx, deadline, &why) < 0 ? why : only.status;
}

static bool fits_in_room(const struct chan *c, const void *elem)
{
	return elem && c->elem_size <= sizeof(((struct meeting *)0)->room);
}

static never_inline enum chan_status meet_receiver(struct chan *c, const void *elem, struct ctx *ctx, moment deadline)
{
	struct wakes wakes = { 0 };
	enum chan_status status;
	struct meeting me;
	bool wait = false;

	lock_acquire(&inside(c)->lock);
	status = chan_offer_locked(c, elem, &wakes);
	if (status == CHAN_WOULD_BLOCK && !moment_reached(deadline)) {
		wait = true;
		call_init(&me.call);
		waiter_init(&me.waiter, &me.call, 0);
		if (fits_in_room(c, elem))
			elem = memcpy(&me.room, elem, c->elem_size);
		chan_enlist_sender_locked(c, &me.waiter, elem, false, &wakes);
	}
	lock_release(&inside(c)->lock);
	wakes_deliver(&wakes);
	return wait ? wait_in(c, &inside(c)->senders, &me.waiter, ctx, deadline, &inside(c)->sending) : too_late(status, deadline);
}

static never_inline enum chan_status meet_sender(struct chan *c, void *elem, struct ctx *ctx, moment deadline)
{
	const bool in_room = fits_in_room(c, elem);
	struct wakes wakes = { 0 };
	enum chan_status status;
	struct meeting me;
	bool wait = false;

	lock_acquire(&inside(c)->lock);
	status = chan_take_locked(c, elem, &wakes);
	if (status == CHAN_WOULD_BLOCK && !moment_reached(deadline)) {
		wait = true;
		call_init(&me.call);
		waiter_init(&me.waiter, &me.call, 0);
		chan_enlist_receiver_locked(c, &me.waiter, in_room ? &me.room : elem, false);
	}
	lock_release(&inside(c)->lock);
	wakes_deliver(&wakes);
	if (!wait)
		return too_late(status, deadline);
	status = wait_in(c, &inside(c)->receivers, &me.waiter, ctx, deadline, &inside(c)->receiving);
	if (in_room && (status == CHAN_OK || status == CHAN_CLOSED))
		memcpy(elem, &me.room, c->elem_size);
	return status;
}

/* Everything but the usual. */
static never_inline enum chan_status send_otherwise(struct chan *c, const void *elem, struct ctx *ctx, moment deadline)
{
	enum chan_status status;

	if (ctx && (status = ctx_error(ctx)) != CHAN_OK)
		return status;
	if (!c)
		return wait_on_nil(ctx, deadline);
	if (!can_carry(c, elem))
		return CHAN_INVALID;
	if (!chan_is_buffered(c))
		return meet_receiver(c, elem, ctx, deadline);
	status = attempt_send(c, ring_layout_of(c), elem, false);
	return status != CHAN_WOULD_BLOCK ? status : wait_for(CHAN_OP_SEND, c, (void *)(uintptr_t)elem, ctx, deadline);
}

static never_inline enum chan_status recv_otherwise(struct chan *c, void *elem, struct ctx *ctx, moment deadline)
{
	enum chan_status status;

	if (ctx && (status = ctx_error(ctx)) != CHAN_OK)
		return status;
	if (!c)
		return wait_on_nil(ctx, deadline);
	if (!chan_is_buffered(c))
		return chan_is_polled(c) ? wait_for(CHAN_OP_RECV, c, elem, ctx, deadline) : meet_sender(c, elem, ctx, deadline);
	status = attempt_recv(c, ring_layout_of(c), elem, false);
	return status != CHAN_WOULD_BLOCK ? status : wait_for(CHAN_OP_RECV, c, elem, ctx, deadline);
}

enum chan_status chan_send(struct chan *c, const void *elem, struct ctx *ctx, moment deadline)
{
	enum chan_status status;

	if (unlikely(ctx || !c || !elem || !chan_is_buffered(c)))
		return send_otherwise(c, elem, ctx, deadline);
	status = attempt_send(c, ring_layout_of(c), elem, false);
	return likely(status != CHAN_WOULD_BLOCK) ? status : wait_for(CHAN_OP_SEND, c, (void *)(uintptr_t)elem, NULL, deadline);
}

enum chan_status chan_recv(struct chan *c, void *elem, struct ctx *ctx, moment deadline)
{
	enum chan_status status;

	if (unlikely(ctx || !c || !chan_is_buffered(c)))
		return recv_otherwise(c, elem, ctx, deadline);
	status = attempt_recv(c, ring_layout_of(c), elem, false);
	return likely(status != CHAN_WOULD_BLOCK) ? status : wait_for(CHAN_OP_RECV, c, elem, NULL, deadline);
}

static never_inline enum chan_status try_send(struct chan *c, const void *elem)
{
	if (unlikely(!chan_is_buffered(c)))
		return can_carry(c, elem) ? try_meet(c, CHAN_OP_SEND, (void *)(uintptr_t)elem) : CHAN_INVALID;
	return likely(elem || c->elem_size == 0) ? attempt_send(c, ring_layout_of(c), elem, true) : CHAN_INVALID;
}

/* Refusing is quick: it is how a program that drops what is too much spends its time. */
enum chan_status chan_try_send(struct chan *c, const void *elem)
{
	if (unlikely(!c) || (chan_is_buffered(c) && ring_is_plainly_full(c)))
		return CHAN_WOULD_BLOCK;
	return try_send(c, elem);
}

enum chan_status chan_try_recv(struct chan *c, void *elem)
{
	if (unlikely(!c))
		return CHAN_WOULD_BLOCK;
	return likely(chan_is_buffered(c)) ? attempt_recv(c, ring_layout_of(c), elem, true) : chan_attempt(c, CHAN_OP_RECV, elem, true);
}

static size_t say(size_t done, enum chan_status *why, enum chan_status status)
{
	if (why)
		*why = status;
	return done;
}

/* As many as one claim gives. */
static size_t send_some(struct chan *c, const unsigned char *elem, size_t n)
{
	struct ring_claim claim;
	uint64_t attention;
	enum chan_status why;
	size_t k = ring_claim_free(c, ring_layout_of(c), n, true, &claim, &attention, &why), i;

	for (i = 0; i < k; i++, claim = ring_next_claim(c, claim))
		ring_write(c, ring_layout_of(c), claim, elem + i * c->elem_size);
	if (k)
		chan_sent(c, shim_load(&c->attention, seq_cst));
	return k;
}

static size_t recv_some(struct chan *c, unsigned char *elem, size_t n)
{
	struct ring_claim claim;
	uint64_t attention;
	enum chan_status why;
	size_t k = ring_claim_written(c, ring_layout_of(c), n, true, &claim, &attention, &why), i;

	for (i = 0; i < k; i++, claim = ring_next_claim(c, claim))
		ring_read(c, ring_layout_of(c), claim, elem ? elem + i * c->elem_size : NULL);
	if (k)
		chan_received(c, shim_load(&c->attention, seq_cst));
	return k;
}

size_t chan_try_send_many(struct chan *c, const void *elems, size_t n, enum chan_status *why)
{
	const unsigned char *elem = elems;
	enum chan_status status = CHAN_OK;
	size_t done = 0;

	if (n == 0)
		return say(0, why, CHAN_OK);
	if (!c)
		return say(0, why, CHAN_WOULD_BLOCK);
	if (!can_carry(c, elem))
		return say(0, why, CHAN_INVALID);
	if (chan_is_buffered(c))
		done = send_some(c, elem, n);
	/* The rest one by one: to those who wait already, or it finds out why not. */
	while (done < n && (status = chan_try_send(c, elem + done * c->elem_size)) == CHAN_OK)
		done++;
	return say(done, why, status);
}

size_t chan_try_recv_many(struct chan *c, void *elems, size_t n, enum chan_status *why)
{
	unsigned char *elem = elems;
	enum chan_status status = CHAN_OK;
	size_t done = 0;

	if (n == 0)
		return say(0, why, CHAN_OK);
	if (!c)
		return say(0, why, CHAN_WOULD_BLOCK);
	if (chan_is_buffered(c))
		done = recv_some(c, elem, n);
	while (done < n && (status = chan_try_recv(c, elem ? elem + done * c->elem_size : NULL)) == CHAN_OK)
		done++;
	return say(done, why, status);
}

enum chan_status chan_close(struct chan *c)
{
	struct wakes wakes = { 0 };
	bool was_closed;

	if (!c || chan_is_polled(c))
		return CHAN_INVALID;
	lock_acquire(&inside(c)->lock);
	was_closed = chan_is_closed(c);
	if (!was_closed)
		chan_close_locked(c, &wakes);
	lock_release(&inside(c)->lock);
	wakes_deliver(&wakes);
	return was_closed ? CHAN_CLOSED : CHAN_OK;
}

size_t chan_len(const struct chan *c)
{
	if (!c)
		return 0;
	if (chan_is_polled(c))
		return c->capacity && moment_reached(shim_load(&c->due, relaxed));
	return chan_is_buffered(c) ? ring_len(c) : 0;
}

size_t chan_cap(const struct chan *c)
{
	return c ? c->capacity : 0;
}

size_t chan_elem_size(const struct chan *c)
{
	return c ? c->elem_size : 0;
}

bool chan_is_closed(const struct chan *c)
{
	return c && shim_load(&c->attention, acquire) & ATTENTION_CLOSED;
}
