/* Many requests on one connection: they run at the same time and are answered in their order. */
#include "wire.h"

/* So many times as long as would do on a machine that is not busy. */
enum { PATIENTLY = IS_SANITIZED ? 10 : 2 };

static const char naps[] =
	"[job nap]\n"
	"builtin = sleep\n"
	"concurrency = 200\n"
	"queue = 1000\n"
	"deadline = 1m\n"
	"[job echo]\n"
	"builtin = echo\n"
	"queue = 1000\n"
	"[job upper]\n"
	"exec = tr a-z A-Z\n";

START_TEST(slow_and_fast_jobs_run_at_once_and_are_answered_in_order)
{
	struct server *s = server_start(naps);
	struct client *c = dial(s);

	for (int i = 0; i < 33; i++)
		/* Those that come first end last. */
		sayf(c, "RUN nap %d\r\nRUN echo %d\r\nRUN upper e%d\r\n", (800 - 20 * i) * PATIENTLY, i, i);
	say(c, "PING\r\n");
	await(stat_of(s, "nap", "running") == 33);
	ck_assert(!can_hear(c));
	for (int i = 0; i < 33; i++)
		hear(c, scratchf("$0\r\n\r\n$%d\r\n%d\r\n$%d\r\nE%d\r\n", i < 10 ? 1 : 2, i, i < 10 ? 2 : 3, i));
	hear(c, "+PONG\r\n");
}
END_TEST

START_TEST(four_sleeps_fill_a_concurrency_of_four)
{
	struct server *s = server_start("[job nap]\nbuiltin = sleep\nconcurrency = 4\n");
	struct client *c = dial(s);

	say(c, "RUN nap 500\r\nRUN nap 500\r\nRUN nap 500\r\nRUN nap 500\r\nRUN nap 1\r\n");
	await(stat_of(s, "nap", "running") == 4 && stat_of(s, "nap", "waiting") == 1);
	hear(c, "$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n");
}
END_TEST

START_TEST(errors_keep_their_place_among_the_answers)
{
	struct client *c = dial(server_start(naps));

	say(c, "RUN nap 200\r\nRUN nope x\r\nRUN nap x\r\nRUN nap 60000 DEADLINE 50\r\nNOPE\r\nRUN echo x\r\n");
	hear(c, "$0\r\n\r\n");
	hear_match(c, "^-NOJOB ");
	hear_match(c, "^-FAILED ");
	hear_match(c, "^-TIMEOUT ");
	hear_match(c, "^-ERR ");
	hear(c, "$1\r\nx\r\n");
}
END_TEST

START_TEST(more_requests_than_max_pipeline_are_all_answered)
{
	struct server *s = server_start("[server]\nmax_pipeline = 4\n[job nap]\nbuiltin = sleep\nconcurrency = 100\n"
					"[job echo]\nbuiltin = echo\n");
	struct client *c = dial(s);
	char *many = scratchf("RUN nap 300\r\nRUN nap 300\r\nRUN nap 300\r\nRUN nap 300\r\n");

	for (int i = 0; i < 500; i++)
		many = i % 100 ? many : scratchf("%sRUN nap 1\r\n", many);
	for (int i = 0; i < 300; i++)
		many = scratchf("%sRUN echo %03d\r\n", many, i);
	say(c, many);
	await(stat_of(s, "nap", "running") == 4);
	/* The fifth is not looked at before one of the four has been answered. */
	ck_assert_uint_eq(stat_of(s, "nap", "submitted") + stat_of(s, "echo", "submitted"), 4);
	for (int i = 0; i < 9; i++)
		hear(c, "$0\r\n\r\n");
	for (int i = 0; i < 300; i++)
		hear(c, scratchf("$3\r\n%03d\r\n", i));
}
END_TEST

START_TEST(ten_thousand_requests_at_once_are_all_answered)
{
	struct client *c = dial(server_start(naps));
	char *all = scratch(10000 * 17 + 1);

	for (int i = 0; i < 10000; i++)
		memcpy(all + (ptrdiff_t)i * 17, scratchf("RUN echo %06d\r\n", i), 17);
	say(c, all);
	for (int i = 0; i < 10000; i++)
		hear(c, scratchf("$6\r\n%06d\r\n", i));
}
END_TEST

START_TEST(large_answers_wait_for_a_slow_reader)
{
	struct client *c = dial(server_start(naps));
	char *payload = random_bytes(100000, 3);
	const char *head = "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$100000\r\n";

	for (int i = 0; i < 100; i++) {
		say(c, head);
		say_bytes(c, payload, 100000);
		say(c, "\r\n");
	}
	for (int i = 0; i < 100; i++) {
		hear(c, "$100000\r\n");
		hear_bytes(c, payload, 100000);
		hear(c, "\r\n");
	}
}
END_TEST

/* Half-closes after `text`, and expects `answers` and the end. */
static void say_all(struct server *s, const char *text, const char *answers)
{
	struct client *c = dial(s);

	say(c, text);
	end_saying(c);
	hear(c, answers);
	hear_end(c);
}

START_TEST(a_client_that_has_no_more_to_say_hears_all_answers)
{
	struct server *s = server_start(naps);

	say_all(s, "RUN nap 200\r\nRUN upper a\r\nRUN echo b\r\n", "$0\r\n\r\n$1\r\nA\r\n$1\r\nb\r\n");
	say_all(s, "PING\r\n", "+PONG\r\n");
	say_all(s, "", "");
}
END_TEST

START_TEST(a_client_that_breaks_off_hears_the_answers_to_what_was_whole)
{
	struct server *s = server_start(naps);

	say_all(s, "RUN nap 100\r\nPING", "$0\r\n\r\n");
	say_all(s, "P", "");
	say_all(s, "PO", "");
	say_all(s, "PING\r\n*2\r\n$4\r\nPI", "+PONG\r\n");
	say_all(s, "PING\r\n*1\r\n$2000000\r\nxxx", "+PONG\r\n");
	say_all(s, "PING\r\n\r", "+PONG\r\n");
}
END_TEST

START_TEST(an_empty_line_at_the_end_is_no_request)
{
	struct server *s = server_start(naps);

	say_all(s, "PING\r\n\r\n", "+PONG\r\n");
	say_all(s, "PING\r\n\n", "+PONG\r\n");
	say_all(s, "RUN nap 50\r\n*0\r\n", "$0\r\n\r\n");
	say_all(s, "\r\n", "");
}
END_TEST

START_TEST(a_client_that_has_no_more_to_say_hears_more_answers_than_max_pipeline)
{
	struct server *s = server_start("[server]\nmax_pipeline = 2\n[job nap]\nbuiltin = sleep\n[job echo]\nbuiltin = echo\n");

	say_all(s, "RUN nap 100\r\nRUN nap 1\r\nRUN echo a\r\nRUN echo b\r\nRUN echo c\r\n", "$0\r\n\r\n$0\r\n\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
	say_all(s, "RUN nap 100\r\nRUN nap 1\r\nRUN echo a\r\nRUN ec", "$0\r\n\r\n$0\r\n\r\n$1\r\na\r\n");
}
END_TEST

START_TEST(requests_of_http_run_at_once_and_are_answered_in_order)
{
	struct server *s = server_start(naps);
	struct client *c = dial(s);

	for (int i = 0; i < 20; i++) {
		say_post(c, "/v1/run/nap", "", scratchf("%d", (600 - 20 * i) * PATIENTLY));
		say_post(c, "/v1/run/echo", "", scratchf("e%d", i));
		say(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	}
	await(stat_of(s, "nap", "running") == 20);
	ck_assert(!can_hear(c));
	for (int i = 0; i < 20; i++) {
		assert_response(hear_response(c), 200, "");
		assert_response(hear_response(c), 200, scratchf("e%d", i));
		assert_response(hear_response(c), 200, "ok\n");
	}
}
END_TEST

Suite *pipeline_suite(void)
{
	const TTest *tests[] = {
		slow_and_fast_jobs_run_at_once_and_are_answered_in_order,
		four_sleeps_fill_a_concurrency_of_four,
		errors_keep_their_place_among_the_answers,
		more_requests_than_max_pipeline_are_all_answered,
		ten_thousand_requests_at_once_are_all_answered,
		large_answers_wait_for_a_slow_reader,
		a_client_that_has_no_more_to_say_hears_all_answers,
		a_client_that_breaks_off_hears_the_answers_to_what_was_whole,
		an_empty_line_at_the_end_is_no_request,
		a_client_that_has_no_more_to_say_hears_more_answers_than_max_pipeline,
		requests_of_http_run_at_once_and_are_answered_in_order,
	};
	return wire_suite("pipeline", tests, countof(tests));
}
