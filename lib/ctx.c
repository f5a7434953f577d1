#include "ctx.h"
#include "chan_impl.h"
#include "stock.h"

/* Locks are taken from the root downwards, the lock of a `done` channel last. */
struct ctx {
	struct chan done;      /* first; its count of references is the context's, its `due` is the deadline */
	struct ctx *parent;    /* owns a reference; set once */
	shim_u32 error;        /* enum chan_status; the first that is not CHAN_OK stays */

	struct lock lock;      /* guards the next two, and the siblings' links of the children */
	struct ctx *children;
	bool ended;            /* by ctx_cancel(): `done` is closed, and so is everything below */

	struct ctx *next, *prev;
	bool linked;           /* these three are guarded by the parent's lock */
};

static enum chan_status done_poll(struct chan *, void *elem);
static bool done_ready(const struct chan *done);
static void done_destroy(struct chan *);

static const struct chan_kind done_kind = { .poll = done_poll, .ready = done_ready, .destroy = done_destroy };

static struct ctx *ctx_of(struct chan *done)
{
	return container_of(done, struct ctx, done);
}

static moment due(const struct ctx *ctx)
{
	return shim_load(&ctx->done.due, relaxed);
}

/* Whoever sees first that a context has ended says why, for good: so nobody ever sees the reason change. */
static enum chan_status settle(struct ctx *ctx, enum chan_status reason)
{
	uint32_t seen = CHAN_OK;

	if (moment_reached(due(ctx)))
		reason = CHAN_DEADLINE;
	if (reason == CHAN_OK || shim_cas(&ctx->error, &seen, reason, acq_rel))
		return reason;
	return (enum chan_status)seen;
}

enum chan_status ctx_error(const struct ctx *ctx)
{
	enum chan_status error;

	if (!ctx)
		return CHAN_OK;
	error = (enum chan_status)shim_load(&ctx->error, acquire);
	if (error != CHAN_OK || due(ctx) == FOREVER)
		return error;
	return settle((struct ctx *)(uintptr_t)ctx, CHAN_OK);
}

bool ctx_is_canceled(const struct ctx *ctx)
{
	return ctx && shim_load(&ctx->error, acquire) == CHAN_CANCELED;
}

static enum chan_status done_poll(struct chan *done, unused_arg void *elem)
{
	return ctx_error(ctx_of(done)) == CHAN_OK ? CHAN_WOULD_BLOCK : CHAN_CLOSED;
}

static bool done_ready(const struct chan *done)
{
	return ctx_error((const struct ctx *)(const void *)done) != CHAN_OK;
}

moment ctx_deadline(const struct ctx *ctx)
{
	return ctx ? due(ctx) : FOREVER;
}

struct chan *ctx_done(struct ctx *ctx)
{
	return ctx ? &ctx->done : NULL;
}

struct ctx *ctx_ref(struct ctx *ctx)
{
	chan_ref(ctx_done(ctx));
	return ctx;
}

void ctx_unref(struct ctx *ctx)
{
	chan_unref(ctx_done(ctx));
}

static void link_to_parent(struct ctx *ctx, struct ctx *parent)
{
	lock_acquire(&parent->lock);
	if (parent->ended) {
		shim_store(&ctx->error, shim_load(&parent->error, relaxed), relaxed);
		shim_store(&ctx->done.attention, ATTENTION_CLOSED, relaxed);
		ctx->ended = true;
	} else {
		ctx->next = parent->children;
		if (ctx->next)
			ctx->next->prev = ctx;
		parent->children = ctx;
		ctx->linked = true;
	}
	lock_release(&parent->lock);
}

static void unlink_from_parent(struct ctx *ctx, struct ctx *parent)
{
	lock_acquire(&parent->lock);
	if (ctx->linked) {
		if (ctx->prev)
			ctx->prev->next = ctx->next;
		else
			parent->children = ctx->next;
		if (ctx->next)
			ctx->next->prev = ctx->prev;
	}
	lock_release(&parent->lock);
}

/* A loop, so that a long chain of contexts does not become a deep recursion. */
static void done_destroy(struct chan *done)
{
	struct ctx *ctx = ctx_of(done), *parent;

	do {
		parent = ctx->parent;
		if (parent)
			unlink_from_parent(ctx, parent);
		stock_give(ctx, sizeof(*ctx));
		ctx = parent;
	} while (ctx && chan_let_go(&ctx->done));
}

struct ctx *ctx_with_deadline(struct ctx *parent, moment deadline)
{
	struct ctx *ctx = stock_take(sizeof(*ctx));

	if (!ctx)
		return NULL;
	*ctx = (struct ctx){ .parent = ctx_ref(parent) };
	chan_init(&ctx->done, &done_kind, &(struct chan_options){ 0 });
	shim_init(&ctx->done.due, moment_min(deadline, ctx_deadline(parent)));
	if (parent)
		link_to_parent(ctx, parent);
	return ctx;
}

struct ctx *ctx_with_cancel(struct ctx *parent)
{
	return ctx_with_deadline(parent, FOREVER);
}

/* Claims all who wait for a context. The caller holds its lock. */
static void end_locked(struct ctx *ctx, enum chan_status reason, struct wakes *wakes)
{
	settle(ctx, reason);
	lock_acquire(&inside(&ctx->done)->lock);
	chan_close_locked(&ctx->done, wakes);
	lock_release(&inside(&ctx->done)->lock);
	ctx->ended = true;
}

/* Locks and ends a child, unless somebody did: then all below it has ended too. */
static bool enter(struct ctx *child, enum chan_status reason, struct wakes *wakes)
{
	lock_acquire(&child->lock);
	if (child->ended) {
		lock_release(&child->lock);
		return false;
	}
	end_locked(child, reason, wakes);
	return true;
}

/* Walks down and up again, holding the locks of the way from `root` (which is locked and ended) to where it is. */
static void end_below(struct ctx *root, enum chan_status reason, struct wakes *wakes)
{
	struct ctx *at = root, *next = root->children, *left;

	for (;;) {
		while (next && !enter(next, reason, wakes))
			next = next->next;
		if (next) {
			at = next;
			next = at->children;
			continue;
		}
		if (at == root)
			return;
		left = at;
		next = at->next;
		at = at->parent;
		lock_release(&left->lock);
	}
}

void ctx_cancel(struct ctx *ctx)
{
	struct wakes wakes = { 0 };

	if (!ctx)
		return;
	lock_acquire(&ctx->lock);
	if (!ctx->ended) {
		end_locked(ctx, CHAN_CANCELED, &wakes);
		end_below(ctx, CHAN_CANCELED, &wakes);
	}
	lock_release(&ctx->lock);
	wakes_deliver(&wakes);
}

static bool enlist(struct ctx *ctx, struct waiter *w)
{
	bool open;

	lock_acquire(&inside(&ctx->done)->lock);
	open = !chan_is_closed(&ctx->done);
	if (open)
		chan_enlist_receiver_locked(&ctx->done, w, NULL, false);
	lock_release(&inside(&ctx->done)->lock);
	return open;
}

enum chan_status ctx_wait(struct ctx *ctx, struct call *call, moment deadline, struct spin *spin)
{
	struct waiter w;
	bool claimed;

	if (!ctx)
		return call_await(call, deadline, spin) ? CHAN_OK : CHAN_TIMED_OUT;
	waiter_init(&w, call, INDEX_CTX);
	if (!enlist(ctx, &w)) {
		if (call_abandon(call))
			return ctx_error(ctx);
		deadline = FOREVER;
	}
	claimed = call_await(call, moment_min(deadline, due(ctx)), spin);
	if (claimed && call->index == INDEX_CTX)
		return ctx_error(ctx);
	chan_delist(&ctx->done, &inside(&ctx->done)->receivers, &w);
	if (claimed)
		return CHAN_OK;
	return due(ctx) <= deadline ? ctx_error(ctx) : CHAN_TIMED_OUT;
}
