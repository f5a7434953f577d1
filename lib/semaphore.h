/* A counting semaphore with weights. First come, first served: who asks for many permits is not starved by those who ask
 * for few. A waiter that gives up lets those behind it pass. Refcounted. Any thread.
 * After golang.org/x/sync/semaphore. */
#ifndef LEAT_SEMAPHORE_H
#define LEAT_SEMAPHORE_H

#include "compiler.h"
#include "moment.h"
#include "status.h"

#include <stddef.h>

struct ctx;
struct semaphore;

/* `permits` is both what is free at first and the most there can be. The caller owns one reference. NULL: no memory. */
struct semaphore *semaphore_new(size_t permits) must_check;
struct semaphore *semaphore_ref(struct semaphore *);
void semaphore_unref(struct semaphore *);

/* Takes `n` permits together, after those who came before. CHAN_OK: they are the caller's. CHAN_WOULD_BLOCK (NOW; also
 * when others wait), CHAN_TIMED_OUT, CHAN_CANCELED, CHAN_DEADLINE: none was taken. CHAN_INVALID: more than there can be. */
enum chan_status semaphore_acquire(struct semaphore *, size_t n, struct ctx *, moment deadline);

/* Gives `n` permits back. CHAN_INVALID, and nothing is given: there would be more than semaphore_new() made. */
enum chan_status semaphore_release(struct semaphore *, size_t n);

/* How many permits are free: a snapshot. */
size_t semaphore_available(const struct semaphore *);

#endif
