#include "blocked.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(a_group_of_nothing_is_done)
{
	struct waitgroup *group = waitgroup_new();

	ck_assert_uint_eq(waitgroup_count(group), 0);
	ck_assert_status(waitgroup_wait(group, NULL, NOW), CHAN_OK);
	waitgroup_unref(group);
	waitgroup_unref(NULL);
}
END_TEST

START_TEST(a_wait_that_is_not_over_says_why_it_ended)
{
	struct waitgroup *group = waitgroup_new();
	struct ctx *late = ctx_with_deadline(NULL, moment_in(MILLISECONDS)), *cancelled = ctx_with_cancel(NULL);

	waitgroup_add(group, 2);
	waitgroup_done(group);
	ck_assert_uint_eq(waitgroup_count(group), 1);
	ck_assert_status(waitgroup_wait(group, NULL, NOW), CHAN_WOULD_BLOCK);
	ck_assert_status(waitgroup_wait(group, NULL, 1), CHAN_TIMED_OUT);
	ck_assert_status(waitgroup_wait(group, NULL, moment_in(MILLISECONDS)), CHAN_TIMED_OUT);
	ck_assert_status(waitgroup_wait(group, late, FOREVER), CHAN_DEADLINE);
	ctx_cancel(cancelled);
	ck_assert_status(waitgroup_wait(group, cancelled, FOREVER), CHAN_CANCELED);
	waitgroup_done(group);
	ck_assert_status(waitgroup_wait(group, NULL, FOREVER), CHAN_OK);
	waitgroup_unref(group);
	ctx_unref(late);
	ctx_unref(cancelled);
}
END_TEST

static void *done_main(void *arg)
{
	waitgroup_done(arg);
	return NULL;
}

START_TEST(who_waited_may_drop_the_last_reference_at_once)
{
	enum { WORKERS = 4, ROUNDS = 500 };
	pthread_t threads[WORKERS];
	int i, k;

	for (i = 0; i < ROUNDS; i++) {
		struct waitgroup *group = waitgroup_new();
		waitgroup_add(group, WORKERS);
		for (k = 0; k < WORKERS; k++)
			threads[k] = thread_start(done_main, group);
		ck_assert_status(waitgroup_wait(group, NULL, SOON), CHAN_OK);
		waitgroup_unref(group);
		for (k = 0; k < WORKERS; k++)
			thread_join(threads[k]);
	}
}
END_TEST

struct waiting {
	struct waitgroup *group;
	enum chan_status status;
};

static void *wait_main(void *arg)
{
	struct waiting *w = arg;

	w->status = waitgroup_wait(w->group, NULL, SOON);
	waitgroup_unref(w->group);
	return NULL;
}

START_TEST(everyone_who_waits_goes_on)
{
	enum { MANY = 8 };
	struct waitgroup *group = waitgroup_new();
	struct waiting w[MANY];
	pthread_t threads[MANY];
	int i;

	waitgroup_add(group, 1);
	for (i = 0; i < MANY; i++) {
		w[i].group = waitgroup_ref(group);
		threads[i] = thread_start(wait_main, &w[i]);
	}
	waitgroup_done(group);
	waitgroup_unref(group);
	for (i = 0; i < MANY; i++) {
		thread_join(threads[i]);
		ck_assert_status(w[i].status, CHAN_OK);
	}
}
END_TEST

/* Runs the mistake in a process of its own, which ends by SIGABRT after saying a sentence. */
static void check_aborts(void (*mistake)(struct waitgroup *), const char *word)
{
	char said[256] = { 0 };
	int ends[2], status;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		mistake(waitgroup_new());
		_exit(0);
	}
	close(ends[1]);
	ck_assert_int_gt(read(ends[0], said, sizeof(said) - 1), 0);
	close(ends[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	ck_assert_ptr_nonnull(strstr(said, word));
}

static void done_too_often(struct waitgroup *group)
{
	waitgroup_done(group);
}

static void add_too_much(struct waitgroup *group)
{
	waitgroup_add(group, SIZE_MAX);
	waitgroup_add(group, 1);
}

START_TEST(mistakes_end_with_a_sentence)
{
	check_aborts(done_too_often, "more things done than were added");
	check_aborts(add_too_much, "more things than can be counted");
}
END_TEST

Suite *waitgroup_suite(void);

Suite *waitgroup_suite(void)
{
	const TTest *tests[] = {
		a_group_of_nothing_is_done,
		a_wait_that_is_not_over_says_why_it_ended,
		who_waited_may_drop_the_last_reference_at_once,
		everyone_who_waits_goes_on,
		mistakes_end_with_a_sentence,
	};
	return suite_of("waitgroup", tests, countof(tests));
}
