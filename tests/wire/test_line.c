/* The commands of the line protocol. */
#include "wire.h"

START_TEST(ping_answers_pong_or_the_text)
{
	struct client *c = dial(server_start(NULL));

	say(c, "PING\r\n");
	hear(c, "+PONG\r\n");
	say(c, "PING \"hello world\"\r\n");
	hear(c, "$11\r\nhello world\r\n");
	say(c, "*2\r\n$4\r\nPING\r\n$0\r\n\r\n");
	hear(c, "$0\r\n\r\n");
}
END_TEST

START_TEST(run_answers_the_output_of_the_job)
{
	struct client *c = dial(server_start(NULL));

	say(c, "RUN upper hello\r\n");
	hear(c, "$5\r\nHELLO\r\n");
	say(c, "RUN upper \"hello world\"\r\n");
	hear(c, "$11\r\nHELLO WORLD\r\n");
	say(c, "RUN sha256 abc\r\n");
	hear(c, "$68\r\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n\r\n");
	say(c, "RUN sleep 1ms\r\n");
	hear(c, "$0\r\n\r\n");
	say(c, "RUN echo\r\n");
	hear(c, "$0\r\n\r\n");
	say(c, "RUN upper \"\"\r\n");
	hear(c, "$0\r\n\r\n");
}
END_TEST

START_TEST(a_payload_in_an_array_is_any_bytes)
{
	struct client *c = dial(server_start(NULL));
	static const char ask_for_it[] = "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$7\r\n\0a\r\n\xff*\n\r\n";
	static const char answer[] = "$7\r\n\0a\r\n\xff*\n\r\n";

	say_bytes(c, ask_for_it, sizeof(ask_for_it) - 1);
	hear_bytes(c, answer, sizeof(answer) - 1);
}
END_TEST

START_TEST(commands_and_keywords_are_of_any_case_and_job_names_are_not)
{
	struct client *c = dial(server_start(NULL));

	say(c, "pInG\r\n");
	hear(c, "+PONG\r\n");
	say(c, "rUn upper hello deadline 5S iD abc\r\n");
	hear(c, "$5\r\nHELLO\r\n");
	say(c, "*1\r\n$4\r\nquit\r\n");
	hear(c, "+OK\r\n");
	hear_end(c);
	c = dial_unix(server_start(NULL));
	say(c, "RUN Upper hello\r\n");
	hear_match(c, "^-NOJOB .* nearest=upper$");
}
END_TEST

START_TEST(options_of_run_come_in_any_order_after_the_payload)
{
	struct client *c = dial(server_start(NULL));

	say(c, "RUN echo a DEADLINE 2m ID x.Y_z-1\r\n");
	hear(c, "$1\r\na\r\n");
	say(c, "RUN echo b ID x DEADLINE 2000\r\n");
	hear(c, "$1\r\nb\r\n");
	say(c, "RUN echo \"\" DEADLINE 250ms\r\n");
	hear(c, "$0\r\n\r\n");
	sayf(c, "RUN echo c ID %064d\r\n", 7);
	hear(c, "$1\r\nc\r\n");
}
END_TEST

START_TEST(a_bad_option_of_run_is_an_error_and_the_connection_goes_on)
{
	static const char *const bad[] = {
		"DEADLINE 0", "DEADLINE -1", "DEADLINE 5x", "DEADLINE \"\"", "DEADLINE 1.5s", "DEADLINE 99999999999999999999", "DEADLINE",
		"ID \"\"", "ID \"a b\"", "ID a/b", "ID", "NOPE 1", "DEADLINE 5s ID", "\"\" \"\"",
		"ID 01234567890123456789012345678901234567890123456789012345678901234",
	};
	struct server *s = server_start(NULL);
	struct client *c = dial(s);

	for (size_t i = 0; i < countof(bad); i++) {
		sayf(c, "RUN echo x %s\r\n", bad[i]);
		hear_match(c, "^-ERR [a-zA-Z]");
	}
	say(c, "RUN echo x\r\n");
	hear(c, "$1\r\nx\r\n");
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 1);
}
END_TEST

START_TEST(an_id_that_is_in_flight_is_refused_and_free_again_after_the_answer)
{
	struct server *s = server_start(NULL);
	struct client *a = dial(s), *b = dial(s);

	say(a, "RUN sleep 60000 DEADLINE 500 ID one\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	say(b, "RUN echo x ID one\r\n");
	hear_match(b, "^-ERR .*");
	say(b, "RUN echo x ID two\r\n");
	hear(b, "$1\r\nx\r\n");
	hear_match(a, "^-TIMEOUT ");
	say(b, "RUN echo x ID one\r\n");
	hear(b, "$1\r\nx\r\n");
}
END_TEST

START_TEST(an_unknown_job_is_answered_with_the_nearest)
{
	struct client *c = dial(server_start(NULL));

	say(c, "RUN uper x\r\n");
	hear_match(c, "^-NOJOB [a-z ]+ job=uper nearest=upper$");
	say(c, "RUN \"something else\" x\r\n");
	hear_match(c, "^-NOJOB [a-z ]+ job=\"something else\"$");
	say(c, "RUN \"\" x\r\n");
	hear_match(c, "^-NOJOB ");
	say(c, "STATS uper\r\n");
	hear_match(c, "^-NOJOB ");
	say(c, "PING\r\n");
	hear(c, "+PONG\r\n");
}
END_TEST

START_TEST(a_wrong_number_of_arguments_is_answered_with_what_the_command_takes)
{
	struct client *c = dial(server_start(NULL));

	say(c, "RUN\r\n");
	hear_match(c, "^-ERR wrong number of arguments.* RUN job .*payload.*DEADLINE");
	say(c, "PING a b\r\nJOBS x\r\nSTATS a b\r\nSELECT\r\nSELECT 0 0\r\nCLIENT\r\nAUTH\r\nQUIT now\r\n");
	for (int i = 0; i < 8; i++)
		hear_match(c, "^-ERR wrong number of arguments: (PING|JOBS|STATS|SELECT|CLIENT|AUTH|QUIT)[: ]");
	say(c, "PING\r\n");
	hear(c, "+PONG\r\n");
}
END_TEST

START_TEST(an_unknown_command_is_answered_with_the_nearest)
{
	struct client *c = dial(server_start(NULL));

	say(c, "rnu upper x\r\n");
	hear_match(c, "^-ERR unknown command command=rnu nearest=RUN$");
	say(c, "STAT\r\n");
	hear_match(c, "^-ERR unknown command command=STAT nearest=STATS$");
	say(c, "FLUSHALL\r\n");
	hear(c, "-ERR unknown command command=FLUSHALL\r\n");
	say(c, "*1\r\n$0\r\n\r\n");
	hear_match(c, "^-ERR unknown command");
	/* A newline in it cannot forge a second answer. */
	say(c, "\"A\\r\\n+OK\"\r\n");
	hear_match(c, "^-ERR unknown command .*A.*OK");
	say(c, "PING\r\n");
	hear(c, "+PONG\r\n");
}
END_TEST

START_TEST(hello_chooses_the_version)
{
	struct client *c = dial(server_start(NULL));

	say(c, "HELLO\r\n");
	assert_match(hear_reply(c), "^\\*14\r\n\\$6\r\nserver\r\n\\$4\r\nleat\r\n.*\r\nproto\r\n:2\r\n");
	say(c, "HELLO 3\r\n");
	assert_match(hear_reply(c), "^%7\r\n.*\r\nproto\r\n:3\r\n");
	say(c, "HELLO 4\r\n");
	hear_match(c, "^-NOPROTO ");
	say(c, "HELLO three\r\n");
	hear_match(c, "^-(NOPROTO|ERR) ");
	say(c, "HELLO\r\n");
	assert_match(hear_reply(c), "^%7\r\n.*\r\nproto\r\n:3\r\n");
	say(c, "HELLO 2 SETNAME me\r\n");
	assert_match(hear_reply(c), "^\\*14\r\n.*\r\nproto\r\n:2\r\n");
	say(c, "HELLO 3 AUTH user token\r\nHELLO 3 NOPE\r\nHELLO 3 AUTH user\r\n");
	hear_match(c, "^-ERR ");
	hear_match(c, "^-ERR ");
	hear_match(c, "^-ERR ");
	say(c, "HELLO\r\n");
	assert_match(hear_reply(c), "^\\*14\r\n.*\r\nproto\r\n:2\r\n");
}
END_TEST

START_TEST(version_3_has_maps_and_null_and_version_2_has_neither)
{
	struct client *c = dial(server_start(NULL));

	say(c, "STATS echo\r\n");
	assert_match(hear_reply(c), "^\\*1\r\n\\*[0-9]+\r\n\\$3\r\njob\r\n\\$4\r\necho\r\n\\$9\r\nsubmitted\r\n:0\r\n");
	say(c, "CLIENT GETNAME\r\n");
	hear(c, "$-1\r\n");
	say(c, "HELLO 3\r\n");
	hear_reply(c);
	say(c, "STATS echo\r\n");
	assert_match(hear_reply(c), "^\\*1\r\n%[0-9]+\r\n\\$3\r\njob\r\n\\$4\r\necho\r\n\\$9\r\nsubmitted\r\n:0\r\n");
	say(c, "CLIENT GETNAME\r\n");
	hear(c, "_\r\n");
	say(c, "COMMAND DOCS nope\r\n");
	hear(c, "%0\r\n");
	say(c, "RUN upper x\r\n");
	hear(c, "$1\r\nX\r\n");
}
END_TEST

START_TEST(stock_clients_may_say_what_they_are_and_ask_what_there_is)
{
	struct server *s = server_start(NULL);
	struct client *a = dial(s), *b = dial(s);
	char *id;

	say(a, "CLIENT ID\r\n");
	id = hear_reply(a);
	assert_match(id, "^:[1-9][0-9]*\r\n$");
	say(b, "CLIENT id\r\n");
	ck_assert_str_ne(hear_reply(b), id);
	say(a, "CLIENT SETNAME me\r\nCLIENT SETINFO LIB-NAME redis-py\r\nCLIENT NO-EVICT on\r\nSELECT 0\r\n");
	hear(a, "+OK\r\n+OK\r\n+OK\r\n+OK\r\n");
	say(a, "CLIENT KILL x\r\nSELECT 1\r\nAUTH secret\r\n");
	hear_match(a, "^-ERR CLIENT ");
	hear_match(a, "^-ERR DB index");
	hear_match(a, "^-ERR AUTH ");
	say(a, "COMMAND\r\nCOMMAND DOCS\r\nECHO \"a b\"\r\n");
	hear_reply(a);
	hear_reply(a);
	hear(a, "$3\r\na b\r\n");
}
END_TEST

START_TEST(jobs_and_stats_show_the_types_and_what_became_of_their_jobs)
{
	struct server *s = server_start(NULL);
	struct client *c = dial(s);
	char *reply;

	say(c, "RUN upper x\r\nRUN sleep nonsense\r\n");
	hear(c, "$1\r\nX\r\n");
	hear_match(c, "^-FAILED .*status=64");
	say(c, "JOBS\r\n");
	reply = hear_reply(c);
	assert_match(reply, "^\\*4\r\n");
	assert_has(reply, "\r\njob\r\n$4\r\necho\r\n$4\r\nkind\r\n$7\r\nbuiltin\r\n");
	assert_has(reply, "\r\njob\r\n$5\r\nupper\r\n$4\r\nkind\r\n$4\r\nexec\r\n");
	assert_has(reply, "\r\nqueue\r\n:1024\r\n");
	say(c, "STATS\r\n");
	assert_match(hear_reply(c), "^\\*4\r\n");
	ck_assert_uint_eq(stat_of(s, "upper", "done"), 1);
	ck_assert_uint_eq(stat_of(s, "upper", "submitted"), 1);
	ck_assert_uint_eq(stat_of(s, "sleep", "failed"), 1);
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 0);
}
END_TEST

START_TEST(info_is_in_the_text_form_of_redis)
{
	struct client *c = dial(server_start(NULL));
	char *info;

	say(c, "INFO\r\n");
	info = hear_reply(c);
	assert_match(info, "^\\$[0-9]+\r\n# Server\r\nleat_version:[0-9.]+\r\n");
	assert_has(info, "\r\n# Clients\r\nconnected_clients:1\r\n");
	assert_has(info, "\r\njob_echo:submitted=0,");
	say(c, "INFO clients\r\n");
	info = hear_reply(c);
	assert_match(info, "^\\$[0-9]+\r\n# Clients\r\n");
	ck_assert_ptr_null(strstr(info, "# Server"));
	say(c, "INFO nothing\r\n");
	hear(c, "$0\r\n\r\n");
}
END_TEST

START_TEST(quit_answers_what_came_before_it_and_closes)
{
	struct server *s = server_start(NULL);
	struct client *c = dial(s);

	say(c, "RUN sleep 50\r\nRUN upper a\r\nQUIT\r\nRUN echo never\r\n");
	hear(c, "$0\r\n\r\n$1\r\nA\r\n+OK\r\n");
	hear_end(c);
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 0);
}
END_TEST

START_TEST(what_a_browser_was_made_to_send_is_not_taken_for_commands)
{
	static const char *const smuggled[] = {
		"post /v1/run/echo\r\n", "POST\r\n", "get\r\n", "Host: localhost\r\n", "put x\r\n", "*1\r\n$4\r\npost\r\n",
	};
	struct server *s = server_start(NULL);

	for (size_t i = 0; i < countof(smuggled); i++) {
		struct client *c = dial(s);

		sayf(c, "%sRUN echo evil\r\n", smuggled[i]);
		hear_match(c, "^-ERR ");
		hear_end(c);
		c = dial(s);
		sayf(c, "PING\r\n%sRUN echo evil\r\n", smuggled[i]);
		hear(c, "+PONG\r\n");
		hear_match(c, "^-ERR ");
		hear_end(c);
	}
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 0);
}
END_TEST

Suite *line_suite(void)
{
	const TTest *tests[] = {
		ping_answers_pong_or_the_text,
		run_answers_the_output_of_the_job,
		a_payload_in_an_array_is_any_bytes,
		commands_and_keywords_are_of_any_case_and_job_names_are_not,
		options_of_run_come_in_any_order_after_the_payload,
		a_bad_option_of_run_is_an_error_and_the_connection_goes_on,
		an_id_that_is_in_flight_is_refused_and_free_again_after_the_answer,
		an_unknown_job_is_answered_with_the_nearest,
		a_wrong_number_of_arguments_is_answered_with_what_the_command_takes,
		an_unknown_command_is_answered_with_the_nearest,
		hello_chooses_the_version,
		version_3_has_maps_and_null_and_version_2_has_neither,
		stock_clients_may_say_what_they_are_and_ask_what_there_is,
		jobs_and_stats_show_the_types_and_what_became_of_their_jobs,
		info_is_in_the_text_form_of_redis,
		quit_answers_what_came_before_it_and_closes,
		what_a_browser_was_made_to_send_is_not_taken_for_commands,
	};
	return wire_suite("line", tests, countof(tests));
}
