/* The buffer of a channel: a bounded queue for many threads, one compare-and-swap an operation and no lock. Private to lib/.
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
#ifndef LEAT_RING_H
#define LEAT_RING_H

#include "chan_impl.h"

#include <string.h>

struct ring_slot {
	shim_u64 stamp;   /* the element follows, c->offset from here */
};

/* What a thread owns from its claim to the stamp; of several, the first. */
struct claim {
	uint64_t at;
	struct ring_slot *slot;
};

enum look { LOOK_READY, LOOK_IDLE, LOOK_PENDING };

static inline struct ring_slot *ring_slot(const struct chan *c, uint64_t at)
{
	return (struct ring_slot *)((uintptr_t)(c + 1) + (at & (c->mark - 1)) * c->stride);
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
static inline void ring_copy(const struct chan *c, void *into, const void *from)
{
	if (likely(c->elem_size == 8 && into))
		memcpy(into, from, 8);
	else if (c->elem_size && into)
		memcpy(into, from, c->elem_size);
}

/* A pause that grows with the round; gives the next one. Whoever is waited for is in the middle of a copy, or does not run.
 * Only for calls that may not block, and so cannot ask to be woken. */
unsigned ring_pause(unsigned round) must_check;

static inline bool ring_claim(struct chan *c, shim_u64 *position, uint64_t *seen, uint64_t to, bool single)
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
static inline size_t ring_claim_free(struct chan *c, size_t n, bool exact, struct claim *claim, uint64_t *attention,
	enum chan_status *why)
{
	const bool single = c->flags & CHAN_SINGLE_PRODUCER;
	uint64_t tail = shim_load(&c->tail, relaxed), to, head;
	unsigned round = 0;
	struct ring_slot *slot;
	size_t k;

	for (;;) {
		if (unlikely(tail & c->mark)) {
			*why = CHAN_CLOSED;
			return 0;
		}
		slot = ring_slot(c, tail);
		if (likely(shim_load(&slot->stamp, acquire) == tail)) {
			to = ring_next(c, tail);
			for (k = 1; k < n && shim_load(&ring_slot(c, to)->stamp, acquire) == to; k++)
				to = ring_next(c, to);
			if (unlikely(!ring_claim(c, &c->tail, &tail, to, single)))
				continue;
			*claim = (struct claim){ tail, slot };
			if (unlikely(single && shim_load(&c->attention, seq_cst) & ATTENTION_CLOSING)) {
				shim_store(&c->tail, tail, release);
				*why = CHAN_CLOSED;
				return 0;
			}
			return k;
		}
		head = shim_load(&c->head, seq_cst) & ~c->mark;
		to = shim_load(&c->tail, seq_cst);
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
		tail = shim_load(&c->tail, relaxed);
	}
}

/* Waits until the sweep that holds the front is over. */
void ring_await_sweep(struct chan *);

/* Claims up to `n` written slots likewise. */
static inline size_t ring_claim_written(struct chan *c, size_t n, bool exact, struct claim *claim, uint64_t *attention,
	enum chan_status *why)
{
	const bool single = c->flags & CHAN_SINGLE_CONSUMER;
	uint64_t head = shim_load(&c->head, relaxed), to, tail;
	unsigned round = 0;
	struct ring_slot *slot;
	size_t k;

	for (;;) {
		if (unlikely(head & c->mark)) {
			ring_await_sweep(c);
			head = shim_load(&c->head, relaxed);
			continue;
		}
		slot = ring_slot(c, head);
		if (likely(shim_load(&slot->stamp, acquire) == head + 1)) {
			to = ring_next(c, head);
			for (k = 1; k < n && shim_load(&ring_slot(c, to)->stamp, acquire) == to + 1; k++)
				to = ring_next(c, to);
			if (unlikely(!ring_claim(c, &c->head, &head, to, single)))
				continue;
			*claim = (struct claim){ head, slot };
			return k;
		}
		/* Open or closed comes before empty or not: so that closed and empty is for good, */
		*attention = shim_load(&c->attention, seq_cst);
		tail = shim_load(&c->tail, seq_cst) & ~c->mark;
		to = shim_load(&c->head, seq_cst);
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
		head = shim_load(&c->head, relaxed);
	}
}

static inline void ring_stamp(const struct chan *c, struct claim claim, uint64_t stamp)
{
	if (unlikely(c->fenced))
		shim_xchg(&claim.slot->stamp, stamp, seq_cst);
	else
		shim_store(&claim.slot->stamp, stamp, release);
	shim_keep_order();
}

static inline void ring_write(const struct chan *c, struct claim claim, const void *elem)
{
	ring_copy(c, (unsigned char *)claim.slot + c->offset, elem);
	ring_stamp(c, claim, claim.at + 1);
}

static inline void ring_read(const struct chan *c, struct claim claim, void *elem)
{
	ring_copy(c, elem, (unsigned char *)claim.slot + c->offset);
	ring_stamp(c, claim, claim.at + c->lap);
}

static inline struct claim ring_next_claim(const struct chan *c, struct claim claim)
{
	claim.at = ring_next(c, claim.at);
	claim.slot = ring_slot(c, claim.at);
	return claim;
}

/* *attention was loaded after the stamp. */
static inline enum chan_status ring_send(struct chan *c, const void *elem, bool exact, uint64_t *attention)
{
	enum chan_status why;
	struct claim claim;

	if (unlikely(!ring_claim_free(c, 1, exact, &claim, attention, &why)))
		return why;
	ring_write(c, claim, elem);
	*attention = shim_load(&c->attention, seq_cst);
	return CHAN_OK;
}

/* Open and full, in a few loads; in doubt false. */
static inline bool ring_is_plainly_full(const struct chan *c)
{
	uint64_t tail = shim_load(&c->tail, relaxed);

	return !(tail & c->mark) && shim_load(&ring_slot(c, tail)->stamp, acquire) != tail &&
		shim_load(&c->head, seq_cst) + c->lap == tail &&
		!(shim_load(&c->attention, seq_cst) & (ATTENTION_RECEIVERS | ATTENTION_CLOSING));
}

static inline enum chan_status ring_recv(struct chan *c, void *elem, bool exact, uint64_t *attention)
{
	enum chan_status why;
	struct claim claim;

	if (unlikely(!ring_claim_written(c, 1, exact, &claim, attention, &why))) {
		if (why == CHAN_CLOSED && elem && c->elem_size)
			memset(elem, 0, c->elem_size);
		return why;
	}
	ring_read(c, claim, elem);
	*attention = shim_load(&c->attention, seq_cst);
	return CHAN_OK;
}

/* Whether an operation could go on. Idle was so at one instant between call and return; pending: someone is about to change
 * that, but has perhaps looked at `attention` already: chan_look_again() tells. */
enum look ring_look_to_send(struct chan *);
enum look ring_look_to_recv(struct chan *);

void ring_init(struct chan *);
size_t ring_len(const struct chan *);

/* Takes out what keep() does not want. With the lock of the channel held. */
size_t ring_sweep_locked(struct chan *, bool (*keep)(void *elem, void *arg), void *arg);

#endif
