/* The `limit.*` of a job: what its commands may use. */
#include "wire.h"

START_TEST(a_command_finds_the_limits_of_its_job)
{
	struct client *c = dial(server_start("[job all]\nexec = /bin/sh -c 'ulimit -t; ulimit -Ht; ulimit -v; ulimit -n; ulimit -Hn; ulimit -p'\n"
					     "limit.cpu = 1500ms\nlimit.memory = 512M\nlimit.files = 64\nlimit.processes = 32\n"));

	/* Seconds are whole, and the hard limit is one more. */
	say(c, "RUN all\r\n");
	hear(c, "$20\r\n2\n3\n524288\n64\n64\n32\n\r\n");
}
END_TEST

START_TEST(a_command_of_another_job_finds_those_of_leatd)
{
	struct server *s = server_launch(&(struct launch){
		.config = "[job all]\nexec = /bin/sh -c 'ulimit -t; ulimit -v; ulimit -n'\n[job few]\nexec = /bin/true\nlimit.cpu = 1s\nlimit.memory = 64M\n"
			  "limit.files = 16\n",
		.shell = "ulimit -n 333; exec \"$@\"" });
	const char *limits = scratchf("/proc/%d/limits", (int)s->pid), *before = read_file(limits, NULL);
	struct client *c = dial(s);

	for (int i = 0; i < 5; i++) {
		say(c, "RUN few\r\nRUN all\r\n");
		hear(c, "$0\r\n\r\n$24\r\nunlimited\nunlimited\n333\n\r\n");
	}
	ck_assert_str_eq(read_file(limits, NULL), before);
}
END_TEST

START_TEST(no_limit_gives_more_than_leatd_has)
{
	struct client *c = dial(server_launch(&(struct launch){
		.config = "[job many]\nexec = /bin/sh -c 'ulimit -Hn; ulimit -Hv'\nlimit.files = 100000\nlimit.memory = 1024G\n",
		/* The sanitizers need all the addresses there are. */
		.shell = IS_SANITIZED ? "ulimit -n 333; exec \"$@\"" : "ulimit -n 333; ulimit -v 1000000000; exec \"$@\"" }));

	say(c, "RUN many\r\n");
	hear(c, IS_SANITIZED ? "$15\r\n333\n1073741824\n\r\n" : "$15\r\n333\n1000000000\n\r\n");
}
END_TEST

START_TEST(a_command_that_uses_too_much_cpu_time_is_killed)
{
	struct server *s = server_start("[job spin]\nexec = /bin/sh -c 'while :; do :; done'\nlimit.cpu = 1s\ndeadline = 1m\n"
					"[job deaf]\nexec = /bin/sh -c 'trap \"\" XCPU; while :; do :; done'\nlimit.cpu = 1s\ndeadline = 1m\n"
					"[job raise]\nexec = /bin/sh -c 'kill -XCPU $$'\n[job killed]\nexec = /bin/sh -c 'kill -KILL $$'\nlimit.cpu = 10s\n");
	struct client *c = dial(s);

	say(c, "RUN spin\r\nRUN deaf\r\nRUN raise\r\nRUN killed\r\n");
	hear(c, "-KILLED used more CPU time than limit.cpu signal=SIGXCPU reason=limit.cpu\r\n");
	hear(c, "-KILLED used more CPU time than limit.cpu signal=SIGKILL reason=limit.cpu\r\n");
	/* Not by a limit. */
	hear(c, "-KILLED died of a signal signal=SIGXCPU\r\n");
	hear(c, "-KILLED died of a signal signal=SIGKILL\r\n");
	ck_assert_uint_eq(stat_of(s, "spin", "killed"), 1);
}
END_TEST

START_TEST(a_command_gets_no_more_memory_than_its_limit)
{
	struct client *c = dial(server_start("[job dd]\nexec = /bin/dd if=/dev/zero of=/dev/null bs=200M count=1\nlimit.memory = 64M\n"
					     "[job free]\nexec = /bin/dd if=/dev/zero of=/dev/null bs=200M count=1 status=none\n"));

	say(c, "RUN dd\r\n");
	hear_match(c, "^-FAILED .* status=1 error=\".*memory exhausted.*\"$");
	say(c, "RUN free x DEADLINE 1m\r\n");
	hear(c, "$0\r\n\r\n");
}
END_TEST

START_TEST(a_command_gets_no_more_descriptors_than_its_limit)
{
	/* Braces are written twice. */
	struct client *c = dial(server_start("[job open]\nexec = /bin/bash -c 'for ((i = 0; i < 99; i++)); do exec {{f}}</dev/null || exit 9; done'\n"
					     "limit.files = 20\n"));

	say(c, "RUN open\r\n");
	hear_match(c, "^-FAILED .* status=9 error=\".*Too many open files.*\"$");
}
END_TEST

START_TEST(a_command_makes_no_more_processes_than_its_limit)
{
	struct server *s = server_start("[job fork]\nexec = /bin/sh -c '/bin/true; echo forked'\nlimit.processes = 1\n"
					"[job true]\nexec = /bin/sh -c '/bin/true; echo forked'\n");
	struct client *c = dial(s);

	/* The program itself is started, however many its user has. */
	say(c, "RUN fork\r\n");
	hear_match(c, "^-FAILED .* error=\".*Cannot fork.*\"$");
	say(c, "RUN true\r\n");
	hear(c, "$7\r\nforked\n\r\n");
}
END_TEST

Suite *rlimits_suite(void)
{
	const TTest *tests[] = {
		a_command_finds_the_limits_of_its_job,
		a_command_of_another_job_finds_those_of_leatd,
		no_limit_gives_more_than_leatd_has,
		a_command_that_uses_too_much_cpu_time_is_killed,
		a_command_gets_no_more_memory_than_its_limit,
		a_command_gets_no_more_descriptors_than_its_limit,
		a_command_makes_no_more_processes_than_its_limit,
	};
	return wire_suite("rlimits", tests, countof(tests));
}
