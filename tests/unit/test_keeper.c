#include "../../daemon/keeper.h"

#include "testing.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static int keep(void (*work)(void *), void *arg)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = keeper_run(work, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static void note_who(void *arg)
{
	*(pid_t *)arg = getpid();
}

START_TEST(the_work_is_done_in_another_process_and_in_our_memory)
{
	pid_t who = 0;

	ck_assert_int_eq(keep(note_who, &who), 0);
	ck_assert_int_gt(who, 0);
	ck_assert_int_ne(who, getpid());
	/* It has been reaped. */
	ck_assert_int_eq(kill(who, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
}
END_TEST

static void close_it(void *arg)
{
	syscall(SYS_close, *(int *)arg);
}

START_TEST(it_shares_our_descriptors)
{
	int fd = dup(0);

	ck_assert_int_eq(keep(close_it, &fd), 0);
	ck_assert_int_eq(close(fd), -1);
}
END_TEST

static void be_killed(void *arg)
{
	(void)arg;
	syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

START_TEST(one_that_is_killed_is_told)
{
	ck_assert_int_eq(keep(be_killed, NULL), -ECHILD);
}
END_TEST

static void *keep_often(void *arg)
{
	size_t *failures = arg;

	for (int i = 0; i < 100; i++) {
		pid_t who = 0;

		*failures += keep(note_who, &who) != 0 || who == 0 || who == getpid();
	}
	return NULL;
}

START_TEST(each_thread_waits_for_its_own)
{
	pthread_t threads[4];
	size_t failures[countof(threads)] = { 0 };

	for (size_t i = 0; i < countof(threads); i++)
		threads[i] = thread_start(keep_often, &failures[i]);
	for (size_t i = 0; i < countof(threads); i++) {
		thread_join(threads[i]);
		ck_assert_uint_eq(failures[i], 0);
	}
}
END_TEST

Suite *keeper_suite(void);

Suite *keeper_suite(void)
{
	const TTest *tests[] = {
		the_work_is_done_in_another_process_and_in_our_memory,
		it_shares_our_descriptors,
		one_that_is_killed_is_told,
		each_thread_waits_for_its_own,
	};
	return suite_of("keeper", tests, countof(tests));
}
