#include "semaphore.h"
#include "chan_impl.h"

#include <stdlib.h>

struct semaphore {
	shim_u32 refs;
	size_t permits;        /* the most there can be; set once */
	struct lock lock;      /* guards the rest */
	shim_size available;   /* also read without it */
	struct waitlist waiters;
};

struct semaphore *semaphore_new(size_t permits)
{
	struct semaphore *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	shim_init(&s->refs, 1);
	s->permits = permits;
	shim_init(&s->available, permits);
	return s;
}

struct semaphore *semaphore_ref(struct semaphore *s)
{
	shim_add(&s->refs, 1, relaxed);
	return s;
}

void semaphore_unref(struct semaphore *s)
{
	if (s && shim_sub(&s->refs, 1, acq_rel) == 1)
		free(s);
}

/* Serves from the front, as far as the permits go. One who wants more than there is holds up those behind. */
static void grant_locked(struct semaphore *s, struct wakes *wakes)
{
	size_t available = shim_load(&s->available, relaxed);
	struct waiter *w;

	while ((w = s->waiters.first) && w->permits <= available) {
		if (!waitlist_claim_one(&s->waiters, w))
			continue;
		available -= w->permits;
		wakes_add(wakes, w, CHAN_OK);
	}
	shim_store(&s->available, available, relaxed);
}

static bool take_locked(struct semaphore *s, size_t n)
{
	size_t available = shim_load(&s->available, relaxed);

	if (s->waiters.first || n > available)
		return false;
	shim_store(&s->available, available - n, relaxed);
	return true;
}

/* Those behind a waiter that gave up may have been waiting for it alone. */
static void give_up(struct semaphore *s, struct waiter *w)
{
	struct wakes wakes = { 0 };

	lock_acquire(&s->lock);
	waitlist_remove(&s->waiters, w);
	grant_locked(s, &wakes);
	lock_release(&s->lock);
	wakes_deliver(&wakes);
}

static enum chan_status acquire(struct semaphore *s, size_t n, struct ctx *ctx, moment deadline)
{
	enum chan_status status = CHAN_OK;
	struct waiter w;
	struct call call;
	bool wait = false;

	lock_acquire(&s->lock);
	if (!take_locked(s, n)) {
		wait = !moment_reached(deadline);
		status = deadline <= NOW ? CHAN_WOULD_BLOCK : CHAN_TIMED_OUT;
	}
	if (wait) {
		call_init(&call);
		waiter_init(&w, &call, 0);
		w.permits = n;
		waitlist_add(&s->waiters, &w);
	}
	lock_release(&s->lock);
	if (!wait)
		return status;
	status = ctx_wait(ctx, &call, deadline, NULL);
	if (status != CHAN_OK)
		give_up(s, &w);
	return status;
}

enum chan_status semaphore_acquire(struct semaphore *s, size_t n, struct ctx *ctx, moment deadline)
{
	enum chan_status status = ctx_error(ctx);

	if (n > s->permits)
		return CHAN_INVALID;
	if (status != CHAN_OK || n == 0)
		return status;
	return acquire(s, n, ctx, deadline);
}

enum chan_status semaphore_release(struct semaphore *s, size_t n)
{
	struct wakes wakes = { 0 };
	size_t available;
	bool fits;

	lock_acquire(&s->lock);
	available = shim_load(&s->available, relaxed);
	fits = n <= s->permits - available;
	if (fits) {
		shim_store(&s->available, available + n, relaxed);
		grant_locked(s, &wakes);
	}
	lock_release(&s->lock);
	wakes_deliver(&wakes);
	return fits ? CHAN_OK : CHAN_INVALID;
}

size_t semaphore_available(const struct semaphore *s)
{
	return shim_load(&s->available, relaxed);
}
