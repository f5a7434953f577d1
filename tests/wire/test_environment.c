/* What a command finds around it: nothing of leatd's own. */
#include "wire.h"

#include <grp.h>
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
					    "WATCHDOG_PID=1", "NOTIFY_SOCKET=/nowhere", "LISTEN_PID=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=x",
					    "LD_PRELOAD=", "MY_OWN=1", NULL };
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
		     "LEAT_JOB=env\n"
		     "LEAT_ID=me\n"
		     "LEAT_DEADLINE_MS=[12]?[0-9]{1,3}\n"
		     "\r\n$");
}
END_TEST

START_TEST(the_traceparent_of_the_request_is_handed_on)
{
	static const char trace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	static const char *const none[] = {
		"nonsense", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", "00 0af7651916cd43dd8448eb211c80319c b7ad6b7169203331 01",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x", "$(touch /tmp/x)'; 1234567890 1234567890 1234567890 1234567",
	};
	struct client *c = dial(server_start("[job trace]\nexec = printenv TRACEPARENT\n"));

	say_post(c, "/v1/run/trace", scratchf("traceparent: %s\r\n", trace), "");
	assert_response(hear_response(c), 200, scratchf("%s\n", trace));
	for (size_t i = 0; i < countof(none); i++) {
		say_post(c, "/v1/run/trace", scratchf("traceparent: %s\r\n", none[i]), "");
		assert_problem(hear_response(c), 502, "FAILED");
	}
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
	/* To list them all would open one more. */
	const char *script = new_file("for n in $(seq 0 99); do [ -e /proc/$$/fd/$n ] && printf '%s ' $n; done; :\n");
	struct server *s = server_start(scratchf("[job fds]\nexec = /bin/dash %s\nconcurrency = 8\nqueue = 100\n", script));
	struct client *c = dial(s);

	for (int i = 0; i < 50; i++)
		say(c, "RUN fds\r\n");
	for (int i = 0; i < 50; i++)
		assert_match(hear_reply(c), "\r\n0 1 2 ");
}
END_TEST

START_TEST(signals_are_neither_ignored_nor_blocked)
{
	struct client *c = dial(server_start("[job signals]\nexec = grep ^Sig /proc/self/status\n"));
	const char *status = output_of(c, "signals");

	assert_has(status, "SigIgn:\t0000000000000000\n");
	assert_has(status, "SigBlk:\t0000000000000000\n");
}
END_TEST

START_TEST(what_leatd_found_ignored_is_not_ignored_by_a_command)
{
	struct client *c = dial(server_launch(&(struct launch){
		.config = "[job signals]\nexec = grep ^SigIgn /proc/self/status\n", .shell = "trap '' HUP INT QUIT USR1 CHLD; exec \"$@\"" }));

	ck_assert_str_eq(output_of(c, "signals"), "SigIgn:\t0000000000000000\n\r\n");
}
END_TEST

START_TEST(a_command_lists_no_descriptors_but_its_three_and_the_one_it_lists_with)
{
	struct client *c = dial(server_start("[job ls]\nexec = /bin/ls /proc/self/fd\n"));

	for (int i = 0; i < 20; i++)
		ck_assert_str_eq(output_of(c, "ls"), "0\n1\n2\n3\n\r\n");
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

START_TEST(a_command_cannot_become_root_again)
{
	struct client *c;
	uid_t uid = getpwnam("nobody")->pw_uid;

	if (!is_root())
		return;
	c = dial(server_start("[job ids]\nexec = grep ^Uid: /proc/self/status\n[job caps]\nexec = grep ^CapEff: /proc/self/status\n"));
	ck_assert_str_eq(output_of(c, "ids"), scratchf("Uid:\t%u\t%u\t%u\t%u\n\r\n", uid, uid, uid, uid));
	ck_assert_str_eq(output_of(c, "caps"), "CapEff:\t0000000000000000\n\r\n");
}
END_TEST

START_TEST(a_group_of_the_server_or_of_the_job_is_taken)
{
	unsigned daemon, sys, nogroup;
	struct client *c;

	if (!is_root())
		return;
	daemon = getgrnam("daemon")->gr_gid;
	sys = getgrnam("sys")->gr_gid;
	nogroup = getpwnam("nobody")->pw_gid;
	c = dial(server_start("[server]\ngroup = sys\n[job one]\nexec = grep ^Gid: /proc/self/status\n[job group]\nexec = grep ^Gid: /proc/self/status\n"
			      "group = daemon\n[job groups]\nexec = id -G\ngroup = daemon\n[job user]\nexec = id -g\nuser = nobody\n"
			      "[job both]\nexec = id -g\nuser = nobody\ngroup = daemon\n"
			      "[job root]\nexec = /bin/sh -c 'echo $(id -u) $(id -g)'\nuser = root\ngroup = daemon\n"));
	ck_assert_str_eq(output_of(c, "one"), scratchf("Gid:\t%u\t%u\t%u\t%u\n\r\n", sys, sys, sys, sys));
	ck_assert_str_eq(output_of(c, "group"), scratchf("Gid:\t%u\t%u\t%u\t%u\n\r\n", daemon, daemon, daemon, daemon));
	ck_assert_str_eq(output_of(c, "groups"), scratchf("%u\n\r\n", daemon));
	/* Who names a user gets that user's group. */
	ck_assert_str_eq(output_of(c, "user"), scratchf("%u\n\r\n", nogroup));
	ck_assert_str_eq(output_of(c, "both"), scratchf("%u\n\r\n", daemon));
	ck_assert_str_eq(output_of(c, "root"), scratchf("0 %u\n\r\n", daemon));
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
		what_leatd_found_ignored_is_not_ignored_by_a_command,
		a_command_lists_no_descriptors_but_its_three_and_the_one_it_lists_with,
		a_command_has_a_session_of_its_own,
		commands_run_as_nobody_when_leatd_is_root,
		a_user_of_the_server_or_of_the_job_is_taken,
		a_command_cannot_become_root_again,
		a_group_of_the_server_or_of_the_job_is_taken,
		a_command_starts_in_its_folder,
		commands_die_with_a_leatd_that_is_killed,
	};
	return wire_suite("environment", tests, countof(tests));
}
