/* Channels: Go's, for C threads and event loops. Including this file gives the whole channel layer.
 *
 * A channel carries elements of a fixed size from those who send to those who receive, first in, first out. With a
 * capacity of 0 the two meet (rendezvous): a send is done when a receiver has the element. NULL is the nil channel:
 * operations on it block until their ctx or deadline ends them. Any thread may do anything here; every thread that uses a
 * channel holds a reference, or borrows from one that outlives its use. Closing is not freeing.
 *
 * Every blocking call takes a ctx (NULL: none) and a deadline (a moment; NOW: never block; FOREVER: no limit). The ctx is
 * looked at first: if it has ended, nothing is done. A call whose deadline has passed still does what can be done at once;
 * otherwise it says CHAN_WOULD_BLOCK for NOW and CHAN_TIMED_OUT for any other moment. Elements are copied in and
 * out; what they point to changes hands on CHAN_OK only.
 *
 * An operation on a buffered channel takes no lock unless somebody waits. Who waits looks for a short while, if that has been
 * worth it lately, and then sleeps until he is called: nobody who may wait wakes by himself to look again. A call that
 * may not wait does, for as long as another is in the middle of one: between its claim of a place and the end of its copy.
 *
 * After chan.go of Go 1.19; the ring and the claim word are those of crossbeam-channel. */
#ifndef LEAT_CHAN_H
#define LEAT_CHAN_H

#include "chan_options.h"
#include "compiler.h"
#include "moment.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chan;
struct ctx;

/* The caller owns one reference. NULL: no memory. */
struct chan *chan_new(size_t elem_size, size_t capacity) must_check;
struct chan *chan_new_with(const struct chan_options *) must_check;

/* One reference more (returns the channel); one less. nil is allowed. */
struct chan *chan_ref(struct chan *);
void chan_unref(struct chan *);

/* Stores or hands over one element, or waits until that is possible. CHAN_CLOSED, CHAN_WOULD_BLOCK, CHAN_TIMED_OUT,
 * CHAN_CANCELED, CHAN_DEADLINE: the caller keeps the element. CHAN_INVALID: a channel that is only received from. */
enum chan_status chan_send(struct chan *, const void *elem, struct ctx *, moment deadline);

/* Takes the oldest element, or waits for one. CHAN_CLOSED: closed and nothing left; *elem is zeroed. Otherwise than that
 * and CHAN_OK, *elem is as it was. elem NULL: the element is thrown away. */
enum chan_status chan_recv(struct chan *, void *elem, struct ctx *, moment deadline);

/* The same without waiting: CHAN_WOULD_BLOCK, also on nil. */
enum chan_status chan_try_send(struct chan *, const void *elem);
enum chan_status chan_try_recv(struct chan *, void *elem);

/* Up to `n` elements in one go, without waiting. Returns how many were done, from the first on. *why (may be NULL) is
 * CHAN_OK if all were, otherwise what stopped the next one. They go in order; those for which there was room at once stay
 * together, and so do those that are received at once. */
size_t chan_try_send_many(struct chan *, const void *elems, size_t n, enum chan_status *why);
size_t chan_try_recv_many(struct chan *, void *elems, size_t n, enum chan_status *why);

/* No more sends. Who is blocked in one gets CHAN_CLOSED and keeps the element; receivers get what is left, then
 * CHAN_CLOSED. CHAN_CLOSED: it was closed before. CHAN_INVALID: nil, or made of time or of a ctx. */
enum chan_status chan_close(struct chan *);

/* Elements stored, places for them: snapshots; 0 for nil. chan_len() of a channel made of time is 1 when it is ready. */
size_t chan_len(const struct chan *);
size_t chan_cap(const struct chan *);
size_t chan_elem_size(const struct chan *);
bool chan_is_closed(const struct chan *);   /* whether chan_close() was called; elements may be left */

/* Goes once over the stored elements, oldest first, and takes out those keep() says false for: keep() then owns them. The
 * order of the rest stays; returns how many were taken out. keep() runs under the lock of the channel: it must be short and
 * must not touch this channel. Receivers wait meanwhile, senders do not. It stops at the first element that is still being
 * written. It is a receive: with CHAN_SINGLE_CONSUMER only the consumer may. */
size_t chan_sweep(struct chan *, bool (*keep)(void *elem, void *arg), void *arg);

#include "ctx.h"
#include "select.h"
#include "semaphore.h"
#include "timer.h"
#include "typed.h"
#include "waitgroup.h"
#include "watch.h"

#endif
