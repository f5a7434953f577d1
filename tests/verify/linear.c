/* After Wing and Gong 1993, with the memory of Lowe 2017: a depth-first search for an order, which does not try twice the
 * same set of calls done with the same state of the channels. A rendezvous is one instant of two calls. */
#include "history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 64, STORED = 16, FEW = 1 << 10, MANY = 1 << 20 };

struct model {
	uint32_t queue[HISTORY_CHANNELS][STORED];
	uint8_t len[HISTORY_CHANNELS], closed[HISTORY_CHANNELS];
};

/* A call: `count` ops at one instant. `partner`: the unit it meets, or -1. */
struct unit {
	const struct op *ops;
	size_t count;
	int partner;
};

struct search {
	const struct history *h;
	struct unit units[UNITS];
	int count;
	uint64_t *seen;      /* a hash table */
	size_t room, used;
	bool full;           /* the answer is worth nothing: try with more room */
};

static bool apply_send(struct model *m, const struct op *op, size_t capacity)
{
	uint8_t c = op->chan;

	switch ((enum chan_status)op->status) {
	case CHAN_OK:
		if (m->closed[c] || m->len[c] >= capacity || m->len[c] >= STORED)
			return false;
		m->queue[c][m->len[c]++] = op->value;
		return true;
	case CHAN_CLOSED:
		return m->closed[c];
	case CHAN_WOULD_BLOCK:
		return !m->closed[c] && (capacity == 0 || m->len[c] == capacity);
	case CHAN_TIMED_OUT:
	case CHAN_CANCELED:
	case CHAN_DEADLINE:
		return true;
	case CHAN_NOMEM:
	case CHAN_INVALID:
		return false;
	}
	return false;
}

static bool take(struct model *m, uint8_t c, uint8_t at)
{
	memmove(&m->queue[c][at], &m->queue[c][at + 1], (m->len[c] - at - 1u) * sizeof(uint32_t));
	m->queue[c][--m->len[c]] = 0;
	return true;
}

static bool apply_recv(struct model *m, const struct op *op)
{
	uint8_t c = op->chan;

	switch ((enum chan_status)op->status) {
	case CHAN_OK:
		return m->len[c] > 0 && m->queue[c][0] == op->value && take(m, c, 0);
	case CHAN_CLOSED:
		return m->closed[c] && m->len[c] == 0;
	case CHAN_WOULD_BLOCK:
		return !m->closed[c] && m->len[c] == 0;
	case CHAN_TIMED_OUT:
	case CHAN_CANCELED:
	case CHAN_DEADLINE:
		return true;
	case CHAN_NOMEM:
	case CHAN_INVALID:
		return false;
	}
	return false;
}

static bool apply_sweep(struct model *m, const struct op *op)
{
	uint8_t i;

	for (i = 0; op->value && i < m->len[op->chan]; i++)
		if (m->queue[op->chan][i] == op->value)
			return take(m, op->chan, i);
	return op->value == 0;
}

static bool apply_close(struct model *m, const struct op *op)
{
	bool was = m->closed[op->chan];

	m->closed[op->chan] = 1;
	return op->status == (was ? CHAN_CLOSED : CHAN_OK);
}

static bool apply(const struct search *s, struct model *m, const struct unit *u)
{
	size_t i;

	for (i = 0; i < u->count; i++) {
		const struct op *op = &u->ops[i];
		bool fits = false;
		switch ((enum op_kind)op->kind) {
		case DID_SEND: fits = apply_send(m, op, s->h->capacity[op->chan]); break;
		case DID_RECV: fits = apply_recv(m, op); break;
		case DID_CLOSE: fits = apply_close(m, op); break;
		case DID_SWEEP: fits = apply_sweep(m, op); break;
		}
		if (!fits)
			return false;
	}
	return true;
}

static uint64_t hash_of(uint64_t done, const struct model *m)
{
	uint64_t hash = done * 0x9e3779b97f4a7c15u + 1, word;
	size_t i;

	_Static_assert(sizeof(*m) % sizeof(word) == 0, "hashed by words");
	for (i = 0; i < sizeof(*m); i += sizeof(word)) {
		memcpy(&word, (const char *)m + i, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return hash ? hash : 1;
}

static bool is_new(struct search *s, uint64_t hash)
{
	size_t at = (hash >> 20) % s->room;

	for (; s->seen[at]; at = (at + 1) % s->room)
		if (s->seen[at] == hash)
			return false;
	s->seen[at] = hash;
	s->full = ++s->used > s->room / 2;
	return !s->full;
}

static uint64_t earliest_return(const struct search *s, uint64_t done)
{
	uint64_t first = UINT64_MAX;
	int i;

	for (i = 0; i < s->count; i++)
		if (!(done >> i & 1) && s->units[i].ops->ret < first)
			first = s->units[i].ops->ret;
	return first;
}

static bool search(struct search *s, uint64_t done, const struct model *m);

/* Whether the rest can follow when unit `i` comes next. */
static bool follows(struct search *s, uint64_t done, const struct model *m, int i, uint64_t limit)
{
	struct unit *u = &s->units[i];
	struct model next = *m;

	if (u->ops->call > limit || done >> i & 1 || (u->ops->after && !(done >> (i - 1) & 1)))
		return false;
	done |= UINT64_C(1) << i;
	if (u->partner >= 0) {
		struct unit *other = &s->units[u->partner];
		if (u->ops->kind != DID_SEND || done >> u->partner & 1 || other->ops->call > limit || m->closed[u->ops->chan])
			return false;
		done |= UINT64_C(1) << u->partner;
	} else if (!apply(s, &next, u)) {
		return false;
	}
	return search(s, done, &next);
}

static bool search(struct search *s, uint64_t done, const struct model *m)
{
	uint64_t all = s->count == UNITS ? UINT64_MAX : (UINT64_C(1) << s->count) - 1;
	uint64_t limit;
	int i;

	if (done == all)
		return true;
	if (!is_new(s, hash_of(done, m)))
		return false;
	limit = earliest_return(s, done);
	for (i = 0; i < s->count; i++)
		if (follows(s, done, m, i, limit))
			return true;
	return false;
}

static bool meets(const struct op *a, const struct op *b)
{
	return a->status == CHAN_OK && b->status == CHAN_OK && a->chan == b->chan && a->value == b->value &&
		((a->kind == DID_SEND && b->kind == DID_RECV) || (a->kind == DID_RECV && b->kind == DID_SEND));
}

static void find_partners(struct search *s)
{
	int i, k;

	for (i = 0; i < s->count; i++) {
		s->units[i].partner = -1;
		for (k = 0; k < s->count; k++)
			if (s->h->capacity[s->units[i].ops->chan] == 0 && meets(s->units[i].ops, s->units[k].ops))
				s->units[i].partner = k;
	}
}

static bool gather(struct search *s, const struct history *h)
{
	size_t i;

	for (i = 0; i < h->count; i++) {
		if (h->ops[i].joined) {
			s->units[s->count - 1].count++;
			continue;
		}
		if (s->count == UNITS)
			return false;
		s->units[s->count++] = (struct unit){ .ops = &h->ops[i], .count = 1 };
	}
	return true;
}

/* `seen` is `room` zeroes. */
static bool is_linear(struct search *s, uint64_t *seen, size_t room)
{
	static const struct model empty;

	s->seen = seen;
	s->room = room;
	s->used = 0;
	s->full = false;
	return search(s, 0, &empty);
}

const char *history_linear(const struct history *h)
{
	struct search s = { .h = h };
	uint64_t few[FEW] = { 0 }, *many;
	bool linear;

	if (!gather(&s, h))
		return "too many calls for an exact check";
	find_partners(&s);
	linear = is_linear(&s, few, FEW);
	if (!linear && s.full) {
		many = calloc(MANY, sizeof(*many));
		linear = is_linear(&s, many, MANY);
		free(many);
		if (!linear && s.full)
			return "the search for an order was given up";
	}
	return linear ? NULL : "no order of the calls explains the answers";
}
