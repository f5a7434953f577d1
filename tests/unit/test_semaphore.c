#include "blocked.h"

START_TEST(permits_are_taken_and_given_back)
{
	struct semaphore *s = semaphore_new(3);

	ck_assert_uint_eq(semaphore_available(s), 3);
	ck_assert_status(semaphore_acquire(s, 2, NULL, FOREVER), CHAN_OK);
	ck_assert_status(semaphore_acquire(s, 2, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_status(semaphore_acquire(s, 2, NULL, 1), CHAN_TIMED_OUT);
	ck_assert_status(semaphore_acquire(s, 2, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_status(semaphore_acquire(s, 1, NULL, NOW), CHAN_OK);
	ck_assert_uint_eq(semaphore_available(s), 0);
	ck_assert_status(semaphore_acquire(s, 0, NULL, NOW), CHAN_OK);
	ck_assert_status(semaphore_release(s, 3), CHAN_OK);
	ck_assert_uint_eq(semaphore_available(s), 3);
	semaphore_unref(s);
	semaphore_unref(NULL);
}
END_TEST

START_TEST(what_can_never_be_is_invalid)
{
	struct semaphore *s = semaphore_new(3);

	ck_assert_status(semaphore_acquire(s, 4, NULL, FOREVER), CHAN_INVALID);
	ck_assert_status(semaphore_release(s, 1), CHAN_INVALID);
	ck_assert_status(semaphore_acquire(s, 1, NULL, FOREVER), CHAN_OK);
	ck_assert_status(semaphore_release(s, 2), CHAN_INVALID);
	ck_assert_status(semaphore_release(s, SIZE_MAX), CHAN_INVALID);
	ck_assert_uint_eq(semaphore_available(s), 2);
	semaphore_unref(s);
}
END_TEST

START_TEST(a_ctx_ends_the_waiting)
{
	struct semaphore *s = semaphore_new(1);
	struct ctx *cancelled = ctx_with_cancel(NULL), *late = ctx_with_deadline(NULL, moment_in(MILLISECONDS));

	ck_assert_status(semaphore_acquire(s, 1, NULL, FOREVER), CHAN_OK);
	ck_assert_status(semaphore_acquire(s, 1, late, FOREVER), CHAN_DEADLINE);
	ctx_cancel(cancelled);
	ck_assert_status(semaphore_release(s, 1), CHAN_OK);
	ck_assert_status(semaphore_acquire(s, 1, cancelled, FOREVER), CHAN_CANCELED);
	ck_assert_uint_eq(semaphore_available(s), 1);
	ctx_unref(cancelled);
	ctx_unref(late);
	semaphore_unref(s);
}
END_TEST

struct asking {
	struct semaphore *semaphore;
	size_t n;
	struct ctx *ctx;
	enum chan_status status;
	shim_u32 returned;
	pthread_t thread;
};

static void *ask_main(void *arg)
{
	struct asking *a = arg;

	a->status = semaphore_acquire(a->semaphore, a->n, a->ctx, FOREVER);
	shim_store(&a->returned, 1, release);
	return NULL;
}

/* Each waits with a ctx of its own: by its list we see that it has got so far. */
static void ask(struct asking *a, struct semaphore *s, size_t n)
{
	*a = (struct asking){ .semaphore = s, .n = n, .ctx = ctx_with_cancel(NULL) };
	a->thread = thread_start(ask_main, a);
	wait_until(receivers_of(ctx_done(a->ctx)) == 1, SOON);
}

static bool has_returned(struct asking *a)
{
	return shim_load(&a->returned, acquire);
}

static enum chan_status answer(struct asking *a)
{
	thread_join(a->thread);
	ctx_unref(a->ctx);
	return a->status;
}

START_TEST(who_asks_for_much_is_not_starved_by_those_who_ask_for_little)
{
	struct semaphore *s = semaphore_new(3);
	struct asking big, small;

	ck_assert_status(semaphore_acquire(s, 3, NULL, FOREVER), CHAN_OK);
	ask(&big, s, 3);
	ask(&small, s, 1);
	ck_assert_status(semaphore_release(s, 2), CHAN_OK);
	/* There would be enough, but others came before. */
	ck_assert_status(semaphore_acquire(s, 1, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert(!has_returned(&big) && !has_returned(&small));
	ck_assert_status(semaphore_release(s, 1), CHAN_OK);
	ck_assert_status(answer(&big), CHAN_OK);
	ck_assert(!has_returned(&small));
	ck_assert_status(semaphore_release(s, 3), CHAN_OK);
	ck_assert_status(answer(&small), CHAN_OK);
	ck_assert_uint_eq(semaphore_available(s), 2);
	semaphore_unref(s);
}
END_TEST

START_TEST(a_waiter_that_gives_up_lets_those_behind_it_pass)
{
	struct semaphore *s = semaphore_ref(semaphore_new(3));
	struct asking big, small[2];
	int i;

	semaphore_unref(s);
	ck_assert_status(semaphore_acquire(s, 1, NULL, FOREVER), CHAN_OK);
	ask(&big, s, 3);
	for (i = 0; i < 2; i++)
		ask(&small[i], s, 1);
	ctx_cancel(big.ctx);
	ck_assert_status(answer(&big), CHAN_CANCELED);
	for (i = 0; i < 2; i++)
		ck_assert_status(answer(&small[i]), CHAN_OK);
	ck_assert_uint_eq(semaphore_available(s), 0);
	semaphore_unref(s);
}
END_TEST

enum { USERS = 4, ROUNDS = 5000, PERMITS = 3 };

struct crowd {
	struct semaphore *semaphore;
	shim_u32 inside, broken;
};

static void *use(void *arg)
{
	struct crowd *crowd = arg;
	uint32_t i, n;

	for (i = 0; i < ROUNDS; i++) {
		struct ctx *ctx = i % 5 ? NULL : ctx_with_deadline(NULL, moment_in(20 * MICROSECONDS));
		n = 1 + i % PERMITS;
		if (semaphore_acquire(crowd->semaphore, n, ctx, i % 7 ? FOREVER : moment_in(i % 40 * MICROSECONDS)) == CHAN_OK) {
			if (shim_add(&crowd->inside, n, acq_rel) + n > PERMITS)
				shim_add(&crowd->broken, 1, relaxed);
			shim_sub(&crowd->inside, n, acq_rel);
			if (semaphore_release(crowd->semaphore, n) != CHAN_OK)
				shim_add(&crowd->broken, 1, relaxed);
		}
		ctx_unref(ctx);
	}
	return NULL;
}

START_TEST(there_are_never_more_inside_than_permits_and_none_is_lost)
{
	struct crowd crowd = { .semaphore = semaphore_new(PERMITS) };
	pthread_t threads[USERS];
	int i;

	for (i = 0; i < USERS; i++)
		threads[i] = thread_start(use, &crowd);
	for (i = 0; i < USERS; i++)
		thread_join(threads[i]);
	ck_assert_uint_eq(shim_load(&crowd.broken, relaxed), 0);
	ck_assert_uint_eq(semaphore_available(crowd.semaphore), PERMITS);
	semaphore_unref(crowd.semaphore);
}
END_TEST

Suite *semaphore_suite(void);

Suite *semaphore_suite(void)
{
	const TTest *tests[] = {
		permits_are_taken_and_given_back,
		what_can_never_be_is_invalid,
		a_ctx_ends_the_waiting,
		who_asks_for_much_is_not_starved_by_those_who_ask_for_little,
		a_waiter_that_gives_up_lets_those_behind_it_pass,
		there_are_never_more_inside_than_permits_and_none_is_lost,
	};
	return suite_of("semaphore", tests, countof(tests));
}
