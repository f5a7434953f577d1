/* Waits until a number of things are done. Add before the thing starts; who waits goes on when the count is 0.
 * Refcounted. Any thread. The last waitgroup_done() touches nothing after it lets the waiters go, so the one who
 * waited may drop the last reference at once. */
#ifndef LEAT_WAITGROUP_H
#define LEAT_WAITGROUP_H

#include "compiler.h"
#include "moment.h"
#include "status.h"

#include <stddef.h>

struct ctx;
struct waitgroup;

/* The caller owns one reference. NULL: no memory. */
struct waitgroup *waitgroup_new(void) must_check;
struct waitgroup *waitgroup_ref(struct waitgroup *);
void waitgroup_unref(struct waitgroup *);

/* `n` more things to wait for; one thing less. Done more often than added, or a count above SIZE_MAX, is a mistake
 * in the program: it ends with a sentence on stderr; with NDEBUG the count stays where it is. */
void waitgroup_add(struct waitgroup *, size_t n);
void waitgroup_done(struct waitgroup *);

/* CHAN_OK as soon as the count is 0; CHAN_WOULD_BLOCK (NOW), CHAN_TIMED_OUT, CHAN_CANCELED or CHAN_DEADLINE if it is not. */
enum chan_status waitgroup_wait(struct waitgroup *, struct ctx *, moment deadline);

/* The count: a snapshot. */
size_t waitgroup_count(const struct waitgroup *);

#endif
