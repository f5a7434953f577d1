#include "mill.h"

#define OVERRIDES(...) (const char *const[]){ __VA_ARGS__ }, countof(((const char *const[]){ __VA_ARGS__ }))

static const struct named_semaphore *semaphore_of(const struct mill *m, const char *name)
{
	for (size_t i = 0; i < m->leatd.catalogue->semaphore_count; i++) {
		if (strcmp(m->leatd.catalogue->semaphores[i]->config->name, name) == 0)
			return m->leatd.catalogue->semaphores[i];
	}
	ck_abort_msg("no semaphore %s", name);
}

static bool is_whole(const struct mill *m, const char *name)
{
	const struct named_semaphore *s = semaphore_of(m, name);

	return semaphores_free(s) == s->config->permits;
}

START_TEST(they_are_taken_in_the_order_of_their_names_whatever_the_order_of_uses)
{
	struct mill *m = mill_start(OVERRIDES("semaphore b.permits=1", "semaphore a.permits=1", "job sleep.uses=b a", "job echo.uses=a b"));
	const struct type *sleep = leatd_type(&m->leatd, SLICE("sleep")), *echo = leatd_type(&m->leatd, SLICE("echo"));

	for (size_t i = 0; i < 2; i++) {
		ck_assert_str_eq(sleep->uses[i]->config->name, i ? "b" : "a");
		ck_assert_ptr_eq(sleep->uses[i], echo->uses[i]);
	}
	mill_stop(m);
}
END_TEST

START_TEST(types_that_share_one_permit_never_run_at_once_and_those_that_wait_for_it_are_waiting)
{
	struct mill *m = mill_start(OVERRIDES("semaphore db.permits=1", "job sleep.uses=db", "job echo.uses=db"));
	struct answer why;
	struct job *job;

	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	wait_until(mill_books(m, "sleep").running == 1, SOON);
	ck_assert_ptr_nonnull(mill_submit(m, "echo", "x", 30 * MILLISECONDS, &why));
	job = mill_home(m);
	ck_assert_int_eq(job->answer.code, CODE_TIMEOUT);
	ck_assert_int_eq(job->started, 0);
	ck_assert_uint_eq(mill_books(m, "echo").running, 0);
	mill_forget(job);
	ctx_cancel(m->client);
	mill_forget(mill_home(m));
	ck_assert(is_whole(m, "db"));
	mill_stop(m);
}
END_TEST

START_TEST(a_job_that_gives_its_place_up_while_it_waits_for_a_permit_lets_its_runner_go)
{
	struct mill *m = mill_start(OVERRIDES("semaphore db.permits=1", "job sleep.uses=db", "job echo.uses=db", "job echo.concurrency=1"));
	struct type *echo = leatd_type(&m->leatd, SLICE("echo"));
	struct answer why;
	struct job *job;

	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	wait_until(mill_books(m, "sleep").running == 1, SOON);
	job = mill_submit(m, "echo", "x", 0, &why);
	ck_assert_ptr_nonnull(job);
	wait_until(chan_len(pool_chan(echo->pool)) == 0, SOON);
	ck_assert(job_give_up(job, CODE_CANCELED, moment_now()));
	ck_assert_uint_eq(books_inside(echo->books), 0);
	job_unref(job);
	wait_until(pool_outstanding(echo->pool) == 0 && shim_load(&echo->buried, relaxed) == 0, SOON);
	ctx_cancel(m->client);
	mill_forget(mill_home(m));
	ck_assert(is_whole(m, "db"));
	mill_stop(m);
}
END_TEST

START_TEST(two_types_that_name_the_same_two_the_other_way_round_do_not_wait_for_each_other)
{
	struct mill *m = mill_start(OVERRIDES("semaphore a.permits=1", "semaphore b.permits=1", "job sleep.uses=b a", "job echo.uses=a b",
					      "job sleep.queue=2000", "job echo.queue=2000"));
	struct answer why;

	for (int i = 0; i < 1000; i++) {
		ck_assert_ptr_nonnull(mill_submit(m, "sleep", "0", 60 * SECONDS, &why));
		ck_assert_ptr_nonnull(mill_submit(m, "echo", "x", 60 * SECONDS, &why));
	}
	for (int i = 0; i < 2000; i++) {
		struct job *job = mill_home(m);

		ck_assert_int_eq(job->answer.code, CODE_OK);
		mill_forget(job);
	}
	ck_assert(is_whole(m, "a") && is_whole(m, "b"));
	mill_stop(m);
}
END_TEST

START_TEST(the_permit_comes_back_in_every_way_a_job_can_end)
{
	struct mill *m = mill_start(OVERRIDES("semaphore db.permits=1", "job sleep.uses=db", "job sleep.concurrency=1", "job fail.exec=false",
					      "job fail.uses=db", "job crash.exec=sh -c 'kill -9 $$'", "job crash.uses=db",
					      "job flood.exec=yes", "job flood.uses=db", "job flood.max_output=1K",
					      "job stay.exec=sleep 60", "job stay.uses=db", "job stay.grace=10ms"));
	static const struct {
		const char *job, *payload;
		int64_t deadline_ns;
		enum code code;
	} ways[] = {
		{ "sleep", "0", 0, CODE_OK }, { "sleep", "nonsense", 0, CODE_FAILED }, { "fail", "", 0, CODE_FAILED },
		{ "crash", "", 0, CODE_KILLED }, { "flood", "", 0, CODE_TOOBIG }, { "stay", "", 100 * MILLISECONDS, CODE_TIMEOUT },
		{ "sleep", "60s", 20 * MILLISECONDS, CODE_TIMEOUT },
	};
	struct answer why;
	struct job *job;

	for (size_t i = 0; i < countof(ways); i++) {
		ck_assert_ptr_nonnull(mill_submit(m, ways[i].job, ways[i].payload, ways[i].deadline_ns, &why));
		job = mill_home(m);
		ck_assert_msg(job->answer.code == ways[i].code && job->started > 0, "%s: %d", ways[i].job, job->answer.code);
		mill_forget(job);
		ck_assert_msg(is_whole(m, "db"), "%s", ways[i].job);
	}
	ck_assert_ptr_nonnull(mill_submit(m, "stay", "", 0, &why));
	wait_until(mill_books(m, "stay").running == 1, SOON);
	ck_assert_uint_eq(semaphores_free(semaphore_of(m, "db")), 0);
	ctx_cancel(m->client);
	job = mill_home(m);
	ck_assert_int_eq(job->answer.code, CODE_CANCELED);
	ck_assert(is_whole(m, "db"));
	mill_forget(job);
	mill_stop(m);
}
END_TEST

Suite *semaphores_suite(void);
Suite *semaphores_suite(void)
{
	const TTest *const tests[] = {
		they_are_taken_in_the_order_of_their_names_whatever_the_order_of_uses,
		types_that_share_one_permit_never_run_at_once_and_those_that_wait_for_it_are_waiting,
		a_job_that_gives_its_place_up_while_it_waits_for_a_permit_lets_its_runner_go,
		two_types_that_name_the_same_two_the_other_way_round_do_not_wait_for_each_other,
		the_permit_comes_back_in_every_way_a_job_can_end,
	};

	return suite_of("semaphores", tests, countof(tests));
}
