#include "watch.h"
#include "ring.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

enum watch_state { WATCH_IDLE, WATCH_ARMED, WATCH_FIRED };

/* The descriptor is an eventfd, or for what becomes ready by the clock a timerfd, which is written by setting it to a
 * moment long past. */
struct chan_watch {
	struct chan *chan;   /* owns a reference; may be nil */
	int fd;
	bool timed;
	uint64_t heard;      /* of `fired`; the loop's own */
	shim_u32 refs;       /* the loop's, and one of each sender that is about to write: there may be several */
	shim_u64 fired;      /* how often it was, in its life */

	enum watch_state state;          /* this and what follows is guarded by the lock of the channel */
	struct chan_watch *next, *prev;  /* in the channel's list while armed */
};

struct chan_watch *chan_watch_new(struct chan *c, int *fd)
{
	struct chan_watch *w = calloc(1, sizeof(*w));

	*fd = -1;
	if (!w)
		return NULL;
	w->timed = c && chan_is_polled(c);
	w->fd = w->timed ? timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC) : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->fd < 0) {
		free(w);
		return NULL;
	}
	w->chan = chan_ref(c);
	shim_init(&w->refs, 1);
	*fd = w->fd;
	return w;
}

static void watch_unref(struct chan_watch *w)
{
	if (shim_sub(&w->refs, 1, acq_rel) != 1)
		return;
	close(w->fd);
	chan_unref(w->chan);
	free(w);
}

static void list_add(struct watchlist *list, struct chan_watch *w)
{
	w->next = NULL;
	w->prev = list->last;
	if (list->last)
		list->last->next = w;
	else
		list->first = w;
	list->last = w;
}

static void list_remove(struct watchlist *list, struct chan_watch *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		list->first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		list->last = w->prev;
}

static void set_timer(struct chan_watch *w, moment when)
{
	struct itimerspec at = { 0 };

	/* Zero would switch it off. */
	when = when < 1 ? 1 : when;
	if (when != FOREVER) {
		at.it_value.tv_sec = when / SECONDS;
		at.it_value.tv_nsec = when % SECONDS;
	}
	timerfd_settime(w->fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void watch_write(struct chan_watch *w)
{
	if (w->timed)
		set_timer(w, NOW);
	else
		eventfd_write(w->fd, 1);
}

/* An armed watch is written once: it leaves the list, and only its own loop puts it back. The first one is written when
 * the lock is released; more there are only when something ends. */
void watch_fire_locked(struct chan *c, struct wakes *wakes)
{
	struct chan_watch *w = inside(c)->watches.first;

	if (!w)
		return;
	list_remove(&inside(c)->watches, w);
	w->state = WATCH_FIRED;
	shim_add(&w->fired, 1, relaxed);
	if (wakes->watch) {
		watch_write(w);
		return;
	}
	shim_add(&w->refs, 1, relaxed);
	wakes->watch = w;
}

void watch_fire_all_locked(struct chan *c, struct wakes *wakes)
{
	while (inside(c)->watches.first)
		watch_fire_locked(c, wakes);
}

void watch_deliver(struct chan_watch *w)
{
	watch_write(w);
	watch_unref(w);
}

/* Makes the descriptor not readable. Before the look at the channel: what comes later must stay to be heard. A write
 * that is still on its way is heard the next time. */
static void watch_clear(struct chan_watch *w)
{
	eventfd_t writes;

	if (w->timed)
		set_timer(w, shim_load(&w->chan->due, relaxed));
	else if (shim_load(&w->fired, relaxed) != w->heard && eventfd_read(w->fd, &writes) == 0)
		w->heard += writes;
}

bool chan_watch_arm(struct chan_watch *w)
{
	struct chan *c = w->chan;
	bool readable;

	if (!c)
		return true;
	watch_clear(w);
	lock_acquire(&inside(c)->lock);
	if (w->state == WATCH_ARMED)
		list_remove(&inside(c)->watches, w);
	list_add(&inside(c)->watches, w);
	chan_note_locked(c);
	readable = chan_is_buffered(c) ? chan_look_again(c, CHAN_OP_RECV) : chan_look(c, CHAN_OP_RECV) != LOOK_IDLE;
	if (readable)
		list_remove(&inside(c)->watches, w);
	chan_note_locked(c);
	w->state = readable ? WATCH_IDLE : WATCH_ARMED;
	lock_release(&inside(c)->lock);
	return !readable;
}

static void leave_channel(struct chan_watch *w)
{
	struct wakes wakes = { 0 };
	struct chan *c = w->chan;

	lock_acquire(&inside(c)->lock);
	if (w->state == WATCH_ARMED)
		list_remove(&inside(c)->watches, w);
	else if (chan_look(c, CHAN_OP_RECV) != LOOK_IDLE)
		watch_fire_locked(c, &wakes);
	chan_note_locked(c);
	lock_release(&inside(c)->lock);
	wakes_deliver(&wakes);
}

void chan_watch_free(struct chan_watch *w)
{
	if (!w)
		return;
	if (w->chan)
		leave_channel(w);
	watch_unref(w);
}
