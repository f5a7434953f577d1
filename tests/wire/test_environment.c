/* What a command finds around it: nothing of leatd's own. */
#include "wire.h"

#include <pwd.h>
#include <unistd.h>

static bool is_root(void)
{
	return geteuid() == 0;
}

/* The output of a job, as text. */
static const char *output_of(struct client *c, const char *job)
{
	const char *reply;

	sayf(c, "RUN %s\r\n", job);
	reply = hear_reply(c);
	ck_assert_msg(*reply == '$', "%s", reply);
	return strchr(reply, '\n') + 1;
}

START_TEST(the_environment_is_fresh)
{
	static const char *const more[] = { "LD_LIBRARY_PATH=/nowhere", "LEAT_SECRET=1", "CREDENTIALS_DIRECTORY=/nowhere", "WATCHDOG_USEC=1000000000",
					    "MY_OWN=1", NULL };
	struct server *s = server_launch(&(struct launch){
		.config = "[job env]\nexec = env\nenv.TZ = UTC\nenv.GREETING = hello world\n", .environment = more });
	struct client *c = dial(s);

	say(c, "RUN env x ID me DEADLINE 3s\r\n");
	assert_match(hear_reply(c), "^\\$[0-9]+\r\n"
		     "TZ=UTC\n"
		     "GREETING=hello world\n"
		     "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
		     "LANG=C\\.UTF-8\n"
		     "HOME=/[^\n]*\n"
		     "LEAT_ID=me\n"
		     "LEAT_JOB=env\n"
		     "LEAT_DEADLINE_MS=[12]?[0-9]{1,3}\n"
		     "\r\n$");
}
END_TEST

START_TEST(the_traceparent_of_the_request_is_handed_on)
{
	static const char trace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	struct client *c = dial(server_start("[job trace]\nexec = printenv TRACEPARENT\n"));

	say_post(c, "/v1/run/trace", scratchf("traceparent: %s\r\n", trace), "");
	assert_response(hear_response(c), 200, scratchf("%s\n", trace));
	say_post(c, "/v1/run/trace", "traceparent: nonsense\r\n", "");
	assert_problem(hear_response(c), 502, "FAILED");
}
END_TEST

START_TEST(the_environment_of_the_configuration_may_replace_path)
{
	struct client *c = dial(server_start("[job path]\nexec = /bin/sh -c 'echo $PATH'\nenv.PATH = /my/bin\n"));

	ck_assert_str_eq(output_of(c, "path"), "/my/bin\n\r\n");
}
END_TEST

START_TEST(a_command_has_no_descriptors_but_0_1_and_2)
{
	struct server *s = server_start("[job fds]\nexec = /bin/sh -c 'echo /proc/$$/fd/*'\nconcurrency = 8\nqueue = 100\n");
	struct client *c = dial(s);

	for (int i = 0; i < 50; i++)
		say(c, "RUN fds\r\n");
	for (int i = 0; i < 50; i++)
		assert_match(hear_reply(c), "\n/proc/[0-9]+/fd/0 /proc/[0-9]+/fd/1 /proc/[0-9]+/fd/2\n\r\n$");
}
END_TEST

START_TEST(signals_are_neither_ignored_nor_blocked)
{
	struct client *c = dial(server_start("[job signals]\nexec = grep ^Sig /proc/self/status\n"));
	const char *status = output_of(c, "signals");

	assert_has(status, "SigIgn:\t0000000000000000\n");
	assert_has(status, "SigBlk:\t0000000000000000\n");
	assert_has(status, "SigCgt:\t0000000000000000\n");
}
END_TEST

START_TEST(a_command_has_a_session_of_its_own)
{
	/* pid (comm) state ppid pgrp session */
	struct client *c = dial(server_start("[job session]\nexec = /bin/sh -c 'read pid name state parent group session rest </proc/$$/stat; "
					     "[ $pid = $group ] && [ $pid = $session ] && echo own'\n"));

	ck_assert_str_eq(output_of(c, "session"), "own\n\r\n");
}
END_TEST

START_TEST(commands_run_as_nobody_when_leatd_is_root)
{
	struct client *c = dial(server_start("[job id]\nexec = id -u\n[job groups]\nexec = id -G\n"));
	uid_t uid = is_root() ? getpwnam("nobody")->pw_uid : geteuid();
	gid_t gid = is_root() ? getpwnam("nobody")->pw_gid : getegid();

	ck_assert_str_eq(output_of(c, "id"), scratchf("%u\n\r\n", uid));
	if (is_root())
		ck_assert_str_eq(output_of(c, "groups"), scratchf("%u\n\r\n", gid));
}
END_TEST

START_TEST(a_user_of_the_server_or_of_the_job_is_taken)
{
	struct client *c;

	if (!is_root())
		return;
	c = dial(server_start("[server]\nuser = daemon\n[job one]\nexec = id -un\n[job two]\nexec = id -un\nuser = nobody\n"
			      "[job three]\nexec = id -un\nuser = root\n[job home]\nexec = printenv HOME\n"));
	ck_assert_str_eq(output_of(c, "one"), "daemon\n\r\n");
	ck_assert_str_eq(output_of(c, "two"), "nobody\n\r\n");
	ck_assert_str_eq(output_of(c, "three"), "root\n\r\n");
	ck_assert_str_eq(output_of(c, "home"), scratchf("%s\n\r\n", getpwnam("daemon")->pw_dir));
}
END_TEST

START_TEST(a_command_starts_in_its_folder)
{
	const char *folder = new_folder();
	struct client *c = dial(server_start(scratchf("[job root]\nexec = pwd\n[job folder]\nexec = pwd\ncwd = %s\n", folder)));

	ck_assert_str_eq(output_of(c, "root"), "/\n\r\n");
	ck_assert_str_eq(output_of(c, "folder"), scratchf("%s\n\r\n", folder));
}
END_TEST

START_TEST(commands_die_with_a_leatd_that_is_killed)
{
	struct server *s = server_start("[job nap]\nexec = /bin/sleep 60\n");
	struct client *c = dial(s);

	say(c, "RUN nap x ID orphan-1 DEADLINE 1m\r\n");
	await(commands_of("orphan-1") == 1);
	server_kill(s);
	await(commands_of("orphan-1") == 0);
}
END_TEST

Suite *environment_suite(void)
{
	const TTest *tests[] = {
		the_environment_is_fresh,
		the_traceparent_of_the_request_is_handed_on,
		the_environment_of_the_configuration_may_replace_path,
		a_command_has_no_descriptors_but_0_1_and_2,
		signals_are_neither_ignored_nor_blocked,
		a_command_has_a_session_of_its_own,
		commands_run_as_nobody_when_leatd_is_root,
		a_user_of_the_server_or_of_the_job_is_taken,
		a_command_starts_in_its_folder,
		commands_die_with_a_leatd_that_is_killed,
	};
	return wire_suite("environment", tests, countof(tests));
}
