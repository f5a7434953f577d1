/* The buffer of a channel, besides its fast path: fast.h. Private to lib/. */
#ifndef LEAT_RING_H
#define LEAT_RING_H

#include "chan_impl.h"

enum look { LOOK_READY, LOOK_IDLE, LOOK_PENDING };

/* The same where it is not worth a copy of the code: the caller has waited, or is about to. */
enum chan_status ring_send(struct chan *, const void *elem, bool exact, uint64_t *attention);
enum chan_status ring_recv(struct chan *, void *elem, bool exact, uint64_t *attention);

/* A guess whether to try again, from as few lines of memory as possible: for who looks many times. */
bool ring_may_send(const void *chan);
bool ring_may_recv(const void *chan);

/* Whether an operation could go on. Idle was so at one instant between call and return; pending: someone is about to change
 * that, but has perhaps looked at `attention` already: chan_look_again() tells. */
enum look ring_look_to_send(struct chan *);
enum look ring_look_to_recv(struct chan *);

void ring_init(struct chan *, struct ring_layout);
size_t ring_len(const struct chan *);

/* Takes out what keep() does not want. With the lock of the channel held. */
size_t ring_sweep_locked(struct chan *, bool (*keep)(void *elem, void *arg), void *arg);

#endif
