/* Many threads do everything at once to a few channels; afterwards the books must balance. LEAT_SEED starts the random
 * choices elsewhere, LEAT_ROUNDS repeats them with so many seeds. */
#include "blocked.h"
#include "../../lib/random.h"
#include "../../lib/sanitized.h"

#include <stdlib.h>

static unsigned setting(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

enum { MOST = 4, ELEMENTS = IS_SANITIZED ? 500 : 1500, BATCH = 5 };

/* One channel, P producers, C consumers, someone who cancels all the time, and perhaps one who closes too early. */
struct storm {
	struct chan *chan;
	uint32_t producers, consumers, seed;
	bool close_early;
	struct lock lock;          /* guards ctx */
	struct ctx *ctx;
	shim_u32 producing, consuming;   /* give each thread its number */
	shim_u32 received, over, disorder;
	uint32_t sent[MOST];       /* each producer's own */
	shim_u32 seen[MOST * ELEMENTS];
};

static moment shortly(void)
{
	return moment_in(random_below(30) * MICROSECONDS);
}

static struct ctx *current_ctx(struct storm *s)
{
	struct ctx *ctx;

	lock_acquire(&s->lock);
	ctx = ctx_ref(s->ctx);
	lock_release(&s->lock);
	return ctx;
}

static void *cancel_main(void *arg)
{
	struct storm *s = arg;

	while (!shim_load(&s->over, relaxed)) {
		struct ctx *next = ctx_with_cancel(NULL), *last;
		lock_acquire(&s->lock);
		last = s->ctx;
		s->ctx = next;
		lock_release(&s->lock);
		ctx_cancel(last);
		ctx_unref(last);
		sched_yield();
	}
	return NULL;
}

/* The case that stands beside the one that is meant: something that ends the select before long. */
static enum chan_status select_one(struct chan_case one)
{
	struct chan *timer = chan_after(shortly());
	struct chan_case cases[] = { CHAN_RECV_CASE((struct chan *)NULL, (int *)NULL), one, CHAN_RECV_CASE(timer, (moment *)NULL) };
	enum chan_status why;
	int index = random_below(2) ? chan_select(cases, 3, NULL, FOREVER, &why) : chan_select_ordered(cases, 3, NULL, shortly(), &why);

	chan_unref(timer);
	if (index < 0)
		return why;
	return index == 1 ? cases[1].status : CHAN_TIMED_OUT;
}

/* Sends values[0], or the first few of n, in one of many ways. */
static enum chan_status send_somehow(struct storm *s, const uint32_t *values, size_t n, size_t *sent)
{
	enum chan_status status = CHAN_OK;
	struct ctx *ctx;

	switch (random_below(6)) {
	case 0: status = chan_send(s->chan, values, NULL, FOREVER); break;
	case 1: status = chan_try_send(s->chan, values); break;
	case 2: status = chan_send(s->chan, values, NULL, shortly()); break;
	case 3: status = select_one((struct chan_case)CHAN_SEND_CASE(s->chan, values)); break;
	case 4:
		ctx = current_ctx(s);
		status = chan_send(s->chan, values, ctx, FOREVER);
		ctx_unref(ctx);
		break;
	default:
		*sent = chan_try_send_many(s->chan, values, n, &status);
		return status;
	}
	*sent = status == CHAN_OK;
	return status;
}

static enum chan_status recv_somehow(struct storm *s, uint32_t *values, size_t *received)
{
	enum chan_status status = CHAN_OK;
	struct ctx *ctx;

	switch (random_below(6)) {
	case 0: status = chan_recv(s->chan, values, NULL, FOREVER); break;
	case 1: status = chan_try_recv(s->chan, values); break;
	case 2: status = chan_recv(s->chan, values, NULL, shortly()); break;
	case 3: status = select_one((struct chan_case)CHAN_RECV_CASE(s->chan, values)); break;
	case 4:
		ctx = ctx_with_deadline(NULL, shortly());
		status = chan_recv(s->chan, values, ctx, FOREVER);
		ctx_unref(ctx);
		break;
	default:
		*received = chan_try_recv_many(s->chan, values, BATCH, &status);
		return status;
	}
	*received = status == CHAN_OK;
	return status;
}

static void *produce(void *arg)
{
	struct storm *s = arg;
	uint32_t me = shim_add(&s->producing, 1, relaxed), i = 0, k, values[BATCH];
	enum chan_status status = CHAN_OK;
	size_t sent;

	random_seed(s->seed * 1000 + me);
	while (i < ELEMENTS && status != CHAN_CLOSED) {
		uint32_t n = ELEMENTS - i < BATCH ? ELEMENTS - i : BATCH;
		for (k = 0; k < n; k++)
			values[k] = me * ELEMENTS + i + k;
		status = send_somehow(s, values, n, &sent);
		i += (uint32_t)sent;
		if (status == CHAN_WOULD_BLOCK)
			sched_yield();
	}
	s->sent[me] = i;
	return NULL;
}

/* The elements of one producer come in order, whatever comes between. */
static void account(struct storm *s, const uint32_t *values, size_t n, int64_t *last)
{
	size_t k;

	for (k = 0; k < n; k++) {
		uint32_t from = values[k] / ELEMENTS;
		if (from >= s->producers || values[k] <= last[from])
			shim_add(&s->disorder, 1, relaxed);
		else
			last[from] = values[k];
		shim_add(&s->seen[values[k] % countof(s->seen)], 1, relaxed);
	}
	if (shim_add(&s->received, (uint32_t)n, relaxed) > ELEMENTS / 2 && s->close_early)
		chan_close(s->chan);
}

static void *consume(void *arg)
{
	struct storm *s = arg;
	int64_t last[MOST] = { -1, -1, -1, -1 };
	enum chan_status status = CHAN_OK;
	uint32_t values[BATCH];
	size_t received;

	random_seed(s->seed * 1000 + 500 + shim_add(&s->consuming, 1, relaxed));
	while (status != CHAN_CLOSED) {
		status = recv_somehow(s, values, &received);
		account(s, values, received, last);
		if (status == CHAN_WOULD_BLOCK)
			sched_yield();
	}
	return NULL;
}

static void check_books(struct storm *s)
{
	uint32_t p, i;

	ck_assert_uint_eq(shim_load(&s->disorder, relaxed), 0);
	for (p = 0; p < s->producers; p++)
		for (i = 0; i < ELEMENTS; i++)
			ck_assert_msg(shim_load(&s->seen[p * ELEMENTS + i], relaxed) == (i < s->sent[p]),
				"seed %u, %u:%u, capacity %zu: element %u of producer %u, who sent %u, came %u times", s->seed, s->producers,
				s->consumers, chan_cap(s->chan), i, p, s->sent[p], shim_load(&s->seen[p * ELEMENTS + i], relaxed));
}

static void run_storm(uint32_t producers, uint32_t consumers, size_t capacity, unsigned flags, bool close_early, uint32_t seed)
{
	struct chan_options options = { .elem_size = sizeof(uint32_t), .capacity = capacity, .flags = flags };
	struct storm *s = calloc(1, sizeof(*s));
	pthread_t threads[2 * MOST], canceller;
	uint32_t i;

	*s = (struct storm){
		.chan = chan_new_with(&options), .producers = producers, .consumers = consumers,
		.close_early = close_early, .seed = seed, .ctx = ctx_with_cancel(NULL),
	};
	canceller = thread_start(cancel_main, s);
	for (i = 0; i < producers; i++)
		threads[i] = thread_start(produce, s);
	for (i = 0; i < consumers; i++)
		threads[producers + i] = thread_start(consume, s);
	for (i = 0; i < producers; i++)
		thread_join(threads[i]);
	chan_close(s->chan);
	for (i = 0; i < consumers; i++)
		thread_join(threads[producers + i]);
	shim_store(&s->over, 1, relaxed);
	thread_join(canceller);
	check_books(s);
	ck_assert_uint_eq(chan_len(s->chan) + receivers_of(s->chan) + senders_of(s->chan), 0);
	chan_unref(s->chan);
	ctx_unref(s->ctx);
	free(s);
}

static void run_storms(bool close_early)
{
	static const size_t capacities[] = { 0, 1, 2, 7, 64 };
	static const uint32_t crowds[][2] = { { 1, 1 }, { 4, 1 }, { 1, 4 }, { 3, 3 } };
	uint32_t seed = setting("LEAT_SEED", 1), last = seed + setting("LEAT_ROUNDS", 2);
	size_t c, k;

	for (; seed < last; seed++)
		for (c = 0; c < countof(capacities); c++)
			for (k = 0; k < countof(crowds); k++)
				run_storm(crowds[k][0], crowds[k][1], capacities[c], 0, close_early, seed);
}

/* The same with the promises that the crowd allows. */
static void run_single_storms(bool close_early)
{
	static const size_t capacities[] = { 0, 1, 2, 64 };
	static const uint32_t crowds[][2] = { { 1, 1 }, { 4, 1 }, { 1, 4 } };
	uint32_t seed = setting("LEAT_SEED", 1), last = seed + setting("LEAT_ROUNDS", 2);
	size_t c, k;

	for (; seed < last; seed++)
		for (c = 0; c < countof(capacities); c++)
			for (k = 0; k < countof(crowds); k++)
				run_storm(crowds[k][0], crowds[k][1], capacities[c], (crowds[k][0] == 1 ? CHAN_SINGLE_PRODUCER : 0) |
					(crowds[k][1] == 1 ? CHAN_SINGLE_CONSUMER : 0), close_early, seed);
}

START_TEST(single_producers_and_consumers_lose_nothing_either)
{
	run_single_storms(false);
}
END_TEST

START_TEST(closing_on_a_single_producer_delivers_what_was_accepted_and_no_more)
{
	run_single_storms(true);
}
END_TEST

START_TEST(no_element_is_lost_or_doubled_and_each_producers_stay_in_order)
{
	run_storms(false);
}
END_TEST

START_TEST(closing_in_the_middle_delivers_what_was_accepted_and_no_more)
{
	run_storms(true);
}
END_TEST

/* Everyone selects in both directions over the same few channels. */
enum { CHANNELS = 4, SELECTORS = 4, SELECTS = 3000 };

struct exchange {
	struct chan *chans[CHANNELS];
	shim_u32 threads, seed;
	shim_u32 sent[SELECTORS * SELECTS], seen[SELECTORS * SELECTS];
};

static struct chan_case some_case(struct exchange *x, uint32_t *in, uint32_t *out)
{
	struct chan *c = random_below(9) ? x->chans[random_below(CHANNELS)] : NULL;

	return random_below(2) ? (struct chan_case)CHAN_SEND_CASE(c, in) : (struct chan_case)CHAN_RECV_CASE(c, out);
}

static void *exchange_main(void *arg)
{
	struct exchange *x = arg;
	uint32_t me = shim_add(&x->threads, 1, relaxed), i, in, out;

	random_seed(shim_load(&x->seed, relaxed) * 1000 + me);
	for (i = 0; i < SELECTS; i++) {
		struct chan_case cases[10];
		int n = (int)random_below(10) + 1, k, index;
		in = me * SELECTS + i;
		for (k = 0; k < n; k++)
			cases[k] = some_case(x, &in, &out);
		index = chan_select(cases, n, NULL, random_below(4) ? shortly() : NOW, NULL);
		if (index < 0)
			continue;
		if (cases[index].op == CHAN_OP_SEND)
			shim_add(&x->sent[in], 1, relaxed);
		else
			shim_add(&x->seen[out % countof(x->seen)], 1, relaxed);
	}
	return NULL;
}

static void drain(struct exchange *x)
{
	uint32_t value;
	int i;

	for (i = 0; i < CHANNELS; i++) {
		ck_assert_uint_eq(receivers_of(x->chans[i]) + senders_of(x->chans[i]), 0);
		while (chan_try_recv(x->chans[i], &value) == CHAN_OK)
			shim_add(&x->seen[value], 1, relaxed);
		chan_unref(x->chans[i]);
	}
}

static void run_exchange(uint32_t seed)
{
	struct exchange *x = calloc(1, sizeof(*x));
	pthread_t threads[SELECTORS];
	uint32_t i;

	shim_store(&x->seed, seed, relaxed);
	for (i = 0; i < CHANNELS; i++)
		x->chans[i] = chan_new(sizeof(uint32_t), i / 2);
	for (i = 0; i < SELECTORS; i++)
		threads[i] = thread_start(exchange_main, x);
	for (i = 0; i < SELECTORS; i++)
		thread_join(threads[i]);
	drain(x);
	for (i = 0; i < countof(x->sent); i++)
		ck_assert_msg(shim_load(&x->sent[i], relaxed) == shim_load(&x->seen[i], relaxed), "seed %u: %u was sent %u times and came %u times",
			seed, i, shim_load(&x->sent[i], relaxed), shim_load(&x->seen[i], relaxed));
	free(x);
}

START_TEST(selects_of_everyone_with_everyone_balance)
{
	uint32_t seed = setting("LEAT_SEED", 1), last = seed + setting("LEAT_ROUNDS", 2) * 4;

	for (; seed < last; seed++)
		run_exchange(seed);
}
END_TEST

/* Two threads that offer and ask at the same time on one unbuffered channel: each meeting is one send and one receive. */
enum { MEETINGS = 5000 };

struct dance {
	struct chan *chan;
	struct ctx *ctx;
	shim_u32 sends, receives, wrong;
};

static void *dance_main(void *arg)
{
	struct dance *d = arg;
	uint32_t in = (uint32_t)(uintptr_t)&d, out;
	enum chan_status why;

	for (;;) {
		struct chan_case cases[] = { CHAN_SEND_CASE(d->chan, &in), CHAN_RECV_CASE(d->chan, &out) };
		int index = chan_select(cases, 2, d->ctx, FOREVER, &why);
		if (index < 0)
			return NULL;
		if (index == 1 && out == in)
			shim_add(&d->wrong, 1, relaxed);
		if (shim_add(index == 0 ? &d->sends : &d->receives, 1, relaxed) > MEETINGS)
			ctx_cancel(d->ctx);
	}
}

START_TEST(selects_that_offer_and_ask_meet_one_to_one)
{
	struct dance d = { .chan = chan_new(sizeof(uint32_t), 0), .ctx = ctx_with_cancel(NULL) };
	pthread_t threads[4];
	size_t i, pairs;

	for (pairs = 1; pairs <= 2; pairs++) {
		for (i = 0; i < 2 * pairs; i++)
			threads[i] = thread_start(dance_main, &d);
		for (i = 0; i < 2 * pairs; i++)
			thread_join(threads[i]);
		ck_assert_uint_eq(shim_load(&d.sends, relaxed), shim_load(&d.receives, relaxed));
		ck_assert_uint_eq(shim_load(&d.wrong, relaxed), 0);
		ctx_unref(d.ctx);
		d = (struct dance){ .chan = d.chan, .ctx = ctx_with_cancel(NULL) };
	}
	ctx_unref(d.ctx);
	chan_unref(d.chan);
}
END_TEST

/* Go's prime sieve: a thread for each prime, all joined by unbuffered channels. */
struct stage {
	struct chan *in, *out;
	struct ctx *ctx;
	int prime;
};

static void *count_main(void *arg)
{
	struct stage *s = arg;
	int i;

	for (i = 2; chan_send(s->out, &i, s->ctx, FOREVER) == CHAN_OK; i++)
		;
	return NULL;
}

static void *filter_main(void *arg)
{
	struct stage *s = arg;
	int i;

	while (chan_recv(s->in, &i, s->ctx, FOREVER) == CHAN_OK)
		if (i % s->prime && chan_send(s->out, &i, s->ctx, FOREVER) != CHAN_OK)
			break;
	return NULL;
}

START_TEST(the_prime_sieve_sieves_and_is_cancelled)
{
	static const int primes[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53 };
	struct stage stages[countof(primes) + 1] = { 0 };
	pthread_t threads[countof(primes) + 1];
	struct ctx *ctx = ctx_with_cancel(NULL);
	size_t i;

	stages[0] = (struct stage){ .out = chan_new(sizeof(int), 0), .ctx = ctx };
	threads[0] = thread_start(count_main, &stages[0]);
	for (i = 0; i < countof(primes); i++) {
		struct stage *s = &stages[i + 1];
		*s = (struct stage){ .in = stages[i].out, .out = chan_new(sizeof(int), 0), .ctx = ctx };
		ck_assert_status(chan_recv(s->in, &s->prime, NULL, SOON), CHAN_OK);
		ck_assert_int_eq(s->prime, primes[i]);
		threads[i + 1] = thread_start(filter_main, s);
	}
	ctx_cancel(ctx);
	for (i = 0; i < countof(threads); i++)
		thread_join(threads[i]);
	for (i = 0; i < countof(threads); i++)
		chan_unref(stages[i].out);
	ctx_unref(ctx);
}
END_TEST

Suite *chan_stress_suite(void);

Suite *chan_stress_suite(void)
{
	const TTest *tests[] = {
		no_element_is_lost_or_doubled_and_each_producers_stay_in_order,
		closing_in_the_middle_delivers_what_was_accepted_and_no_more,
		single_producers_and_consumers_lose_nothing_either,
		closing_on_a_single_producer_delivers_what_was_accepted_and_no_more,
		selects_of_everyone_with_everyone_balance,
		selects_that_offer_and_ask_meet_one_to_one,
		the_prime_sieve_sieves_and_is_cancelled,
	};
	return suite_of("chan_stress", tests, countof(tests));
}
