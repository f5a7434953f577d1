#include "reorder.h"

#include <stdlib.h>
#include <string.h>

enum state { EXPECTED, HERE, SKIPPED };

struct reorder {
	struct chan_options options;
	uint64_t first, next;     /* the tickets that are out: [first, next), at most as many as there are places */
	unsigned char *results;
	unsigned char states[];   /* enum state, of each place */
};

struct reorder *reorder_new(const struct chan_options *result)
{
	size_t places = result->capacity, bytes;
	struct reorder *r;

	if (places == 0 || __builtin_add_overflow(sizeof(*r), places, &bytes))
		return NULL;
	r = calloc(1, bytes);
	if (!r)
		return NULL;
	r->options = *result;
	r->results = calloc(places, result->elem_size ? result->elem_size : 1);
	if (r->results)
		return r;
	free(r);
	return NULL;
}

static size_t place_of(const struct reorder *r, uint64_t ticket)
{
	return (size_t)(ticket % r->options.capacity);
}

static void *result_at(const struct reorder *r, size_t place)
{
	return r->results + place * r->options.elem_size;
}

void reorder_free(struct reorder *r)
{
	if (!r)
		return;
	for (; r->first < r->next; r->first++) {
		size_t place = place_of(r, r->first);

		if (r->states[place] == HERE && r->options.drop)
			r->options.drop(result_at(r, place), r->options.drop_arg);
	}
	free(r->results);
	free(r);
}

bool reorder_expect(struct reorder *r, uint64_t *ticket)
{
	if (r->next - r->first == r->options.capacity)
		return false;
	*ticket = r->next++;
	r->states[place_of(r, *ticket)] = EXPECTED;
	return true;
}

static bool is_expected(const struct reorder *r, uint64_t ticket)
{
	return ticket >= r->first && ticket < r->next && r->states[place_of(r, ticket)] == EXPECTED;
}

bool reorder_put(struct reorder *r, uint64_t ticket, const void *result)
{
	size_t place = place_of(r, ticket);

	if (!is_expected(r, ticket))
		return false;
	if (r->options.elem_size)
		memcpy(result_at(r, place), result, r->options.elem_size);
	r->states[place] = HERE;
	return true;
}

static void pass_over_skipped(struct reorder *r)
{
	while (r->first < r->next && r->states[place_of(r, r->first)] == SKIPPED)
		r->first++;
}

bool reorder_skip(struct reorder *r, uint64_t ticket)
{
	if (!is_expected(r, ticket))
		return false;
	r->states[place_of(r, ticket)] = SKIPPED;
	pass_over_skipped(r);
	return true;
}

bool reorder_take(struct reorder *r, void *result)
{
	size_t place = place_of(r, r->first);

	if (r->first == r->next || r->states[place] != HERE)
		return false;
	if (result && r->options.elem_size)
		memcpy(result, result_at(r, place), r->options.elem_size);
	r->first++;
	pass_over_skipped(r);
	return true;
}

size_t reorder_len(const struct reorder *r)
{
	return (size_t)(r->next - r->first);
}
