#include "ring.h"

enum {
	PAUSES = 64,
	YIELDS = 4,
	LONGEST = 5,   /* doublings of the sleep */
};

unsigned ring_pause(unsigned round)
{
	shim_u32 nobody;
	unsigned sleeps;

	if (round < PAUSES && !spin_alone()) {
		cpu_pause();
	} else if (round < PAUSES + YIELDS) {
		round = round < PAUSES ? PAUSES : round;
		cpu_yield();
	} else {
		sleeps = round - PAUSES - YIELDS;
		shim_init(&nobody, 0);
		futex_wait(&nobody, 0, moment_in(32 * MICROSECONDS << (sleeps < LONGEST ? sleeps : LONGEST)));
	}
	return round + 1;
}

void ring_await_sweep(struct chan *c)
{
	lock_acquire(&c->lock);
	lock_release(&c->lock);
}

enum look ring_look_to_send(struct chan *c)
{
	uint64_t tail = shim_load(&c->tail, seq_cst), head, again;

	for (;; tail = again) {
		if (tail & c->mark || shim_load(&c->attention, seq_cst) & ATTENTION_CLOSING)
			return LOOK_READY;
		if (shim_load(&ring_slot(c, tail)->stamp, acquire) == tail)
			return LOOK_READY;
		head = shim_load(&c->head, seq_cst) & ~c->mark;
		again = shim_load(&c->tail, seq_cst);
		if (again == tail)
			return head + c->lap == tail ? LOOK_IDLE : LOOK_PENDING;
	}
}

enum look ring_look_to_recv(struct chan *c)
{
	uint64_t head = shim_load(&c->head, seq_cst), tail, again;

	for (;; head = again) {
		if (head & c->mark)
			return LOOK_PENDING;
		if (shim_load(&ring_slot(c, head)->stamp, acquire) == head + 1)
			return LOOK_READY;
		tail = shim_load(&c->tail, seq_cst) & ~c->mark;
		again = shim_load(&c->head, seq_cst);
		if (again != head)
			continue;
		if (tail != head)
			return LOOK_PENDING;
		return shim_load(&c->attention, seq_cst) & ATTENTION_CLOSED ? LOOK_READY : LOOK_IDLE;
	}
}

void ring_init(struct chan *c)
{
	size_t i;

	for (c->mark = 1; c->mark <= c->capacity; c->mark *= 2)
		;
	c->lap = 2 * c->mark;
	for (i = 0; i < c->capacity; i++)
		shim_init(&ring_slot(c, i)->stamp, i);
}

size_t ring_len(const struct chan *c)
{
	uint64_t tail, head, index;

	do {
		tail = shim_load(&c->tail, seq_cst);
		head = shim_load(&c->head, seq_cst) & ~c->mark;
	} while (shim_load(&c->tail, seq_cst) != tail);
	tail &= ~c->mark;
	if (tail == head)
		return 0;
	index = (tail & (c->mark - 1)) + c->capacity - (head & (c->mark - 1));
	return index > c->capacity ? index - c->capacity : index;
}

/* The front is closed to receivers meanwhile; senders are not disturbed. What is kept moves towards the tail, so that
 * positions only grow here too. Stops at the first pending element. */
size_t ring_sweep_locked(struct chan *c, bool (*keep)(void *elem, void *arg), void *arg)
{
	uint64_t first = shim_or(&c->head, c->mark, seq_cst), end = first, at, to, left;
	uint64_t tail = shim_load(&c->tail, seq_cst) & ~c->mark;
	size_t looked = 0, kept = 0, i;

	/* A stamp that is back at its position says that the element has gone. */
	for (; end != tail && shim_load(&ring_slot(c, end)->stamp, acquire) == end + 1; end = ring_next(c, end), looked++) {
		if (keep(ring_elem(c, end), arg))
			kept++;
		else
			shim_store(&ring_slot(c, end)->stamp, end, relaxed);
	}
	for (left = first, i = kept; i < looked; i++)
		left = ring_next(c, left);
	for (at = to = end, i = looked; i-- > 0;) {
		at = ring_prev(c, at);
		if (shim_load(&ring_slot(c, at)->stamp, relaxed) != at + 1)
			continue;
		to = ring_prev(c, to);
		if (to == at)
			continue;
		ring_copy(c, ring_elem(c, to), ring_elem(c, at));
		shim_store(&ring_slot(c, to)->stamp, to + 1, release);
	}
	shim_store(&c->head, left, release);
	for (at = first; at != left; at = ring_next(c, at))
		shim_store(&ring_slot(c, at)->stamp, at + c->lap, release);
	return looked - kept;
}
