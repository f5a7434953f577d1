/* The promise: when leat says that a job is over, every process of that job is gone. With each of the two proofs. With LEAT_TEST_FULL=1,
 * 1,000 jobs escape and the fight for the lock has 10,000 rounds. */
#include "wire.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLIENTS = 16 };

/* --- Cgroups of the tests --- */

static const char *made[4];
static size_t made_count;

/* Whom a cgroup that is to go away still holds has been killed by then. */
static void remove_made(void)
{
	while (made_count > 0)
		rmdir(made[--made_count]);
}

/* A new cgroup under the first of these that is there, ended by NULL, or NULL and a loud word. */
static const char *new_cgroup(const char *const *parents, const char *what)
{
	for (; *parents; parents++) {
		const char *path = scratchf("%s/leat-wire-%d-%zu", *parents, (int)getpid(), made_count);
		const char *mark = scratchf("%s/cgroup.procs", path);

		if (mkdir(path, 0755) == 0 && access(mark, W_OK) == 0) {
			if (made_count == 0)
				atexit(remove_made);
			made[made_count++] = path;
			return path;
		}
		rmdir(path);
	}
	fprintf(stderr, "SKIPPED: no %s that we may write to: what it is needed for was not tested\n", what);
	return NULL;
}

static const char *new_cgroup2(void)
{
	static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup", NULL };

	return new_cgroup(access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0 || access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0
				  ? mounts : mounts + 2, "cgroup of version 2");
}

static void write_to(const char *folder, const char *file, const char *text)
{
	int fd = open(scratchf("%s/%s", folder, file), O_WRONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "cannot write to %s/%s", folder, file);
	close(fd);
}

/* --- leatd with the jobs that do not want to die --- */

static const char *escape_path(void)
{
	const char *slash = strrchr(leatd_path(), '/');
	size_t len;
	char *bytes = read_file(scratchf("%.*s/escape", (int)(slash - leatd_path()), leatd_path()), &len);

	/* Where the account of the jobs can execute it. */
	return new_file_of(bytes, len);
}

/* `cgroup`: NULL for the weaker proof. */
static struct server *start(const char *cgroup, const char *more)
{
	struct server *s = server_start(scratchf("[server]\ncgroup = %s\n%s", cgroup ? cgroup : "off", more));

	ck_assert(server_logged(s, cgroup ? "\"proof of death: cgroup\"" : "\"proof of death: descendants, the weaker one\""));
	return s;
}

/* Runs a story with both proofs, the stronger if it can be had. */
static void with_both(void (*story)(const char *cgroup))
{
	const char *cgroup = new_cgroup2();

	story(NULL);
	servers_stop();
	if (cgroup)
		story(cgroup);
	servers_stop();
	remove_made();
}

/* --- Stories --- */

static void escapes(const char *cgroup)
{
	struct server *s = start(cgroup, scratchf("[job escape]\nexec = %s tree\nconcurrency = 16\nqueue = 0\n", escape_path()));
	struct client *clients[CLIENTS];
	int ids[CLIENTS], asked = 0, heard = 0, all = getenv("LEAT_TEST_FULL") ? 1000 : 160;
	unsigned seed = 4;

	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = dial(s);
		ids[i] = -1;
	}
	while (heard < all) {
		for (int i = 0; i < CLIENTS; i++) {
			if (ids[i] >= 0 && can_hear(clients[i])) {
				hear_match(clients[i], "^-TIMEOUT .* state=running after_ms=[0-9]+$");
				ck_assert_uint_eq(commands_of(scratchf("escape-%d", ids[i])), 0);
				ids[i] = -1;
				heard++;
			}
			if (ids[i] < 0 && asked < all) {
				seed = seed * 1664525 + 1013904223;
				ids[i] = asked++;
				sayf(clients[i], "RUN escape x ID escape-%d DEADLINE %u\r\n", ids[i], 200 + (seed >> 8) % 300);
			}
		}
		poll(NULL, 0, 1);
	}
	ck_assert_uint_eq(children_of(s->pid), 0);
	ck_assert_uint_eq(stat_of(s, "escape", "timeout"), (uint64_t)all);
}

static void escapes_of_a_worker(const char *cgroup)
{
	static const char worker[] = "#!/bin/sh\necho READY\nwhile read -r word id left length rest; do eval \"$(head -c \"$length\")\"; done\n";
	const char *escape = escape_path();
	struct server *s = start(cgroup, scratchf("[job w]\nworker = %s\nconcurrency = 1\ngrace = 100ms\n", new_file(worker)));
	const char *tree = scratchf("export TREE=t%d; setsid %s tree & trap '' TERM; %s tree; sleep 60", (int)getpid(), escape, escape);
	const char *mark = scratchf("TREE=t%d", (int)getpid());
	int rounds = getenv("LEAT_TEST_FULL") ? 100 : 4;
	struct client *c = dial(s);

	for (int i = 0; i < rounds; i++) {
		sayf(c, "*5\r\n$3\r\nRUN\r\n$1\r\nw\r\n$%zu\r\n%s\r\n$8\r\nDEADLINE\r\n$4\r\n%d\r\n", strlen(tree), tree, 1000 + 100 * (i % 3));
		await(processes_with(mark) > 2 || can_hear(c));
		hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+$");
		ck_assert_uint_eq(processes_with(mark), 0);
		/* Another worker is there, and what died is not with it. */
		say(c, "RUN w \"printf 'DONE 2\\\\nok'\"\r\n");
		hear(c, "$2\r\nok\r\n");
	}
	ck_assert_uint_eq(stat_of(s, "w", "timeout"), (uint64_t)rounds);
}

START_TEST(nothing_of_a_worker_whose_job_escapes_is_there_when_the_answer_arrives)
{
	with_both(escapes_of_a_worker);
}
END_TEST

START_TEST(nothing_of_a_job_that_escapes_is_there_when_its_answer_arrives)
{
	with_both(escapes);
}
END_TEST

/* Each round is the retry of the one before it, which has left holders of the lock behind, alive and in sessions of their own. */
static void fight(const char *cgroup)
{
	int rounds = getenv("LEAT_TEST_FULL") ? 10000 : 160;
	const char *file = new_file("");
	struct server *s;
	struct client *c;

	ck_assert_int_eq(chmod(file, 0666), 0);
	s = start(cgroup, scratchf("[job lock]\nexec = %s lock %s\nconcurrency = 1\nqueue = 0\n", escape_path(), file));
	c = dial(s);
	for (int i = 0; i < rounds; i++) {
		if (i % 16 == 0) {
			say(c, "RUN lock hang DEADLINE 100\r\n");
			hear_match(c, "^-TIMEOUT .* after_ms=[0-9]+$");
		} else {
			say(c, "RUN lock end DEADLINE 1m\r\n");
			hear(c, "$0\r\n\r\n");
		}
	}
	ck_assert_uint_eq(stat_of(s, "lock", "failed"), 0);
	ck_assert_uint_eq(stat_of(s, "lock", "submitted"), (uint64_t)rounds);
}

START_TEST(a_job_and_its_retry_never_hold_the_same_lock)
{
	with_both(fight);
}
END_TEST

static void explode(const char *cgroup)
{
	struct server *s = start(cgroup, scratchf("[job bomb]\nexec = %s bomb\n[job true]\nexec = /bin/true\n", escape_path()));
	struct client *c = dial(s);

	for (int i = 0; i < 5; i++) {
		sayf(c, "RUN bomb x ID bomb-%d DEADLINE 500\r\n", i);
		await(commands_of(scratchf("bomb-%d", i)) > 20 || can_hear(c));
		hear_match(c, "^-TIMEOUT ");
		await(stat_of(s, "bomb", "running") == 0);
		ck_assert_uint_eq(commands_of(scratchf("bomb-%d", i)), 0);
	}
	ck_assert_uint_eq(children_of(s->pid), 0);
	say(c, "RUN true\r\n");
	hear(c, "$0\r\n\r\n");
}

START_TEST(a_fork_bomb_is_over_at_its_deadline)
{
	with_both(explode);
}
END_TEST

static void many_children(const char *cgroup)
{
	struct server *s = start(cgroup, scratchf("[job brood]\nexec = %s brood 500\ndeadline = 30s\n", escape_path()));
	struct client *c = dial(s);

	say(c, "RUN brood\r\nRUN brood\r\n");
	hear(c, "$0\r\n\r\n$0\r\n\r\n");
	ck_assert_uint_eq(children_of(s->pid), 0);
}

START_TEST(five_hundred_children_that_end_at_once_leave_no_zombie)
{
	with_both(many_children);
}
END_TEST

static void hold_pipes(const char *cgroup)
{
	struct server *s = start(cgroup, "[job holder]\nexec = /bin/sh -c 'echo said; setsid sleep 71 & setsid setsid sleep 72 &'\n"
					 "deadline = 1m\nmax_deadline = 1m\n");
	struct client *c = dial(s);

	say(c, "RUN holder x ID holder-1\r\n");
	hear(c, "$5\r\nsaid\n\r\n");
	ck_assert_uint_eq(commands_of("holder-1"), 0);
	ck_assert_uint_eq(children_of(s->pid), 0);
}

START_TEST(a_child_that_keeps_the_pipe_open_does_not_delay_the_answer)
{
	with_both(hold_pipes);
}
END_TEST

static void leave(const char *cgroup)
{
	struct server *s = start(cgroup, "[job leaver]\nexec = /bin/sh -c 'setsid sleep 73 & echo said'\nleave_children = yes\n"
					 "[job late]\nexec = /bin/sh -c 'setsid sleep 74 & sleep 75'\nleave_children = yes\n");
	struct client *c = dial(s);

	say(c, "RUN leaver x ID leaver-1\r\nRUN leaver x ID leaver-2\r\n");
	hear(c, "$5\r\nsaid\n\r\n$5\r\nsaid\n\r\n");
	await(commands_of("leaver-1") == 1 && commands_of("leaver-2") == 1);
	ck_assert_uint_eq(inside(s, "leaver"), 0);
	/* Only what ended by itself may leave something. */
	say(c, "RUN late x ID late-1 DEADLINE 200\r\n");
	hear_match(c, "^-TIMEOUT ");
	ck_assert_uint_eq(commands_of("late-1"), 0);
	run("/usr/bin/pkill", "-KILL", "-x", "-f", "sleep 73");
	await(children_of(s->pid) == 0);
}

START_TEST(children_are_left_alone_where_the_job_says_so)
{
	with_both(leave);
}
END_TEST

static void kill_leatd(const char *cgroup)
{
	struct server *s = start(cgroup, scratchf("[job escape]\nexec = %s tree\n", escape_path()));

	say(dial(s), "RUN escape x ID orphan-1 DEADLINE 1m\r\n");
	await(commands_of("orphan-1") >= 3);
	server_kill(s);
	await(commands_of("orphan-1") == 0);
}

START_TEST(a_leatd_that_is_killed_takes_the_trees_of_its_jobs_with_it)
{
	with_both(kill_leatd);
}
END_TEST

START_TEST(what_lives_in_the_leaves_of_an_earlier_leatd_is_killed_at_the_start)
{
	const char *cgroup = new_cgroup2(), *leaf;
	pid_t left;

	if (!cgroup)
		return;
	ck_assert_int_eq(mkdir(scratchf("%s/jobs", cgroup), 0755), 0);
	leaf = scratchf("%s/jobs/old-1", cgroup);
	ck_assert_int_eq(mkdir(leaf, 0755), 0);
	left = start_program((char *const *)(const void *)(const char *[]){ "/bin/sleep", "76", NULL }, environment_with(NULL), "/dev/null", "/dev/null", -1);
	write_to(leaf, "cgroup.procs", scratchf("%d", (int)left));
	start(cgroup, "[job true]\nexec = /bin/true\n");
	ck_assert_int_eq(wait_for(left), 128 + SIGKILL);
	ck_assert_int_ne(access(leaf, F_OK), 0);
	servers_stop();
	ck_assert_int_ne(access(scratchf("%s/jobs", cgroup), F_OK), 0);
	remove_made();
}
END_TEST

/* NULL: there is none here, and the test is skipped. */
static const char *new_freezer(void)
{
	static const char *const parents[] = { "/sys/fs/cgroup/freezer", NULL };

	return new_cgroup(parents, "freezer of cgroup version 1, which makes processes that cannot be killed");
}

START_TEST(what_the_kernel_does_not_let_die_is_abandoned_and_keeps_its_slot)
{
	const char *freezer = new_freezer();
	const char *file = new_file("");
	struct server *s;
	struct client *c;

	if (!freezer)
		return;
	ck_assert_int_eq(chmod(file, 0666), 0);
	s = start(NULL, scratchf("[job stuck]\nexec = /bin/sh -c 'echo $$ >%s; exec sleep 77'\nconcurrency = 1\nqueue = 0\n", file));
	c = dial(s);
	say(c, "RUN stuck x ID stuck-1 DEADLINE 3000\r\n");
	await(strchr(read_file(file, NULL), '\n'));
	write_to(freezer, "cgroup.procs", read_file(file, NULL));
	write_to(freezer, "freezer.state", "FROZEN");
	hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+ abandoned=1$");
	ck_assert_uint_eq(stat_of(s, "stuck", "abandoned"), 1);
	ck_assert_uint_eq(metric(s, "leat_jobs_abandoned{job=\"stuck\"}"), 1);
	ck_assert_uint_eq(stat_of(s, "stuck", "running"), 1);
	ck_assert_uint_eq(stat_of(s, "stuck", "timeout"), 0);
	say(c, "RUN stuck\r\n");
	hear_match(c, "^-BUSY .* reason=queue_full");
	/* Neither is its id free. */
	say(c, "RUN stuck x ID stuck-1\r\n");
	hear_match(c, "^-ERR ");
	write_to(freezer, "freezer.state", "THAWED");
	await(stat_of(s, "stuck", "running") == 0);
	ck_assert_uint_eq(stat_of(s, "stuck", "abandoned"), 0);
	ck_assert_uint_eq(stat_of(s, "stuck", "timeout"), 1);
	ck_assert_uint_eq(stat_of(s, "stuck", "submitted"), 2);
	ck_assert_uint_eq(children_of(s->pid), 0);
	remove_made();
}
END_TEST

START_TEST(of_a_map_only_what_cannot_die_is_abandoned)
{
	const char *freezer = new_freezer();
	const char *file = new_file("");
	struct server *s;
	struct client *c;

	if (!freezer)
		return;
	ck_assert_int_eq(chmod(file, 0666), 0);
	s = start(NULL, scratchf("[job sh]\nexec = /bin/sh\nconcurrency = 2\nqueue = 1\n"));
	c = dial(s);
	sayf(c, "MAP sh 3 'echo $$ >%s; exec sleep 77' 'sleep 77' 'echo' DEADLINE 3s ID stuck\r\n", file);
	await(strchr(read_file(file, NULL), '\n'));
	write_to(freezer, "cgroup.procs", read_file(file, NULL));
	write_to(freezer, "freezer.state", "FROZEN");
	hear(c, "*3\r\n");
	hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+ abandoned=1$");
	hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+$");
	hear_match(c, "^-TIMEOUT |\\$1");
	ck_assert_uint_eq(commands_of("stuck.1"), 0);
	ck_assert_uint_eq(stat_of(s, "sh", "abandoned"), 1);
	ck_assert_uint_eq(inside(s, "sh"), 1);
	write_to(freezer, "freezer.state", "THAWED");
	await(inside(s, "sh") == 0);
	ck_assert_uint_eq(stat_of(s, "sh", "abandoned"), 0);
	ck_assert_uint_eq(children_of(s->pid), 0);
	remove_made();
}
END_TEST

START_TEST(a_stream_whose_job_is_abandoned_says_so_in_its_trailer)
{
	const char *freezer = new_freezer();
	struct server *s;
	struct client *c;

	if (!freezer)
		return;
	s = start(NULL, "[job stuck]\nexec = /bin/sh -c 'echo $$; exec sleep 78'\nconcurrency = 1\nqueue = 0\n");
	c = dial(s);
	say_post(c, "/v1/run/stuck?stream=1&deadline=3s", "", "");
	hear_head(c);
	hear_match(c, "^[0-9]+$");
	write_to(freezer, "cgroup.procs", hear_match(c, "^[0-9\n]+$"));
	write_to(freezer, "freezer.state", "FROZEN");
	hear(c, "0\r\nLeat-Outcome: timeout\r\n");
	hear_match(c, "^Leat-Error: TIMEOUT .*abandoned=1$");
	hear_match(c, "^Server-Timing: run;dur=");
	hear(c, "\r\n");
	/* The connection goes on. */
	say_post(c, "/v1/run/stuck?stream=1", "", "");
	assert_problem(hear_response(c), 503, "BUSY");
	write_to(freezer, "freezer.state", "THAWED");
	await(stat_of(s, "stuck", "running") == 0);
	ck_assert_uint_eq(stat_of(s, "stuck", "timeout"), 1);
	remove_made();
}
END_TEST

START_TEST(leatd_stops_though_a_job_cannot_be_stopped)
{
	const char *freezer = new_freezer();
	const char *file = new_file("");
	struct server *s;

	if (!freezer)
		return;
	ck_assert_int_eq(chmod(file, 0666), 0);
	s = start(NULL, scratchf("[job stuck]\nexec = /bin/sh -c 'echo $$ >%s; exec sleep 78'\n", file));
	say(dial(s), "RUN stuck x DEADLINE 3000\r\n");
	await(strchr(read_file(file, NULL), '\n'));
	write_to(freezer, "cgroup.procs", read_file(file, NULL));
	write_to(freezer, "freezer.state", "FROZEN");
	/* Its client hangs up, too. */
	clients_reset();
	s->control = NULL;
	await(stat_of(s, "stuck", "abandoned") == 1);
	ck_assert_int_eq(kill(s->pid, SIGTERM), 0);
	await(server_logged(s, "could not be stopped"));
	ck_assert_int_eq(wait_for(s->pid), 0);
	server_forget(s);
	write_to(freezer, "freezer.state", "THAWED");
	/* The keeper's last word had no effect before. */
	await(strlen(read_file(scratchf("%s/cgroup.procs", freezer), NULL)) == 0);
	remove_made();
}
END_TEST

START_TEST(no_process_to_be_had_is_failed_and_the_slot_comes_back)
{
	static const char *const parents[] = { "/sys/fs/cgroup/pids", NULL };
	const char *pids = new_cgroup(parents, "pids of cgroup version 1, which makes fork fail");
	struct server *s;
	struct client *c;

	if (!pids)
		return;
	s = start(NULL, "[job true]\nexec = /bin/true\nconcurrency = 1\nqueue = 0\n");
	c = dial(s);
	say(c, "RUN true\r\n");
	hear(c, "$0\r\n\r\n");
	write_to(pids, "cgroup.procs", scratchf("%d", (int)s->pid));
	write_to(pids, "pids.max", "1");
	for (int i = 0; i < 10; i++) {
		say(c, "RUN true\r\n");
		hear_match(c, "^-FAILED cannot be started: making a process: Resource temporarily unavailable status=126");
	}
	write_to(pids, "pids.max", "max");
	say(c, "RUN true\r\n");
	hear(c, "$0\r\n\r\n");
	ck_assert_uint_eq(stat_of(s, "true", "failed"), 10);
	servers_stop();
	remove_made();
}
END_TEST

Suite *proof_suite(void)
{
	const TTest *tests[] = {
		nothing_of_a_worker_whose_job_escapes_is_there_when_the_answer_arrives,
		nothing_of_a_job_that_escapes_is_there_when_its_answer_arrives,
		a_job_and_its_retry_never_hold_the_same_lock,
		a_fork_bomb_is_over_at_its_deadline,
		five_hundred_children_that_end_at_once_leave_no_zombie,
		a_child_that_keeps_the_pipe_open_does_not_delay_the_answer,
		children_are_left_alone_where_the_job_says_so,
		a_leatd_that_is_killed_takes_the_trees_of_its_jobs_with_it,
		what_lives_in_the_leaves_of_an_earlier_leatd_is_killed_at_the_start,
		what_the_kernel_does_not_let_die_is_abandoned_and_keeps_its_slot,
		of_a_map_only_what_cannot_die_is_abandoned,
		a_stream_whose_job_is_abandoned_says_so_in_its_trailer,
		leatd_stops_though_a_job_cannot_be_stopped,
		no_process_to_be_had_is_failed_and_the_slot_comes_back,
	};
	return wire_suite("proof", tests, countof(tests));
}
