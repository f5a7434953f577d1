/* The buffer of a channel: a bounded queue for many threads, one compare-and-swap an operation and no lock.
 * Private to lib/; but what counts is inlined wherever sizes are known, so that this is what typed.h shows to all.
 *
 * A position is {lap | mark | index} in 64 bits and only grows. `tail` is the position of the next send, `head` of the next
 * receive. A slot carries a stamp: its position while it is free, the position + 1 while it is written; after the receive it
 * is the position one lap later. Whoever moves tail (head) from a position on owns the slot until it stamps it.
 * The mark in tail means closed, in head that a sweep holds the front.
 *
 * Between the claim and the stamp an element is pending. An operation happens at its claim: so "empty" and "full" are what
 * head and tail say, and who meets a pending slot must not say it, but waits for the stamp (exact), or has to ask again.
 *
 * Who has stamped loads the attention word after that; who wants attention sets its bit and looks at the ring after that,
 * so that one of the two sees the other. Neither the stamp nor the claim of a single producer (consumer) is a full barrier:
 * it is who wants attention that pays, with membarrier(2), and only if he meets one of the two. Where that is
 * missing, both are exchanges.
 *
 * After Vyukov's bounded queue, with the packed positions of crossbeam-channel's array, which allow any exact capacity. */
#ifndef LEAT_FAST_H
#define LEAT_FAST_H

#include "chan_options.h"
#include "compiler.h"
#include "shim_atomics.h"
#include "status.h"

#include <stdbool.h>
#include <string.h>

/* Who wants to be told what happens to a channel: all that an operation looks at besides the buffer.
 * Waking costs more than a hundred operations, so of each side one at a time is called: he was handed an element (room),
 * is on his way, and calls the next if there is more. */
#define ATTENTION_RECEIVERS UINT64_C(1)          /* some stand in the list */
#define ATTENTION_SENDERS UINT64_C(2)
#define ATTENTION_WATCHED UINT64_C(4)            /* a watch is armed */
#define ATTENTION_WAITING UINT64_C(7)
#define ATTENTION_RECEIVER_CALLED UINT64_C(8)
#define ATTENTION_SENDER_CALLED UINT64_C(16)
#define ATTENTION_CLOSING UINT64_C(32)           /* a single producer must not go on */
#define ATTENTION_CLOSED UINT64_C(64)            /* nothing more will be sent */
#define ATTENTION_COMER UINT64_C(128)            /* of an unbuffered channel, and above: counts who came to wait */

enum { CHAN_INSIDE_BYTES = 120 };

struct chan {
	const struct chan_kind *kind;   /* this line is set once, but for refs and due */
	size_t elem_size, capacity;
	size_t stride, offset;          /* see struct ring_layout */
	uint64_t mark, lap;
	void (*drop)(void *elem, void *arg);
	void *drop_arg;
	unsigned flags;
	bool fenced;                    /* there is no membarrier */
	shim_u32 refs;
	shim_i64 due;   /* it becomes ready by itself at this moment; changed by timers only */

	cache_aligned shim_u64 attention;   /* bits are set under the lock */
	uint64_t inside[CHAN_INSIDE_BYTES / sizeof(uint64_t)];
};

/* One that has a ring: the others are the unbuffered ones, and those that are made of time. */
static inline bool chan_is_buffered(const struct chan *c)
{
	return c->mark != 0;
}

enum { RING_PREFETCH_BYTES = 64 };   /* a line ahead */

/* A channel with a buffer. The slots follow. */
struct chan_ring {
	struct chan chan;   /* first */
	cache_aligned shim_u64 head;
	cache_aligned shim_u64 tail;
};

struct ring_slot {
	shim_u64 stamp;   /* the element follows, c->offset from here */
};

/* What a thread owns from its claim to the stamp; of several, the first. */
struct ring_claim {
	uint64_t at;
	struct ring_slot *slot;
};

/* How an element lies: constants where the compiler knows its size. */
struct ring_layout {
	size_t elem_size;
	size_t stride, offset;   /* from slot to slot; in a slot, of the element */
};

/* The element is aligned as far as its size allows, to 16 bytes at most. */
static inline struct ring_layout ring_layout_for(size_t elem_size)
{
	size_t align = elem_size && elem_size % 16 == 0 ? 16 : 8;

	return (struct ring_layout){ elem_size, (elem_size + 2 * align - 1) / align * align, align };
}

static inline struct ring_layout ring_layout_of(const struct chan *c)
{
	return (struct ring_layout){ c->elem_size, c->stride, c->offset };
}

static inline shim_u64 *ring_head(const struct chan *c)
{
	return &((struct chan_ring *)(uintptr_t)c)->head;
}

static inline shim_u64 *ring_tail(const struct chan *c)
{
	return &((struct chan_ring *)(uintptr_t)c)->tail;
}

static inline struct ring_slot *ring_slot_in(const struct chan *c, struct ring_layout layout, uint64_t at)
{
	return (struct ring_slot *)((uintptr_t)c + sizeof(struct chan_ring) + (at & (c->mark - 1)) * layout.stride);
}

static inline struct ring_slot *ring_slot(const struct chan *c, uint64_t at)
{
	return ring_slot_in(c, ring_layout_of(c), at);
}

static inline void *ring_elem(const struct chan *c, uint64_t at)
{
	return (unsigned char *)ring_slot(c, at) + c->offset;
}

static inline uint64_t ring_next(const struct chan *c, uint64_t at)
{
	return likely((at & (c->mark - 1)) + 1 < c->capacity) ? at + 1 : (at & ~(c->lap - 1)) + c->lap;
}

static inline uint64_t ring_prev(const struct chan *c, uint64_t at)
{
	return (at & (c->mark - 1)) ? at - 1 : at - c->lap + c->capacity - 1;
}

/* The usual sizes are one move; into NULL: nowhere. */
static inline void ring_copy(size_t elem_size, void *into, const void *from)
{
	if (likely(elem_size == 8 && into))
		memcpy(into, from, 8);
	else if (elem_size && into)
		memcpy(into, from, elem_size);
}

/* A pause that grows with the round; gives the next one. Whoever is waited for is in the middle of a copy, or does not run.
 * Only for calls that may not block, and so cannot ask to be woken. */
unsigned ring_pause(unsigned round) must_check;

static inline_always bool ring_move(struct chan *c, shim_u64 *position, uint64_t *seen, uint64_t to, bool single)
{
	if (!single)
		return shim_cas(position, seen, to, seq_cst);
	if (unlikely(c->fenced))
		shim_xchg(position, to, seq_cst);
	else
		shim_store(position, to, release);
	shim_keep_order();
	return true;
}

/* Claims up to `n` free slots, from *claim on; returns how many, or 0, *why, and the attention word of that moment.
 * `exact`: waits for a pending receive. */
static inline_always size_t ring_claim_free(struct chan *c, struct ring_layout layout, size_t n, bool exact, struct ring_claim *claim,
	uint64_t *attention, enum chan_status *why)
{
	const bool single = c->flags & CHAN_SINGLE_PRODUCER;
	uint64_t tail = shim_load(ring_tail(c), relaxed), to, head;
	unsigned round = 0;
	struct ring_slot *slot;
	size_t k;

	for (;;) {
		if (unlikely(tail & c->mark)) {
			*why = CHAN_CLOSED;
			return 0;
		}
		slot = ring_slot_in(c, layout, tail);
		if (likely(shim_load(&slot->stamp, acquire) == tail)) {
			to = ring_next(c, tail);
			for (k = 1; k < n && shim_load(&ring_slot_in(c, layout, to)->stamp, acquire) == to; k++)
				to = ring_next(c, to);
			if (unlikely(!ring_move(c, ring_tail(c), &tail, to, single)))
				continue;
			*claim = (struct ring_claim){ tail, slot };
			if (unlikely(single && shim_load(&c->attention, seq_cst) & ATTENTION_CLOSING)) {
				shim_store(ring_tail(c), tail, release);
				*why = CHAN_CLOSED;
				return 0;
			}
			return k;
		}
		head = shim_load(ring_head(c), seq_cst) & ~c->mark;
		to = shim_load(ring_tail(c), seq_cst);
		if (to != tail) {
			tail = to;
			continue;
		}
		if (likely(head + c->lap == tail) || !exact) {
			*attention = shim_load(&c->attention, seq_cst);
			*why = single && *attention & ATTENTION_CLOSING ? CHAN_CLOSED : CHAN_WOULD_BLOCK;
			return 0;
		}
		round = ring_pause(round);
		tail = shim_load(ring_tail(c), relaxed);
	}
}

/* Waits until the sweep that holds the front is over. */
void ring_await_sweep(struct chan *);

/* Claims up to `n` written slots likewise. */
static inline_always size_t ring_claim_written(struct chan *c, struct ring_layout layout, size_t n, bool exact, struct ring_claim *claim,
	uint64_t *attention, enum chan_status *why)
{
	const bool single = c->flags & CHAN_SINGLE_CONSUMER;
	uint64_t head = shim_load(ring_head(c), relaxed), to, tail;
	unsigned round = 0;
	struct ring_slot *slot;
	size_t k;

	for (;;) {
		if (unlikely(head & c->mark)) {
			ring_await_sweep(c);
			head = shim_load(ring_head(c), relaxed);
			continue;
		}
		slot = ring_slot_in(c, layout, head);
		if (likely(shim_load(&slot->stamp, acquire) == head + 1)) {
			to = ring_next(c, head);
			for (k = 1; k < n && shim_load(&ring_slot_in(c, layout, to)->stamp, acquire) == to + 1; k++)
				to = ring_next(c, to);
			if (unlikely(!ring_move(c, ring_head(c), &head, to, single)))
				continue;
			*claim = (struct ring_claim){ head, slot };
			/* We shall stamp the slots that follow too: better to fetch their line now, and once, than to read it and then own it. */
			__builtin_prefetch((unsigned char *)slot + RING_PREFETCH_BYTES, 1);
			return k;
		}
		/* Open or closed comes before empty or not: so that closed and empty is for good, */
		*attention = shim_load(&c->attention, seq_cst);
		tail = shim_load(ring_tail(c), seq_cst) & ~c->mark;
		to = shim_load(ring_head(c), seq_cst);
		if (to != head) {
			head = to;
			continue;
		}
		if (likely(tail == head) || !exact) {
			/* and open and empty was so at the moment when it was open: tail, which never is behind head, was not sooner. */
			*why = tail == head && *attention & ATTENTION_CLOSED ? CHAN_CLOSED : CHAN_WOULD_BLOCK;
			return 0;
		}
		round = ring_pause(round);
		head = shim_load(ring_head(c), relaxed);
	}
}

static inline void ring_stamp(const struct chan *c, struct ring_claim claim, uint64_t stamp)
{
	if (unlikely(c->fenced))
		shim_xchg(&claim.slot->stamp, stamp, seq_cst);
	else
		shim_store(&claim.slot->stamp, stamp, release);
	shim_keep_order();
}

static inline void ring_write(const struct chan *c, struct ring_layout layout, struct ring_claim claim, const void *elem)
{
	ring_copy(layout.elem_size, (unsigned char *)claim.slot + layout.offset, elem);
	ring_stamp(c, claim, claim.at + 1);
}

static inline void ring_read(const struct chan *c, struct ring_layout layout, struct ring_claim claim, void *elem)
{
	ring_copy(layout.elem_size, elem, (unsigned char *)claim.slot + layout.offset);
	ring_stamp(c, claim, claim.at + c->lap);
}

static inline struct ring_claim ring_next_claim(const struct chan *c, struct ring_claim claim)
{
	claim.at = ring_next(c, claim.at);
	claim.slot = ring_slot(c, claim.at);
	return claim;
}

/* *attention was loaded after the stamp. */
static inline_always enum chan_status ring_put(struct chan *c, struct ring_layout layout, const void *elem, bool exact,
	uint64_t *attention)
{
	enum chan_status why;
	struct ring_claim claim;

	if (unlikely(!ring_claim_free(c, layout, 1, exact, &claim, attention, &why)))
		return why;
	ring_write(c, layout, claim, elem);
	*attention = shim_load(&c->attention, seq_cst);
	return CHAN_OK;
}

/* Open and full, in a few loads; in doubt false. */
static inline bool ring_is_plainly_full(const struct chan *c)
{
	uint64_t tail = shim_load(ring_tail(c), relaxed);

	return !(tail & c->mark) && shim_load(&ring_slot(c, tail)->stamp, acquire) != tail &&
		shim_load(ring_head(c), seq_cst) + c->lap == tail &&
		!(shim_load(&c->attention, seq_cst) & (ATTENTION_RECEIVERS | ATTENTION_CLOSING));
}

static inline_always enum chan_status ring_take(struct chan *c, struct ring_layout layout, void *elem, bool exact,
	uint64_t *attention)
{
	enum chan_status why;
	struct ring_claim claim;

	if (unlikely(!ring_claim_written(c, layout, 1, exact, &claim, attention, &why))) {
		if (why == CHAN_CLOSED && elem && layout.elem_size)
			memset(elem, 0, layout.elem_size);
		return why;
	}
	ring_read(c, layout, claim, elem);
	*attention = shim_load(&c->attention, seq_cst);
	return CHAN_OK;
}

/* --- An operation without waiting, and what it owes to others --- */

void chan_settle(struct chan *);

/* Sends into a full buffer whose receivers have not come yet, by serving them; likewise from an empty one. */
enum chan_status chan_send_past(struct chan *, const void *elem);
enum chan_status chan_recv_past(struct chan *, void *elem);

/* A send that was refused: passes on what it may owe to others; `past`: to receivers who were called and have not come yet, and
 * so to the room that they will leave. */
enum chan_status chan_refused(struct chan *, const void *elem, enum chan_status, uint64_t attention, bool past);

static inline_always void chan_sent(struct chan *c, uint64_t attention)
{
	if (unlikely(attention & (ATTENTION_RECEIVERS | ATTENTION_WATCHED)) &&
		(attention & (ATTENTION_RECEIVERS | ATTENTION_RECEIVER_CALLED)) != (ATTENTION_RECEIVERS | ATTENTION_RECEIVER_CALLED))
		chan_settle(c);
}

static inline_always void chan_received(struct chan *c, uint64_t attention)
{
	if (unlikely(attention & ATTENTION_SENDERS) && !(attention & ATTENTION_SENDER_CALLED))
		chan_settle(c);
}

static inline_always enum chan_status attempt_send(struct chan *c, struct ring_layout layout, const void *elem, bool past)
{
	uint64_t attention = 0;
	enum chan_status status = ring_put(c, layout, elem, past, &attention);

	if (likely(status == CHAN_OK)) {
		chan_sent(c, attention);
		return CHAN_OK;
	}
	if (likely(status == CHAN_WOULD_BLOCK && !(attention & ATTENTION_RECEIVERS)))
		return CHAN_WOULD_BLOCK;
	return chan_refused(c, elem, status, attention, past);
}

static inline_always enum chan_status attempt_recv(struct chan *c, struct ring_layout layout, void *elem, bool past)
{
	uint64_t attention = 0;
	enum chan_status status = ring_take(c, layout, elem, past, &attention);

	if (likely(status == CHAN_OK)) {
		chan_received(c, attention);
		return CHAN_OK;
	}
	if (unlikely(status == CHAN_WOULD_BLOCK && past && attention & ATTENTION_SENDERS))
		return chan_recv_past(c, elem);
	return status;
}

#endif
