/* What happens to elements under the lock of a channel. Two things always hold when it is released: while elements are
 * stored no receiver waits, and while there is room no sender does. So an element goes straight to who waits for it. */
#include "chan_impl.h"

#include <string.h>

static void copy(const struct chan *c, void *into, const void *from)
{
	if (into && c->elem_size)
		memcpy(into, from, c->elem_size);
}

static void zero(const struct chan *c, void *into)
{
	if (into && c->elem_size)
		memset(into, 0, c->elem_size);
}

static size_t stored(struct chan *c)
{
	return shim_load(&c->count, relaxed);
}

static void put_last(struct chan *c, const void *elem)
{
	size_t count = stored(c);

	copy(c, chan_place(c, count), elem);
	shim_store(&c->count, count + 1, release);
}

static void take_first(struct chan *c, void *elem)
{
	copy(c, elem, chan_place(c, 0));
	if (++c->head >= c->capacity)
		c->head = 0;
	shim_store(&c->count, stored(c) - 1, release);
}

enum chan_status chan_offer_locked(struct chan *c, const void *elem, struct wakes *wakes)
{
	struct waiter *receiver;

	if (shim_load(&c->closed, relaxed))
		return CHAN_CLOSED;
	receiver = waitlist_claim(&c->receivers);
	if (receiver) {
		copy(c, receiver->into, elem);
		wakes_add(wakes, receiver, CHAN_OK);
		return CHAN_OK;
	}
	if (stored(c) == c->capacity)
		return CHAN_WOULD_BLOCK;
	put_last(c, elem);
	watch_fire_locked(c, wakes);
	return CHAN_OK;
}

/* Lets the first blocked sender in, after an element was taken out. */
static bool admit_sender(struct chan *c, struct wakes *wakes)
{
	struct waiter *sender = waitlist_claim(&c->senders);

	if (!sender)
		return false;
	put_last(c, sender->from);
	wakes_add(wakes, sender, CHAN_OK);
	return true;
}

enum chan_status chan_take_locked(struct chan *c, void *elem, struct wakes *wakes)
{
	struct waiter *sender;

	if (stored(c) > 0) {
		take_first(c, elem);
		admit_sender(c, wakes);
		return CHAN_OK;
	}
	sender = waitlist_claim(&c->senders);
	if (sender) {
		copy(c, elem, sender->from);
		wakes_add(wakes, sender, CHAN_OK);
		return CHAN_OK;
	}
	if (!shim_load(&c->closed, relaxed))
		return CHAN_WOULD_BLOCK;
	zero(c, elem);
	return CHAN_CLOSED;
}

void chan_enlist_sender_locked(struct chan *c, struct waiter *w, const void *elem, struct wakes *wakes)
{
	w->from = elem;
	waitlist_add(&c->senders, w);
	/* Without a buffer, a sender that waits is what there is to receive. */
	if (c->capacity == 0)
		watch_fire_locked(c, wakes);
}

void chan_enlist_receiver_locked(struct chan *c, struct waiter *w, void *elem)
{
	w->into = elem;
	waitlist_add(&c->receivers, w);
}

void chan_delist(struct chan *c, struct waitlist *list, struct waiter *w)
{
	lock_acquire(&c->lock);
	waitlist_remove(list, w);
	lock_release(&c->lock);
}

void chan_close_locked(struct chan *c, struct wakes *wakes)
{
	struct waiter *w;

	shim_store(&c->closed, 1, release);
	while ((w = waitlist_claim(&c->receivers))) {
		zero(c, w->into);
		wakes_add(wakes, w, CHAN_CLOSED);
	}
	while ((w = waitlist_claim(&c->senders)))
		wakes_add(wakes, w, CHAN_CLOSED);
	watch_fire_all_locked(c, wakes);
}

bool chan_readable_locked(struct chan *c)
{
	return stored(c) > 0 || c->senders.first || shim_load(&c->closed, relaxed);
}

size_t chan_sweep(struct chan *c, bool (*keep)(void *elem, void *arg), void *arg)
{
	struct wakes wakes = { 0 };
	size_t count, kept = 0, i;

	if (!c || chan_is_polled(c))
		return 0;
	lock_acquire(&c->lock);
	count = stored(c);
	for (i = 0; i < count; i++) {
		if (!keep(chan_place(c, i), arg))
			continue;
		if (kept != i)
			copy(c, chan_place(c, kept), chan_place(c, i));
		kept++;
	}
	shim_store(&c->count, kept, release);
	while (stored(c) < c->capacity && admit_sender(c, &wakes))
		;
	lock_release(&c->lock);
	wakes_deliver(&wakes);
	return count - kept;
}
