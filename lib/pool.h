/* Pooling: up to N runner threads range over one channel of work until it is closed. Runners are started when there is
 * work for them and end after a quiet while; they block every signal.
 *
 * A runner waits awake for about as long as it would take to wake it, if that has been worth it lately, and of all runners only one at a
 * time: little work keeps few of them busy. When pieces have lately been over within some microseconds, one may lie for a
 * millisecond behind one that takes longer, though another runner is idle.
 *
 * A piece of work is outstanding from pool_try_submit() until run() has returned or a sweep has taken it out. Up to
 * max_threads + capacity pieces may be outstanding; each runs or waits, first come, first started. */
#ifndef LEAT_POOL_H
#define LEAT_POOL_H

#include "compiler.h"
#include "moment.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chan;
struct ctx;
struct pool;

struct pool_options {
	size_t elem_size;
	size_t capacity;      /* places for work that waits while all runners are busy; 0: run now or refuse */
	size_t max_threads;   /* at least 1 */
	bool thread_each;     /* work that takes long and must not wait behind other work: with no thread that is free for it, it is refused */
	int64_t idle_ns;      /* a runner that found nothing for so long ends; below 1: it stays until the pool stops */
	size_t stack_bytes;   /* of a runner; 0: the system's default */
	void (*run)(void *elem, void *arg);   /* owns what the element points to; the element itself dies when it returns */
	void *arg;            /* borrowed; must outlive the last runner */
	const char *name;     /* of the threads, at most 15 bytes are used; copied; NULL: keeps the name of the process */
};

/* No thread is started yet. The caller owns one reference. NULL: no memory, or no run, or no max_threads. */
struct pool *pool_start(const struct pool_options *) must_check;

/* Copies the element in; what it points to is the pool's on CHAN_OK only. Never blocks (it may start a thread).
 * CHAN_WOULD_BLOCK: all places are taken. CHAN_CLOSED: the pool was stopped. CHAN_NOMEM: there is no runner and none
 * could be started; with thread_each: none that is free. Any thread. */
enum chan_status pool_try_submit(struct pool *, const void *elem) must_check;

/* Goes once over the work that waits, oldest first, and takes out what keep() says false for: keep() then owns it. The
 * order of the rest stays. Returns how many were taken out. keep() runs under the lock of the pool: it must be
 * short and must not call into this pool. Any thread. */
size_t pool_sweep(struct pool *, bool (*keep)(void *elem, void *arg), void *arg);

/* How many runners there are, and how many pieces are outstanding: snapshots. */
size_t pool_threads(const struct pool *);
size_t pool_outstanding(const struct pool *);

/* The channel of waiting work, borrowed: to look at its length and for nothing else. Its capacity is max_threads +
 * capacity, since work on its way to an idle runner passes through it too. */
struct chan *pool_chan(struct pool *);

/* Takes no more work; the runners finish what waits and end. CHAN_OK: all have ended. CHAN_WOULD_BLOCK (NOW),
 * CHAN_TIMED_OUT, CHAN_CANCELED, CHAN_DEADLINE: not yet; may be called again. Not from a runner. */
enum chan_status pool_stop(struct pool *, struct ctx *, moment deadline);

struct pool *pool_ref(struct pool *);

/* The last reference of the callers stops the pool, without waiting; the memory goes with the last runner. */
void pool_unref(struct pool *);

#endif
