#include "wheel.h"

enum { FAR_TICKS = WHEEL_SLOTS / 4 };

/* The first whole millisecond at or after `when`, so that nothing fires early. */
static int64_t tick_of(moment when)
{
	return when / MILLISECONDS + (when % MILLISECONDS != 0);
}

static size_t slot_of(int64_t tick)
{
	return (size_t)tick % WHEEL_SLOTS;
}

void wheel_init(struct wheel *w, moment now)
{
	*w = (struct wheel){ .tick = now / MILLISECONDS };
	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		w->slots[i].next = w->slots[i].prev = &w->slots[i];
}

void wheel_remove(struct wheel_timer *t)
{
	if (!t->next)
		return;
	t->next->prev = t->prev;
	t->prev->next = t->next;
	t->next = t->prev = NULL;
}

void wheel_set(struct wheel *w, struct wheel_timer *t, moment due)
{
	int64_t tick = tick_of(due);
	struct wheel_timer *head;
	size_t slot;

	wheel_remove(t);
	t->due = due;
	if (tick < w->tick)
		tick = w->tick;
	/* What is a turn away or more is looked at again before: in one of a few slots, or each would wake its thread once a turn. */
	if (tick - w->tick >= WHEEL_SLOTS)
		tick = (w->tick + WHEEL_SLOTS - 1) / FAR_TICKS * FAR_TICKS;
	slot = slot_of(tick);
	head = &w->slots[slot];
	t->next = head;
	t->prev = head->prev;
	head->prev->next = t;
	head->prev = t;
	w->used[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* Takes the timers of a slot out, and fires those that are due. */
static void turn_slot(struct wheel *w, size_t slot, moment now)
{
	struct wheel_timer *head = &w->slots[slot];
	struct wheel_timer later = { .next = &later, .prev = &later };

	w->used[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	/* From the head each time, since firing may remove any other. Those of a later turn are set aside, or this would not end. */
	while (head->next != head) {
		struct wheel_timer *t = head->next;

		wheel_remove(t);
		if (t->due <= now) {
			t->fire(t);
			continue;
		}
		t->next = &later;
		t->prev = later.prev;
		later.prev->next = t;
		later.prev = t;
	}
	while (later.next != &later)
		wheel_set(w, later.next, later.next->due);
}

void wheel_turn(struct wheel *w, moment now)
{
	int64_t to = now / MILLISECONDS, from = w->tick;

	/* After a long stop one whole turn sees every slot. */
	if (to - from >= WHEEL_SLOTS)
		from = to - WHEEL_SLOTS + 1;
	for (int64_t tick = from; tick <= to; tick++) {
		size_t slot = slot_of(tick);

		/* This slot is done: what is set from now on, also by what fires, is for a later one. */
		w->tick = tick + 1;
		if (w->used[slot / 64] >> slot % 64 & 1)
			turn_slot(w, slot, now);
	}
}

moment wheel_next(const struct wheel *w)
{
	for (int64_t tick = w->tick; tick < w->tick + WHEEL_SLOTS;) {
		size_t slot = slot_of(tick);
		uint64_t bits = w->used[slot / 64] >> slot % 64;

		if (bits)
			return (tick + __builtin_ctzll(bits)) * MILLISECONDS;
		tick += 64 - (int64_t)(slot % 64);
	}
	return FOREVER;
}
