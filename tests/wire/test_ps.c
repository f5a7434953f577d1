/* Seeing the jobs in flight, and cancelling one of them from anywhere. */
#include "wire.h"

#include <signal.h>

static const char jobs[] =
	"[server]\n"
	"loops = 4\n"
	"[job nap]\n"
	"exec = /bin/sleep 60\n"
	"concurrency = 1\n"
	"queue = 4\n"
	"deadline = 1m\n"
	"[job sleep]\n"
	"builtin = sleep\n"
	"concurrency = 16\n"
	"queue = 4\n"
	"deadline = 1m\n"
	"[job stubborn]\n"
	"exec = /bin/sh -c \"trap '' TERM; while :; do sleep 1; done\"\n"
	"grace = 500ms\n"
	"deadline = 10m\n"
	"max_deadline = 10m\n";

#define HOST "Host: localhost\r\n"

/* Says CANCEL on a connection of its own, and returns the number that is heard. */
static int cancel(struct server *s, const char *id)
{
	struct client *c = dial(s);
	const char *line;

	sayf(c, "CANCEL %s\r\n", id);
	line = hear_match(c, "^:[01]$");
	hang_up(c);
	return line[1] - '0';
}

static const struct response *delete(struct server *s, const char *id)
{
	return ask(s, scratchf("DELETE /v1/ps/%s HTTP/1.0\r\n" HOST "\r\n", id));
}

static bool ps_has(struct server *s, const char *part)
{
	return strstr(get(s, "/v1/ps")->body, part) != NULL;
}

START_TEST(jobs_that_wait_and_run_are_listed_by_both_protocols)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *three = dial(s);

	assert_response(get(s, "/v1/ps"), 200, "[]\n");
	say(c, "RUN nap x ID one\r\n");
	await(stat_of(s, "nap", "running") == 1);
	say_post(dial_unix(s), "/v1/run/nap", "Leat-Id: two\r\nLeat-Deadline: 30s\r\n", "");
	await(stat_of(s, "nap", "waiting") == 1);
	assert_match(get(s, "/v1/ps")->body,
		     "^\\[\\{\"id\":\"one\",\"job\":\"nap\",\"state\":\"running\",\"age_ms\":[0-9]+,\"left_ms\":[0-9]+,"
		     "\"peer\":\"127\\.0\\.0\\.1:[0-9]+\"\\},\\{\"id\":\"two\",\"job\":\"nap\",\"state\":\"waiting\",\"age_ms\":[0-9]+,"
		     "\"left_ms\":[0-9]+,\"peer\":\"unix\"\\}\\]\n$");
	say(three, "PS\r\n");
	assert_match(hear_reply(three), "^\\*2\r\n\\*12\r\n\\$2\r\nid\r\n\\$3\r\none\r\n\\$3\r\njob\r\n\\$3\r\nnap\r\n\\$5\r\nstate\r\n"
		     "\\$7\r\nrunning\r\n\\$6\r\nage_ms\r\n:[0-9]+\r\n\\$7\r\nleft_ms\r\n:[0-9]+\r\n\\$4\r\npeer\r\n"
		     "\\$[0-9]+\r\n127\\.0\\.0\\.1:[0-9]+\r\n\\*12\r\n\\$2\r\nid\r\n\\$3\r\ntwo\r\n");
	say(three, "HELLO 3\r\nPS\r\n");
	hear_reply(three);
	assert_match(hear_reply(three), "^\\*2\r\n%6\r\n\\$2\r\nid\r\n\\$3\r\none\r\n");
}
END_TEST

START_TEST(an_id_that_leatd_made_up_is_listed_as_the_answer_says_it)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);
	const char *id;

	say_post(c, "/v1/run/sleep", "", "60000");
	await(stat_of(s, "sleep", "running") == 1);
	id = strstr(get(s, "/v1/ps")->body, "\"id\":\"") + strlen("\"id\":\"");
	id = scratchf("%.16s", id);
	ck_assert_int_eq(cancel(s, id), 1);
	const struct response *r = hear_response(c);

	assert_problem(r, 499, "CANCELED");
	ck_assert_str_eq(header(r, "Leat-Id"), id);
}
END_TEST

START_TEST(what_waits_is_cancelled_at_once_and_its_place_is_free)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *next = dial(s), *waiting[4];

	say(c, "RUN nap x ID runs\r\n");
	await(stat_of(s, "nap", "running") == 1);
	for (int i = 0; i < 4; i++)
		sayf(waiting[i] = dial(s), "RUN nap x ID waits-%d\r\n", i);
	await(stat_of(s, "nap", "waiting") == 4);
	say(next, "RUN nap\r\n");
	hear_match(next, "^-BUSY ");
	ck_assert_int_eq(cancel(s, "waits-1"), 1);
	/* Free when the answer was heard, not soon after. */
	ck_assert_uint_eq(stat_of(s, "nap", "waiting"), 3);
	hear_match(waiting[1], "^-CANCELED cancelled while waiting state=waiting after_ms=[0-9]+$");
	ck_assert_int_eq(cancel(s, "waits-1"), 0);
	ck_assert_int_eq(delete(s, "waits-2")->status, 204);
	assert_problem(delete(s, "waits-2"), 404, "NOID");
	hear_match(waiting[2], "^-CANCELED ");
	say(next, "RUN nap x ID new\r\n");
	await(ps_has(s, "\"new\""));
	ck_assert_uint_eq(stat_of(s, "nap", "waiting"), 3);
	ck_assert_uint_eq(stat_of(s, "nap", "running"), 1);
}
END_TEST

START_TEST(what_runs_is_told_to_end_at_once_and_answered_when_it_is_gone)
{
	struct server *s = server_start(jobs);
	struct client *kind = dial(s), *stubborn = dial(s);

	say(kind, "RUN nap x ID kind-1\r\n");
	say(stubborn, "RUN stubborn x ID stubborn-1\r\n");
	await(commands_of("kind-1") == 1 && commands_of("stubborn-1") >= 2);
	ck_assert_int_eq(cancel(s, "kind-1"), 1);
	hear_match(kind, "^-CANCELED cancelled while running state=running after_ms=[0-9]+$");
	ck_assert_uint_eq(commands_of("kind-1"), 0);
	ck_assert_int_eq(delete(s, "stubborn-1")->status, 204);
	/* It is still there for its grace, and is still seen. */
	ck_assert(ps_has(s, "\"id\":\"stubborn-1\",\"job\":\"stubborn\",\"state\":\"running\""));
	hear_match(stubborn, "^-CANCELED ");
	ck_assert_uint_eq(commands_of("stubborn-1"), 0);
	ck_assert_int_eq(cancel(s, "stubborn-1"), 0);
	ck_assert_uint_eq(stat_of(s, "nap", "canceled") + stat_of(s, "stubborn", "canceled"), 2);
}
END_TEST

START_TEST(a_cancelled_command_is_killed_at_its_deadline_when_that_is_sooner_than_its_grace)
{
	struct server *s = server_start("[job stubborn]\nexec = /bin/sh -c \"trap '' TERM; while :; do sleep 1; done\"\ngrace = 10m\n");
	struct client *c = dial(s);

	say(c, "RUN stubborn x DEADLINE 4s ID late-1\r\n");
	await(commands_of("late-1") >= 2);
	ck_assert_int_eq(cancel(s, "late-1"), 1);
	hear_match(c, "^-CANCELED ");
	ck_assert_uint_eq(commands_of("late-1"), 0);
}
END_TEST

START_TEST(any_connection_cancels_the_job_of_any_other)
{
	struct server *s = server_start(jobs);
	struct client *c[16];

	for (int i = 0; i < 16; i++) {
		c[i] = i % 4 ? dial(s) : dial_unix(s);
		if (i % 2)
			say_post(c[i], "/v1/run/sleep", scratchf("Leat-Id: job-%d\r\n", i), "60000");
		else
			sayf(c[i], "RUN sleep 60000 ID job-%d\r\n", i);
	}
	await(stat_of(s, "sleep", "running") == 16);
	for (int i = 0; i < 16; i++) {
		/* Each is cancelled by several at once, of which all may be told that they did it. */
		struct client *a = dial(s), *b = dial(s);

		sayf(a, "CANCEL job-%d\r\nCANCEL job-%d\r\n", i, i);
		sayf(b, "DELETE /v1/ps/job-%d HTTP/1.1\r\n" HOST "\r\n", i);
		if (i % 2)
			assert_problem(hear_response(c[i]), 499, "CANCELED");
		else
			hear_match(c[i], "^-CANCELED ");
		hear_match(a, "^:[01]$");
		hear_match(a, "^:[01]$");
		hear_response(b);
	}
	ck_assert_uint_eq(stat_of(s, "sleep", "canceled"), 16);
	ck_assert_uint_eq(inside(s, "sleep"), 0);
}
END_TEST

START_TEST(what_is_no_id_or_no_job_is_told)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "CANCEL nobody\r\nCANCEL\r\nCANCEL a b\r\nCANCEL \"a b\"\r\nPS x\r\n");
	hear(c, ":0\r\n");
	hear_match(c, "^-ERR wrong number of arguments: CANCEL id");
	hear_match(c, "^-ERR wrong number of arguments: CANCEL id");
	hear_match(c, "^-ERR the id is not ");
	hear_match(c, "^-ERR wrong number of arguments: PS");
	assert_problem(delete(s, "nobody"), 404, "NOID");
	assert_problem(delete(s, "a%20b"), 400, "ERR");
	assert_problem(delete(s, ""), 404, "ERR");
	ck_assert_str_eq(header(get(s, "/v1/ps/nobody"), "Allow"), "DELETE, OPTIONS");
	ck_assert_str_eq(header(post(s, "/v1/ps", ""), "Allow"), "GET, HEAD, OPTIONS");
	ck_assert_int_eq(hear_head((say(c = dial(s), "HEAD /v1/ps HTTP/1.1\r\n" HOST "\r\n"), c))->status, 200);
}
END_TEST

START_TEST(a_list_that_is_too_long_is_cut_and_says_so)
{
	struct server *s = server_start("[server]\nmax_pipeline = 6000\nloops = 2\n"
					"[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 6000\ndeadline = 1m\n");
	struct client *c[2] = { dial(s), dial(s) };
	const char *body, *end;
	size_t listed = 0;

	for (int i = 0; i < 5000; i++)
		say(c[i % 2], "RUN sleep 60000\r\n");
	await(inside(s, "sleep") == 5000);
	body = get(s, "/v1/ps")->body;
	for (const char *at = body; (at = strstr(at, "{\"id\":")); at++)
		listed++;
	ck_assert_uint_eq(listed, 4096);
	end = strstr(body, ",{\"more\":904}]\n");
	ck_assert(end != NULL && strlen(end) == strlen(",{\"more\":904}]\n"));
}
END_TEST

START_TEST(a_job_whose_client_has_gone_is_seen_until_it_is_dead)
{
	struct server *s = server_start("[job stubborn]\nexec = /bin/sh -c \"trap '' TERM; while :; do sleep 1; done\"\ngrace = 5s\n"
					"deadline = 10m\nmax_deadline = 10m\n");
	struct client *c = dial(s);

	say(c, "RUN stubborn x ID left-1\r\nRUN stubborn x ID left-2\r\n");
	await(commands_of("left-1") >= 2 && commands_of("left-2") >= 2);
	reset(c);
	await(metric(s, "leat_connections") == 1);      /* that of this question */
	ck_assert(ps_has(s, "\"left-1\"") && ps_has(s, "\"left-2\""));
	ck_assert_int_eq(cancel(s, "left-2"), 1);
	await(inside(s, "stubborn") == 0);
	ck_assert(!ps_has(s, "left"));
	ck_assert_uint_eq(commands_of("left-1") + commands_of("left-2"), 0);
	ck_assert_uint_eq(stat_of(s, "stubborn", "canceled"), 2);
}
END_TEST

START_TEST(answers_keep_their_order_with_questions_among_them)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "RUN sleep 100\r\nCANCEL nobody\r\nPING a\r\nPS\r\nCANCEL nobody\r\nPING b\r\nPS\r\nRUN sleep 1\r\nCANCEL nobody\r\nQUIT\r\n");
	hear(c, "$0\r\n\r\n:0\r\n$1\r\na\r\n");
	assert_match(hear_reply(c), "^\\*[012]\r\n");
	hear(c, ":0\r\n$1\r\nb\r\n");
	assert_match(hear_reply(c), "^\\*[012]\r\n");
	hear(c, "$0\r\n\r\n:0\r\n+OK\r\n");
	hear_end(c);
}
END_TEST

START_TEST(who_asks_and_leaves_before_the_answer_leaves_nothing_behind)
{
	struct server *s = server_start(jobs);
	struct base_line base = base_line_of(s);

	for (int i = 0; i < 100; i++) {
		struct client *a = dial(s), *b = dial(s), *c = dial(s);

		sayf(a, "RUN sleep 60000 ID a-%d\r\nPS\r\nCANCEL a-%d\r\nPS\r\n", i, i);
		sayf(b, "CANCEL a-%d\r\nPS\r\n", i);
		say(c, "GET /v1/ps HTTP/1.1\r\n" HOST "\r\nDELETE /v1/ps/x HTTP/1.1\r\n" HOST "\r\n");
		i % 2 ? reset(a) : hang_up(a);
		reset(b);
		i % 3 ? reset(c) : hang_up(c);
	}
	/* Where FIN does not cancel, those that were not cancelled run on. */
	for (int i = 0; i < 100; i++)
		cancel(s, scratchf("a-%d", i));
	await(inside(s, "sleep") == 0);
	await_base_line(s, base, 16);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(what_is_in_flight_is_seen_and_cancelled_while_draining)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s), *operator = dial(s);

	say(c, "RUN nap x ID last-1\r\n");
	await(commands_of("last-1") == 1);
	kill(s->pid, SIGTERM);
	await(server_logged(s, "msg=draining"));
	say(operator, "PS\r\nCANCEL last-1\r\n");
	assert_has(hear_reply(operator), "last-1");
	hear(operator, ":1\r\n");
	hear_match(c, "^-CANCELED ");
	server_wait(s);
}
END_TEST

Suite *ps_suite(void)
{
	const TTest *tests[] = {
		jobs_that_wait_and_run_are_listed_by_both_protocols,
		an_id_that_leatd_made_up_is_listed_as_the_answer_says_it,
		what_waits_is_cancelled_at_once_and_its_place_is_free,
		what_runs_is_told_to_end_at_once_and_answered_when_it_is_gone,
		a_cancelled_command_is_killed_at_its_deadline_when_that_is_sooner_than_its_grace,
		any_connection_cancels_the_job_of_any_other,
		what_is_no_id_or_no_job_is_told,
		a_list_that_is_too_long_is_cut_and_says_so,
		a_job_whose_client_has_gone_is_seen_until_it_is_dead,
		answers_keep_their_order_with_questions_among_them,
		who_asks_and_leaves_before_the_answer_leaves_nothing_behind,
		what_is_in_flight_is_seen_and_cancelled_while_draining,
	};
	return wire_suite("ps", tests, countof(tests));
}
