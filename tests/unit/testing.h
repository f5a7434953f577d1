/* What the unit tests share: waiting without sleeping, threads, memory, and short tables of tests. */
#ifndef LEAT_TESTING_H
#define LEAT_TESTING_H

#include "../../lib/compiler.h"
#include "../../lib/moment.h"

#include <check.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

/* Long enough for any machine, short enough to see that it hangs. */
#define SOON moment_in(30 * SECONDS)

/* Fails the test if the condition has not come true by the deadline. Lets others run meanwhile. */
#define wait_until(condition, deadline) \
	do { \
		moment until_ = (deadline); \
		while (!(condition)) { \
			ck_assert_msg(!moment_reached(until_), "never came true: %s", #condition); \
			sched_yield(); \
		} \
	} while (0)

/* A thread is started and joined, or the test fails. A thread must not use ck_assert: it reports, the test judges. */
static inline pthread_t thread_start(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, run, arg), 0);
	return thread;
}

static inline void thread_join(pthread_t thread)
{
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* Bytes that malloc has given out. A sanitizer has a malloc of its own, and shows nothing here. */
static inline size_t bytes_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* A suite of one case, with time enough for sanitizers on a busy machine. */
static inline Suite *suite_of(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	size_t i;

	tcase_set_timeout(tcase, 120);
	for (i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}

#define ck_assert_status(call, expected) \
	do { \
		enum chan_status is_ = (call), should_ = (expected); \
		ck_assert_msg(is_ == should_, "%s: %s, not %s", #call, chan_status_name(is_), chan_status_name(should_)); \
	} while (0)

#endif
