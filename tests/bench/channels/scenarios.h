/* The scenarios of the channel benchmark in C. Its peers in other languages (go/, crossbeam/) do and count the same.
 *
 *	PROGRAM SCENARIO
 *
 * runs one for BENCH_MS milliseconds (700) and prints `SCENARIO NS_PER_OP CPU_NS_PER_OP VOLUNTARY_SWITCHES OPS`. CPU time and
 * voluntary context switches are those of the whole process. THREADS_X8=1: eight times as many threads on each side.
 *
 * Clients go on until they are told to stop, servers until the queue is closed. Clients look whether they are to stop
 * once in BATCH operations, so that this costs nothing. What was sent and what was received must add up.
 *
 * A program defines `struct queue` and the functions below, CAN_MEET (capacity 0), CAN_TRY and CAN_SELECT if it can, then includes
 * this file. Elements are of 8 bytes. */
#ifndef LEAT_SCENARIOS_H
#define LEAT_SCENARIOS_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static struct queue *queue_new(size_t capacity, bool single);  /* single: at most one thread sends, and one receives */
static void queue_send(struct queue *, uint64_t value);
static bool queue_recv(struct queue *, uint64_t *value);       /* false: closed, and nothing is left */
static void queue_close(struct queue *);                       /* all clients have ended */
#ifdef CAN_TRY
static bool queue_try_send(struct queue *, uint64_t value);
#endif
#ifdef CAN_SELECT
/* Receives from one of the two that has something, and sets those to NULL that it finds closed; false: both are. */
static bool queue_select(struct queue *[2], uint64_t *value);
#endif

enum { BATCH = 64, MOST_THREADS = 64 };

struct bench {
	struct queue *there, *back;
	_Atomic bool stop;
};

struct worker {
	struct bench *bench;
	pthread_t thread;
	uint64_t ops, sum;
};

struct scenario {
	const char *name;
	void *(*client)(void *worker);
	void *(*server)(void *worker);
	unsigned clients, servers;
	size_t capacity;
	bool single;
};

static void must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "%s\n", what);
		exit(1);
	}
}

static bool must_go_on(struct bench *b)
{
	return !atomic_load_explicit(&b->stop, memory_order_relaxed);
}

static void *send_stream(void *arg)
{
	struct worker *w = arg;
	struct queue *q = w->bench->there;
	uint64_t ops = 0, sum = 0;
	int i;

	while (must_go_on(w->bench)) {
		for (i = 0; i < BATCH; i++) {
			queue_send(q, ops);
			sum += ops++;
		}
	}
	w->ops = ops;
	w->sum = sum;
	return NULL;
}

static void *recv_stream(void *arg)
{
	struct worker *w = arg;
	struct queue *q = w->bench->there;
	uint64_t ops = 0, sum = 0, value;

	while (queue_recv(q, &value)) {
		ops++;
		sum += value;
	}
	w->ops = ops;
	w->sum = sum;
	return NULL;
}

static void *send_and_recv(void *arg)
{
	struct worker *w = arg;
	struct queue *q = w->bench->there;
	uint64_t ops = 0, sum = 0, value;
	int i;

	while (must_go_on(w->bench)) {
		for (i = 0; i < BATCH; i++) {
			queue_send(q, ops);
			must(queue_recv(q, &value), "closed?");
			sum += value - ops++;
		}
	}
	w->ops = ops;
	w->sum = sum;
	return NULL;
}

#ifdef CAN_TRY
static void *try_on_full(void *arg)
{
	struct worker *w = arg;
	struct queue *q = w->bench->there;
	uint64_t ops = 0, accepted = 0;
	int i;

	while (queue_try_send(q, 0))
		continue;
	while (must_go_on(w->bench)) {
		for (i = 0; i < BATCH; i++)
			accepted += queue_try_send(q, ops++);
	}
	w->ops = ops;
	w->sum = accepted;
	return NULL;
}
#endif

#ifdef CAN_SELECT
static void *send_and_select(void *arg)
{
	struct worker *w = arg;
	struct queue *q[2] = { w->bench->there, w->bench->back };
	uint64_t ops = 0, sum = 0, value;
	int i;

	while (must_go_on(w->bench)) {
		for (i = 0; i < BATCH; i++) {
			queue_send(q[i % 2], ops);
			must(queue_select(q, &value), "closed?");
			sum += value - ops++;
		}
	}
	w->ops = ops;
	w->sum = sum;
	return NULL;
}

static void *send_to_both(void *arg)
{
	struct worker *w = arg;
	struct queue *q[2] = { w->bench->there, w->bench->back };
	uint64_t ops = 0, sum = 0;
	int i;

	while (must_go_on(w->bench)) {
		for (i = 0; i < BATCH; i++) {
			queue_send(q[i % 2], ops);
			sum += ops++;
		}
	}
	w->ops = ops;
	w->sum = sum;
	return NULL;
}

static void *select_both(void *arg)
{
	struct worker *w = arg;
	struct queue *q[2] = { w->bench->there, w->bench->back };
	uint64_t ops = 0, sum = 0, value;

	while (queue_select(q, &value)) {
		ops++;
		sum += value;
	}
	w->ops = ops;
	w->sum = sum;
	return NULL;
}
#endif

#ifdef CAN_MEET
static void *ask(void *arg)
{
	struct worker *w = arg;
	struct bench *b = w->bench;
	uint64_t ops = 0, sum = 0, value;
	int i;

	while (must_go_on(b)) {
		for (i = 0; i < BATCH; i++) {
			queue_send(b->there, ops++);
			must(queue_recv(b->back, &value), "closed?");
			sum += value;
		}
	}
	w->ops = ops;
	w->sum = sum;
	return NULL;
}

static void *answer(void *arg)
{
	struct worker *w = arg;
	struct bench *b = w->bench;
	uint64_t ops = 0, sum = 0, value;

	while (queue_recv(b->there, &value)) {
		ops++;
		sum += value;
		queue_send(b->back, value);
	}
	w->ops = ops;
	w->sum = sum;
	return NULL;
}
#endif

static const struct scenario scenarios[] = {
	{ "spsc128", send_stream, recv_stream, 1, 1, 128, true },
	{ "spsc1024", send_stream, recv_stream, 1, 1, 1024, true },
	{ "mpmc11_128", send_stream, recv_stream, 1, 1, 128, false },
	{ "mpmc11_1024", send_stream, recv_stream, 1, 1, 1024, false },
	{ "mpmc44_128", send_stream, recv_stream, 4, 4, 128, false },
	{ "fanin41_128", send_stream, recv_stream, 4, 1, 128, false },
	{ "fanout14_128", send_stream, recv_stream, 1, 4, 128, false },
	{ "selfsendrecv", send_and_recv, NULL, 1, 0, 128, false },
#ifdef CAN_TRY
	{ "tryfull", try_on_full, NULL, 1, 0, 128, false },
#endif
#ifdef CAN_SELECT
	{ "select2", send_and_select, NULL, 1, 0, 128, false },
	{ "select2fed", send_to_both, select_both, 1, 1, 128, false },
#endif
#ifdef CAN_MEET
	{ "unbuf11", send_stream, recv_stream, 1, 1, 0, false },
	{ "pingpong", ask, answer, 1, 1, 0, false },
#endif
};

static const struct scenario *scenario_named(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
		if (!strcmp(scenarios[i].name, name))
			return &scenarios[i];
	}
	return NULL;
}

static void start(struct worker *workers, unsigned n, void *(*run)(void *), struct bench *b)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		workers[i] = (struct worker){ .bench = b };
		must(!pthread_create(&workers[i].thread, NULL, run, &workers[i]), "no thread");
	}
}

static struct worker join(struct worker *workers, unsigned n)
{
	struct worker total = { 0 };
	unsigned i;

	for (i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
		total.ops += workers[i].ops;
		total.sum += workers[i].sum;
	}
	return total;
}

static double timespec_ns(struct timespec t)
{
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return timespec_ns(t);
}

static double cpu_ns(const struct rusage *u)
{
	return ((double)u->ru_utime.tv_sec + (double)u->ru_stime.tv_sec) * 1e9 +
		((double)u->ru_utime.tv_usec + (double)u->ru_stime.tv_usec) * 1e3;
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		continue;
}

static long number_of(const char *variable, long otherwise)
{
	const char *text = getenv(variable);

	return text ? atol(text) : otherwise;
}

int main(int argc, char **argv)
{
	const struct scenario *s = argc == 2 ? scenario_named(argv[1]) : NULL;
	unsigned times = number_of("THREADS_X8", 0) ? 8 : 1;
	struct worker clients[MOST_THREADS], servers[MOST_THREADS], asked, answered;
	struct rusage before, after;
	struct bench b = { 0 };
	double began, ns;

	must(s, "which scenario? This program may not be able to do it");
	if (s->single)
		times = 1;
	b.there = queue_new(s->capacity, s->single);
	b.back = queue_new(s->capacity, s->single);
	getrusage(RUSAGE_SELF, &before);
	began = now_ns();
	start(servers, s->servers * times, s->server, &b);
	start(clients, s->clients * times, s->client, &b);
	sleep_ms(number_of("BENCH_MS", 700));
	atomic_store(&b.stop, true);
	asked = join(clients, s->clients * times);
	queue_close(b.there);
	queue_close(b.back);
	answered = join(servers, s->servers * times);
	ns = now_ns() - began;
	getrusage(RUSAGE_SELF, &after);
	must(asked.sum == answered.sum && (!s->server || asked.ops == answered.ops), "void: what was sent was not received");
	printf("%s %.2f %.2f %ld %llu\n", s->name, ns / (double)asked.ops, (cpu_ns(&after) - cpu_ns(&before)) / (double)asked.ops,
		after.ru_nvcsw - before.ru_nvcsw, (unsigned long long)asked.ops);
	return 0;
}

#endif
