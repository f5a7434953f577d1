/* Fan-in: many inputs, one output, whoever is ready. Three ways to the same end:
 *
 *	fanin_forward()  a thread an input, each of which forwards it: no input waits for another
 *	fanin_select()   one thread, which selects from all: cheaper, for up to some dozens of inputs
 *	fanin_next()     no thread at all: the consumer selects by itself, which is to be preferred where it can be had
 *
 * The elements of one input keep their order; between inputs there is none (see turn.h for that). The inputs are the fan-in's
 * alone to receive from. nil among them counts as one that is closed.
 *
 * The output is closed when all inputs are closed and all of theirs has been forwarded, when the ctx ends, or by the
 * consumer who has had enough. In the last two cases the inputs are closed too, so that whoever sends there hears of it and goes.
 * A closed output is noticed with the next element: only the ctx ends a fan-in whose inputs are silent.
 *
 * After Pike, "Go Concurrency Patterns" (2012). */
#ifndef LEAT_FANIN_H
#define LEAT_FANIN_H

#include "chan.h"

/* `out` describes the output: its element size must be that of the inputs, its drop is also called for an element on its way
 * that has come too late. The caller owns one reference to what is returned; references are taken on the inputs and on the ctx
 * (NULL: none). NULL: no memory, no thread, or another element size; the inputs are untouched. Any thread. */
struct chan *fanin_forward(struct chan *const *inputs, size_t n, const struct chan_options *out, struct ctx *) must_check;
struct chan *fanin_select(struct chan *const *inputs, size_t n, const struct chan_options *out, struct ctx *) must_check;

/* Receives from one of the inputs and returns its index. Each is a CHAN_RECV_CASE(input, &elem); the element is where it says.
 * One that is closed is switched off (CHAN_OP_SKIP) and passed over. -1: none; *why (may be NULL) is CHAN_CLOSED if all are switched
 * off or nil, otherwise as for chan_select(). */
int fanin_next(struct chan_case *inputs, int n, struct ctx *, moment deadline, enum chan_status *why);

#endif
