/* Plugins: what they are given and what becomes of it, in process and in hosts; and files that are none. */
#include "wire.h"

#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* Of the folder of the build. */
static const char *built(const char *name)
{
	char path[PATH_MAX];
	const char *slash = strrchr(leatd_path(), '/');

	ck_assert_ptr_nonnull(realpath(scratchf("%.*s/%s", (int)(slash - leatd_path()), leatd_path(), name), path));
	return scratchf("%s", path);
}

static const char *object(const char *name)
{
	return built(scratchf("plugins/%s.so", name));
}

static const char *host(void)
{
	return built("leat-plugin-host");
}

/* Of leatd itself, which may look into the folder of the build. */
static const char *as_ourselves(void)
{
	return scratchf("[server]\nuser = %s\n", getpwuid(geteuid())->pw_name);
}

/* A job `act` in process, with more of its keys. */
static struct server *start(const char *keys)
{
	return server_start(scratchf("%s[job act]\nplugin = %s\nisolate = no\n%s", as_ourselves(), object("act"), keys));
}

static struct server *start_copy(const char *keys)
{
	return server_start(scratchf("%s[job copy]\nplugin = %s\nisolate = no\n%s", as_ourselves(), object("copy"), keys));
}

static void say_copy(struct client *c, const char *payload, size_t len)
{
	sayf(c, "*3\r\n$3\r\nRUN\r\n$4\r\ncopy\r\n$%zu\r\n", len);
	say_bytes(c, payload, len);
	say(c, "\r\n");
}

static void hear_copy(struct client *c, const char *payload, size_t len)
{
	hear(c, scratchf("$%zu\r\n", len));
	hear_bytes(c, payload, len);
	hear(c, "\r\n");
}

/* --- In process --- */

#define SHORT "a configuration of some length, it is 80 characters which are written four times"
/* As the configuration has it, whose lines are not as long, and as the plugin does. */
#define LONG_LINES SHORT "\n  " SHORT "\n  " SHORT "\n  " SHORT
#define LONG SHORT " " SHORT " " SHORT " " SHORT

START_TEST(a_plugin_is_given_its_configuration_the_payload_and_the_id)
{
	struct server *s = start("plugin_config = some words\n");
	struct client *c = dial(s);

	say(c, "RUN act config\r\n");
	hear(c, "$10\r\nsome words\r\n");
	say(c, "RUN act id ID mine-1\r\n");
	hear(c, "$7\r\nmine-1|\r\n");
	say(c, "RUN act nonsense\r\n");
	hear(c, "-FAILED the plugin failed status=-1 error=\"does not know 'nonsense'\"\r\n");
	say_post(c = dial(s), "/v1/run/act", "Leat-Id: mine-2\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n", "id");
	assert_response(hear_response(c), 200, "mine-2|00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}
END_TEST

START_TEST(a_call_says_its_size)
{
	struct client *c = dial(start("")), *isolated = dial(server_start(scratchf("%s[job act]\nplugin = %s\n", as_ourselves(), object("act"))));

	say(c, "RUN act size\r\n");
	hear(c, "$8\r\nas built\r\n");
	say(isolated, "RUN act size\r\n");
	hear(isolated, "$8\r\nas built\r\n");
}
END_TEST

START_TEST(outputs_of_all_sizes_come_whole)
{
	static const size_t sizes[] = { 0, 1, 255, 256, 257, 4095, 4096, 4097, 65536, 900000 };
	struct server *s = start_copy("concurrency = 3\n");
	struct client *c = dial(s);
	char *payload = random_bytes(900000 + countof(sizes), 3);

	for (size_t i = 0; i < countof(sizes); i++)
		say_copy(c, payload + i, sizes[i]);
	for (size_t i = 0; i < countof(sizes); i++)
		hear_copy(c, payload + i, sizes[i]);
	hang_up(c);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(an_output_longer_than_the_payload_comes_whole)
{
	struct client *c = dial(start("plugin_config = " LONG_LINES "\n"));
	char *reply;

	say(c, "RUN act config\r\nRUN act million\r\n");
	hear(c, "$323\r\n" LONG "\r\n");
	reply = hear_reply(c);
	ck_assert_uint_eq(strlen(reply), strlen("$1000000\r\n") + 1000000 + 2);
	for (size_t i = 0; i < 1000000; i++)
		ck_assert_msg(reply[10 + i] == (char)('0' + i % 10), "not so at %zu", i);
}
END_TEST

START_TEST(parts_are_one_output)
{
	struct client *c = dial(start(""));

	say(c, "RUN act parts\r\n");
	hear(c, "$7\r\none two\r\n");
}
END_TEST

START_TEST(a_failure_is_answered_with_its_words_and_without_output)
{
	struct server *s = start("");
	struct client *c = dial(s);

	say(c, "RUN act fail\r\n");
	hear(c, "-FAILED the plugin failed status=-1 error=\"no such thing: 42\"\r\n");
	say(c, "RUN act fail_and_return_0\r\n");
	hear(c, "-FAILED the plugin failed status=0 error=\"second thoughts\"\r\n");
	say(c, "RUN act fail_silently\r\n");
	hear(c, "-FAILED the plugin failed status=7\r\n");
	say(c, "RUN act fail_at_length\r\n");
	ck_assert_uint_lt(strlen(hear_match(c, "^-FAILED .* error=\" +\\.\\.\\.\"$")), 400);
	ck_assert_uint_eq(stat_of(s, "act", "failed"), 4);
}
END_TEST

START_TEST(output_over_its_limit_is_toobig_whether_the_plugin_stops_or_not)
{
	struct server *s = start("max_output = 100K\n"), *small = start_copy("max_output = 5\n");
	struct client *c = dial(s);

	say(c, "RUN act flood\r\nRUN act deluge\r\nRUN act million\r\n");
	for (int i = 0; i < 3; i++)
		hear_match(c, "^-TOOBIG .*output.* max_output=102400$");
	ck_assert_uint_eq(stat_of(s, "act", "killed"), 3);
	c = dial(small);
	say(c, "RUN copy 12345\r\nRUN copy 123456\r\nRUN copy 12345\r\n");
	hear(c, "$5\r\n12345\r\n");
	hear_match(c, "^-TOOBIG ");
	hear(c, "$5\r\n12345\r\n");
}
END_TEST

START_TEST(output_over_the_memory_budget_is_killed)
{
	struct server *s = server_start(scratchf("%smax_memory = 1M\n[job act]\nplugin = %s\nisolate = no\n", as_ourselves(), object("act")));
	struct client *c = dial(s);

	say(c, "RUN act deluge\r\nPING\r\n");
	hear_match(c, "^-KILLED .* reason=memory$");
	hear(c, "+PONG\r\n");
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(a_plugin_that_looks_is_told_in_time_and_is_not_abandoned)
{
	struct server *s = start("predict = no\n");
	struct client *c = dial(s);

	say(c, "RUN act wait DEADLINE 2s\r\n");
	hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+$");
	ck_assert_uint_eq(stat_of(s, "act", "abandoned"), 0);
	ck_assert_uint_eq(stat_of(s, "act", "timeout"), 1);
	/* What is done by the deadline counts, though it was told. */
	say(c, "RUN act enough DEADLINE 4s\r\n");
	hear(c, "$6\r\nenough\r\n");
}
END_TEST

START_TEST(the_time_left_is_that_until_it_is_told)
{
	struct client *c = dial(start("grace = 1s\n"));
	int left;

	say(c, "RUN act left DEADLINE 40s\r\n");
	left = atoi(strchr(hear_reply(c), '\n') + 1);
	ck_assert_int_gt(left, 9000);
	ck_assert_int_le(left, 39000);
}
END_TEST

START_TEST(a_plugin_that_does_not_return_is_answered_at_its_deadline_and_keeps_its_slot)
{
	const char *file = scratchf("%s/go", new_folder());
	struct server *s = start(scratchf("plugin_config = %s\nconcurrency = 1\nqueue = 0\n", file));
	struct client *c = dial(s);

	say(c, "RUN act stubborn DEADLINE 300 ID stubborn-1\r\n");
	hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+ abandoned=1$");
	ck_assert_uint_eq(stat_of(s, "act", "abandoned"), 1);
	ck_assert_uint_eq(metric(s, "leat_jobs_abandoned{job=\"act\"}"), 1);
	ck_assert_uint_eq(stat_of(s, "act", "running"), 1);
	say(c, "RUN act id\r\n");
	hear_match(c, "^-BUSY .* reason=queue_full");
	ck_assert_int_eq(shell(s, scratchf("touch %s", file)).status, 0);
	await(stat_of(s, "act", "running") == 0);
	ck_assert_uint_eq(stat_of(s, "act", "abandoned"), 0);
	ck_assert_uint_eq(stat_of(s, "act", "timeout"), 1);
	say(c, "RUN act id ID stubborn-1\r\n");
	hear(c, "$11\r\nstubborn-1|\r\n");
}
END_TEST

START_TEST(a_map_of_it_too_is_answered_at_its_deadline)
{
	const char *file = scratchf("%s/go", new_folder());
	struct server *s = start(scratchf("plugin_config = %s\nconcurrency = 2\nqueue = 1\n", file));
	struct client *c = dial(s);
	const char *line;

	say(c, "MAP act 3 stubborn id stubborn DEADLINE 300 ID m\r\n");
	hear(c, "*3\r\n");
	line = hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+ abandoned=1$");
	hear(c, "$4\r\nm.1|\r\n");
	hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+ abandoned=1$");
	/* A command would have had another second to die in. */
	ck_assert_msg(IS_SANITIZED || atoi(strstr(line, "after_ms=") + 9) < 1000, "%s", line);
	ck_assert_uint_eq(stat_of(s, "act", "abandoned"), 2);
	ck_assert_int_eq(shell(s, scratchf("touch %s", file)).status, 0);
	await(stat_of(s, "act", "running") == 0);
	ck_assert_uint_eq(stat_of(s, "act", "abandoned"), 0);
}
END_TEST

START_TEST(one_that_waits_for_its_reader_ends_at_its_deadline_and_is_not_abandoned)
{
	struct server *s = start("max_output = 100M\nconcurrency = 8\n");
	struct client *c[8];

	for (size_t i = 0; i < countof(c); i++)
		say(c[i] = dial(s), "POST /v1/run/act?stream=1&deadline=2s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
				    "Content-Length: 5\r\n\r\nflood");
	await(stat_of(s, "act", "timeout") == countof(c));
	for (size_t i = 0; i < countof(c); i++) {
		size_t len;
		const char *said = hear_rest(c[i], &len);

		said = memmem(said, len, "Leat-Outcome: ", 14);
		ck_assert_ptr_nonnull(said);
		assert_match(said, "^Leat-Outcome: timeout\r\nLeat-Error: TIMEOUT .* after_ms=[0-9]+\r\n");
	}
	ck_assert_uint_eq(inside(s, "act"), 0);
}
END_TEST

START_TEST(leatd_stops_though_a_plugin_does_not_return)
{
	struct server *s = start(scratchf("plugin_config = /no/such/file\n"));
	struct client *c = dial(s);

	say(c, "RUN act stubborn DEADLINE 300\r\n");
	hear_match(c, "^-TIMEOUT .* abandoned=1$");
	clients_reset();
	s->control = NULL;
	ck_assert_int_eq(kill(s->pid, SIGTERM), 0);
	ck_assert_int_eq(wait_for(s->pid), 0);
	ck_assert(server_logged(s, "could not be stopped"));
	server_forget(s);
}
END_TEST

START_TEST(a_client_that_goes_away_and_an_operator_cancel_it)
{
	struct server *s = start("deadline = 1m\n");
	struct client *c = dial(s), *operator = dial(s);

	say(c, "RUN act wait\r\n");
	await(stat_of(s, "act", "running") == 1);
	reset(c);
	await(stat_of(s, "act", "canceled") == 1);
	say(c = dial(s), "RUN act wait ID w\r\n");
	await(stat_of(s, "act", "running") == 1);
	say(operator, "CANCEL w\r\n");
	hear(operator, ":1\r\n");
	hear_match(c, "^-CANCELED .* state=running");
	ck_assert_uint_eq(stat_of(s, "act", "abandoned"), 0);
}
END_TEST

START_TEST(calls_run_at_the_same_time_and_the_plugin_is_closed_at_the_end)
{
	struct server *s = start("plugin_config = once\nconcurrency = 8\ndeadline = 30s\n");
	struct client *c[8];

	for (int i = 0; i < 8; i++)
		say(c[i] = dial(s), scratchf("RUN act wait ID together-%d\r\n", i));
	await(stat_of(s, "act", "running") == 8);
	for (int i = 0; i < 8; i++)
		reset(c[i]);
	await(stat_of(s, "act", "canceled") == 8);
	server_stop(s);
	assert_has(server_log(s), "closed: once\n");
	ck_assert(!strstr(strstr(server_log(s), "closed: once\n") + 1, "closed: once\n"));
}
END_TEST

START_TEST(leatd_does_not_start_with_a_plugin_that_does_not_open)
{
	struct ran ran = leatd("-c", new_file(scratchf("%slisten = 127.0.0.1:0\n[job act]\nplugin = %s\nisolate = no\nplugin_config = refuse\n",
						       as_ourselves(), object("act"))));

	ck_assert_int_eq(ran.status, 71);
	assert_match(ran.err, "level=error msg=\"a plugin cannot be used\" job=act plugin=.*/act.so why=\"cannot be opened: does not like 'refuse'\"");
}
END_TEST

START_TEST(the_example_writes_capitals)
{
	struct server *s = server_start(scratchf("%s[job upper]\nplugin = %s\nisolate = no\n", as_ourselves(), object("upper")));
	struct client *c = dial(s);

	say(c, "RUN upper \"hello world\"\r\nRUN upper \"\"\r\n");
	hear(c, "$11\r\nHELLO WORLD\r\n");
	hear_match(c, "^-FAILED .*there is nothing to write");
}
END_TEST

/* --- In hosts --- */

static struct server *start_isolated(const char *keys)
{
	return server_start(scratchf("%s[job act]\nplugin = %s\nconcurrency = 1\n%s[job copy]\nplugin = %s\n", as_ourselves(), object("act"), keys,
				     object("copy")));
}

START_TEST(an_isolated_plugin_does_the_same)
{
	static const size_t sizes[] = { 0, 1, 4096, 65536, 65537, 900000 };
	struct server *s = start_isolated("plugin_config = some words\n");
	char *payload = random_bytes(900000, 4);
	struct client *c = dial(s);

	say(c, "RUN act config\r\nRUN act id ID mine-1\r\nRUN act parts\r\n");
	hear(c, "$10\r\nsome words\r\n$7\r\nmine-1|\r\n$7\r\none two\r\n");
	say(c, "RUN act fail\r\nRUN act fail_silently\r\n");
	hear_match(c, "^-FAILED .* error=\"no such thing: 42\"$");
	hear_match(c, "^-FAILED .* error=\"the plugin failed with status 7\"$");
	for (size_t i = 0; i < countof(sizes); i++)
		say_copy(c, payload, sizes[i]);
	for (size_t i = 0; i < countof(sizes); i++)
		hear_copy(c, payload, sizes[i]);
	say(c, "RUN act print\r\n");
	hear(c, "$2\r\nok\r\n");
	await(server_logged(s, "printed on stdout") && server_logged(s, "printed on stderr"));
}
END_TEST

START_TEST(an_isolated_plugin_that_crashes_takes_its_own_job_only)
{
	struct server *s = start_isolated("");
	struct client *c = dial(s);

	say(c, "RUN act crash\r\n");
	hear_match(c, "^-KILLED .*signal=SIGSEGV");
	say(c, "RUN act id ID after\r\n");
	hear(c, "$6\r\nafter|\r\n");
	say(c, "RUN act exit_3\r\n");
	hear_match(c, "^-(FAILED|KILLED) .*status=3");
	say(c, "RUN act exit_0\r\n");
	hear_match(c, "^-(FAILED|KILLED) ");
	say(c, "RUN act id ID after\r\nRUN copy x\r\n");
	hear(c, "$6\r\nafter|\r\n$1\r\nx\r\n");
}
END_TEST

START_TEST(an_isolated_plugin_that_is_late_or_writes_too_much_is_killed_and_replaced)
{
	struct server *s = start_isolated("plugin_config = /no/such/file\nmax_output = 100K\n");
	struct client *c = dial(s);

	say(c, "RUN act stubborn DEADLINE 1s\r\n");
	hear_match(c, "^-TIMEOUT .* state=running after_ms=[0-9]+$");
	say(c, "RUN act id ID after\r\n");
	hear(c, "$6\r\nafter|\r\n");
	say(c, "RUN act flood\r\n");
	hear_match(c, "^-TOOBIG .* max_output=102400$");
	say(c, "RUN act id ID after\r\n");
	hear(c, "$6\r\nafter|\r\n");
	ck_assert_uint_eq(stat_of(s, "act", "abandoned"), 0);
}
END_TEST

START_TEST(an_isolated_plugin_that_is_cancelled_is_killed_and_replaced_and_others_go_on)
{
	static const char *const calls[] = { "RUN act begin ID it", "MAP act 1 begin ID it", "PIPE 2 copy act begin ID it" };
	const char *begun = scratchf("%s/begun", new_folder());
	struct server *s = start_isolated(scratchf("plugin_config = %s\ngrace = 100ms\ndeadline = 1m\nenv.MARK = p%d\n", begun, (int)getpid()));
	struct client *c = dial(s), *operator = dial(s);

	for (size_t i = 0; i < countof(calls); i++) {
		sayf(c, "%s\r\n", calls[i]);
		await(access(begun, F_OK) == 0);
		say(operator, "RUN copy x\r\nCANCEL it\r\n");
		hear(operator, "$1\r\nx\r\n:1\r\n");
		if (calls[i][0] == 'M')
			hear(c, "*1\r\n");
		hear_match(c, "^-CANCELED cancelled while running state=running");
		ck_assert_msg(processes_with(scratchf("MARK=p%d", (int)getpid())) == 0, "%s: it is still there", calls[i]);
		ck_assert_int_eq(unlink(begun), 0);
		say(c, "RUN act id ID after\r\n");
		hear(c, "$6\r\nafter|\r\n");
	}
	ck_assert_uint_eq(stat_of(s, "act", "abandoned"), 0);
}
END_TEST

/* --- Files that are no plugins --- */

static void expect_fault(const char *plugin, const char *fault)
{
	static const char *const isolate[] = { "yes", "no" };

	for (size_t i = 0; i < countof(isolate); i++) {
		const char *path = new_file(scratchf("%s[job p]\nplugin = %s\nisolate = %s\n", as_ourselves(), plugin, isolate[i]));
		struct ran ran = leatd("-c", path, "--check-config");

		ck_assert_int_eq(ran.status, 78);
		assert_has(ran.err, scratchf("%s:4: [job p] plugin: '%s' %s", path, plugin, fault));
		ck_assert_int_eq(leatd("-c", path).status, 78);
	}
}

START_TEST(a_file_that_is_no_plugin_is_a_fault_of_the_configuration)
{
	const char *text = new_file("no ELF");

	expect_fault("/no/such/file.so", "cannot be loaded: cannot open shared object file: No such file or directory\n");
	expect_fault("folder/file.so", "is not an absolute path or the name of a file in ");
	expect_fault(text, "cannot be loaded: file too short\n");
	expect_fault(object("no_symbol"), "has no symbol leat_plugin, which LEAT_PLUGIN() of leat_plugin.h makes\n");
	expect_fault(object("other_abi"), "is of plugin ABI 2, and 1 is allowed: build it with the leat_plugin.h of this leatd\n");
	expect_fault(object("small"), "says that its struct leat_plugin has 8 bytes, and 40 is the least\n");
	expect_fault(object("no_run"), "has no run function in its struct leat_plugin\n");
	expect_fault(object("unresolved"), "cannot be loaded: undefined symbol: nobody_has_this\n");
	expect_fault(object("constructor"), "cannot be loaded: that dies of SIGSEGV\n");
}
END_TEST

/* A copy of the plugin that says when it is loaded, in a folder of its own. */
static const char *marking(void)
{
	size_t len;
	char *bytes = read_file(object("marking"), &len);

	return new_file_of(bytes, len);
}

START_TEST(a_plugin_is_not_loaded_while_it_is_not_known_as_whom)
{
	static const char *const wrong[][2] = {
		{ "", "user = nobody-has-this\n" }, { "", "group = nobody-has-this\n" }, { "", "cwd = /no/such/folder\n" },
		{ "user = nobody-has-this\n", "" }, { "group = nobody-has-this\n", "" },
	};

	for (size_t i = 0; i < countof(wrong); i++) {
		const char *plugin = marking();
		const char *path = new_file(scratchf("[server]\n%s[job p]\nplugin = %s\n%s", wrong[i][0], plugin, wrong[i][1]));

		ck_assert_int_eq(leatd("-c", path, "--check-config").status, 78);
		ck_assert_int_ne(access(scratchf("%s.loaded", plugin), F_OK), 0);
	}
}
END_TEST

START_TEST(what_a_plugin_starts_while_it_is_checked_is_gone_when_the_check_is_over)
{
	const char *path = new_file(scratchf("%s[job p]\nplugin = %s\n", as_ourselves(), object("lingering")));

	adopt_orphans();
	ck_assert_int_eq(leatd("-c", path, "--check-config").status, 0);
	ck_assert_uint_eq(children_of(getpid()), 0);
}
END_TEST

START_TEST(a_name_without_a_slash_is_looked_for_in_the_folder_of_plugins)
{
	const char *path = new_file(scratchf("[job p]\nplugin = nobody-has-this.so\n"));

	assert_match(leatd("-c", path, "--check-config").err, ":2: \\[job p\\] plugin: '/.*/nobody-has-this.so' cannot be loaded: ");
}
END_TEST

/* --- The host, by itself --- */

static struct ran sh(const char *line)
{
	return run("/bin/sh", "-c", line);
}

/* What it says to this, which printf(1) writes. */
static struct ran host_says(const char *arguments, const char *plugin, const char *text)
{
	return sh(scratchf("printf '%s' | %s %s %s", text, host(), arguments, object(plugin)));
}

START_TEST(a_host_speaks_the_worker_protocol)
{
	ck_assert_str_eq(host_says("", "copy", "").out, "READY\n");
	ck_assert_str_eq(host_says("", "copy", "JOB a 1000 5 -\\nhelloJOB b 1000 0 -\\nJOB c 1000 3\\nabc").out,
			 "READY\nDONE 5\nhelloDONE 0\nDONE 3\nabc");
	ck_assert_str_eq(host_says("", "act", "JOB some-id 1000 2 00-trace-parent-01 and more words\\nid").out,
			 "READY\nDONE 26\nsome-id|00-trace-parent-01");
	ck_assert_str_eq(host_says("--config words", "act", "JOB a 1000 6 -\\nconfig").out, "READY\nDONE 5\nwords");
	ck_assert_str_eq(host_says("", "act", "JOB a 1000 5 -\\nparts").out, "READY\nPART 4\none DONE 3\ntwo");
	ck_assert_str_eq(host_says("", "act", "JOB a 1000 4 -\\nfail").out, "READY\nFAIL 17\nno such thing: 42");
	ck_assert_str_eq(host_says("", "act", "JOB a 1000 13 -\\nfail_silently").out, "READY\nFAIL 31\nthe plugin failed with status 7");
	ck_assert_str_eq(host_says("", "act", "JOB a 0 4 -\\nwait").out, "READY\nFAIL 31\nthe plugin failed with status 1");
	ck_assert_int_eq(host_says("", "copy", "JOB a 1000 5 -\\nhello").status, 0);
}
END_TEST

START_TEST(a_host_gathers_small_writes_and_passes_on_large_ones)
{
	struct ran ran = host_says("", "act", "JOB a 5000 7 -\\nmillion");

	assert_match(ran.out, "^READY\nPART 6[0-9]{4}\n0123456789");
	ran = sh(scratchf("(printf 'JOB a 5000 900000 -\\n'; head -c 900000 /dev/zero) | %s %s", host(), object("copy")));
	assert_match(ran.out, "^READY\nPART 900000\n");
	ck_assert_uint_eq(ran.out_len, strlen("READY\nPART 900000\nDONE 0\n") + 900000);
}
END_TEST

START_TEST(what_a_plugin_prints_is_no_output_and_its_stdin_is_empty)
{
	struct ran ran = host_says("", "act", "JOB a 1000 5 -\\nprintJOB b 1000 4 -\\nread");

	ck_assert_str_eq(ran.out, "READY\nDONE 2\nokDONE 5\nempty");
	assert_has(ran.err, "printed on stdout\nprinted on stderr\n");
}
END_TEST

START_TEST(a_host_whose_plugin_does_not_open_says_why_and_is_never_ready)
{
	struct ran ran = host_says("--config refuse", "act", "");

	ck_assert_int_eq(ran.status, 78);
	ck_assert_str_eq(ran.out, "");
	ck_assert_str_eq(ran.err, "leat-plugin-host: it cannot be opened: does not like 'refuse'\n");
	assert_has(host_says("--config 'refuse silently'", "act", "").err, "it does not say why");
	ran = host_says("", "no_symbol", "");
	ck_assert_int_eq(ran.status, 78);
	assert_has(ran.err, "has no symbol leat_plugin");
}
END_TEST

START_TEST(a_host_ends_when_it_hears_what_is_no_job)
{
	static const char *const rubbish[] = {
		"JOBS a 1000 5\\nhello", "JOB a b c\\n", "JOB a 1000\\n", "JOB a 1000 99999999999999999999\\n", "JOB a 1000 -5\\n", "\\n",
	};

	for (size_t i = 0; i < countof(rubbish); i++) {
		struct ran ran = host_says("", "copy", rubbish[i]);

		ck_assert_int_eq(ran.status, 76);
		ck_assert_str_eq(ran.out, "READY\n");
	}
	ck_assert_int_eq(sh(scratchf("head -c 100000 /dev/zero | %s %s", host(), object("copy"))).status, 76);
	/* Cut short. */
	ck_assert_str_eq(host_says("", "copy", "JOB a 1000 5\\nhel").out, "READY\n");
}
END_TEST

/* What a host has said, and then its status, that is sent SIGTERM when it has said `said`; its stdin stays open. */
static char *told(const char *job, const char *said)
{
	const char *folder = new_folder();

	return sh(scratchf("cd %s; mkfifo in; exec 3<>in; printf '%s' >&3; %s %s <in >out & "
			   "until grep -q '%s' out; do sleep 0.01; done; kill $!; wait $!; echo \" status $?\" >>out; cat out",
			   folder, job, host(), object("act"), said)).out;
}

START_TEST(sigterm_ends_a_host_that_waits_and_one_whose_call_is_told_when_that_has_ended)
{
	/* The thread sanitizer of gcc 12 holds a signal back until the read() that it has interrupted returns. */
#ifndef __SANITIZE_THREAD__
	ck_assert_str_eq(told("", "READY"), "READY\n status 0\n");
	ck_assert_str_eq(told("JOB a 1000 5 -\\nparts", "two"), "READY\nPART 4\none DONE 3\ntwo status 0\n");
#endif
	assert_match(told("JOB a 60000 4 -\\nwait", "BEAT"), "^READY\n(BEAT\n)+FAIL 31\nthe plugin failed with status 1 status 0\n$");
}
END_TEST

START_TEST(the_command_line_of_a_host_is_checked)
{
	ck_assert_int_eq(run(host()).status, 64);
	ck_assert_int_eq(run(host(), "a", "b").status, 64);
	ck_assert_int_eq(run(host(), "--nope").status, 64);
	assert_match(run(host(), "--help").out, "^Usage: leat-plugin-host ");
	assert_match(run(host(), "--version").out, "^leat-plugin-host [0-9.]+, plugin ABI 1\n$");
	ck_assert_int_eq(run(host(), "--check", object("copy")).status, 0);
	ck_assert_int_eq(run(host(), "--check", "/no/such/file").status, 78);
}
END_TEST

Suite *plugin_suite(void)
{
	const TTest *tests[] = {
		a_plugin_is_given_its_configuration_the_payload_and_the_id,
		a_call_says_its_size,
		outputs_of_all_sizes_come_whole,
		an_output_longer_than_the_payload_comes_whole,
		parts_are_one_output,
		a_failure_is_answered_with_its_words_and_without_output,
		output_over_its_limit_is_toobig_whether_the_plugin_stops_or_not,
		output_over_the_memory_budget_is_killed,
		a_plugin_that_looks_is_told_in_time_and_is_not_abandoned,
		the_time_left_is_that_until_it_is_told,
		a_plugin_that_does_not_return_is_answered_at_its_deadline_and_keeps_its_slot,
		a_map_of_it_too_is_answered_at_its_deadline,
		one_that_waits_for_its_reader_ends_at_its_deadline_and_is_not_abandoned,
		leatd_stops_though_a_plugin_does_not_return,
		a_client_that_goes_away_and_an_operator_cancel_it,
		calls_run_at_the_same_time_and_the_plugin_is_closed_at_the_end,
		leatd_does_not_start_with_a_plugin_that_does_not_open,
		the_example_writes_capitals,
		an_isolated_plugin_does_the_same,
		an_isolated_plugin_that_crashes_takes_its_own_job_only,
		an_isolated_plugin_that_is_cancelled_is_killed_and_replaced_and_others_go_on,
		an_isolated_plugin_that_is_late_or_writes_too_much_is_killed_and_replaced,
		a_file_that_is_no_plugin_is_a_fault_of_the_configuration,
		a_plugin_is_not_loaded_while_it_is_not_known_as_whom,
		what_a_plugin_starts_while_it_is_checked_is_gone_when_the_check_is_over,
		a_name_without_a_slash_is_looked_for_in_the_folder_of_plugins,
		a_host_speaks_the_worker_protocol,
		a_host_gathers_small_writes_and_passes_on_large_ones,
		what_a_plugin_prints_is_no_output_and_its_stdin_is_empty,
		a_host_whose_plugin_does_not_open_says_why_and_is_never_ready,
		a_host_ends_when_it_hears_what_is_no_job,
		sigterm_ends_a_host_that_waits_and_one_whose_call_is_told_when_that_has_ended,
		the_command_line_of_a_host_is_checked,
	};
	return wire_suite("plugin", tests, countof(tests));
}
