/* Where a command of the line protocol begins and ends, and what is not one. */
#include "wire.h"

START_TEST(inline_commands_are_quoted_as_redis_quotes_them)
{
	static const struct {
		const char *say, *hear;
	} quoted[] = {
		{ "PING 'single quotes'\r\n", "$13\r\nsingle quotes\r\n" },
		{ "PING \"\\x41\\n\\r\\t\\\"\\\\\"\r\n", "$6\r\nA\n\r\t\"\\\r\n" },
		{ "PING 'it\\'s'\r\n", "$4\r\nit's\r\n" },
		{ "PING 'a\\nb'\r\n", "$4\r\na\\nb\r\n" },
		{ "PING \"\"\r\n", "$0\r\n\r\n" },
		{ "\"PING\" x\r\n", "$1\r\nx\r\n" },
		{ "  PING \t x  \r\n", "$1\r\nx\r\n" },
		{ "PING x\n", "$1\r\nx\r\n" },
		{ "PING \xc3\xa9\r\n", "$2\r\n\xc3\xa9\r\n" },
		{ "\r\n\r\n\nPING\r\n", "+PONG\r\n" },
	};
	struct client *c = dial(server_start(NULL));

	for (size_t i = 0; i < countof(quoted); i++) {
		say(c, quoted[i].say);
		hear(c, quoted[i].hear);
	}
}
END_TEST

START_TEST(an_array_of_nothing_is_passed_over)
{
	struct client *c = dial(server_start(NULL));

	say(c, "*0\r\n*-1\r\nPING\r\n*0\r\n*1\r\n$4\r\nPING\r\n");
	hear(c, "+PONG\r\n+PONG\r\n");
}
END_TEST

START_TEST(inline_commands_and_arrays_may_be_mixed)
{
	struct client *c = dial(server_start(NULL));

	say(c, "PING a\r\n*2\r\n$4\r\nPING\r\n$1\r\nb\r\nPING c\r\n");
	hear(c, "$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
}
END_TEST

START_TEST(bad_framing_is_answered_and_closes)
{
	static const char *const bad[] = {
		"PING \"open\r\n", "PING 'open\r\n", "PING \"a\"b\r\n",
		"*x\r\n", "*1x\r\n", "*\r\n", "*01\r\n", "*+1\r\n", "*1\n$4\r\nPING\r\n", "*1025\r\n", "*99999999999999999999\r\n",
		"*1\r\nPING\r\n", "*1\r\n:1\r\n", "*1\r\n*1\r\n$4\r\nPING\r\n", "*1\r\n$-1\r\n", "*1\r\n$x\r\n", "*1\r\n$4\r\nPINGx\r\n",
		"*1\r\n$4\r\nPING\n\n", "*1\r\n$99999999999999999999\r\n", "*2\r\n$4\r\nPING\r\n$68719476736\r\n",
	};
	struct server *s = server_start(NULL);

	for (size_t i = 0; i < countof(bad); i++) {
		struct client *c = dial(s);

		say(c, "RUN sleep 5\r\nPING\r\n");
		say(c, bad[i]);
		say(c, "RUN echo never\r\n");
		hear(c, "$0\r\n\r\n+PONG\r\n");
		hear_match(c, "^-ERR [a-zA-Z]");
		hear_end(c);
	}
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 0);
}
END_TEST

START_TEST(a_nul_in_an_inline_command_is_answered_and_closes)
{
	static const char tls[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
	struct client *c = dial(server_start(NULL));

	say_bytes(c, tls, sizeof(tls) - 1);
	hear_match(c, "^-ERR ");
	hear_end(c);
}
END_TEST

START_TEST(an_inline_command_without_end_is_answered_and_closes)
{
	struct client *c = dial(server_start(NULL));
	char *line = scratch(70000);

	memset(line, 'a', 70000);
	say_bytes(c, line, 70000);
	hear_match(c, "^-ERR .*long");
	hear_end(c);
}
END_TEST

START_TEST(too_many_arguments_of_an_inline_command_are_answered_and_close)
{
	struct client *c = dial(server_start(NULL));
	char *line = scratch(2 * 1025 + 1);

	memset(line, 'a', 2 * 1025);
	for (size_t i = 1; i < 2 * 1025; i += 2)
		line[i] = ' ';
	line[2 * 1025 - 1] = '\n';
	say(c, line);
	hear_match(c, "^-ERR .*arguments");
	hear_end(c);
}
END_TEST

START_TEST(a_payload_over_its_limit_is_answered_and_the_connection_goes_on)
{
	enum { BYTES = 2 << 20 };
	struct server *s = server_start(NULL);
	struct client *c = dial(s);
	char *payload = scratch(BYTES + 1);

	memset(payload, 'x', BYTES);
	say(c, "PING before\r\n");
	sayf(c, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$%d\r\n%s\r\n", BYTES, payload);
	say(c, "PING behind\r\n");
	hear(c, "$6\r\nbefore\r\n");
	hear_match(c, "^-TOOBIG .*max_payload=1048576$");
	hear(c, "$6\r\nbehind\r\n");
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 0);
}
END_TEST

START_TEST(a_payload_of_exactly_the_limit_is_taken)
{
	struct server *s = server_start("[server]\nmax_payload = 1000\n[job echo]\nbuiltin = echo\n");
	struct client *c = dial(s);
	char *payload = scratch(1002);

	memset(payload, 'x', 1000);
	sayf(c, "RUN echo %s\r\n", payload);
	hear(c, scratchf("$1000\r\n%s\r\n", payload));
	payload[1000] = 'x';
	sayf(c, "RUN echo %s\r\n*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$1001\r\n%s\r\nPING\r\n", payload, payload);
	hear_match(c, "^-TOOBIG ");
	hear_match(c, "^-TOOBIG ");
	hear(c, "+PONG\r\n");
}
END_TEST

START_TEST(a_command_that_takes_forever_is_answered_and_closes)
{
	struct client *c = dial(server_start(NULL));

	say(c, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$100000000\r\n");
	hear_match(c, "^-(ERR|TOOBIG) ");
	hear_end(c);
}
END_TEST

Suite *framing_suite(void)
{
	const TTest *tests[] = {
		inline_commands_are_quoted_as_redis_quotes_them,
		an_array_of_nothing_is_passed_over,
		inline_commands_and_arrays_may_be_mixed,
		bad_framing_is_answered_and_closes,
		a_nul_in_an_inline_command_is_answered_and_closes,
		an_inline_command_without_end_is_answered_and_closes,
		too_many_arguments_of_an_inline_command_are_answered_and_close,
		a_payload_over_its_limit_is_answered_and_the_connection_goes_on,
		a_payload_of_exactly_the_limit_is_taken,
		a_command_that_takes_forever_is_answered_and_closes,
	};
	return wire_suite("framing", tests, countof(tests));
}
