#include "mill.h"

#define OVERRIDES(...) (const char *const[]){ __VA_ARGS__ }, countof(((const char *const[]){ __VA_ARGS__ }))

static void expect_refused(struct mill *m, const char *name, enum code code, const char *reason)
{
	struct answer why;
	struct buf line = { 0 };

	ck_assert_ptr_null(mill_submit(m, name, "x", 0, &why));
	ck_assert_int_eq(why.code, code);
	answer_add_line(&why, &line);
	buf_add_char(&line, '\0');
	ck_assert_msg(strstr(line.at, reason) != NULL, "%s", line.at);
	buf_free(&line);
}

START_TEST(exactly_concurrency_and_queue_are_taken_and_the_next_is_told_when_to_come_again)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.queue=2"));
	struct answer why;

	for (int i = 0; i < 3; i++)
		ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	for (int i = 0; i < 7; i++)
		expect_refused(m, "sleep", CODE_BUSY, "reason=queue_full retry_ms=");
	ck_assert_uint_eq(mill_books(m, "sleep").submitted, 10);
	ck_assert_uint_eq(mill_books(m, "sleep").refused[REFUSED_queue_full], 7);
	ctx_cancel(m->client);
	for (int i = 0; i < 3; i++)
		mill_forget(mill_home(m));
	struct books_copy books = mill_books(m, "sleep");

	expect_balance(&books);
	ck_assert_uint_eq(books.ended[OUTCOME_canceled], 3);
	mill_stop(m);
}
END_TEST

START_TEST(a_place_is_free_when_its_job_has_come_home)
{
	struct mill *m = mill_start(OVERRIDES("job echo.concurrency=1", "job echo.queue=0"));
	struct answer why;

	for (int i = 0; i < 2000; i++) {
		ck_assert_ptr_nonnull(mill_submit(m, "echo", "x", 0, &why));
		mill_forget(mill_home(m));
	}
	mill_stop(m);
}
END_TEST

START_TEST(a_job_that_gave_its_place_up_leaves_it_to_another_however_often)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.queue=3"));
	struct answer why;

	/* The runner is busy throughout, so nobody takes the abandoned out of the channel but admission. */
	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	wait_until(mill_books(m, "sleep").running == 1, SOON);
	for (int i = 0; i < 1000; i++) {
		struct job *job = mill_submit(m, "sleep", "1ms", 0, &why);

		ck_assert_ptr_nonnull(job);
		ck_assert(job_claim(job, JOB_ENDED));
		job_end_waiting(job, CODE_CANCELED, moment_now());
		job_unref(job);
	}
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	expect_refused(m, "sleep", CODE_BUSY, "queue_full");
	ctx_cancel(m->client);
	for (int i = 0; i < 4; i++)
		mill_forget(mill_home(m));
	mill_stop(m);
}
END_TEST

START_TEST(those_that_wait_run_in_the_order_in_which_they_came)
{
	struct mill *m = mill_start(OVERRIDES("job echo.concurrency=1"));
	struct answer why;
	struct job *jobs[200];

	for (int i = 0; i < 200; i++)
		jobs[i] = mill_submit(m, "echo", "x", 0, &why);
	for (int i = 0; i < 200; i++) {
		struct job *job = mill_home(m);

		ck_assert_ptr_eq(job, jobs[i]);
		mill_forget(job);
	}
	mill_stop(m);
}
END_TEST

START_TEST(a_type_that_is_full_takes_nothing_from_another)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.queue=0"));
	struct answer why;

	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	expect_refused(m, "sleep", CODE_BUSY, "queue_full");
	ck_assert_ptr_nonnull(mill_submit(m, "echo", "x", 0, &why));
	mill_forget(mill_home(m));
	ctx_cancel(m->client);
	mill_forget(mill_home(m));
	mill_stop(m);
}
END_TEST

START_TEST(over_the_memory_budget_nothing_is_taken_until_some_is_given_back)
{
	struct mill *m = mill_start(OVERRIDES("server.max_memory=1M"));
	char payload[300 * 1024];
	struct answer why;
	struct job *job;
	int taken = 0;

	memset(payload, 'x', sizeof(payload) - 1);
	payload[sizeof(payload) - 1] = '\0';
	while (mill_submit(m, "echo", payload, 0, &why))
		taken++;
	ck_assert_int_eq(taken, 3);
	ck_assert_uint_eq(mill_books(m, "echo").refused[REFUSED_memory], 1);
	job = mill_home(m);
	mill_forget(job);
	ck_assert_ptr_nonnull(mill_submit(m, "echo", payload, 0, &why));
	for (int i = 0; i < 3; i++)
		mill_forget(mill_home(m));
	mill_stop(m);
}
END_TEST

START_TEST(the_payload_of_a_job_that_gave_its_place_up_is_not_held_against_others)
{
	struct mill *m = mill_start(OVERRIDES("server.max_memory=1M", "job sleep.concurrency=1"));
	char payload[300 * 1024];
	struct answer why;

	memset(payload, 'x', sizeof(payload) - 1);
	payload[sizeof(payload) - 1] = '\0';
	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	wait_until(mill_books(m, "sleep").running == 1, SOON);
	for (int i = 0; i < 3; i++) {
		struct job *job = mill_submit(m, "sleep", payload, 0, &why);

		ck_assert(job && job_claim(job, JOB_ENDED));
		job_end_waiting(job, CODE_TIMEOUT, moment_now());
		job_unref(job);
	}
	ck_assert_ptr_nonnull(mill_submit(m, "echo", payload, 0, &why));
	mill_forget(mill_home(m));
	ctx_cancel(m->client);
	mill_forget(mill_home(m));
	mill_stop(m);
}
END_TEST

static struct job *submit_as(struct mill *m, const char *id, struct answer *why)
{
	struct request request = { .job = SLICE("sleep"), .payload = SLICE("60s"), .id = slice_of(id) };
	struct requester requester = { .ctx = m->client, .home = m->home };

	return request_submit(&m->leatd, &request, &requester, moment_now(), why);
}

START_TEST(an_id_may_be_in_flight_once_and_again_when_its_job_is_over)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1"));
	struct answer why;
	struct job *waiting;

	ck_assert_ptr_nonnull(submit_as(m, "one", &why));
	wait_until(mill_books(m, "sleep").running == 1, SOON);
	waiting = submit_as(m, "two", &why);
	ck_assert_ptr_nonnull(waiting);
	ck_assert_ptr_null(submit_as(m, "one", &why));
	ck_assert_int_eq(why.code, CODE_ERR);
	ck_assert_ptr_null(submit_as(m, "two", &why));
	ck_assert_uint_eq(mill_books(m, "sleep").submitted, 2);
	ck_assert(job_claim(waiting, JOB_ENDED));
	job_end_waiting(waiting, CODE_CANCELED, moment_now());
	job_unref(waiting);
	ck_assert_ptr_nonnull(submit_as(m, "two", &why));
	ctx_cancel(m->client);
	mill_forget(mill_home(m));
	mill_forget(mill_home(m));
	mill_stop(m);
}
END_TEST

START_TEST(while_draining_nothing_is_taken)
{
	struct mill *m = mill_start(NULL, 0);

	shim_store(&m->leatd.draining, 1, relaxed);
	expect_refused(m, "echo", CODE_DRAINING, "reason=draining");
	mill_stop(m);
}
END_TEST

START_TEST(an_unknown_job_is_no_submission_and_the_nearest_is_named)
{
	struct mill *m = mill_start(NULL, 0);

	expect_refused(m, "ehco", CODE_NOJOB, "job=ehco nearest=echo");
	ck_assert_uint_eq(mill_books(m, "echo").submitted, 0);
	mill_stop(m);
}
END_TEST

/* Submits from several threads at once. */
struct submitter {
	struct mill *mill;
	int taken, refused;
};

static void *submit_many(void *arg)
{
	struct submitter *s = arg;
	struct answer why;

	for (int i = 0; i < 5000; i++) {
		if (mill_submit(s->mill, "echo", "x", 0, &why))
			s->taken++;
		else
			s->refused++;
	}
	return NULL;
}

START_TEST(the_books_balance_after_many_threads_have_submitted)
{
	struct mill *m = mill_start(OVERRIDES("job echo.queue=8"));
	struct submitter s[4] = { { m, 0, 0 }, { m, 0, 0 }, { m, 0, 0 }, { m, 0, 0 } };
	pthread_t threads[4];
	uint64_t taken = 0, refused = 0, home = 0;
	struct books_copy books;
	struct job *job;

	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(submit_many, &s[i]);
	while (home < 4 * 5000 && chan_recv(m->home, &job, NULL, moment_in(200 * MILLISECONDS)) == CHAN_OK) {
		mill_forget(job);
		home++;
	}
	for (int i = 0; i < 4; i++) {
		thread_join(threads[i]);
		taken += (uint64_t)s[i].taken;
		refused += (uint64_t)s[i].refused;
	}
	while (home < taken) {
		mill_forget(mill_home(m));
		home++;
	}
	books = mill_books(m, "echo");
	expect_balance(&books);
	ck_assert_uint_eq(books.ended[OUTCOME_done], taken);
	ck_assert_uint_eq(books.refused[REFUSED_queue_full], refused);
	ck_assert_uint_eq(books.waiting + books.running, 0);
	mill_stop(m);
}
END_TEST

Suite *admit_suite(void);
Suite *admit_suite(void)
{
	const TTest *const tests[] = {
		exactly_concurrency_and_queue_are_taken_and_the_next_is_told_when_to_come_again,
		a_place_is_free_when_its_job_has_come_home, a_job_that_gave_its_place_up_leaves_it_to_another_however_often,
		those_that_wait_run_in_the_order_in_which_they_came, a_type_that_is_full_takes_nothing_from_another,
		the_payload_of_a_job_that_gave_its_place_up_is_not_held_against_others,
		an_id_may_be_in_flight_once_and_again_when_its_job_is_over, over_the_memory_budget_nothing_is_taken_until_some_is_given_back, while_draining_nothing_is_taken,
		an_unknown_job_is_no_submission_and_the_nearest_is_named, the_books_balance_after_many_threads_have_submitted,
	};

	return suite_of("admit", tests, countof(tests));
}
