/* The arguments that clients give to commands. */
#include "wire.h"

#define SHOW "[job show]\nexec = /usr/bin/printf [%s] {a} x{b}y{a} end\narg.a = [^!]*\narg.b = -?[0-9]{0,4}\nqueue = 100\n"
#define THUMB "[job thumb]\nexec = /bin/echo -resize {width}\narg.width = [0-9]{1,4}\n"

static const char *bulk(const char *text)
{
	return scratchf("$%zu\r\n%s\r\n", strlen(text), text);
}

START_TEST(values_stand_where_their_placeholders_are)
{
	struct client *c = dial(server_start(SHOW THUMB));

	say(c, "RUN show \"\" ARG a one ARG b 22\r\n");
	hear(c, bulk("[one][x22yone][end]"));
	say(c, "run show \"\" arg b -5 deadline 5s Arg a \"\" id me\r\n");
	hear(c, bulk("[][x-5y][end]"));
	say(c, "*8\r\n$3\r\nRUN\r\n$5\r\nthumb\r\n$0\r\n\r\n$3\r\nARG\r\n$5\r\nwidth\r\n$3\r\n640\r\n$8\r\nDEADLINE\r\n$2\r\n5s\r\n");
	hear(c, bulk("-resize 640\n"));
}
END_TEST

START_TEST(no_value_becomes_more_than_its_argument)
{
	static const char *const values[] = { "a b", "; kill -9 -1", "$(id)", "`id`", "' \"", "{b}", "{{", "*", "\\x0a\\n", "|cat", "a\\tb", ">/etc/passwd" };
	struct client *c = dial(server_start(SHOW));

	for (size_t i = 0; i < countof(values); i++) {
		sayf(c, "*9\r\n$3\r\nRUN\r\n$4\r\nshow\r\n$0\r\n\r\n$3\r\nARG\r\n$1\r\na\r\n%s$3\r\nARG\r\n$1\r\nb\r\n$0\r\n\r\n", bulk(values[i]));
		hear(c, bulk(scratchf("[%s][xy%s][end]", values[i], values[i])));
	}
}
END_TEST

START_TEST(http_takes_them_from_the_query)
{
	struct server *s = server_start(SHOW THUMB);
	struct client *c = dial(s);

	assert_response(post(s, "/v1/run/thumb?arg.width=12", ""), 200, "-resize 12\n");
	assert_response(post(s, "/v1/run/show?deadline=5s&arg.b=-1&arg%2Ea=a%26b%3d%25+%C3%A4%0a%7bb%7D", "payload"), 200,
			"[a&b=% \xc3\xa4\n{b}][x-1ya&b=% \xc3\xa4\n{b}][end]");
	assert_response(post(s, "/v1/run/show?arg.a&arg.b", ""), 200, "[][xy][end]");
	/* What is wrong leaves the connection as it was. */
	say_post(c, "/v1/run/show?arg.a=%00&arg.b=", "", "");
	assert_problem(hear_response(c), 400, "ERR");
	say_post(c, "/v1/run/show?arg.a=%0&arg.b=", "", "");
	assert_problem(hear_response(c), 400, "ERR");
	say_post(c, "/v1/run/show?arg.a=1&arg.b=2&arg.a=3", "", "");
	assert_problem(hear_response(c), 400, "ERR");
	say_post(c, "/v1/run/show?arg.a=1&arg.b=x", "", "");
	assert_has(hear_response(c)->body, "\"detail\":\"the value of an argument does not match its pattern\",\"arg\":\"b\",\"pattern\":\"-?[0-9]{0,4}\"}");
	say_post(c, "/v1/run/show?arg.a=1&arg.b=2", "", "");
	assert_response(hear_response(c), 200, "[1][x2y1][end]");
	ck_assert_uint_eq(stat_of(s, "show", "submitted"), 3);
}
END_TEST

START_TEST(what_is_wrong_is_told_and_is_no_job)
{
	struct server *s = server_start(SHOW THUMB "[job echo]\nbuiltin = echo\n[job cat]\nexec = cat\n");
	struct client *c = dial(s);

	say(c, "RUN thumb\r\n");
	hear(c, "-ERR an argument is missing arg=width pattern=[0-9]{1,4}\r\n");
	say(c, "RUN thumb x ARG width 12345\r\n");
	hear(c, "-ERR the value of an argument does not match its pattern arg=width pattern=[0-9]{1,4}\r\n");
	say(c, "RUN thumb x ARG width \"12\\n\"\r\n");
	hear(c, "-ERR the value of an argument does not match its pattern arg=width pattern=[0-9]{1,4}\r\n");
	say(c, "RUN thumb x ARG width -1\r\n");
	hear(c, "-ERR the value of an argument may not begin with - arg=width pattern=[0-9]{1,4}\r\n");
	say(c, "RUN thumb x ARG widht 1\r\n");
	hear(c, "-ERR the job has no such argument arg=widht nearest=width\r\n");
	say(c, "RUN thumb x ARG width 1 ARG width 2\r\n");
	hear(c, "-ERR an argument is given twice arg=width\r\n");
	say(c, "RUN thumb x ARG \"a\\r\\nb\" 2\r\n");
	hear(c, "-ERR the job has no such argument arg=\"a\\x0d\\x0ab\"\r\n");
	say(c, "RUN thumb x ARG width \"1\\x00\"\r\n");
	hear(c, "-ERR the value of an argument holds a NUL arg=width\r\n");
	say(c, "RUN thumb x ARG width\r\n");
	hear_match(c, "^-ERR RUN takes job .*ARG name value");
	say(c, "RUN echo x ARG width 1\r\n");
	hear(c, "-ERR the job takes no arguments arg=width\r\n");
	say(c, "RUN cat x ARG width 1\r\n");
	hear(c, "-ERR the job takes no arguments arg=width\r\n");
	say(c, "RUN thumb x ARG width 1\r\n");
	hear(c, bulk("-resize 1\n"));
	ck_assert_uint_eq(stat_of(s, "thumb", "submitted"), 1);
	ck_assert_uint_eq(stat_of(s, "echo", "submitted"), 0);
}
END_TEST

START_TEST(only_commands_take_arguments)
{
	struct server *s = server_start("[job w]\nworker = cat\n[job p]\npipeline = cat cat\n[job cat]\nexec = cat\n[job echo]\nbuiltin = echo\n");
	struct client *c = dial(s);
	static const char *const jobs[] = { "w", "p", "cat", "echo" };

	for (size_t i = 0; i < countof(jobs); i++) {
		sayf(c, "RUN %s x ARG size 3\r\nMAP %s 1 x ARG size 3\r\n", jobs[i], jobs[i]);
		hear(c, "-ERR the job takes no arguments arg=size\r\n");
		hear_match(c, "^-ERR .*no arguments");
		assert_problem(post(s, scratchf("/v1/run/%s?arg.size=3", jobs[i]), "x"), 400, "ERR");
		ck_assert_uint_eq(stat_of(s, jobs[i], "submitted"), 0);
	}
	say(c, "PIPE 2 cat echo x ARG size 3\r\n");
	hear_match(c, "^-ERR ");
	assert_problem(post(s, "/v1/pipe/cat/echo?arg.size=3", "x"), 400, "ERR");
}
END_TEST

START_TEST(only_commands_may_be_configured_to_take_some)
{
	static const char *const kinds[] = { "worker = cat", "builtin = echo", "pipeline = a a" };

	for (size_t i = 0; i < countof(kinds); i++) {
		struct ran ran = leatd("-c", new_file(scratchf("[job a]\nbuiltin = echo\n[job x]\n%s\narg.size = [0-9]+\n", kinds[i])), "--check-config");

		ck_assert_int_eq(ran.status, 78);
		assert_match(ran.err, ":5: \\[job x\\] arg\\.");
	}
}
END_TEST

START_TEST(a_value_of_1024_bytes_is_taken_and_one_of_more_is_not)
{
	struct client *c = dial(server_start(SHOW));
	char value[1026];

	memset(value, 'v', 1025);
	value[1024] = '\0';
	sayf(c, "RUN show x ARG b 1 ARG a %s\r\n", value);
	hear(c, bulk(scratchf("[%s][x1y%s][end]", value, value)));
	value[1024] = 'v';
	value[1025] = '\0';
	sayf(c, "RUN show x ARG b 1 ARG a %s\r\n", value);
	hear(c, "-ERR the value of an argument is too long arg=a max=1024\r\n");
}
END_TEST

START_TEST(jobs_that_wait_keep_their_arguments)
{
	struct client *c = dial(server_start("[job slow]\nexec = /bin/sh -c 'sleep 0.05; echo $1' sh {n}\narg.n = [0-9]+\nconcurrency = 2\nqueue = 100\n"));

	for (int i = 0; i < 20; i++)
		sayf(c, "RUN slow x ARG n %d\r\n", i);
	for (int i = 0; i < 20; i++)
		hear(c, bulk(scratchf("%d\n", i)));
}
END_TEST

START_TEST(arguments_are_not_logged)
{
	struct server *s = server_start("[server]\nlog = jobs\n" SHOW "[job fail]\nexec = /bin/sh -c 'exit 3' {a}\narg.a = .*\n");
	struct client *c = dial(s);

	say(c, "RUN show x ARG a geheim ARG b 1\r\n");
	hear(c, bulk("[geheim][x1ygeheim][end]"));
	say(c, "RUN show x ARG a geheim! ARG b 1\r\n");
	hear_match(c, "^-ERR ");
	say(c, "RUN fail x ARG a geheim\r\n");
	hear_match(c, "^-FAILED .* status=3$");
	assert_response(post(s, "/v1/run/show?arg.a=geheim&arg.b=", ""), 200, "[geheim][xygeheim][end]");
	await(server_logged(s, "outcome=failed"));
	server_stop(s);
	ck_assert(!server_logged(s, "geheim"));
}
END_TEST

START_TEST(leat_run_hands_them_over)
{
	struct server *s = server_start(SHOW);
	struct ran ran = shell(s, "$LEAT run show '' --arg a='x = y' --arg b= </dev/null");

	ck_assert_str_eq(ran.err, "");
	ck_assert_str_eq(ran.out, "[x = y][xyx = y][end]");
	ran = shell(s, "$LEAT run --arg b=-3 --arg a= show ''");
	ck_assert_str_eq(ran.out, "[][x-3y][end]");
	ran = shell(s, "$LEAT run show '' --arg a=1");
	ck_assert_int_eq(ran.status, 76);
	assert_has(ran.err, "an argument is missing arg=b");
	ran = shell(s, "$LEAT run show '' --arg a");
	ck_assert_int_eq(ran.status, 64);
	assert_has(ran.err, "bad --arg 'a': it has to be NAME=VALUE");
}
END_TEST

Suite *args_suite(void)
{
	const TTest *tests[] = {
		values_stand_where_their_placeholders_are,
		no_value_becomes_more_than_its_argument,
		http_takes_them_from_the_query,
		what_is_wrong_is_told_and_is_no_job,
		only_commands_take_arguments,
		only_commands_may_be_configured_to_take_some,
		a_value_of_1024_bytes_is_taken_and_one_of_more_is_not,
		jobs_that_wait_keep_their_arguments,
		arguments_are_not_logged,
		leat_run_hands_them_over,
	};
	return wire_suite("args", tests, countof(tests));
}
