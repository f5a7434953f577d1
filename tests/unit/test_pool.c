#include "blocked.h"

#include "../../lib/pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Work that is done in order and may be held up at a gate. */
struct mill {
	struct chan *gate;      /* each piece takes a token, if there is a gate */
	shim_u32 started, done;
	uint32_t order[64];
	shim_u32 names_wrong, signals_open;
};

struct piece {
	struct mill *mill;
	uint32_t id;
};

static void check_thread(struct mill *mill)
{
	char name[16];
	sigset_t mask;

	pthread_getname_np(pthread_self(), name, sizeof(name));
	if (strcmp(name, "a-very-long-nam") != 0)
		shim_add(&mill->names_wrong, 1, relaxed);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (!sigismember(&mask, SIGTERM) || !sigismember(&mask, SIGINT) || !sigismember(&mask, SIGUSR1))
		shim_add(&mill->signals_open, 1, relaxed);
}

static void grind(void *elem, void *arg)
{
	struct piece *piece = elem;
	struct mill *mill = piece->mill;
	uint32_t place = shim_add(&mill->started, 1, acq_rel);

	if (arg != &mill->gate)
		abort();
	check_thread(mill);
	if (place < countof(mill->order))
		mill->order[place] = piece->id;
	if (mill->gate)
		chan_recv(mill->gate, NULL, NULL, FOREVER);
	shim_add(&mill->done, 1, acq_rel);
}

static struct pool_options options_for(struct mill *mill, size_t capacity, size_t threads)
{
	return (struct pool_options){
		.elem_size = sizeof(struct piece), .capacity = capacity, .max_threads = threads, .idle_ns = 1000 * SECONDS,
		.run = grind, .arg = &mill->gate, .name = "a-very-long-name-for-a-thread",
	};
}

static struct pool *pool_with(struct mill *mill, size_t capacity, size_t threads)
{
	struct pool_options options = options_for(mill, capacity, threads);
	struct pool *pool = pool_start(&options);

	ck_assert_ptr_nonnull(pool);
	return pool;
}

static enum chan_status submit(struct pool *pool, struct mill *mill, uint32_t id)
{
	return pool_try_submit(pool, &(struct piece){ mill, id });
}

static void open_gate(struct mill *mill)
{
	ck_assert_status(chan_close(mill->gate), CHAN_OK);
}

static void stop_and_check(struct pool *pool, struct mill *mill, uint32_t done)
{
	ck_assert_status(pool_stop(pool, NULL, SOON), CHAN_OK);
	ck_assert_uint_eq(pool_threads(pool), 0);
	ck_assert_uint_eq(pool_outstanding(pool), 0);
	ck_assert_uint_eq(shim_load(&mill->done, acquire), done);
	ck_assert_uint_eq(shim_load(&mill->names_wrong, relaxed), 0);
	ck_assert_uint_eq(shim_load(&mill->signals_open, relaxed), 0);
	pool_unref(pool);
	chan_unref(mill->gate);
}

START_TEST(no_thread_is_started_before_there_is_work)
{
	struct mill mill = { 0 };
	struct pool *pool = pool_with(&mill, 4, 2);

	ck_assert_uint_eq(pool_threads(pool), 0);
	ck_assert_uint_eq(pool_outstanding(pool), 0);
	stop_and_check(pool, &mill, 0);
}
END_TEST

START_TEST(a_pool_needs_something_to_run_and_a_thread)
{
	struct mill mill = { 0 };
	struct pool_options options = options_for(&mill, 1, 1);

	options.run = NULL;
	ck_assert_ptr_null(pool_start(&options));
	options = options_for(&mill, 1, 0);
	ck_assert_ptr_null(pool_start(&options));
	options = options_for(&mill, SIZE_MAX, 1);
	ck_assert_ptr_null(pool_start(&options));
	options = options_for(&mill, 1, 1);
	options.elem_size = SIZE_MAX;
	ck_assert_ptr_null(pool_start(&options));
}
END_TEST

START_TEST(runners_are_started_as_far_as_there_is_work_and_no_further)
{
	struct mill mill = { .gate = chan_new(0, 0) };
	struct pool *pool = pool_with(&mill, 4, 3);
	uint32_t i;

	for (i = 0; i < 5; i++) {
		ck_assert_status(submit(pool, &mill, i), CHAN_OK);
		ck_assert_uint_eq(pool_threads(pool), i < 3 ? i + 1 : 3);
	}
	wait_until(shim_load(&mill.started, acquire) == 3, SOON);
	ck_assert_uint_eq(pool_outstanding(pool), 5);
	ck_assert_uint_eq(chan_len(pool_chan(pool)), 2);
	open_gate(&mill);
	stop_and_check(pool, &mill, 5);
}
END_TEST

START_TEST(an_idle_runner_is_used_again)
{
	struct mill mill = { 0 };
	struct pool *pool = pool_with(&mill, 4, 8);
	uint32_t i;

	for (i = 0; i < 50; i++) {
		ck_assert_status(submit(pool, &mill, i), CHAN_OK);
		wait_until(pool_outstanding(pool) == 0, SOON);
	}
	ck_assert_uint_eq(pool_threads(pool), 1);
	stop_and_check(pool, &mill, 50);
}
END_TEST

START_TEST(a_full_pool_refuses_and_the_caller_keeps_the_piece)
{
	struct mill mill = { .gate = chan_new(0, 0) };
	struct pool *pool = pool_with(&mill, 2, 1);
	uint32_t i;

	for (i = 0; i < 3; i++)
		ck_assert_status(submit(pool, &mill, i), CHAN_OK);
	ck_assert_status(submit(pool, &mill, 3), CHAN_WOULD_BLOCK);
	wait_until(shim_load(&mill.started, acquire) == 1, SOON);
	ck_assert_status(submit(pool, &mill, 3), CHAN_WOULD_BLOCK);
	ck_assert_uint_eq(chan_len(pool_chan(pool)), 2);
	open_gate(&mill);
	stop_and_check(pool, &mill, 3);
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(mill.order[i], i);
}
END_TEST

START_TEST(without_places_to_wait_it_runs_now_or_refuses)
{
	struct mill mill = { .gate = chan_new(0, 0) };
	struct pool *pool = pool_with(&mill, 0, 2);

	ck_assert_status(submit(pool, &mill, 0), CHAN_OK);
	ck_assert_status(submit(pool, &mill, 1), CHAN_OK);
	ck_assert_status(submit(pool, &mill, 2), CHAN_WOULD_BLOCK);
	wait_until(shim_load(&mill.started, acquire) == 2, SOON);
	ck_assert_status(submit(pool, &mill, 2), CHAN_WOULD_BLOCK);
	open_gate(&mill);
	wait_until(pool_outstanding(pool) == 0, SOON);
	ck_assert_status(submit(pool, &mill, 2), CHAN_OK);
	stop_and_check(pool, &mill, 3);
}
END_TEST

START_TEST(a_runner_ends_after_a_quiet_while_and_another_comes_when_needed)
{
	struct mill mill = { 0 };
	struct pool_options options = options_for(&mill, 4, 2);
	struct pool *pool;
	uint32_t i;

	options.idle_ns = MICROSECONDS;
	pool = pool_start(&options);
	for (i = 0; i < 20; i++) {
		ck_assert_status(submit(pool, &mill, i), CHAN_OK);
		wait_until(pool_threads(pool) == 0, SOON);
		ck_assert_uint_eq(shim_load(&mill.done, acquire), i + 1);
	}
	stop_and_check(pool, &mill, 20);
}
END_TEST

START_TEST(stopping_finishes_what_waits_and_takes_no_more)
{
	struct mill mill = { .gate = chan_new(0, 0) };
	struct pool *pool = pool_with(&mill, 4, 1);
	struct ctx *cancelled = ctx_with_cancel(NULL);
	uint32_t i;

	ctx_cancel(cancelled);
	for (i = 0; i < 4; i++)
		ck_assert_status(submit(pool, &mill, i), CHAN_OK);
	ck_assert_status(pool_stop(pool, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_status(pool_stop(pool, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_status(pool_stop(pool, cancelled, FOREVER), CHAN_CANCELED);
	ck_assert_status(submit(pool, &mill, 9), CHAN_CLOSED);
	open_gate(&mill);
	stop_and_check(pool, &mill, 4);
	ctx_unref(cancelled);
}
END_TEST

static bool keep_odd(void *elem, void *arg)
{
	struct piece *piece = elem;
	uint32_t *taken = arg;

	if (piece->id % 2)
		return true;
	*taken += piece->id;
	return false;
}

START_TEST(a_sweep_takes_out_waiting_work_and_its_places_are_free)
{
	struct mill mill = { .gate = chan_new(0, 0) };
	struct pool *pool = pool_with(&mill, 5, 1);
	uint32_t i, taken = 0;

	ck_assert_status(submit(pool, &mill, 0), CHAN_OK);
	wait_until(shim_load(&mill.started, acquire) == 1, SOON);
	for (i = 1; i < 6; i++)
		ck_assert_status(submit(pool, &mill, i), CHAN_OK);
	ck_assert_status(submit(pool, &mill, 7), CHAN_WOULD_BLOCK);
	ck_assert_uint_eq(pool_sweep(pool, keep_odd, &taken), 2);
	ck_assert_uint_eq(taken, 2 + 4);
	ck_assert_uint_eq(pool_outstanding(pool), 4);
	ck_assert_status(submit(pool, &mill, 7), CHAN_OK);
	open_gate(&mill);
	stop_and_check(pool, &mill, 5);
	for (i = 1; i < 5; i++)
		ck_assert_uint_eq(mill.order[i], 2 * i - 1);
}
END_TEST

START_TEST(the_last_reference_stops_the_pool_without_waiting)
{
	struct mill mill = { .gate = chan_new(0, 0) };
	struct pool *pool = pool_with(&mill, 4, 1);

	ck_assert_status(submit(pool, &mill, 0), CHAN_OK);
	ck_assert_status(submit(pool, &mill, 1), CHAN_OK);
	pool_unref(pool_ref(pool));
	pool_unref(pool);
	pool_unref(NULL);
	ck_assert_uint_eq(shim_load(&mill.done, acquire), 0);
	open_gate(&mill);
	wait_until(shim_load(&mill.done, acquire) == 2, SOON);
	chan_unref(mill.gate);
}
END_TEST

START_TEST(a_stack_that_cannot_be_had_is_no_memory_and_the_caller_keeps_the_piece)
{
	struct mill mill = { 0 };
	struct pool_options options = options_for(&mill, 4, 2);
	struct pool *pool;

	options.stack_bytes = SIZE_MAX / 4;
	pool = pool_start(&options);
	ck_assert_status(submit(pool, &mill, 0), CHAN_NOMEM);
	ck_assert_uint_eq(pool_threads(pool), 0);
	stop_and_check(pool, &mill, 0);
	options.stack_bytes = 256 * 1024;
	pool = pool_start(&options);
	ck_assert_status(submit(pool, &mill, 0), CHAN_OK);
	stop_and_check(pool, &mill, 1);
}
END_TEST

enum { SUBMITTERS = 3, PIECES = 3000 };

struct crowd {
	struct pool *pool;
	struct mill *mill;
	shim_u32 accepted, swept, over;
};

static void *submit_main(void *arg)
{
	struct crowd *crowd = arg;
	uint32_t i = 0;

	while (i < PIECES) {
		enum chan_status status = submit(crowd->pool, crowd->mill, i);
		if (status == CHAN_CLOSED)
			break;
		if (status == CHAN_OK) {
			shim_add(&crowd->accepted, 1, relaxed);
			i++;
		} else {
			sched_yield();
		}
	}
	return NULL;
}

static bool keep_most(void *elem, unused_arg void *arg)
{
	struct piece *piece = elem;

	return piece->id % 16 != 0;
}

static void *sweep_main(void *arg)
{
	struct crowd *crowd = arg;

	while (!shim_load(&crowd->over, relaxed)) {
		shim_add(&crowd->swept, (uint32_t)pool_sweep(crowd->pool, keep_most, NULL), relaxed);
		sched_yield();
	}
	return NULL;
}

/* Runners end all the time, since they may be idle for no more than a moment. */
static void run_crowd(size_t capacity, bool stop_early)
{
	struct mill mill = { 0 };
	struct pool_options options = options_for(&mill, capacity, 3);
	struct crowd crowd = { .mill = &mill };
	pthread_t submitters[SUBMITTERS], sweeper;
	int i;

	options.idle_ns = MICROSECONDS;
	crowd.pool = pool_start(&options);
	sweeper = thread_start(sweep_main, &crowd);
	for (i = 0; i < SUBMITTERS; i++)
		submitters[i] = thread_start(submit_main, &crowd);
	if (stop_early) {
		wait_until(shim_load(&mill.done, relaxed) > 100, SOON);
		ck_assert_status(pool_stop(crowd.pool, NULL, SOON), CHAN_OK);
	}
	for (i = 0; i < SUBMITTERS; i++)
		thread_join(submitters[i]);
	wait_until(pool_outstanding(crowd.pool) == 0, SOON);
	shim_store(&crowd.over, 1, relaxed);
	thread_join(sweeper);
	stop_and_check(crowd.pool, &mill, shim_load(&crowd.accepted, relaxed) - shim_load(&crowd.swept, relaxed));
}

START_TEST(no_piece_is_lost_between_runners_that_end_and_submitters)
{
	run_crowd(0, false);
	run_crowd(1, false);
	run_crowd(16, false);
	run_crowd(4, true);
}
END_TEST

START_TEST(a_piece_given_to_a_runner_about_to_end_is_not_left_alone)
{
	struct mill mill = { 0 };
	struct pool_options options = options_for(&mill, 1, 1);
	struct pool *pool;
	uint32_t i;

	options.idle_ns = 30 * MICROSECONDS;
	pool = pool_start(&options);
	for (i = 0; i < 5000; i++) {
		moment quiet = moment_in(i % 120 * MICROSECONDS);
		ck_assert_status(submit(pool, &mill, i), CHAN_OK);
		wait_until(pool_outstanding(pool) == 0, SOON);
		while (!moment_reached(quiet))
			;
	}
	stop_and_check(pool, &mill, 5000);
}
END_TEST

/* Only pieces with an id wait at the gate: one for each token. */
static void grind_some(void *elem, void *arg unused_arg)
{
	struct piece *piece = elem;

	if (piece->id > 0)
		chan_recv(piece->mill->gate, NULL, NULL, FOREVER);
	shim_add(&piece->mill->done, 1, acq_rel);
}

START_TEST(brief_pieces_do_not_wait_for_a_long_one_while_a_runner_is_idle)
{
	struct mill mill = { .gate = chan_new(0, 1) };
	struct pool_options options = options_for(&mill, 1000, 2);
	struct pool *pool;
	uint32_t submitted = 0;

	options.run = grind_some;
	pool = pool_start(&options);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 500; i++, submitted++)
			ck_assert_status(submit(pool, &mill, 0), CHAN_OK);
		ck_assert_status(submit(pool, &mill, 1), CHAN_OK);
		for (int i = 0; i < 3; i++, submitted++)
			ck_assert_status(submit(pool, &mill, 0), CHAN_OK);
		wait_until(shim_load(&mill.done, acquire) == submitted, SOON);
		ck_assert_uint_eq(pool_outstanding(pool), 1);
		ck_assert_status(chan_send(mill.gate, NULL, NULL, SOON), CHAN_OK);
		wait_until(pool_outstanding(pool) == 0, SOON);
		submitted++;
	}
	stop_and_check(pool, &mill, submitted);
}
END_TEST

/* No more than so many bytes of memory are to be had from now on. */
static void limit_memory(size_t more)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	struct rlimit limit;
	unsigned long pages;

	ck_assert_ptr_nonnull(statm);
	ck_assert_int_eq(fscanf(statm, "%lu", &pages), 1);
	fclose(statm);
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = pages * (size_t)sysconf(_SC_PAGESIZE) + more;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

/* What is said of work for which there is no thread, while the only runner is busy, and how much is outstanding then. */
static void submit_without_threads(bool thread_each, enum chan_status said, uint32_t outstanding)
{
	struct mill mill = { .gate = chan_new(0, 0) };
	struct pool_options options = options_for(&mill, 0, 3);
	struct pool *pool;
	struct rlimit before;

	options.thread_each = thread_each;
	options.stack_bytes = 256 << 20;
	pool = pool_start(&options);
	ck_assert_ptr_nonnull(pool);
	getrlimit(RLIMIT_AS, &before);
	ck_assert_status(submit(pool, &mill, 0), CHAN_OK);
	limit_memory(128 << 20);
	ck_assert_status(submit(pool, &mill, 1), said);
	ck_assert_uint_eq(pool_outstanding(pool), outstanding);
	ck_assert_uint_eq(pool_threads(pool), 1);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
	/* It is to be had again, and whoever is free then does. */
	ck_assert_status(submit(pool, &mill, 2), CHAN_OK);
	open_gate(&mill);
	stop_and_check(pool, &mill, outstanding + 1);
}

START_TEST(work_waits_for_a_busy_runner_when_there_is_no_thread_for_it)
{
	submit_without_threads(false, CHAN_OK, 2);
}
END_TEST

START_TEST(work_is_refused_when_there_is_no_thread_for_it_and_each_is_to_have_one)
{
	submit_without_threads(true, CHAN_NOMEM, 1);
}
END_TEST

Suite *pool_suite(void);

Suite *pool_suite(void)
{
	const TTest *tests[] = {
		no_thread_is_started_before_there_is_work,
		brief_pieces_do_not_wait_for_a_long_one_while_a_runner_is_idle,
		work_waits_for_a_busy_runner_when_there_is_no_thread_for_it,
		work_is_refused_when_there_is_no_thread_for_it_and_each_is_to_have_one,
		a_pool_needs_something_to_run_and_a_thread,
		runners_are_started_as_far_as_there_is_work_and_no_further,
		an_idle_runner_is_used_again,
		a_full_pool_refuses_and_the_caller_keeps_the_piece,
		without_places_to_wait_it_runs_now_or_refuses,
		a_runner_ends_after_a_quiet_while_and_another_comes_when_needed,
		stopping_finishes_what_waits_and_takes_no_more,
		a_sweep_takes_out_waiting_work_and_its_places_are_free,
		the_last_reference_stops_the_pool_without_waiting,
		a_stack_that_cannot_be_had_is_no_memory_and_the_caller_keeps_the_piece,
		no_piece_is_lost_between_runners_that_end_and_submitters,
		a_piece_given_to_a_runner_about_to_end_is_not_left_alone,
	};
	return suite_of("pool", tests, countof(tests));
}
