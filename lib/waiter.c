#include "waiter.h"
#include "watch_impl.h"

enum {
	CALL_WAITING,
	CALL_CLAIMED,     /* by a waker, who is about to finish it */
	CALL_DONE,
	CALL_ABANDONED,
	CALL_PHASE = 3,
	CALL_PARKED = 4,  /* the caller sleeps, or is about to */
};

void call_init(struct call *call)
{
	shim_init(&call->state, CALL_WAITING);
	call->called = false;
	call->next = NULL;
}

static bool leave_waiting(struct call *call, uint32_t phase)
{
	uint32_t seen = shim_load(&call->state, relaxed);

	do {
		if ((seen & CALL_PHASE) != CALL_WAITING)
			return false;
	} while (!shim_cas(&call->state, &seen, (seen & CALL_PARKED) | phase, acq_rel));
	return true;
}

bool call_abandon(struct call *call)
{
	return leave_waiting(call, CALL_ABANDONED);
}

static void call_finish(struct call *call)
{
	if (shim_xchg(&call->state, CALL_DONE, acq_rel) & CALL_PARKED)
		futex_wake(&call->state, 1);
}

static bool is_done(const void *arg)
{
	struct call *call = (struct call *)(uintptr_t)arg;

	return (shim_load(&call->state, acquire) & CALL_PHASE) == CALL_DONE;
}

bool call_await(struct call *call, moment deadline, struct spin *spin)
{
	uint32_t seen;

	if (spin_until(spin, deadline, is_done, call))
		return true;
	for (;;) {
		seen = shim_or(&call->state, CALL_PARKED, acq_rel) | CALL_PARKED;
		if ((seen & CALL_PHASE) == CALL_DONE)
			return true;
		if (futex_wait(&call->state, seen, deadline) == 0 || !moment_reached(deadline))
			continue;
		if (call_abandon(call))
			return false;
		/* Claimed: whoever did it is about to finish, however late we are. */
		deadline = FOREVER;
	}
}

void waitlist_add(struct waitlist *list, struct waiter *waiter)
{
	waiter->next = NULL;
	waiter->prev = list->last;
	if (list->last)
		list->last->next = waiter;
	else
		list->first = waiter;
	list->last = waiter;
	waiter->listed = true;
}

void waitlist_add_first(struct waitlist *list, struct waiter *waiter)
{
	waiter->prev = NULL;
	waiter->next = list->first;
	if (list->first)
		list->first->prev = waiter;
	else
		list->last = waiter;
	list->first = waiter;
	waiter->listed = true;
}

bool waitlist_has_other(const struct waitlist *list, const struct call *call)
{
	const struct waiter *w;

	for (w = list->first; w; w = w->next)
		if (w->call != call && (shim_load(&w->call->state, relaxed) & CALL_PHASE) == CALL_WAITING)
			return true;
	return false;
}

void waitlist_remove(struct waitlist *list, struct waiter *waiter)
{
	if (!waiter->listed)
		return;
	if (waiter->prev)
		waiter->prev->next = waiter->next;
	else
		list->first = waiter->next;
	if (waiter->next)
		waiter->next->prev = waiter->prev;
	else
		list->last = waiter->prev;
	waiter->listed = false;
}

bool waitlist_claim_one(struct waitlist *list, struct waiter *waiter)
{
	waitlist_remove(list, waiter);
	return leave_waiting(waiter->call, CALL_CLAIMED);
}

struct waiter *waitlist_claim(struct waitlist *list)
{
	struct waiter *waiter;

	while ((waiter = list->first)) {
		/* It is about to be written: better to own the line at once than to read it first. */
		__builtin_prefetch(waiter, 1);
		if (waitlist_claim_one(list, waiter))
			return waiter;
	}
	return NULL;
}

void wakes_add(struct wakes *wakes, struct waiter *waiter, enum chan_status status)
{
	struct call *call = waiter->call;

	call->index = (int16_t)waiter->index;
	call->status = (uint8_t)status;
	call->next = NULL;
	if (wakes->last)
		wakes->last->next = call;
	else
		wakes->first = call;
	wakes->last = call;
}

void wakes_deliver(struct wakes *wakes)
{
	struct call *call = wakes->first, *next;

	for (; call; call = next) {
		next = call->next;   /* the frame may be gone once the call is done */
		call_finish(call);
	}
	if (wakes->watch)
		watch_deliver(wakes->watch);
}
