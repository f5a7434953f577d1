#include "chan_impl.h"

#include <stdlib.h>
#include <string.h>

static void ring_destroy(struct chan *c)
{
	size_t i;

	for (i = 0; c->drop && i < shim_load(&c->count, relaxed); i++)
		c->drop(chan_place(c, i), c->drop_arg);
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

struct chan *chan_new_with(const struct chan_options *options)
{
	size_t bytes;
	struct chan *c;

	if (__builtin_mul_overflow(options->elem_size, options->capacity, &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(*c) + CACHE_LINE - 1, &bytes) || bytes > PTRDIFF_MAX)
		return NULL;
	c = aligned_alloc(CACHE_LINE, bytes / CACHE_LINE * CACHE_LINE);
	if (c)
		chan_init(c, &ring_kind, options);
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
		return w->call->status;
	chan_delist(c, list, w);
	return why;
}

enum chan_status chan_send(struct chan *c, const void *elem, struct ctx *ctx, moment deadline)
{
	struct wakes wakes = { 0 };
	enum chan_status status;
	struct waiter w;
	struct call call;
	bool wait = false;

	if (ctx && (status = ctx_error(ctx)) != CHAN_OK)
		return status;
	if (!c)
		return wait_on_nil(ctx, deadline);
	if (!can_carry(c, elem))
		return CHAN_INVALID;
	lock_acquire(&c->lock);
	status = chan_offer_locked(c, elem, &wakes);
	if (status == CHAN_WOULD_BLOCK && !moment_reached(deadline)) {
		wait = true;
		call_init(&call);
		waiter_init(&w, &call, 0);
		chan_enlist_sender_locked(c, &w, elem, &wakes);
	}
	lock_release(&c->lock);
	wakes_deliver(&wakes);
	if (wait)
		return wait_in(c, &c->senders, &w, ctx, deadline, &c->sending);
	return status == CHAN_WOULD_BLOCK && deadline > NOW ? CHAN_TIMED_OUT : status;
}

static enum chan_status recv_polled(struct chan *c, void *elem, struct ctx *ctx, moment deadline)
{
	struct chan_case only = { CHAN_OP_RECV, c, elem, CHAN_ANY_SIZE, CHAN_OK };
	enum chan_status why;

	chan_select(&only, 1, ctx, deadline, &why);
	return why;
}

enum chan_status chan_recv(struct chan *c, void *elem, struct ctx *ctx, moment deadline)
{
	struct wakes wakes = { 0 };
	enum chan_status status;
	struct waiter w;
	struct call call;
	bool wait = false;

	if (ctx && (status = ctx_error(ctx)) != CHAN_OK)
		return status;
	if (!c)
		return wait_on_nil(ctx, deadline);
	if (chan_is_polled(c))
		return recv_polled(c, elem, ctx, deadline);
	lock_acquire(&c->lock);
	status = chan_take_locked(c, elem, &wakes);
	if (status == CHAN_WOULD_BLOCK && !moment_reached(deadline)) {
		wait = true;
		call_init(&call);
		waiter_init(&w, &call, 0);
		chan_enlist_receiver_locked(c, &w, elem);
	}
	lock_release(&c->lock);
	wakes_deliver(&wakes);
	if (wait)
		return wait_in(c, &c->receivers, &w, ctx, deadline, &c->receiving);
	return status == CHAN_WOULD_BLOCK && deadline > NOW ? CHAN_TIMED_OUT : status;
}

/* Open first, full second: a closed channel cannot become full, so there was a moment when it was both. */
static bool plainly_full(const struct chan *c)
{
	return c->capacity > 0 && !shim_load(&c->closed, acquire) && shim_load(&c->count, acquire) == c->capacity;
}

/* Empty first, open second: a closed channel cannot be opened, so there was a moment when it was both. */
static bool plainly_empty(const struct chan *c)
{
	return c->capacity > 0 && shim_load(&c->count, acquire) == 0 && !shim_load(&c->closed, acquire);
}

enum chan_status chan_try_send(struct chan *c, const void *elem)
{
	struct wakes wakes = { 0 };
	enum chan_status status;

	if (!c || plainly_full(c))
		return CHAN_WOULD_BLOCK;
	if (!can_carry(c, elem))
		return CHAN_INVALID;
	lock_acquire(&c->lock);
	status = chan_offer_locked(c, elem, &wakes);
	lock_release(&c->lock);
	wakes_deliver(&wakes);
	return status;
}

enum chan_status chan_try_recv(struct chan *c, void *elem)
{
	struct wakes wakes = { 0 };
	enum chan_status status;

	if (!c)
		return CHAN_WOULD_BLOCK;
	if (chan_is_polled(c))
		return c->kind->poll(c, elem);
	if (plainly_empty(c))
		return CHAN_WOULD_BLOCK;
	lock_acquire(&c->lock);
	status = chan_take_locked(c, elem, &wakes);
	lock_release(&c->lock);
	wakes_deliver(&wakes);
	return status;
}

static size_t say(size_t done, enum chan_status *why, enum chan_status status)
{
	if (why)
		*why = status;
	return done;
}

size_t chan_try_send_many(struct chan *c, const void *elems, size_t n, enum chan_status *why)
{
	const unsigned char *elem = elems;
	struct wakes wakes = { 0 };
	enum chan_status status = CHAN_OK;
	size_t done = 0;

	if (n == 0)
		return say(0, why, CHAN_OK);
	if (!c)
		return say(0, why, CHAN_WOULD_BLOCK);
	if (!can_carry(c, elem))
		return say(0, why, CHAN_INVALID);
	lock_acquire(&c->lock);
	while (done < n && (status = chan_offer_locked(c, elem + done * c->elem_size, &wakes)) == CHAN_OK)
		done++;
	lock_release(&c->lock);
	wakes_deliver(&wakes);
	return say(done, why, status);
}

static size_t try_recv_polled(struct chan *c, unsigned char *elems, size_t n, enum chan_status *why)
{
	enum chan_status status = CHAN_OK;
	size_t done = 0;

	while (done < n && (status = c->kind->poll(c, elems ? elems + done * c->elem_size : NULL)) == CHAN_OK)
		done++;
	return say(done, why, status);
}

size_t chan_try_recv_many(struct chan *c, void *elems, size_t n, enum chan_status *why)
{
	unsigned char *elem = elems;
	struct wakes wakes = { 0 };
	enum chan_status status = CHAN_OK;
	size_t done = 0;

	if (n == 0)
		return say(0, why, CHAN_OK);
	if (!c)
		return say(0, why, CHAN_WOULD_BLOCK);
	if (chan_is_polled(c))
		return try_recv_polled(c, elem, n, why);
	lock_acquire(&c->lock);
	while (done < n && (status = chan_take_locked(c, elem ? elem + done * c->elem_size : NULL, &wakes)) == CHAN_OK)
		done++;
	lock_release(&c->lock);
	wakes_deliver(&wakes);
	return say(done, why, status);
}

enum chan_status chan_close(struct chan *c)
{
	struct wakes wakes = { 0 };
	bool was_closed;

	if (!c || chan_is_polled(c))
		return CHAN_INVALID;
	lock_acquire(&c->lock);
	was_closed = shim_load(&c->closed, relaxed);
	if (!was_closed)
		chan_close_locked(c, &wakes);
	lock_release(&c->lock);
	wakes_deliver(&wakes);
	return was_closed ? CHAN_CLOSED : CHAN_OK;
}

size_t chan_len(const struct chan *c)
{
	if (!c)
		return 0;
	if (chan_is_polled(c))
		return c->capacity && moment_reached(shim_load(&c->due, relaxed));
	return shim_load(&c->count, relaxed);
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
	return c && shim_load(&c->closed, acquire);
}
