/* Each story is told by a keeper, which reports what it saw; the test judges. */
#include "../../daemon/tree.h"

#include "../../daemon/keeper.h"
#include "../../daemon/limits.h"
#include "../../daemon/spawn.h"
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

struct story {
	struct trees trees;
	struct tree tree;
	const char *script;             /* of /bin/sh; says `ready` on fd 1 */
	void (*tell)(struct story *);
	int said[2], nothing;
	pid_t started;
	bool was_ready, gone_early, gone, group_gone;
	int waited;                     /* errno of a wait for any child at the end */
};

/* Until the shell has said a line. */
static bool hear_ready(struct story *s)
{
	char line[16];

	return poll(&(struct pollfd){ s->said[0], POLLIN, 0 }, 1, 20000) == 1 && read(s->said[0], line, sizeof(line)) > 0;
}

static void begin(struct story *s)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)(uintptr_t)s->script, NULL };
	char *envp[] = { (char[]){ "PATH=/usr/bin:/bin" }, NULL };
	struct account nobody_else = { .known = true };
	struct limits none = { .count = 0 };
	struct spawn_order order = { .path = "/bin/sh", .argv = argv, .envp = envp, .cwd = "/", .account = &nobody_else,
				     .limits = &none, .in = s->nothing, .out = s->said[1], .err = s->nothing, .cgroup = -1 };
	const char *what;

	s->started = spawn(&order, &what);
	s->tree.first = s->started > 0 ? s->started : 0;
	s->was_ready = s->started > 0 && hear_ready(s);
}

/* Until it is gone, or half a minute is over. */
static void kill_until_gone(struct story *s)
{
	moment until = SOON;

	do {
		tree_kill(&s->tree);
		s->gone = tree_is_gone(&s->tree);
	} while (!s->gone && !moment_reached(until));
}

static void in_keeper(void *arg)
{
	struct story *s = arg;

	begin(s);
	if (s->was_ready)
		s->tell(s);
	/* Whatever happened: nobody outlives the test. */
	if (!s->gone)
		kill_until_gone(s);
	s->waited = waitpid(-1, NULL, WNOHANG | __WALL) < 0 ? errno : 0;
	s->group_gone = kill(-s->started, 0) < 0 && errno == ESRCH;
}

static struct story told(const char *script, void (*tell)(struct story *))
{
	struct story s = { .script = script, .tell = tell };
	sigset_t all, before;

	ck_assert_int_eq(trees_init(&s.trees), 0);
	ck_assert_int_eq(pipe2(s.said, O_CLOEXEC), 0);
	s.nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	s.tree.trees = &s.trees;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ck_assert_int_eq(keeper_run(in_keeper, &s), 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(s.said[0]);
	close(s.said[1]);
	close(s.nothing);
	trees_free(&s.trees);
	ck_assert(s.was_ready);
	ck_assert(s.gone);
	ck_assert_int_eq(s.waited, ECHILD);
	ck_assert(s.group_gone);
	return s;
}

/* Four that ignore SIGTERM: two of them orphans in sessions of their own. */
#define STUBBORN "trap '' TERM; (setsid sleep 171 & setsid sleep 172 &); sleep 173 & echo ready; wait; sleep 174"

static void just_kill(struct story *s)
{
	s->gone_early = tree_is_gone(&s->tree);
	kill_until_gone(s);
}

START_TEST(whoever_left_its_group_and_its_parent_is_killed)
{
	struct story s = told(STUBBORN, just_kill);

	ck_assert(!s.gone_early);
	ck_assert(s.tree.first_ended);
	ck_assert_int_eq(s.tree.end.si_code, CLD_KILLED);
	ck_assert_int_eq(s.tree.end.si_status, SIGKILL);
}
END_TEST

static void ask_to_end(struct story *s)
{
	moment until = SOON;

	tree_terminate(&s->tree);
	while (!(s->gone = tree_is_gone(&s->tree)) && !moment_reached(until))
		poll(&(struct pollfd){ s->trees.child_ended, POLLIN, 0 }, 1, 10);
}

START_TEST(whoever_left_its_group_is_asked_to_end_as_well)
{
	struct story s = told("(setsid sleep 175 & setsid sleep 176 &); sleep 177 & echo ready; wait", ask_to_end);

	ck_assert_int_eq(s.tree.end.si_code, CLD_KILLED);
	ck_assert_int_eq(s.tree.end.si_status, SIGTERM);
}
END_TEST

/* The shell goes on when the other is in its session and has let the output go. Only looks: the end of the first process is the end of its group, and of nobody else. */
static void wait_for_the_group(struct story *s)
{
	moment until = SOON;

	while (!s->tree.first_ended && !moment_reached(until))
		s->gone_early |= tree_is_gone(&s->tree);
	while (kill(-s->started, 0) == 0 && !moment_reached(until))
		s->gone_early |= tree_is_gone(&s->tree);
	s->group_gone = kill(-s->started, 0) < 0;
	kill_until_gone(s);
}

START_TEST(when_the_first_process_ends_its_group_is_killed_and_the_tree_is_not_gone_before_the_others)
{
	struct story s = told("sleep 178 & out=$(setsid sh -c 'exec sleep 179 >/dev/null' &); echo ready; exit 3", wait_for_the_group);

	ck_assert(!s.gone_early);
	ck_assert_int_eq(s.tree.end.si_code, CLD_EXITED);
	ck_assert_int_eq(s.tree.end.si_status, 3);
}
END_TEST

static void see_it_end(struct story *s)
{
	moment until = SOON;

	while (!(s->gone = tree_is_gone(&s->tree)) && !moment_reached(until))
		poll(&(struct pollfd){ s->trees.child_ended, POLLIN, 0 }, 1, 10);
}

START_TEST(a_tree_that_ends_by_itself_is_gone_and_all_of_it_is_reaped)
{
	struct story s = told("for i in 1 2 3 4 5 6 7 8 9; do (setsid true &) & done; echo ready", see_it_end);

	ck_assert_int_eq(s.tree.end.si_code, CLD_EXITED);
	ck_assert_int_eq(s.tree.end.si_status, 0);
}
END_TEST

static void spare_then_kill(struct story *s)
{
	moment until = SOON;

	s->tree.spares = true;
	while (!s->tree.first_ended && !moment_reached(until))
		s->gone_early |= tree_is_gone(&s->tree);
	/* It stays: its group is somebody still. */
	s->gone_early |= tree_is_gone(&s->tree) || kill(-s->started, 0) < 0;
	s->tree.spares = false;
	kill_until_gone(s);
}

START_TEST(a_group_that_is_spared_outlives_its_first_process)
{
	struct story s = told("sleep 180 & echo ready; exit 0", spare_then_kill);

	ck_assert(!s.gone_early);
}
END_TEST

Suite *tree_suite(void);

Suite *tree_suite(void)
{
	const TTest *tests[] = {
		whoever_left_its_group_and_its_parent_is_killed,
		whoever_left_its_group_is_asked_to_end_as_well,
		when_the_first_process_ends_its_group_is_killed_and_the_tree_is_not_gone_before_the_others,
		a_tree_that_ends_by_itself_is_gone_and_all_of_it_is_reaped,
		a_group_that_is_spared_outlives_its_first_process,
	};
	return suite_of("tree", tests, countof(tests));
}
