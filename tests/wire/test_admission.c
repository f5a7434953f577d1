/* Who gets a place, and what the others are told. */
#include "wire.h"

static const char mill[] =
	"[job sleep]\n"
	"builtin = sleep\n"
	"concurrency = 1\n"
	"queue = 2\n";

START_TEST(of_ten_that_come_at_once_three_have_a_place)
{
	struct server *s = server_start(mill);
	struct client *clients[10];
	int done = 0, refused = 0;

	for (size_t i = 0; i < countof(clients); i++)
		clients[i] = dial(s);
	for (size_t i = 0; i < countof(clients); i++)
		say(clients[i], "RUN sleep 1000\r\n");
	for (size_t i = 0; i < countof(clients); i++) {
		const char *line = hear_match(clients[i], "^(\\$0|-BUSY queue full reason=queue_full retry_ms=[0-9]+)$");

		*line == '$' ? done++ : refused++;
	}
	ck_assert_int_eq(done, 3);
	ck_assert_int_eq(refused, 7);
	ck_assert_uint_eq(stat_of(s, "sleep", "submitted"), 10);
	ck_assert_uint_eq(stat_of(s, "sleep", "refused_queue_full"), 7);
}
END_TEST

START_TEST(the_refused_are_answered_while_the_accepted_wait)
{
	struct server *s = server_start(mill);
	struct client *inside_it[3], *outside;

	for (size_t i = 0; i < countof(inside_it); i++)
		say(inside_it[i] = dial(s), "RUN sleep 60000 DEADLINE 1m\r\n");
	await(stat_of(s, "sleep", "running") == 1 && stat_of(s, "sleep", "waiting") == 2);
	outside = dial(s);
	say(outside, "RUN sleep 1\r\nRUN sleep 1\r\n");
	hear_match(outside, "^-BUSY .* reason=queue_full retry_ms=[0-9]+$");
	hear_match(outside, "^-BUSY .* reason=queue_full retry_ms=[0-9]+$");
	assert_problem(post(s, "/v1/run/sleep", "1"), 503, "BUSY");
	for (size_t i = 0; i < countof(inside_it); i++)
		ck_assert(!can_hear(inside_it[i]));
	ck_assert_uint_eq(stat_of(s, "sleep", "running"), 1);
	ck_assert_uint_eq(stat_of(s, "sleep", "waiting"), 2);
}
END_TEST

START_TEST(types_are_bulkheads)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 0\n[job echo]\nbuiltin = echo\n"
					"[job upper]\nexec = tr a-z A-Z\nconcurrency = 1\nqueue = 0\n");
	struct client *full = dial(s), *c = dial(s);

	say(full, "RUN sleep 60000 DEADLINE 1m\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	say(c, "RUN sleep 1\r\nRUN echo a\r\nRUN upper b\r\n");
	hear_match(c, "^-BUSY ");
	hear(c, "$1\r\na\r\n$1\r\nB\r\n");
}
END_TEST

START_TEST(who_comes_one_after_the_other_is_never_refused)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 0\n"
					"[job echo]\nbuiltin = echo\nconcurrency = 1\nqueue = 0\n"
					"[job upper]\nexec = tr a-z A-Z\nconcurrency = 1\nqueue = 0\n");
	struct client *line = dial(s), *http = dial(s);

	for (int i = 0; i < 1000; i++) {
		say(line, "RUN echo a\r\n");
		hear(line, "$1\r\na\r\n");
		say(line, "RUN sleep 0\r\n");
		hear(line, "$0\r\n\r\n");
		say_post(http, "/v1/run/echo", "", "b");
		assert_response(hear_response(http), 200, "b");
	}
	for (int i = 0; i < 100; i++) {
		say(line, "RUN upper a\r\n");
		hear(line, "$1\r\nA\r\n");
	}
}
END_TEST

START_TEST(an_answer_frees_the_place_however_the_job_ended)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 0\n"
					"[job fail]\nexec = /bin/false\nconcurrency = 1\nqueue = 0\n"
					"[job crash]\nexec = /bin/sh -c 'kill -KILL $$'\nconcurrency = 1\nqueue = 0\n");
	struct client *c = dial(s);

	for (int i = 0; i < 50; i++) {
		say(c, "RUN sleep 60000 DEADLINE 2\r\n");
		hear_match(c, "^-TIMEOUT ");
		say(c, "RUN sleep nonsense\r\n");
		hear_match(c, "^-FAILED ");
		say(c, "RUN fail\r\n");
		hear_match(c, "^-FAILED .*status=1");
		say(c, "RUN crash\r\n");
		hear_match(c, "^-KILLED .*signal=SIGKILL");
	}
}
END_TEST

START_TEST(the_memory_budget_bounds_what_is_accepted)
{
	struct server *s = server_start("[server]\nmax_memory = 1M\n[job sleep]\nbuiltin = sleep\nqueue = 100\n[job echo]\nbuiltin = echo\n");
	struct client *c = dial(s);
	/* A duration with many blanks behind it is not one, but it waits like one. */
	char *payload = random_bytes(400000, 1);
	char *head = scratchf("*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$%d\r\n", 400000);
	struct client *holders[4];

	for (size_t i = 0; i < countof(holders); i++) {
		say(holders[i] = dial(s), "RUN sleep 60000 DEADLINE 1m\r\n");
	}
	await(stat_of(s, "sleep", "running") == 4);
	/* These fill it, behind four that run. */
	for (int i = 0; i < 2; i++) {
		struct client *waiting = dial(s);

		say(waiting, "*3\r\n$3\r\nRUN\r\n$5\r\nsleep\r\n$400000\r\n");
		say_bytes(waiting, payload, 400000);
		say(waiting, "\r\n");
	}
	await(stat_of(s, "sleep", "waiting") == 2);
	ck_assert_uint_ge(metric(s, "leat_memory_bytes"), 800000);
	say(c, head);
	say_bytes(c, payload, 400000);
	say(c, "\r\nRUN echo x\r\n");
	hear_match(c, "^-BUSY .* reason=memory retry_ms=[0-9]+$");
	hear(c, "$1\r\nx\r\n");
	ck_assert_uint_eq(stat_of(s, "echo", "refused_memory"), 1);
	/* And all of it comes back. */
	clients_reset();
	s->control = NULL;
	await(inside(s, "sleep") == 0);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(retry_ms_grows_with_what_is_before_it)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 10\npredict = no\n");
	struct client *c = dial(s);
	unsigned long retry;

	/* What a run takes is known from the one before. */
	say(c, "RUN sleep 400\r\n");
	hear(c, "$0\r\n\r\n");
	for (int i = 0; i < 12; i++)
		say(c, "RUN sleep 60000 DEADLINE 300\r\n");
	await(stat_of(s, "sleep", "refused") == 1);
	for (int i = 0; i < 11; i++)
		hear_match(c, "^-TIMEOUT ");
	retry = strtoul(strstr(hear_match(c, "^-BUSY .* retry_ms=[0-9]+$"), "retry_ms=") + 9, NULL, 10);
	/* Eleven of 400 ms, up to twice that and 100. */
	ck_assert_uint_ge(retry, 11 * 400);
}
END_TEST

Suite *admission_suite(void)
{
	const TTest *tests[] = {
		of_ten_that_come_at_once_three_have_a_place,
		the_refused_are_answered_while_the_accepted_wait,
		types_are_bulkheads,
		who_comes_one_after_the_other_is_never_refused,
		an_answer_frees_the_place_however_the_job_ended,
		the_memory_budget_bounds_what_is_accepted,
		retry_ms_grows_with_what_is_before_it,
	};
	return wire_suite("admission", tests, countof(tests));
}
