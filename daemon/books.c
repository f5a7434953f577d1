#include "books.h"

#include <stdlib.h>
#include <string.h>

#define US MICROSECONDS
#define MS MILLISECONDS
#define S SECONDS

const int64_t histogram_bounds[HISTOGRAM_BUCKETS - 1] = {
	50 * US, 100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS,
	100 * MS, 250 * MS, 500 * MS, 1 * S, 2500 * MS, 5 * S, 10 * S, 30 * S, 60 * S,
};

static void count(shim_u64 *counter, uint64_t n)
{
	shim_add(counter, n, relaxed);
}

static void observe(struct histogram *h, int64_t ns)
{
	size_t i = 0;

	while (i < countof(histogram_bounds) && ns > histogram_bounds[i])
		i++;
	count(&h->buckets[i], 1);
	count(&h->sum_ns, (uint64_t)ns);
}

/* Where in bucket `i` the rank is, of which there are `inside`, `before` it and all; the open one is as good as its bound. */
static int64_t interpolate(size_t i, double before, double inside, double rank)
{
	int64_t from = i > 0 ? histogram_bounds[i - 1] : 0;

	if (i == countof(histogram_bounds))
		return from;
	return from + (int64_t)((double)(histogram_bounds[i] - from) * (rank - before) / inside);
}

int64_t histogram_percentile(const struct histogram *h, unsigned percent)
{
	uint64_t copy[HISTOGRAM_BUCKETS];
	double total = 0, before = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += (double)(copy[i] = shim_load(&h->buckets[i], relaxed));
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double inside = (double)copy[i];

		if (inside > 0 && before + inside >= total * percent / 100)
			return interpolate(i, before, inside, total * percent / 100);
		before += inside;
	}
	return 0;
}

struct books *books_new(void)
{
	struct books *b = aligned_alloc(CACHE_LINE, sizeof(*b));

	if (!b)
		return NULL;
	memset(b, 0, sizeof(*b));
	shim_store(&b->references, 1, relaxed);
	return b;
}

struct books *books_ref(struct books *b)
{
	shim_add(&b->references, 1, relaxed);
	return b;
}

void books_unref(struct books *b)
{
	if (b && shim_sub(&b->references, 1, acq_rel) == 1)
		free(b);
}

bool books_take_places(struct books *b, uint64_t n, uint64_t places)
{
	uint64_t inside = shim_load(&b->inside, relaxed);

	count(&b->submitted, n);
	do {
		if (n > places || inside > places - n)
			return false;
	} while (!shim_cas(&b->inside, &inside, inside + n, relaxed));
	return true;
}

void books_refuse(struct books *b, enum refusal why, uint64_t n, bool had_places)
{
	count(&b->refused[why], n);
	if (had_places)
		shim_sub(&b->inside, n, relaxed);
}

/* One word, so that both are of one instant: the count below, above it the sum of the starts in about microseconds. The sum may wrap,
 * since what is wanted is a difference; the count cannot, since no type may have so many runners. */
enum { RUNNING_COUNT_BITS = 13, RUNNING_UNIT_BITS = 10 };

static uint64_t running_one(moment started)
{
	return ((uint64_t)started >> RUNNING_UNIT_BITS << RUNNING_COUNT_BITS) + 1;
}

static uint64_t running_count(uint64_t word)
{
	return word & ((UINT64_C(1) << RUNNING_COUNT_BITS) - 1);
}

struct books_running books_running(const struct books *b, moment now)
{
	uint64_t word = shim_load(&b->running, relaxed);
	uint64_t count = running_count(word);
	int64_t units = (int64_t)((count * (running_one(now) - 1)) - (word - count)) >> RUNNING_COUNT_BITS;

	/* Below 0: they have started since the caller took the time. */
	return (struct books_running){ count, units > 0 ? units << RUNNING_UNIT_BITS : 0 };
}

uint64_t books_inside(const struct books *b)
{
	return shim_load(&b->inside, relaxed);
}

uint64_t books_in_line(const struct books *b)
{
	uint64_t inside = books_inside(b), held_back = shim_load(&b->held_back, relaxed);

	/* Less: the last of them are just being ended. */
	return inside > held_back ? inside - held_back : 0;
}

void books_hold_back(struct books *b, int64_t change)
{
	count(&b->held_back, (uint64_t)change);
}

void books_start(struct books *b, moment arrived, moment started)
{
	count(&b->running, running_one(started));
	observe(&b->queued, started - arrived);
}

void books_end_waiting(struct books *b, enum outcome how)
{
	count(&b->ended[how], 1);
	shim_sub(&b->inside, 1, relaxed);
}

void books_end_running(struct books *b, enum outcome how, moment started, moment ended)
{
	observe(&b->ran, ended - started);
	count(&b->ended[how], 1);
	shim_sub(&b->running, running_one(started), relaxed);
	shim_sub(&b->inside, 1, relaxed);
}

void books_abandon(struct books *b, int change)
{
	count(&b->abandoned, (uint64_t)(int64_t)change);
}

void books_end_abandoned(struct books *b, moment started, moment ended)
{
	shim_sub(&b->abandoned, 1, relaxed);
	books_end_running(b, OUTCOME_timeout, started, ended);
}

struct books_copy books_read(const struct books *b)
{
	struct books_copy copy = { .submitted = shim_load(&b->submitted, relaxed),
				   .running = running_count(shim_load(&b->running, relaxed)),
				   .abandoned = shim_load(&b->abandoned, relaxed) };
	uint64_t inside = shim_load(&b->inside, relaxed);

	/* The two were not read at one instant. */
	copy.waiting = inside > copy.running ? inside - copy.running : 0;
	for (size_t i = 0; i < REFUSALS; i++)
		copy.refused[i] = shim_load(&b->refused[i], relaxed);
	for (size_t i = 0; i < OUTCOMES; i++)
		copy.ended[i] = shim_load(&b->ended[i], relaxed);
	return copy;
}

static const char *const refusal_names[] = {
#define REFUSAL(name, words) #name,
#define OUTCOME(name)
#include "books.def"
#undef REFUSAL
#undef OUTCOME
};
static const char *const refusal_sentences[] = {
#define REFUSAL(name, words) words,
#define OUTCOME(name)
#include "books.def"
#undef REFUSAL
#undef OUTCOME
};
static const char *const outcome_names[] = {
#define REFUSAL(name, words)
#define OUTCOME(name) #name,
#include "books.def"
#undef REFUSAL
#undef OUTCOME
};

const char *refusal_name(enum refusal why)
{
	return refusal_names[why];
}

const char *refusal_words(enum refusal why)
{
	return refusal_sentences[why];
}

const char *outcome_name(enum outcome how)
{
	return outcome_names[how];
}
