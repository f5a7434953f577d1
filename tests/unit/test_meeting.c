#include "../../daemon/admit.h"
#include "../../daemon/meeting.h"
#include "mill.h"

#define OVERRIDES(...) (const char *const[]){ __VA_ARGS__ }, countof(((const char *const[]){ __VA_ARGS__ }))

/* Admitted, and not in its channel yet. */
static struct job *admitted(struct mill *m, const char *name, const char *payload)
{
	moment now = moment_now();
	struct job_order order = { .type = leatd_type(&m->leatd, slice_of(name)), .payload = slice_of(payload), .arrived = now,
				   .deadline = now + 20 * SECONDS, .parent = m->client, .home = m->home, .is_stage = true,
				   .places = 1, .quorum = 1, .width = 1 };
	struct answer why;
	struct job *job;

	ck_assert(admit_place(&order, &why));
	job = job_new(&order);
	ck_assert_ptr_nonnull(job);
	return job;
}

/* All of them come home done. */
static void expect_done(struct mill *m, size_t jobs)
{
	for (size_t i = 0; i < jobs; i++) {
		struct job *job = mill_home(m);

		ck_assert_int_eq(job->answer.code, CODE_OK);
		mill_forget(job);
	}
}

START_TEST(nobody_starts_before_all_have_a_runner)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1"));
	struct type *sleep = leatd_type(&m->leatd, SLICE("sleep"));
	struct job *both[2];
	struct answer why;

	ck_assert_ptr_nonnull(mill_submit(m, "sleep", "60s", 0, &why));
	wait_until(mill_books(m, "sleep").running == 1, SOON);
	both[0] = admitted(m, "sleep", "1ms");
	both[1] = admitted(m, "echo", "x");
	ck_assert(meeting_call(both, 2));
	meeting_begin(both[0]->meeting);
	/* The one has its runner, or does not want it yet; that of the other is busy. */
	wait_until(chan_len(pool_chan(sleep->pool)) == 1, SOON);
	ck_assert_uint_eq(mill_books(m, "echo").waiting, 1);
	ck_assert_uint_eq(mill_books(m, "echo").running, 0);
	ctx_cancel(m->client);
	for (int i = 0; i < 3; i++)
		mill_forget(mill_home(m));
	mill_stop(m);
}
END_TEST

START_TEST(many_meetings_of_the_same_types_all_take_place)
{
	enum { MEETINGS = 100 };
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=2", "job echo.concurrency=1", "job sleep.queue=1000", "job echo.queue=1000"));

	for (int i = 0; i < MEETINGS; i++) {
		struct job *jobs[] = { admitted(m, "sleep", "1ms"), admitted(m, "echo", "x"), admitted(m, "sleep", "0") };

		ck_assert(meeting_call(jobs, countof(jobs)));
		meeting_begin(jobs[0]->meeting);
	}
	expect_done(m, (size_t)3 * MEETINGS);
	mill_stop(m);
}
END_TEST

START_TEST(permits_are_taken_for_all_together_and_come_back_when_the_last_has_left)
{
	struct mill *m = mill_start(OVERRIDES("semaphore a.permits=2", "job sleep.uses=a", "job echo.uses=a"));
	struct job *jobs[] = { admitted(m, "sleep", "60s"), admitted(m, "echo", "x") };
	struct job *echo;

	ck_assert(meeting_call(jobs, countof(jobs)));
	meeting_begin(jobs[0]->meeting);
	echo = mill_home(m);
	ck_assert_ptr_eq(echo, jobs[1]);
	ck_assert_uint_eq(semaphores_free(m->leatd.catalogue->semaphores[0]), 0);
	ctx_cancel(m->client);
	mill_forget(mill_home(m));
	ck_assert_uint_eq(semaphores_free(m->leatd.catalogue->semaphores[0]), 2);
	mill_forget(echo);
	mill_stop(m);
}
END_TEST

START_TEST(once_it_is_closed_nobody_else_enters)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.concurrency=1"));
	struct job *jobs[] = { admitted(m, "sleep", "1ms"), admitted(m, "echo", "x") }, *outside;

	ck_assert(meeting_call(jobs, countof(jobs)));
	meeting_close(jobs[0]->meeting);
	meeting_begin(jobs[0]->meeting);
	/* Which type comes first is up to where they lie. */
	ck_assert(jobs[0]->entered != jobs[1]->entered);
	outside = jobs[jobs[0]->entered];
	/* As whoever has called it does it: the one outside first. */
	ck_assert(job_end_waiting(outside, CODE_CANCELED, moment_now()));
	mill_forget(outside);
	ctx_cancel(m->client);
	mill_forget(mill_home(m));
	mill_stop(m);
}
END_TEST

Suite *meeting_suite(void);
Suite *meeting_suite(void)
{
	const TTest *const tests[] = {
		nobody_starts_before_all_have_a_runner,
		many_meetings_of_the_same_types_all_take_place,
		permits_are_taken_for_all_together_and_come_back_when_the_last_has_left,
		once_it_is_closed_nobody_else_enters,
	};

	return suite_of("meeting", tests, countof(tests));
}
