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
		ck_assert(job_give_up(job, CODE_CANCELED, moment_now()));
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

		ck_assert(job && job_give_up(job, CODE_TIMEOUT, moment_now()));
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

	return request_submit(m->leatd.catalogue, &request, &requester, moment_now(), why);
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
	ck_assert(job_give_up(waiting, CODE_CANCELED, moment_now()));
	job_unref(waiting);
	ck_assert_ptr_nonnull(submit_as(m, "two", &why));
	ctx_cancel(m->client);
	mill_forget(mill_home(m));
	mill_forget(mill_home(m));
	mill_stop(m);
}
END_TEST

START_TEST(what_is_out_of_time_when_its_turn_comes_is_not_started)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1"));
	struct answer why;
	struct job *job;

	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "100ms", 0, &why));
	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "1ms", 20 * MILLISECONDS, &why));
	mill_forget(mill_home(m));
	job = mill_home(m);
	ck_assert_int_eq(job->answer.code, CODE_TIMEOUT);
	ck_assert_int_eq(job->started, 0);
	mill_forget(job);
	ck_assert_uint_eq(mill_books(m, "sleep").ended[OUTCOME_timeout], 1);
	mill_stop(m);
}
END_TEST

/* Lets a type learn how long a job of this payload takes. */
static void teach(struct mill *m, const char *name, const char *payload)
{
	struct answer why;

	for (int i = 0; i < ESTIMATE_KNOWN; i++) {
		ck_assert_ptr_nonnull(mill_submit(m, name, payload, 0, &why));
		mill_forget(mill_home(m));
	}
}

static void let_all_go(struct mill *m, int jobs)
{
	ctx_cancel(m->client);
	while (jobs-- > 0)
		mill_forget(mill_home(m));
	mill_stop(m);
}

/* What is ready to be sent is what would be put together. */
static void expect_right_texts(const struct answer *a)
{
	struct answer plain = *a;
	struct buf ready = { 0 }, made = { 0 };

	ck_assert_ptr_nonnull(a->texts);
	plain.texts = NULL;
	answer_add_line(a, &ready);
	answer_add_line(&plain, &made);
	answer_add_problem(a, &ready);
	answer_add_problem(&plain, &made);
	ck_assert(slice_is(buf_slice(&ready), buf_slice(&made)));
	buf_free(&ready);
	buf_free(&made);
}

static void expect_busy(struct mill *m, const char *payload, int64_t deadline_ns, const char *reason)
{
	struct answer why;

	ck_assert_ptr_null(mill_submit(m, "sleep", payload, deadline_ns, &why));
	ck_assert_int_eq(why.code, CODE_BUSY);
	ck_assert_msg(slice_is(why.facts[0].text, slice_of(reason)), "%.*s", (int)why.facts[0].text.len, why.facts[0].text.at);
	expect_right_texts(&why);
}

START_TEST(what_would_not_end_in_time_is_refused_and_what_would_is_not)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=2"));
	struct answer why;

	teach(m, "sleep", "50");
	for (int i = 0; i < 22; i++)
		ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	wait_until(mill_books(m, "sleep").running == 2, SOON);
	/* Twenty wait: at least half a second. */
	expect_busy(m, "50", 400 * MILLISECONDS, "would_miss_deadline");
	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "50", 1000 * MILLISECONDS, &why));
	ck_assert_uint_eq(mill_books(m, "sleep").refused[REFUSED_would_miss_deadline], 1);
	let_all_go(m, 23);
}
END_TEST

START_TEST(retry_ms_is_from_the_predicted_wait_to_twice_that_and_a_hundred)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=2"));
	struct answer why;
	int64_t least = INT64_MAX, most = 0;

	teach(m, "sleep", "50");
	for (int i = 0; i < 22; i++)
		ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	wait_until(mill_books(m, "sleep").running == 2, SOON);
	for (int i = 0; i < 2000; i++) {
		ck_assert_ptr_null(mill_submit(m, "sleep", "50", 100 * MILLISECONDS, &why));
		int64_t retry = answer_number(&why, "retry_ms");

		least = retry < least ? retry : least;
		most = retry > most ? retry : most;
	}
	/* W is 500 ms and what is left of those that run, 0 to 50; more if the machine was slow while it was taught. */
	int64_t wait = 20 * estimate_mean(&leatd_type(&m->leatd, SLICE("sleep"))->estimate) / 2 / MILLISECONDS;

	ck_assert_int_ge(least, wait);
	ck_assert_int_le(most, 2 * (wait + wait / 10 + 1) + 100);
	ck_assert_int_ge(most - least, wait / 2);
	let_all_go(m, 22);
}
END_TEST

START_TEST(without_prediction_only_the_places_count)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.queue=5", "job sleep.predict=no"));
	struct answer why;

	teach(m, "sleep", "50");
	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	for (int i = 0; i < 5; i++)
		ck_assert_ptr_nonnull(mill_submit(m, "sleep", "50", 1 * MILLISECONDS, &why));
	expect_busy(m, "50", 1 * MILLISECONDS, "queue_full");
	let_all_go(m, 6);
}
END_TEST

START_TEST(with_nothing_known_all_places_are_taken)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.queue=5"));
	struct answer why;

	for (int i = 0; i < 6; i++)
		ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 10 * SECONDS, &why));
	expect_busy(m, "60s", 10 * SECONDS, "queue_full");
	let_all_go(m, 6);
}
END_TEST

START_TEST(over_max_wait_it_is_refused_however_late_its_deadline)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1", "job sleep.max_wait=40ms"));
	const struct type *type = leatd_type(&m->leatd, SLICE("sleep"));
	struct answer why;

	teach(m, "sleep", "50");
	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	/* It should have ended by now, so nothing of it is left. */
	wait_until(books_running(type->books, moment_now()).elapsed_ns > estimate_mean(&type->estimate), SOON);
	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	expect_busy(m, "50", 60 * SECONDS, "max_wait");
	let_all_go(m, 2);
}
END_TEST

START_TEST(a_client_that_has_its_share_is_refused_while_another_waits)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=2", "job sleep.queue=8", "job sleep.client_share=30"));
	struct answer why;

	for (int i = 0; i < 5; i++)
		ck_assert_ptr_nonnull(mill_submit_as(m, 1, "sleep", "60s", 0, &why));
	wait_until(mill_books(m, "sleep").running == 2, SOON);
	ck_assert_ptr_nonnull(mill_submit_as(m, 2, "sleep", "60s", 0, &why));
	ck_assert_ptr_null(mill_submit_as(m, 1, "sleep", "60s", 0, &why));
	ck_assert(slice_is(why.facts[0].text, SLICE("client_share")));
	expect_right_texts(&why);
	ck_assert_ptr_nonnull(mill_submit_as(m, 2, "sleep", "60s", 0, &why));
	ck_assert_ptr_nonnull(mill_submit_as(m, 3, "sleep", "60s", 0, &why));
	let_all_go(m, 8);
}
END_TEST

START_TEST(what_has_less_than_half_of_its_median_left_when_its_turn_comes_is_not_started)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1"));
	struct answer why;
	struct job *job;

	/* Taken while nothing is known; the first teaches what it takes. */
	for (int i = 0; i < ESTIMATE_KNOWN; i++)
		ck_assert_ptr_nonnull(mill_submit(m, "sleep", "100", 0, &why));
	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "1", ESTIMATE_KNOWN * 100 * MILLISECONDS + 40 * MILLISECONDS, &why));
	for (int i = 0; i < ESTIMATE_KNOWN; i++)
		mill_forget(mill_home(m));
	job = mill_home(m);
	ck_assert_int_eq(job->answer.code, CODE_TIMEOUT);
	ck_assert_int_eq(job->started, 0);
	ck_assert(slice_is(job->answer.facts[0].text, SLICE("waiting")));
	mill_forget(job);
	mill_stop(m);
}
END_TEST

/* How many of `n` were refused, when each is sent as soon as the one before it is over. */
static int refused_of(struct mill *m, int n, const char *payload, int64_t deadline_ns)
{
	struct answer why;
	int refused = 0;

	for (int i = 0; i < n; i++) {
		if (mill_submit(m, "sleep", payload, deadline_ns, &why))
			mill_forget(mill_home(m));
		else
			refused++;
	}
	return refused;
}

START_TEST(an_estimate_that_was_wrong_heals_by_itself)
{
	struct mill *m = mill_start(NULL, 0);
	struct type *type = leatd_type(&m->leatd, SLICE("sleep"));
	moment until;

	for (int i = 0; i < ESTIMATE_WINDOW; i++)
		estimate_record(&type->estimate, 1 * SECONDS, true, 1, moment_now());
	ck_assert_int_eq(refused_of(m, 1, "1", 100 * MILLISECONDS), 1);
	for (until = SOON; refused_of(m, 10, "1", 100 * MILLISECONDS) > 0;)
		ck_assert(!moment_reached(until));
	ck_assert_int_lt(estimate_median(&type->estimate), 100 * MILLISECONDS);
	mill_stop(m);
}
END_TEST

START_TEST(a_probe_is_not_asked_again_when_its_turn_comes)
{
	struct mill *m = mill_start(NULL, 0);
	struct type *type = leatd_type(&m->leatd, SLICE("sleep"));
	struct answer why;
	struct job *job;

	for (int i = 0; i < ESTIMATE_WINDOW; i++)
		estimate_record(&type->estimate, 10 * SECONDS, true, 1, 1);
	/* Far less than half of the median is left to it. */
	job = mill_submit(m, "sleep", "1", 2 * SECONDS, &why);
	ck_assert_ptr_nonnull(job);
	ck_assert(job->probe);
	ck_assert_ptr_eq(mill_home(m), job);
	ck_assert_int_eq(job->answer.code, CODE_OK);
	mill_forget(job);
	mill_stop(m);
}
END_TEST

START_TEST(when_a_type_becomes_ten_times_as_slow_and_fast_again_what_it_admits_follows)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1"));
	struct type *type = leatd_type(&m->leatd, SLICE("sleep"));

	refused_of(m, 2 * ESTIMATE_WINDOW, "2", 10 * SECONDS);
	ck_assert_int_eq(refused_of(m, ESTIMATE_WINDOW, "20", 10 * SECONDS), 0);
	ck_assert_int_ge(estimate_median(&type->estimate), 20 * MILLISECONDS);
	/* Now with a deadline that only probes can meet. */
	ck_assert_int_ge(refused_of(m, 100, "20", 15 * MILLISECONDS), 90);
	refused_of(m, ESTIMATE_WINDOW, "2", 10 * SECONDS);
	ck_assert_int_lt(estimate_median(&type->estimate), 20 * MILLISECONDS);
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
		what_would_not_end_in_time_is_refused_and_what_would_is_not,
		retry_ms_is_from_the_predicted_wait_to_twice_that_and_a_hundred, without_prediction_only_the_places_count,
		with_nothing_known_all_places_are_taken, over_max_wait_it_is_refused_however_late_its_deadline,
		a_client_that_has_its_share_is_refused_while_another_waits,
		what_has_less_than_half_of_its_median_left_when_its_turn_comes_is_not_started, an_estimate_that_was_wrong_heals_by_itself,
		a_probe_is_not_asked_again_when_its_turn_comes, when_a_type_becomes_ten_times_as_slow_and_fast_again_what_it_admits_follows,
		what_is_out_of_time_when_its_turn_comes_is_not_started, an_id_may_be_in_flight_once_and_again_when_its_job_is_over, over_the_memory_budget_nothing_is_taken_until_some_is_given_back, while_draining_nothing_is_taken,
		an_unknown_job_is_no_submission_and_the_nearest_is_named, the_books_balance_after_many_threads_have_submitted,
	};

	return suite_of("admit", tests, countof(tests));
}
