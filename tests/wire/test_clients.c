/* The real clients. */
#include "wire.h"

#include <signal.h>
#include <unistd.h>

static void assert_out(struct ran ran, const char *out)
{
	ck_assert_msg(ran.status == 0, "status %d\n%s\n%s", ran.status, ran.out, ran.err);
	ck_assert_str_eq(ran.out, out);
}

/* --- nc --- */

START_TEST(nc_prints_the_answers)
{
	struct server *s = server_start(NULL);

	assert_out(shell(s, "printf 'RUN upper \"hello world\"\\r\\nQUIT\\r\\n' | nc $HOST $PORT"), "$11\r\nHELLO WORLD\r\n+OK\r\n");
	assert_out(shell(s, "printf 'RUN upper \"hello world\"\\r\\nQUIT\\r\\n' | nc -U $SOCKET"), "$11\r\nHELLO WORLD\r\n+OK\r\n");
}
END_TEST

START_TEST(nc_that_has_no_more_to_say_prints_all_answers)
{
	struct server *s = server_start(NULL);

	assert_out(shell(s, "printf 'RUN sleep 300\\nRUN upper a\\nPING\\n' | nc -N $HOST $PORT"), "$0\r\n\r\n$1\r\nA\r\n+PONG\r\n");
	assert_out(shell(s, "(echo PING; echo; echo PING) | nc -N $HOST $PORT"), "+PONG\r\n+PONG\r\n");
}
END_TEST

START_TEST(nc_may_type_http)
{
	struct server *s = server_start(NULL);
	struct ran ran = shell(s, "printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' | nc $HOST $PORT");

	ck_assert_int_eq(ran.status, 0);
	assert_match(ran.out, "^HTTP/1\\.1 200 OK\r\n.*\r\n\r\nok\n$");
}
END_TEST

/* --- curl --- */

#define CURL "curl -sS --max-time 60 "

START_TEST(curl_gets_the_sum_of_a_real_file)
{
	struct server *s = server_start(NULL);
	const char *file = new_random_file(900 << 10);
	const char *sum = run("/usr/bin/sha256sum", file).out;

	assert_out(shell(s, scratchf(CURL "--data-binary @%s http://$HOST:$PORT/v1/run/sha256", file)), scratchf("%.64s  -\n", sum));
	assert_out(shell(s, scratchf(CURL "-T - -X POST http://$HOST:$PORT/v1/run/sha256 <%s", file)), scratchf("%.64s  -\n", sum));
	assert_out(shell(s, scratchf(CURL "--unix-socket $SOCKET --data-binary @%s http://localhost/v1/run/sha256", file)),
		   scratchf("%.64s  -\n", sum));
}
END_TEST

START_TEST(curl_gets_any_bytes_back)
{
	struct server *s = server_start(NULL);
	const char *file = new_random_file(500000);

	assert_out(shell(s, scratchf(CURL "--data-binary @%s http://$HOST:$PORT/v1/run/echo | cmp - %s", file, file)), "");
}
END_TEST

START_TEST(curl_sees_what_went_wrong)
{
	struct server *s = server_start(NULL);
	const char *big = new_random_file(2 << 20);

	assert_out(shell(s, CURL "-o /dev/null -w '%{http_code} %{content_type}' -d 60000 \"http://$HOST:$PORT/v1/run/sleep?deadline=100ms\""),
		   "504 application/problem+json");
	assert_out(shell(s, CURL "-o /dev/null -w %{http_code} -d x http://$HOST:$PORT/v1/run/nope"), "404");
	assert_out(shell(s, scratchf(CURL "-o /dev/null -w %%{http_code} --data-binary @%s http://$HOST:$PORT/v1/run/echo", big)), "413");
	assert_out(shell(s, scratchf(CURL "-o /dev/null -w %%{http_code} -H Expect: --data-binary @%s http://$HOST:$PORT/v1/run/echo", big)), "413");
	ck_assert_int_eq(shell(s, CURL "-f -d x http://$HOST:$PORT/v1/run/nope").status, 22);
}
END_TEST

START_TEST(curl_uses_one_connection_for_many)
{
	struct server *s = server_start(NULL);

	assert_out(shell(s, CURL "-w '%{num_connects} ' -d x http://$HOST:$PORT/v1/run/upper -d x http://$HOST:$PORT/v1/run/upper "
			 "http://$HOST:$PORT/v1/run/upper"), "X&X1 X&X0 X&X0 ");
	assert_out(shell(s, CURL "-I http://$HOST:$PORT/healthz | head -n 1"), "HTTP/1.1 200 OK\r\n");
}
END_TEST

START_TEST(a_curl_that_is_killed_takes_its_command_with_it)
{
	struct server *s = server_start("[job nap]\nexec = /bin/sleep 60\ndeadline = 1m\n");
	pid_t curl = shell_start(s, "exec curl -sS -H 'Leat-Id: curl-1' -d x http://$HOST:$PORT/v1/run/nap");

	await(commands_of("curl-1") == 1);
	kill(curl, SIGKILL);
	ck_assert_int_eq(wait_for(curl), 128 + SIGKILL);
	await(commands_of("curl-1") == 0);
	await(stat_of(s, "nap", "canceled") == 1);
}
END_TEST

/* --- wrk --- */

static void check_wrk(struct ran ran)
{
	const char *at = strstr(ran.out, " requests in ");

	ck_assert_msg(ran.status == 0 && at, "%s\n%s", ran.out, ran.err);
	ck_assert_msg(!strstr(ran.out, "Non-2xx") && !strstr(ran.out, "Socket errors"), "%s", ran.out);
	while (at[-1] != ' ')
		at--;
	ck_assert_int_gt(atoi(at), 100);
}

START_TEST(wrk_sees_no_refusal_and_no_error)
{
	struct server *s = server_start(NULL);
	const char *script = new_file("wrk.method = 'POST'\nwrk.body = 'hello'\n");

	check_wrk(shell(s, scratchf("wrk -t1 -c64 -d1s -s %s http://$HOST:$PORT/v1/run/echo", script)));
	check_wrk(shell(s, "wrk -t1 -c100 -d1s http://$HOST:$PORT/healthz"));
	await(inside(s, "echo") == 0);
	ck_assert_uint_eq(stat_of(s, "echo", "refused"), 0);
}
END_TEST

/* --- redis-cli and redis-benchmark --- */

#define REDIS "redis-cli -h $HOST -p $PORT "

START_TEST(redis_cli_runs_jobs)
{
	struct server *s = server_start(NULL);

	assert_out(shell(s, REDIS "RUN upper 'hello world'"), "HELLO WORLD\n");
	assert_out(shell(s, REDIS "--no-raw RUN upper hello"), "\"HELLO\"\n");
	assert_out(shell(s, "printf '\\000\\001\\r\\n' | " REDIS "-x RUN echo | od -An -tx1"), " 00 01 0d 0a 0a\n");
	assert_out(shell(s, REDIS "PING"), "PONG\n");
	assert_out(shell(s, "redis-cli -s $SOCKET RUN upper x"), "X\n");
	assert_has(shell(s, REDIS "RUN nope x").out, "NOJOB no such job");
}
END_TEST

START_TEST(redis_cli_can_be_talked_with)
{
	struct server *s = server_start(NULL);

	assert_out(shell(s, "printf 'PING\\nRUN upper a\\nSELECT 0\\nRUN sleep 10\\nquit\\n' | " REDIS), "PONG\nA\nOK\n\n");
}
END_TEST

START_TEST(redis_cli_speaks_version_3)
{
	struct server *s = server_start(NULL);
	struct ran ran = shell(s, REDIS "-3 --no-raw STATS echo");

	ck_assert_int_eq(ran.status, 0);
	assert_match(ran.out, "^1\\) +1# \"job\" => \"echo\"\n +2# \"submitted\" => \\(integer\\) 0\n");
	assert_match(shell(s, REDIS "-3 --no-raw HELLO 3").out, "^1# \"server\" => \"leat\"\n");
	assert_match(shell(s, REDIS "INFO").out, "leat_version:");
}
END_TEST

START_TEST(redis_benchmark_runs_to_its_end)
{
	struct server *s = server_start(NULL);
	struct ran ran = shell(s, "redis-benchmark -h $HOST -p $PORT -P 16 -c 64 -n 10000 -q RUN echo hello");

	ck_assert_msg(ran.status == 0, "%s\n%s", ran.out, ran.err);
	assert_match(ran.out, "RUN echo hello: [0-9.]+ requests per second");
	ck_assert_uint_ge(stat_of(s, "echo", "done"), 10000);
	ck_assert_uint_eq(stat_of(s, "echo", "done"), stat_of(s, "echo", "submitted"));
	ran = shell(s, "redis-benchmark -h $HOST -p $PORT -c 10 -n 1000 -q -t ping");
	ck_assert_msg(ran.status == 0, "%s\n%s", ran.out, ran.err);
}
END_TEST

Suite *clients_suite(void)
{
	const TTest *tests[] = {
		nc_prints_the_answers,
		nc_that_has_no_more_to_say_prints_all_answers,
		nc_may_type_http,
		curl_gets_the_sum_of_a_real_file,
		curl_gets_any_bytes_back,
		curl_sees_what_went_wrong,
		curl_uses_one_connection_for_many,
		a_curl_that_is_killed_takes_its_command_with_it,
		wrk_sees_no_refusal_and_no_error,
		redis_cli_runs_jobs,
		redis_cli_can_be_talked_with,
		redis_cli_speaks_version_3,
		redis_benchmark_runs_to_its_end,
	};
	return wire_suite("clients", tests, countof(tests));
}
