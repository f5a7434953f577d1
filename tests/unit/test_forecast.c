#include "../../daemon/forecast.h"
#include "mill.h"

#define OVERRIDES(...) (const char *const[]){ __VA_ARGS__ }, countof(((const char *const[]){ __VA_ARGS__ }))
#define MS MILLISECONDS

/* Books and estimates as they might be; nothing runs. */
static struct type *type_that_takes(struct mill *m, const char *name, int64_t ns)
{
	struct type *type = leatd_type(&m->leatd, slice_of(name));

	for (int i = 0; i < ESTIMATE_WINDOW; i++)
		estimate_record(&type->estimate, ns, true, 1, 1);
	return type;
}

static void put_inside(struct type *type, uint64_t n)
{
	while (n-- > 0)
		ck_assert(books_take_places(type->books, 1, 1000));
}

static void put_running(struct type *type, uint64_t n, moment since)
{
	put_inside(type, n);
	while (n-- > 0)
		books_start(type->books, since, since);
}

/* What was put in is not there to be stopped. */
static void take_all_out(struct type *type)
{
	memset(type->books, 0, sizeof(*type->books));
	shim_store(&type->books->references, 1, relaxed);
}

START_TEST(with_a_free_runner_there_is_no_wait)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=4"));
	struct type *type = type_that_takes(m, "sleep", 100 * MS);

	put_running(type, 3, 1000 * MS);
	ck_assert_int_eq(forecast_wait(type, 0, 1000 * MS), 0);
	put_inside(type, 1);
	ck_assert_int_eq(forecast_wait(type, 1, 1000 * MS), 0);
	ck_assert_int_gt(forecast_wait(type, 0, 1000 * MS), 0);
	take_all_out(type);
	mill_stop(m);
}
END_TEST

START_TEST(it_is_what_waits_and_what_is_left_of_what_runs_over_the_runners)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=4"));
	struct type *type = type_that_takes(m, "sleep", 100 * MS);
	int64_t wait;

	put_running(type, 4, 1000 * MS);
	put_inside(type, 12);
	wait = forecast_wait(type, 0, 1000 * MS + 40 * MS);
	/* (12 * 100 + 4 * 60) / 4, to a few microseconds. */
	ck_assert_int_ge(wait, 360 * MS - 10 * MICROSECONDS);
	ck_assert_int_le(wait, 360 * MS + 10 * MICROSECONDS);
	/* Those that run longer than was thought have nothing left. */
	wait = forecast_wait(type, 0, 9000 * MS);
	ck_assert_int_eq(wait, 300 * MS);
	take_all_out(type);
	mill_stop(m);
}
END_TEST

START_TEST(nothing_wraps_with_the_longest_runs_and_the_most_places)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=4096", "job sleep.queue=1000000"));
	struct type *type = type_that_takes(m, "sleep", 24 * 3600 * SECONDS);

	shim_store(&type->books->inside, 1004096, relaxed);
	ck_assert_int_gt(forecast_wait(type, 0, 5 * SECONDS), 24 * 3600 * SECONDS);
	for (int i = 0; i < 4096; i++)
		books_start(type->books, INT64_MAX / 4, INT64_MAX / 4);
	ck_assert_uint_eq(books_running(type->books, INT64_MAX / 4 + 3600 * SECONDS).count, 4096);
	ck_assert_int_eq(books_running(type->books, INT64_MAX / 4 + 3600 * SECONDS).elapsed_ns / SECONDS, 4096 * 3600);
	ck_assert_int_gt(forecast_wait(type, 0, INT64_MAX / 4), 24 * 3600 * SECONDS);
	for (int i = 0; i < 4096; i++)
		books_end_running(type->books, OUTCOME_done, INT64_MAX / 4, INT64_MAX / 4);
	ck_assert_uint_eq(shim_load(&type->books->running, relaxed), 0);
	take_all_out(type);
	mill_stop(m);
}
END_TEST

START_TEST(a_semaphore_is_a_queue_too_and_other_types_stand_in_it)
{
	struct mill *m = mill_start(OVERRIDES("semaphore db.permits=2", "job sleep.uses=db", "job echo.uses=db", "job sleep.concurrency=4",
					      "job echo.concurrency=1"));
	struct type *sleep = type_that_takes(m, "sleep", 100 * MS), *echo = type_that_takes(m, "echo", 10 * MS);

	/* A runner is free, and so is a permit. */
	put_running(sleep, 1, 1000 * MS);
	ck_assert_int_eq(forecast_wait(sleep, 0, 1000 * MS), 0);
	/* A runner, but no permit. */
	put_running(sleep, 1, 1000 * MS);
	ck_assert_int_eq(forecast_wait(sleep, 0, 1000 * MS) / MS, 100);
	/* Of the other type only those its runner can bring before us: one of ten. */
	put_inside(echo, 10);
	ck_assert_int_eq(forecast_wait(sleep, 0, 1000 * MS) / MS, 105);
	take_all_out(sleep);
	take_all_out(echo);
	mill_stop(m);
}
END_TEST

START_TEST(a_command_needs_the_time_at_its_end_at_which_it_would_be_stopped)
{
	struct mill *m = mill_start(OVERRIDES("job upper.grace=500ms", "job sha256.grace=10ms"));
	struct type *third = type_that_takes(m, "upper", 300 * MS), *grace = type_that_takes(m, "sha256", 300 * MS);
	struct type *none = type_that_takes(m, "sleep", 300 * MS);

	ck_assert_int_eq(forecast_need(none), estimate_median(&none->estimate));
	ck_assert_int_eq(forecast_need(third), estimate_median(&third->estimate) * 4 / 3);
	ck_assert_int_eq(forecast_need(grace), estimate_median(&grace->estimate) + 10 * MS);
	mill_stop(m);
}
END_TEST

Suite *forecast_suite(void);
Suite *forecast_suite(void)
{
	const TTest *const tests[] = {
		with_a_free_runner_there_is_no_wait, it_is_what_waits_and_what_is_left_of_what_runs_over_the_runners,
		nothing_wraps_with_the_longest_runs_and_the_most_places, a_semaphore_is_a_queue_too_and_other_types_stand_in_it,
		a_command_needs_the_time_at_its_end_at_which_it_would_be_stopped,
	};

	return suite_of("forecast", tests, countof(tests));
}
