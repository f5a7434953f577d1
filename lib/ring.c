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
	lock_acquire(&inside(c)->lock);
	lock_release(&inside(c)->lock);
}

enum chan_status ring_send(struct chan *c, const void *elem, bool exact, uint64_t *attention)
{
	return ring_put(c, ring_layout_of(c), elem, exact, attention);
}

enum chan_status ring_recv(struct chan *c, void *elem, bool exact, uint64_t *attention)
{
	return ring_take(c, ring_layout_of(c), elem, exact, attention);
}

bool ring_may_send(const void *chan)
{
	struct chan *c = (struct chan *)(uintptr_t)chan;
	uint64_t tail = shim_load(ring_tail(c), relaxed);

	return tail & c->mark || shim_load(&ring_slot(c, tail)->stamp, acquire) == tail ||
		shim_load(&c->attention, relaxed) & ATTENTION_CLOSING;
}

bool ring_may_recv(const void *chan)
{
	struct chan *c = (struct chan *)(uintptr_t)chan;
	uint64_t head = shim_load(ring_head(c), relaxed);

	return head & c->mark || shim_load(&ring_slot(c, head)->stamp, acquire) == head + 1 ||
		shim_load(&c->attention, relaxed) & ATTENTION_CLOSED;
}

enum look ring_look_to_send(struct chan *c)
{
	uint64_t tail = shim_load(ring_tail(c), seq_cst), head, again;

	for (;; tail = again) {
		if (tail & c->mark || shim_load(&c->attention, seq_cst) & ATTENTION_CLOSING)
			return LOOK_READY;
		if (shim_load(&ring_slot(c, tail)->stamp, acquire) == tail)
			return LOOK_READY;
		head = shim_load(ring_head(c), seq_cst) & ~c->mark;
		again = shim_load(ring_tail(c), seq_cst);
		if (again == tail)
			return head + c->lap == tail ? LOOK_IDLE : LOOK_PENDING;
	}
}

enum look ring_look_to_recv(struct chan *c)
{
	uint64_t head = shim_load(ring_head(c), seq_cst), tail, again;

	for (;; head = again) {
		if (head & c->mark)
			return LOOK_PENDING;
		if (shim_load(&ring_slot(c, head)->stamp, acquire) == head + 1)
			return LOOK_READY;
		tail = shim_load(ring_tail(c), seq_cst) & ~c->mark;
		again = shim_load(ring_head(c), seq_cst);
		if (again != head)
			continue;
		if (tail != head)
			return LOOK_PENDING;
		return shim_load(&c->attention, seq_cst) & ATTENTION_CLOSED ? LOOK_READY : LOOK_IDLE;
	}
}

void ring_init(struct chan *c, struct ring_layout layout)
{
	size_t i;

	c->stride = layout.stride;
	c->offset = layout.offset;
	c->fenced = !shim_has_membarrier();
	shim_init(ring_head(c), 0);
	shim_init(ring_tail(c), 0);
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
		tail = shim_load(ring_tail(c), seq_cst);
		head = shim_load(ring_head(c), seq_cst) & ~c->mark;
	} while (shim_load(ring_tail(c), seq_cst) != tail);
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
	uint64_t first = shim_or(ring_head(c), c->mark, seq_cst), end = first, at, to, left;
	uint64_t tail = shim_load(ring_tail(c), seq_cst) & ~c->mark;
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
		ring_copy(c->elem_size, ring_elem(c, to), ring_elem(c, at));
		shim_store(&ring_slot(c, to)->stamp, to + 1, release);
	}
	shim_store(ring_head(c), left, release);
	for (at = first; at != left; at = ring_next(c, at))
		shim_store(&ring_slot(c, at)->stamp, at + c->lap, release);
	return looked - kept;
}
