/* A typed face: CHAN_DEFINE(job_chan, struct job *) makes the type job_chan (a struct chan * by another name, so that it may
 * be nil and stand in a select), and job_chan_new(capacity), job_chan_send(c, job, ctx, deadline) and so on, which mean what
 * the functions of chan.h mean. The compiler checks the type of the element and knows its size: what succeeds
 * at once on a buffered channel is done in place, without a call. A channel whose elements have another size is
 * CHAN_INVALID. */
#ifndef LEAT_TYPED_H
#define LEAT_TYPED_H

#include "chan.h"
#include "fast.h"

#define CHAN_FACE static inline __attribute__((unused))

/* Whether the fast path may be taken: a buffered channel of such elements. */
static inline bool typed_is_plain(const struct chan *c, size_t elem_size)
{
	return likely(c && c->elem_size == elem_size && chan_is_buffered(c));
}

static inline bool typed_fits(const struct chan *c, size_t elem_size)
{
	return !c || c->elem_size == elem_size;
}

static inline size_t typed_misfit(enum chan_status *why)
{
	if (why)
		*why = CHAN_INVALID;
	return 0;
}

static inline_always enum chan_status typed_send(struct chan *c, const void *elem, size_t size, struct ctx *ctx, moment deadline)
{
	if (likely(typed_is_plain(c, size) && !ctx) && likely(attempt_send(c, ring_layout_for(size), elem, false) == CHAN_OK))
		return CHAN_OK;
	return likely(typed_fits(c, size)) ? chan_send(c, elem, ctx, deadline) : CHAN_INVALID;
}

static inline_always enum chan_status typed_recv(struct chan *c, void *elem, size_t size, struct ctx *ctx, moment deadline)
{
	if (likely(typed_is_plain(c, size) && !ctx) && likely(attempt_recv(c, ring_layout_for(size), elem, false) == CHAN_OK))
		return CHAN_OK;
	return likely(typed_fits(c, size)) ? chan_recv(c, elem, ctx, deadline) : CHAN_INVALID;
}

#define CHAN_DEFINE(name, type) \
	typedef type name##_elem; \
	typedef struct chan *name; \
	CHAN_FACE must_check name name##_new(size_t capacity) \
	{ \
		return chan_new(sizeof(name##_elem), capacity); \
	} \
	CHAN_FACE name name##_ref(name c) \
	{ \
		return chan_ref(c); \
	} \
	CHAN_FACE void name##_unref(name c) \
	{ \
		chan_unref(c); \
	} \
	CHAN_FACE enum chan_status name##_send(name c, name##_elem elem, struct ctx *ctx, moment deadline) \
	{ \
		return typed_send(c, &elem, sizeof(elem), ctx, deadline); \
	} \
	CHAN_FACE enum chan_status name##_recv(name c, name##_elem *elem, struct ctx *ctx, moment deadline) \
	{ \
		return typed_recv(c, elem, sizeof(*elem), ctx, deadline); \
	} \
	CHAN_FACE enum chan_status name##_try_send(name c, name##_elem elem) \
	{ \
		return likely(typed_fits(c, sizeof(elem))) ? chan_try_send(c, &elem) : CHAN_INVALID; \
	} \
	CHAN_FACE enum chan_status name##_try_recv(name c, name##_elem *elem) \
	{ \
		return likely(typed_fits(c, sizeof(*elem))) ? chan_try_recv(c, elem) : CHAN_INVALID; \
	} \
	CHAN_FACE size_t name##_try_send_many(name c, const name##_elem *elems, size_t n, enum chan_status *why) \
	{ \
		return likely(typed_fits(c, sizeof(*elems))) ? chan_try_send_many(c, elems, n, why) : typed_misfit(why); \
	} \
	CHAN_FACE size_t name##_try_recv_many(name c, name##_elem *elems, size_t n, enum chan_status *why) \
	{ \
		return likely(typed_fits(c, sizeof(*elems))) ? chan_try_recv_many(c, elems, n, why) : typed_misfit(why); \
	} \
	CHAN_FACE enum chan_status name##_close(name c) \
	{ \
		return chan_close(c); \
	} \
	CHAN_FACE size_t name##_len(const struct chan *c) \
	{ \
		return chan_len(c); \
	} \
	CHAN_FACE size_t name##_cap(const struct chan *c) \
	{ \
		return chan_cap(c); \
	}

#endif
