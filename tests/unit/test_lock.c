#include "testing.h"

#include "../../lib/lock.h"
#include "../../lib/random.h"
#include "../../lib/spin.h"

enum { THREADS = 4, ROUNDS = 20000 };

struct counter {
	struct lock lock;
	size_t value;
};

static void *count_up(void *arg)
{
	struct counter *counter = arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		lock_acquire(&counter->lock);
		counter->value++;
		lock_release(&counter->lock);
	}
	return NULL;
}

START_TEST(a_lock_lets_one_in_at_a_time)
{
	struct counter counter = { 0 };
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		threads[i] = thread_start(count_up, &counter);
	for (i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	ck_assert_uint_eq(counter.value, THREADS * ROUNDS);
}
END_TEST

static void *lock_and_go(void *arg)
{
	struct counter *counter = arg;

	lock_acquire(&counter->lock);
	counter->value = 1;
	lock_release(&counter->lock);
	return NULL;
}

START_TEST(who_waits_for_a_lock_sleeps_until_it_is_open)
{
	struct counter counter = { 0 };
	pthread_t thread;

	lock_acquire(&counter.lock);
	thread = thread_start(lock_and_go, &counter);
	wait_until(shim_load(&counter.lock.word, relaxed) == LOCK_CROWDED, SOON);
	ck_assert_uint_eq(counter.value, 0);
	lock_release(&counter.lock);
	thread_join(thread);
	ck_assert_uint_eq(counter.value, 1);
}
END_TEST

START_TEST(spinning_is_learned_and_unlearned)
{
	struct spin spin = { 0 };
	int i, tries = 0;

	for (i = 0; i < 1600; i++) {
		tries += spin_is_worth_it(&spin);
		spin_learn(&spin, false);
	}
	/* What does not help is tried now and then. */
	ck_assert_int_gt(tries, 100);
	ck_assert_int_lt(tries, 200);
	spin_learn(&spin, true);
	ck_assert(spin_is_worth_it(&spin));
}
END_TEST

START_TEST(random_numbers_are_repeatable_and_spread_evenly)
{
	uint32_t first, seen[6] = { 0 };
	int i;

	random_seed(7);
	first = random_below(UINT32_MAX);
	random_seed(7);
	ck_assert_uint_eq(random_below(UINT32_MAX), first);
	for (i = 0; i < 60000; i++)
		seen[random_below(6)]++;
	for (i = 0; i < 6; i++)
		ck_assert_msg(seen[i] > 9300 && seen[i] < 10700, "%d came %u times", i, seen[i]);
	ck_assert_uint_eq(random_below(1), 0);
}
END_TEST

Suite *lock_suite(void);

Suite *lock_suite(void)
{
	const TTest *tests[] = {
		a_lock_lets_one_in_at_a_time,
		who_waits_for_a_lock_sleeps_until_it_is_open,
		spinning_is_learned_and_unlearned,
		random_numbers_are_repeatable_and_spread_evenly,
	};
	return suite_of("lock", tests, countof(tests));
}
