/* histories [OPTION]...: real threads do random things to a few channels; what they saw is judged.
 *
 *	--seconds S    how long (default 10)
 *	--threads N    of the long histories (default 4); the short ones have 3
 *	--calls N      of each thread of a long history (default 3000)
 *	--seed S       of the choices (default 1)
 *	--self-test    judges histories that are wrong, and ends with 0 if each is found out
 *
 * Half of the time goes to short histories, which are checked exactly, and half to long ones, which are searched for
 * patterns. Ends with 0 if all were right, 1 if not: then the history is printed, if it is short. */
#include "history.h"

#include "../../lib/random.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 64, SHORT_THREADS = 3, SHORT_CALLS = 4, ROOM = 8 };

struct settings {
	double seconds;
	uint32_t threads, calls;
	uint64_t seed;
};

struct party;

struct guest {
	struct party *party;
	struct log log;
	uint32_t number, next_value;
	uint64_t seed;
	pthread_t thread;
};

struct party {
	struct named c[HISTORY_CHANNELS];
	int channels;
	struct history history;
	_Atomic uint64_t clock;
	struct ctx *ctx;
	uint32_t guests, calls;
	bool closes;
	pthread_barrier_t start;
	struct guest guest[MOST_THREADS];
};

static moment shortly(void)
{
	return moment_in((int64_t)random_below(40) * MICROSECONDS);
}

static uint32_t new_value(struct guest *g)
{
	return (g->number + 1) * 10000000 + g->next_value++;
}

static struct named any(struct party *p)
{
	return p->c[random_below((uint32_t)p->channels)];
}

static void select_somehow(struct guest *g)
{
	struct party *p = g->party;
	struct named a = any(p), b = any(p);
	uint32_t out = new_value(g), other = new_value(g), in, in2;
	struct chan_case cases[] = {
		random_below(2) ? (struct chan_case)CHAN_SEND_CASE(a.chan, &out) : (struct chan_case)CHAN_RECV_CASE(a.chan, &in),
		random_below(2) ? (struct chan_case)CHAN_SEND_CASE(b.chan, &other) : (struct chan_case)CHAN_RECV_CASE(b.chan, &in2),
	};
	enum chan_status why;

	in = in2 = 0;
	did_select(&g->log, cases, (uint8_t[]){ a.number, b.number }, 2, random_below(4) == 0, random_below(4) ? NULL : p->ctx,
		random_below(2) ? NOW : shortly(), &why);
}

static void many_somehow(struct guest *g)
{
	uint32_t values[3], i;
	enum chan_status why;

	if (random_below(2)) {
		did_recv_many(&g->log, any(g->party), values, 3, &why);
		return;
	}
	for (i = 0; i < 3; i++)
		values[i] = new_value(g);
	did_send_many(&g->log, any(g->party), values, 3, &why);
}

static void act(struct guest *g)
{
	struct party *p = g->party;
	uint32_t value;

	switch (random_below(p->closes ? 13 : 12)) {
	case 0: case 1: did_try_send(&g->log, any(p), new_value(g)); break;
	case 2: case 3: did_try_recv(&g->log, any(p), &value); break;
	case 4: did_send(&g->log, any(p), new_value(g), NULL, shortly()); break;
	case 5: did_recv(&g->log, any(p), &value, NULL, shortly()); break;
	case 6: did_send(&g->log, any(p), new_value(g), p->ctx, shortly()); break;
	case 7: did_recv(&g->log, any(p), &value, p->ctx, shortly()); break;
	case 8: case 9: select_somehow(g); break;
	case 10: many_somehow(g); break;
	case 11:
		if (random_below(8) == 0)
			did_sweep_odd(&g->log, any(p));
		break;
	default: did_close(&g->log, any(p)); break;
	}
}

static void *guest_main(void *arg)
{
	struct guest *g = arg;
	uint32_t i;

	random_seed(g->seed);
	pthread_barrier_wait(&g->party->start);
	for (i = 0; i < g->party->calls; i++)
		act(g);
	return NULL;
}

static void drain(struct party *p, struct log *log)
{
	uint32_t value;
	int i;

	for (i = 0; i < p->channels; i++)
		while (did_try_recv(log, p->c[i], &value) == CHAN_OK)
			;
}

static void invite(struct party *p, const struct settings *settings, uint64_t round, bool small)
{
	uint32_t i;

	memset(p, 0, sizeof(*p));
	p->guests = small ? SHORT_THREADS : settings->threads;
	p->calls = small ? SHORT_CALLS : settings->calls;
	p->channels = small ? (int)random_below(2) + 1 : (int)random_below(3) + 1;
	p->closes = small && random_below(2);
	p->ctx = ctx_with_cancel(NULL);
	for (i = 0; i < (uint32_t)p->channels; i++) {
		size_t capacity = small ? random_below(4) : random_below(2) ? random_below(5) : random_below(100);
		p->c[i] = (struct named){ chan_new(sizeof(uint32_t), capacity), (uint8_t)i };
		p->history.capacity[i] = capacity;
	}
	pthread_barrier_init(&p->start, NULL, p->guests);
	for (i = 0; i < p->guests; i++) {
		struct guest *g = &p->guest[i];
		g->party = p;
		g->number = i;
		g->seed = settings->seed * 1000003 + round * 64 + i + 1;
		g->log = (struct log){ .clock = &p->clock, .room = (size_t)p->calls * ROOM + 256 };
		g->log.ops = malloc(g->log.room * sizeof(struct op));
	}
}

/* All logs in one, and what is left as well. */
static void collect(struct party *p)
{
	size_t count = 0;
	uint32_t i;

	drain(p, &p->guest[0].log);
	for (i = 0; i < p->guests; i++)
		count += p->guest[i].log.count;
	p->history.ops = malloc((count + 1) * sizeof(struct op));
	for (i = 0; i < p->guests; i++) {
		memcpy(p->history.ops + p->history.count, p->guest[i].log.ops, p->guest[i].log.count * sizeof(struct op));
		p->history.count += p->guest[i].log.count;
		free(p->guest[i].log.ops);
	}
}

static void dismiss(struct party *p)
{
	int i;

	for (i = 0; i < p->channels; i++)
		chan_unref(p->c[i].chan);
	ctx_unref(p->ctx);
	pthread_barrier_destroy(&p->start);
	free(p->history.ops);
}

static bool judge(struct party *p, uint64_t round, bool small)
{
	const char *wrong = history_patterns(&p->history, true);

	if (!wrong && small)
		wrong = history_linear(&p->history);
	if (!wrong)
		return true;
	printf("FAILED history %llu, %u threads: %s\n", (unsigned long long)round, p->guests, wrong);
	if (small)
		history_print(&p->history);
	return false;
}

static bool celebrate(struct party *p, const struct settings *settings, uint64_t round, bool small, uint64_t *calls)
{
	uint32_t i;
	bool right;

	invite(p, settings, round, small);
	for (i = 0; i < p->guests; i++)
		if (pthread_create(&p->guest[i].thread, NULL, guest_main, &p->guest[i]) != 0)
			abort();
	if (random_below(3) == 0)
		ctx_cancel(p->ctx);
	for (i = 0; i < p->guests; i++)
		pthread_join(p->guest[i].thread, NULL);
	collect(p);
	right = judge(p, round, small);
	*calls += p->history.count;
	dismiss(p);
	return right;
}

static bool celebrate_for(const struct settings *settings, bool small)
{
	moment until = moment_in((int64_t)(settings->seconds / 2 * 1e9));
	struct party *p = malloc(sizeof(*p));
	uint64_t round = 0, calls = 0;
	bool right = true;

	random_seed(settings->seed);
	while (right && !moment_reached(until))
		right = celebrate(p, settings, round++, small, &calls);
	if (right)
		printf("ok     %llu %s histories of %u threads, %llu calls\n", (unsigned long long)round, small ? "short" : "long",
			small ? SHORT_THREADS : settings->threads, (unsigned long long)calls);
	fflush(stdout);
	free(p);
	return right;
}

/* The judges judged. */

struct wrong {
	const char *what;
	size_t capacity, count;
	struct op ops[6];
	bool only_exact;
};

#define SENT(call, ret, value) { call, ret, value, DID_SEND, 0, CHAN_OK, false, false }
#define GOT(call, ret, value) { call, ret, value, DID_RECV, 0, CHAN_OK, false, false }
#define SAID(call, ret, kind, status) { call, ret, 99, kind, 0, status, false, false }

static const struct wrong wrongs[] = {
	{ "from nowhere", 2, 1, { GOT(1, 2, 5) }, false },
	{ "twice", 2, 3, { SENT(1, 2, 5), GOT(3, 4, 5), GOT(5, 6, 5) }, false },
	{ "before it was sent", 2, 2, { GOT(1, 2, 5), SENT(3, 4, 5) }, false },
	{ "overtaken", 2, 4, { SENT(1, 2, 5), SENT(3, 4, 6), GOT(5, 6, 6), GOT(7, 8, 5) }, false },
	{ "empty though not", 2, 3, { SENT(1, 2, 5), SAID(3, 4, DID_RECV, CHAN_WOULD_BLOCK), GOT(5, 6, 5) }, false },
	{ "empty though one or the other was inside", 2, 5,
		{ SENT(1, 2, 5), SENT(3, 4, 6), SAID(5, 12, DID_RECV, CHAN_WOULD_BLOCK), GOT(8, 9, 5), GOT(13, 14, 6) }, false },
	{ "full though not", 2, 3, { SENT(1, 2, 5), SAID(3, 4, DID_SEND, CHAN_WOULD_BLOCK), GOT(5, 6, 5) }, false },
	{ "more than fits", 1, 4, { SENT(1, 2, 5), SENT(3, 4, 6), GOT(5, 6, 5), GOT(7, 8, 6) }, false },
	{ "did not meet", 0, 2, { SENT(1, 2, 5), GOT(3, 4, 5) }, false },
	{ "sent after the close", 2, 3, { SAID(1, 2, DID_CLOSE, CHAN_OK), SENT(3, 4, 5), GOT(5, 6, 5) }, false },
	{ "closed before it was", 2, 2, { SAID(1, 2, DID_RECV, CHAN_CLOSED), SAID(3, 4, DID_CLOSE, CHAN_OK) }, false },
	{ "lost at the close", 2, 3, { SENT(1, 2, 5), SAID(3, 4, DID_CLOSE, CHAN_OK), SAID(5, 6, DID_RECV, CHAN_CLOSED) }, false },
	{ "open after a send had seen it closed", 2, 3, { SAID(1, 9, DID_CLOSE, CHAN_OK), SAID(2, 3, DID_SEND, CHAN_CLOSED),
		SAID(4, 5, DID_RECV, CHAN_WOULD_BLOCK) }, true },
};

static const struct wrong rights[] = {
	{ "a queue", 1, 4, { SENT(1, 2, 5), SENT(3, 6, 6), GOT(4, 5, 5), GOT(7, 8, 6) }, false },
	{ "a meeting", 0, 2, { SENT(1, 3, 5), GOT(2, 4, 5) }, false },
	{ "empty in between", 1, 5, { SENT(1, 2, 5), GOT(3, 6, 5), SAID(4, 7, DID_RECV, CHAN_WOULD_BLOCK), SENT(5, 9, 6), GOT(8, 10, 6) }, false },
};

static bool verdict_is(const struct wrong *w, bool should)
{
	struct op ops[6];
	struct history h = { .capacity = { w->capacity }, .ops = ops, .count = w->count };
	bool exact, patterns;

	memcpy(ops, w->ops, sizeof(ops));
	exact = history_linear(&h) == NULL;
	patterns = history_patterns(&h, true) == NULL;
	if (exact == should && (patterns == should || w->only_exact))
		return true;
	printf("FAILED the judges on '%s': exact %d, patterns %d\n", w->what, exact, patterns);
	return false;
}

static int self_test(void)
{
	size_t i, failed = 0;

	for (i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++)
		failed += !verdict_is(&wrongs[i], false);
	for (i = 0; i < sizeof(rights) / sizeof(*rights); i++)
		failed += !verdict_is(&rights[i], true);
	if (!failed)
		printf("ok     the judges find out %zu wrong histories and let %zu right ones pass\n", sizeof(wrongs) / sizeof(*wrongs),
			sizeof(rights) / sizeof(*rights));
	return failed > 0;
}

static bool set(struct settings *settings, const char *name, const char *value)
{
	if (strcmp(name, "--seconds") == 0)
		settings->seconds = atof(value);
	else if (strcmp(name, "--threads") == 0)
		settings->threads = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(name, "--calls") == 0)
		settings->calls = (uint32_t)strtoul(value, NULL, 10);
	else if (strcmp(name, "--seed") == 0)
		settings->seed = strtoull(value, NULL, 10);
	else
		return false;
	return settings->threads > 0 && settings->threads <= MOST_THREADS;
}

int main(int argc, char **argv)
{
	struct settings settings = { .seconds = 10, .threads = 4, .calls = 3000, .seed = 1 };
	bool right;
	int i;

	if (argc == 2 && strcmp(argv[1], "--self-test") == 0)
		return self_test();
	for (i = 1; i < argc; i += 2)
		if (i + 1 == argc || !set(&settings, argv[i], argv[i + 1]))
			return fprintf(stderr, "histories: not understood: %s\n", argv[i]), 2;
	right = celebrate_for(&settings, true);
	right &= celebrate_for(&settings, false);
	return right ? 0 : 1;
}
