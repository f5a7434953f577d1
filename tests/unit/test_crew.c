#include "tracked.h"

#include "../../lib/crew.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MEMBERS = 8 };

struct seen {
	shim_u32 runs[MEMBERS];
	shim_u32 running, most, over, wrong;
	struct chan *gate;
	struct waitgroup *ended;
};

static void look(size_t index, void *arg)
{
	struct seen *seen = arg;
	char name[16];
	sigset_t mask;

	shim_add(&seen->runs[index], 1, relaxed);
	shim_add(&seen->running, 1, acq_rel);
	pthread_getname_np(pthread_self(), name, sizeof(name));
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (strcmp(name, "a-very-long-nam") != 0 || !sigismember(&mask, SIGTERM) || !sigismember(&mask, SIGUSR1))
		shim_add(&seen->wrong, 1, relaxed);
	if (seen->gate)
		chan_recv(seen->gate, NULL, NULL, FOREVER);
	shim_sub(&seen->running, 1, acq_rel);
}

static void see_over(void *arg)
{
	struct seen *seen = arg;

	if (shim_load(&seen->running, acquire) != 0)
		shim_add(&seen->wrong, 1, relaxed);
	shim_add(&seen->over, 1, relaxed);
	waitgroup_done(seen->ended);
}

static struct crew_order order_of(struct seen *seen, size_t count)
{
	return (struct crew_order){ .name = "a-very-long-name", .count = count, .run = look, .over = see_over, .arg = seen };
}

START_TEST(all_run_at_once_and_the_last_says_that_it_is_over)
{
	size_t before = threads_before();
	struct seen seen = { .gate = chan_new(0, 0), .ended = waitgroup_new() };
	struct crew_order order = order_of(&seen, MEMBERS);

	waitgroup_add(seen.ended, 1);
	ck_assert(crew_start(&order));
	wait_until(shim_load(&seen.running, acquire) == MEMBERS, SOON);
	ck_assert_uint_eq(shim_load(&seen.over, relaxed), 0);
	chan_close(seen.gate);
	ck_assert_status(waitgroup_wait(seen.ended, NULL, SOON), CHAN_OK);
	for (size_t i = 0; i < MEMBERS; i++)
		ck_assert_uint_eq(shim_load(&seen.runs[i], relaxed), 1);
	ck_assert_uint_eq(shim_load(&seen.over, relaxed), 1);
	ck_assert_uint_eq(shim_load(&seen.wrong, relaxed), 0);
	ck_assert_no_thread_is_left(before);
	waitgroup_unref(seen.ended);
	chan_unref(seen.gate);
}
END_TEST

START_TEST(a_crew_of_none_is_over_at_once)
{
	struct seen seen = { .ended = waitgroup_new() };
	struct crew_order order = order_of(&seen, 0);

	waitgroup_add(seen.ended, 1);
	ck_assert(crew_start(&order));
	ck_assert_status(waitgroup_wait(seen.ended, NULL, NOW), CHAN_OK);
	order.over = NULL;
	ck_assert(crew_start(&order));
	waitgroup_unref(seen.ended);
}
END_TEST

static rlim_t address_space_bytes(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	unsigned long long pages;

	ck_assert(statm && fscanf(statm, "%llu", &pages) == 1);
	fclose(statm);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Room for the stacks of two or three of them. */
START_TEST(if_one_cannot_be_had_none_runs)
{
	enum { STACK_BYTES = 256 << 20 };
	size_t before = threads_before();
	struct seen seen = { .ended = waitgroup_new() };
	struct crew_order order = order_of(&seen, MEMBERS);
	pthread_attr_t usual, large;
	struct rlimit limit, small;

	ck_assert_int_eq(pthread_getattr_default_np(&usual), 0);
	ck_assert_int_eq(pthread_getattr_default_np(&large), 0);
	ck_assert_int_eq(pthread_attr_setstacksize(&large, STACK_BYTES), 0);
	ck_assert_int_eq(pthread_setattr_default_np(&large), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
	small = limit;
	small.rlim_cur = address_space_bytes() + 3 * (rlim_t)STACK_BYTES;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &small), 0);
	ck_assert(!crew_start(&order));
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
	ck_assert_int_eq(pthread_setattr_default_np(&usual), 0);
	ck_assert_no_thread_is_left(before);
	for (size_t i = 0; i < MEMBERS; i++)
		ck_assert_uint_eq(shim_load(&seen.runs[i], relaxed), 0);
	ck_assert_uint_eq(shim_load(&seen.over, relaxed), 0);
	pthread_attr_destroy(&usual);
	pthread_attr_destroy(&large);
	waitgroup_unref(seen.ended);
}
END_TEST

START_TEST(crews_come_and_go)
{
	size_t before = threads_before();
	struct seen seen = { .ended = waitgroup_new() };
	struct crew_order order = order_of(&seen, 2);

	for (int i = 0; i < 300; i++) {
		waitgroup_add(seen.ended, 1);
		ck_assert(crew_start(&order));
		if (i % 3 == 0)
			ck_assert_status(waitgroup_wait(seen.ended, NULL, SOON), CHAN_OK);
	}
	ck_assert_status(waitgroup_wait(seen.ended, NULL, SOON), CHAN_OK);
	ck_assert_uint_eq(shim_load(&seen.over, relaxed), 300);
	ck_assert_no_thread_is_left(before);
	waitgroup_unref(seen.ended);
}
END_TEST

Suite *crew_suite(void);

Suite *crew_suite(void)
{
	const TTest *tests[] = {
		all_run_at_once_and_the_last_says_that_it_is_over,
		a_crew_of_none_is_over_at_once,
		if_one_cannot_be_had_none_runs,
		crews_come_and_go,
	};
	return suite_of("crew", tests, countof(tests));
}
