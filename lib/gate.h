/* A gate that many pass and anyone may shut for a while: who comes to a shut gate waits until it is opened, and then all go at once. What
 * lets them go is the closing of a channel, so waiting at the gate ends like any receive: with a ctx, or at a deadline.
 *
 * Passing an open gate costs one load. Whoever is past it when it is shut is past it: shutting recalls nobody. Refcounted; any thread. */
#ifndef LEAT_GATE_H
#define LEAT_GATE_H

#include "compiler.h"
#include "moment.h"
#include "status.h"

#include <stdbool.h>

struct ctx;
struct gate;

/* An open one. The caller owns one reference. NULL: no memory. */
struct gate *gate_new(void) must_check;
struct gate *gate_ref(struct gate *);

/* With the last reference it is gone; nobody may wait at it then. NULL does nothing. */
void gate_unref(struct gate *);

/* CHAN_OK: it is shut (it may have been before). CHAN_NOMEM: it is not. */
enum chan_status gate_shut(struct gate *) must_check;
/* Lets go all who wait. */
void gate_open(struct gate *);
bool gate_is_shut(const struct gate *);

/* Waits until the gate is open. CHAN_OK: it is. CHAN_WOULD_BLOCK (NOW), CHAN_TIMED_OUT, CHAN_CANCELED, CHAN_DEADLINE: it still was shut
 * when the time or the ctx ended. An open gate is passed also with a ctx that has ended. */
enum chan_status gate_pass(struct gate *, struct ctx *, moment deadline);

#endif
