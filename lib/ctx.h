/* Cancellation: a tree of contexts. What ends a context ends all below it; its deadline is the earliest of its
 * own and its ancestors', and passes by itself: there is no timer thread. NULL is the background, which never ends.
 * Refcounted; a context holds a reference on its parent, so they may be let go in any order. Any thread may call
 * anything here.
 * After context.go of Go 1.19 and nsync_note of google/nsync (readiness computed from the clock). */
#ifndef LEAT_CTX_H
#define LEAT_CTX_H

#include "compiler.h"
#include "moment.h"
#include "status.h"

struct chan;
struct ctx;

/* A new context below `parent` (NULL: the background), which ends with it, when it is cancelled, or at its deadline.
 * The caller owns one reference; the parent's stays with the caller. A parent that has ended gives a child that
 * has ended the same way. NULL: no memory. */
struct ctx *ctx_with_cancel(struct ctx *parent) must_check;
struct ctx *ctx_with_deadline(struct ctx *parent, moment deadline) must_check;

/* Ends the context and all below it, and wakes every call that waits with one of them. When it returns, all of
 * them have ended, whoever ended them. Later calls and NULL do nothing. */
void ctx_cancel(struct ctx *);

/* Why it ended: CHAN_CANCELED or CHAN_DEADLINE, or CHAN_OK while it lives. The first reason stays for ever.
 * Reads the clock only while it lives and has a deadline. */
enum chan_status ctx_error(const struct ctx *);

/* Whether ctx_error() is CHAN_CANCELED. Never reads the clock. */
bool ctx_is_canceled(const struct ctx *);

/* The earliest deadline on the way to the root; FOREVER when there is none. Never changes. */
moment ctx_deadline(const struct ctx *);

/* A channel of elements of size 0, on which nothing is ever sent and which is closed when the context has ended, by
 * cancellation or by its deadline. Borrowed: it lives as long as the context (chan_ref() on it is a reference on the
 * context). Only to receive from, select on and watch: sending and closing are CHAN_INVALID. nil for the background. */
struct chan *ctx_done(struct ctx *);

struct ctx *ctx_ref(struct ctx *);
void ctx_unref(struct ctx *);

#endif
