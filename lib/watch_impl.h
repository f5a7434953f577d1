/* What the channels need of watches. Private to lib/. */
#ifndef LEAT_WATCH_IMPL_H
#define LEAT_WATCH_IMPL_H

struct chan;
struct chan_watch;
struct wakes;

struct watchlist {
	struct chan_watch *first, *last;   /* the armed ones; guarded by the lock of the channel */
};

/* Something can be received: one armed watch of the channel, or all, are to be written when `wakes` is delivered. The caller
 * holds the lock of the channel. */
void watch_fire_locked(struct chan *, struct wakes *);
void watch_fire_all_locked(struct chan *, struct wakes *);

/* Writes the one that was fired; with no lock held. */
void watch_deliver(struct chan_watch *);

#endif
