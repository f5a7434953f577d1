/* Clocks that jump, and a daemon that stands still: deadlines hold all the same. */
#include "wire.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* libfaketime, which the package of that name brings. */
static const char *faketime(void)
{
	glob_t found;
	const char *path;

	ck_assert_msg(glob("/usr/lib/*/faketime/libfaketimeMT.so.1", 0, NULL, &found) == 0, "no libfaketime: scripts/deps test");
	path = scratchf("%s", found.gl_pathv[0]);
	globfree(&found);
	return path;
}

struct wall {
	const char *path;       /* what it says is the time, at any moment */
};

/* At once: a reader never sees half of it. */
static void set_wall(const struct wall *w, const char *offset)
{
	const char *new = scratchf("%s.new", w->path);
	FILE *f = fopen(new, "w");

	ck_assert(f != NULL);
	fprintf(f, "%s\n", offset);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(rename(new, w->path), 0);
}

/* A leatd for which it is another time; what counts what has passed is left alone. */
static struct server *start_with(struct wall *w, const char *config)
{
	const char *environment[] = { NULL, NULL, "FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1", NULL };

	w->path = scratchf("%s/wall", new_folder());
	set_wall(w, "+0");
	environment[0] = scratchf("LD_PRELOAD=%s", faketime());
	environment[1] = scratchf("FAKETIME_TIMESTAMP_FILE=%s", w->path);
	return server_launch(&(struct launch){ .config = config, .environment = environment });
}

/* The hour of day that answers are dated with. */
static const char *hour_of(struct server *s)
{
	const char *date = strstr(ask(s, "GET /healthz HTTP/1.0\r\n\r\n")->head, "Date: ");

	ck_assert(date != NULL);
	/* Date: Tue, 24 Nov 2026 11:56:14 GMT */
	return scratchf("%.2s", date + 23);
}

static const char clock_config[] =
	"[server]\n"
	"header_timeout = 700ms\n"
	"[job echo]\nbuiltin = echo\n"
	"[job sleep]\nbuiltin = sleep\nconcurrency = 1\n"
	"[job command]\nexec = sleep 30\n";

/* Nothing of this knows what time it is, so jumps must not be seen in it. leatd says itself how long it took; only that it was not
 * too soon is asserted, and that it came at all. */
static void check_deadlines(struct server *s, const struct wall *w)
{
	static const char *const walls[] = { "+3600", "-3600", "+0", "-3600", "+3600" };
	struct client *naps = dial(s), *late = dial(s), *waits = dial(s), *command = dial(s), *half = dial(s), *silent = dial(s);
	size_t jumps = 0;

	say(naps, "RUN sleep 400\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	say(waits, "RUN sleep 60000 DEADLINE 300\r\n");
	say(command, "RUN command x DEADLINE 400\r\n");
	say(half, "RUN echo");
	/* Again and again while all of them wait. */
	wait_until((set_wall(w, walls[jumps++ % countof(walls)]), can_hear(naps) && can_hear(waits) && can_hear(command) && can_hear(half)),
		   SOON);
	hear(naps, "$0\r\n\r\n");
	hear_match(waits, "^-TIMEOUT .*state=waiting after_ms=[3-9][0-9][0-9]");
	hear_match(command, "^-TIMEOUT .*state=running after_ms=[3-9][0-9][0-9]");
	hear_match(half, "^-ERR .*in time");
	set_wall(w, "-3600");
	say(late, "RUN sleep 60000 DEADLINE 300\r\n");
	wait_until((set_wall(w, walls[jumps++ % countof(walls)]), can_hear(late)), SOON);
	hear_match(late, "^-TIMEOUT .*state=running after_ms=[23][0-9][0-9]");
	say(silent, "RUN echo x\r\n");
	hear(silent, "$1\r\nx\r\n");
}

START_TEST(a_wall_clock_that_jumps_by_an_hour_changes_nothing)
{
	struct wall w;
	struct server *s = start_with(&w, clock_config);
	const char *now = hour_of(s);

	set_wall(&w, "+5h");
	/* It is really seen. */
	await(strcmp(hour_of(s), now) != 0);
	set_wall(&w, "+0");
	check_deadlines(s, &w);
	ck_assert_uint_eq(stat_of(s, "sleep", "timeout"), 2);
	ck_assert_uint_eq(stat_of(s, "sleep", "done"), 1);
	ck_assert_uint_eq(stat_of(s, "command", "timeout"), 1);
}
END_TEST

/* Whether it stands still. */
static bool is_stopped(const struct server *s)
{
	return strstr(read_file(scratchf("/proc/%d/stat", (int)s->pid), NULL), ") T ") != NULL;
}

START_TEST(after_it_stood_still_what_expired_is_answered_and_then_all_is_as_before)
{
	enum { WAITING = 500 };
	const char *full = getenv("LEAT_TEST_FULL");
	moment stand_still = (full ? 30 : 3) * SECONDS;
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 4\nqueue = 1000\nmax_deadline = 5m\npredict = no\n"
					"[job command]\nexec = sleep 300\n[job echo]\nbuiltin = echo\n");
	struct client *waiting = dial(s), *running = dial(s), *command = dial(s), *patient = dial(s), *fresh = dial(s);
	moment until;

	say(running, "RUN sleep 60000 DEADLINE 2s\r\nRUN sleep 60000 DEADLINE 2s\r\nRUN sleep 60000 DEADLINE 2s\r\nRUN sleep 100 DEADLINE 5m\r\n");
	await(stat_of(s, "sleep", "running") == 4 || stat_of(s, "sleep", "done") == 1);
	say(command, "RUN command x DEADLINE 2s\r\n");
	await(stat_of(s, "command", "running") == 1);
	for (int i = 0; i < WAITING / 100; i++) {
		for (int j = 0; j < 100; j++)
			say(waiting, "RUN sleep 60000 DEADLINE 2500\r\n");
		if (i == 0)
			say(patient, "RUN sleep 1 DEADLINE 5m\r\n");
	}
	kill(s->pid, SIGSTOP);
	await(is_stopped(s));
	until = moment_in(stand_still);
	/* Meanwhile, others come. */
	say(fresh, "RUN echo x\r\n");
	wait_until(moment_reached(until), moment_add(until, 30 * SECONDS));
	kill(s->pid, SIGCONT);
	for (int i = 0; i < WAITING; i++)
		hear_match(waiting, "^-TIMEOUT .*");
	for (int i = 0; i < 3; i++)
		hear_match(running, "^-TIMEOUT .*state=running");
	hear(running, "$0\r\n\r\n");
	hear_match(command, "^-TIMEOUT .*state=running");
	hear(fresh, "$1\r\nx\r\n");
	hear(patient, "$0\r\n\r\n");
	await(inside(s, "sleep") == 0);
	ck_assert_uint_eq(stat_of(s, "sleep", "timeout"), WAITING + 3);
	ck_assert_uint_eq(stat_of(s, "sleep", "submitted"), WAITING + 5);
	ck_assert_uint_eq(stat_of(s, "sleep", "done"), 2);
	/* And then all is as before. */
	say(fresh, "RUN sleep 10\r\nRUN sleep 60000 DEADLINE 200\r\n");
	hear(fresh, "$0\r\n\r\n");
	hear_match(fresh, "^-TIMEOUT ");
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

Suite *clock_suite(void)
{
	const TTest *tests[] = {
		after_it_stood_still_what_expired_is_answered_and_then_all_is_as_before,
		a_wall_clock_that_jumps_by_an_hour_changes_nothing,
	};
	/* The runtime of a sanitizer wants to be the first library. */
	return wire_suite("clock", tests, countof(tests) - IS_SANITIZED);
}
