/* The log: a line for each job that ended, with its trace, and no more of a kind than log_rate. */
#include "wire.h"

static const char config[] = "[server]\nlog = jobs\n%s[job echo]\nbuiltin = echo\nconcurrency = 1\nqueue = 100\n"
			     "[job sleep]\nbuiltin = sleep\nconcurrency = 1\ndeadline = 1m\n";

START_TEST(every_job_that_ended_has_a_line)
{
	struct server *s = server_start(scratchf(config, ""));
	struct client *c = dial(s);

	say(c, "RUN echo x ID one\r\n");
	hear(c, "$1\r\nx\r\n");
	say(c, "RUN sleep 60000 ID two DEADLINE 300\r\nRUN sleep 60000 ID three DEADLINE 100\r\n");
	hear_match(c, "^-TIMEOUT .*state=running");
	hear_match(c, "^-TIMEOUT .*state=waiting");
	await(text_matches(server_log(s), "level=info msg=\"job ended\" job=echo id=one outcome=done queue_us=[0-9]+ run_us=[0-9]+\n"));
	await(text_matches(server_log(s), "msg=\"job ended\" job=sleep id=two outcome=timeout queue_us=[0-9]+ run_us=[0-9]+\n"));
	/* It never ran. */
	await(text_matches(server_log(s), "msg=\"job ended\" job=sleep id=three outcome=timeout queue_us=[0-9]+\n"));
}
END_TEST

START_TEST(each_job_of_a_map_that_ended_has_a_line)
{
	struct server *s = server_start(scratchf("%s[job nap]\nbuiltin = sleep\nconcurrency = 1\nqueue = 10\ndeadline = 1m\n", scratchf(config, "")));
	struct client *c = dial(s), *operator = dial(s);

	say(c, "MAP nap 4 1 60000 60000 60000 ID m\r\n");
	hear(c, "*4\r\n$0\r\n\r\n");
	await(stat_of(s, "nap", "running") == 1);
	say(operator, "CANCEL m.2\r\nCANCEL m\r\n");
	hear(operator, ":1\r\n:1\r\n");
	for (int i = 1; i < 4; i++)
		hear_match(c, "^-CANCELED ");
	await(text_matches(server_log(s), "msg=\"job ended\" job=nap id=m\\.0 outcome=done queue_us=[0-9]+ run_us=[0-9]+\n"));
	await(text_matches(server_log(s), "msg=\"job ended\" job=nap id=m\\.1 outcome=canceled queue_us=[0-9]+ run_us=[0-9]+\n"));
	await(text_matches(server_log(s), "msg=\"job ended\" job=nap id=m\\.2 outcome=canceled queue_us=[0-9]+\n"));
	await(text_matches(server_log(s), "msg=\"job ended\" job=nap id=m\\.3 outcome=canceled queue_us=[0-9]+\n"));
}
END_TEST

START_TEST(a_traceparent_is_in_the_line_as_opentelemetry_calls_it)
{
	struct server *s = server_start(scratchf(config, ""));
	struct client *c = dial(s);

	say_post(c, "/v1/run/echo", "Leat-Id: traced\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n", "x");
	assert_response(hear_response(c), 200, "x");
	await(text_matches(server_log(s), "id=traced .* trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7\n"));
}
END_TEST

START_TEST(more_of_a_kind_than_log_rate_are_counted)
{
	struct server *s = server_start(scratchf(config, "log_rate = 3\n"));
	struct client *c = dial(s);
	size_t lines = 0;
	uint64_t more = 0;

	for (int i = 0; i < 50; i++)
		say(c, "RUN echo x\r\n");
	for (int i = 0; i < 50; i++)
		hear(c, "$1\r\nx\r\n");
	server_stop(s);
	for (const char *at = server_log(s); (at = strstr(at, "msg=\"job ended\"")); at++)
		lines++;
	for (const char *at = server_log(s); (at = strstr(at, "msg=\"more of a kind\" kind=\"job ended\" lines=")); at++)
		more += strtoull(strrchr(scratchf("%.*s", (int)strcspn(at, "\n"), at), '=') + 1, NULL, 10);
	ck_assert_uint_gt(more, 0);
	ck_assert_uint_eq(lines + more, 50);
}
END_TEST

Suite *log_suite(void)
{
	const TTest *tests[] = {
		every_job_that_ended_has_a_line,
		each_job_of_a_map_that_ended_has_a_line,
		a_traceparent_is_in_the_line_as_opentelemetry_calls_it,
		more_of_a_kind_than_log_rate_are_counted,
	};
	return wire_suite("log", tests, countof(tests));
}
