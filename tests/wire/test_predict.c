/* Who is refused for what would become of it. */
#include "wire.h"

/* Lets a type learn how long its jobs take. */
static void teach(struct server *s, const char *job, const char *payload, int runs)
{
	struct client *c = dial(s);

	for (int i = 0; i < runs; i++)
		sayf(c, "RUN %s %s DEADLINE 1m\r\n", job, payload);
	for (int i = 0; i < runs; i++)
		ck_assert_int_eq(*hear_reply(c), '$');
	hang_up(c);
}

static void expect_refused(struct server *s, const char *job, const char *deadline, const char *payload, const char *reason)
{
	struct client *c = dial(s);
	const struct response *r = post(s, scratchf("/v1/run/%s?deadline=%s", job, deadline), payload);

	sayf(c, "*5\r\n$3\r\nRUN\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(job), job, strlen(payload));
	say(c, payload);
	sayf(c, "\r\n$8\r\nDEADLINE\r\n$%zu\r\n%s\r\n", strlen(deadline), deadline);
	hear_match(c, scratchf("^-BUSY [a-z _,]+ reason=%s retry_ms=[0-9]+$", reason));
	assert_problem(r, 503, "BUSY");
	assert_has(r->body, scratchf("\"reason\":\"%s\",\"retry_ms\":%s}", reason, header(r, "Leat-Retry-Ms")));
	ck_assert_int_ge(atoi(header(r, "Retry-After")), 1);
	ck_assert_uint_eq(metric(s, scratchf("leat_jobs_refused_total{job=\"%s\",reason=\"%s\"}", job, reason)), 2);
}

START_TEST(each_reason_is_said_on_both_protocols_with_a_time_to_come_again)
{
	struct server *s = server_start("[server]\nmax_memory = 1M\n"
					"[job full]\nbuiltin = sleep\nconcurrency = 1\nqueue = 0\n"
					"[job late]\nbuiltin = sleep\nconcurrency = 1\n"
					"[job slow]\nbuiltin = sleep\nconcurrency = 1\nmax_wait = 100ms\n"
					"[job fair]\nbuiltin = sleep\nconcurrency = 1\nqueue = 7\nclient_share = 25\n"
					"[job echo]\nbuiltin = echo\n");
	struct client *c = dial(s), *other = dial_unix(s);
	char *large = memset(scratch((1 << 20) + 1), 'x', 1 << 20);

	teach(s, "late", "200", 4);
	teach(s, "slow", "200", 4);
	say(c, "RUN full 60s DEADLINE 1m\r\nRUN slow 60s DEADLINE 1m\r\nRUN late 60s DEADLINE 1m\r\nRUN late 60s DEADLINE 1m\r\n"
	       "RUN fair 60s DEADLINE 1m\r\nRUN fair 60s DEADLINE 1m\r\n");
	await(stat_of(s, "full", "running") == 1 && stat_of(s, "fair", "running") == 1 && inside(s, "late") == 2);
	/* When nothing is left of the one that runs, by what is known, another may wait for it, but not a third for both. */
	await(stat_of(s, "slow", "running") == 1 && stat_of(s, "slow", "wait_ms") == 0);
	say(c, "RUN slow 60s DEADLINE 1m\r\n");
	say(other, "RUN fair 60s DEADLINE 1m\r\n");
	await(inside(s, "slow") == 2 && inside(s, "fair") == 3);

	expect_refused(s, "full", "10s", "1", "queue_full");
	expect_refused(s, "late", "150ms", "1", "would_miss_deadline");
	expect_refused(s, "slow", "10s", "1", "max_wait");
	expect_refused(s, "fair", "10s", "1", "client_share");
	expect_refused(s, "echo", "10s", large, "memory");
	/* One line says it of all of them. */
	await(server_logged(s, "msg=refused jobs="));
}
END_TEST

/* --- Bursts --- */

enum { BURSTS = 5, BURST = 200, WINDOW = 64 };

struct tally {
	int done, missed, refused;
};

/* Each when the one before it is over. */
static struct tally send_bursts(struct server *s, const char *job, const char *payload, int deadline_ms)
{
	struct tally t = { 0 };
	struct client *c = dial(s);
	char *burst = scratch(BURST * 64);

	for (int i = 0; i < BURST; i++)
		strcat(burst, scratchf("RUN %s %s DEADLINE %d\r\n", job, payload, deadline_ms));
	for (int i = 0; i < BURSTS; i++) {
		say(c, burst);
		for (int j = 0; j < BURST; j++) {
			const char *reply = hear_reply(c);

			t.done += *reply == '$';
			t.missed += strncmp(reply, "-TIMEOUT", 8) == 0;
			t.refused += strncmp(reply, "-BUSY", 5) == 0;
		}
	}
	ck_assert_int_eq(t.done + t.missed + t.refused, BURSTS * BURST);
	return t;
}

/* `ideal`: how many of a burst can end in time. A machine that does not give the plain queue the time for them tells nothing of ours, so
 * such an attempt is void; on one that never keeps still there is no verdict. */
static void expect_good_bursts(struct server *s, const char *predicting, const char *plain, const char *payload, int deadline_ms, int ideal)
{
	struct tally ours = { 0 }, theirs = { 0 };
	int judged = 0, wrongly = 0;

	for (int attempt = 0; attempt < 10 && judged < 3; attempt++) {
		teach(s, predicting, payload, WINDOW);
		ours = send_bursts(s, predicting, payload, deadline_ms);
		theirs = send_bursts(s, plain, payload, deadline_ms);
		wrongly = BURSTS * ideal - ours.done - ours.missed;
		if (ours.missed * 20 <= ours.done + ours.missed && ours.done * 20 >= theirs.done * 19 && wrongly * 20 < BURSTS * BURST)
			return;
		judged += theirs.done * 20 >= BURSTS * ideal * 19;
	}
	ck_assert_msg(judged < 3, "%d in time, %d missed, %d refused, %d of them wrongly; the plain queue has %d in time", ours.done,
		      ours.missed, ours.refused, wrongly, theirs.done);
}

START_TEST(of_a_burst_those_are_accepted_that_can_end_in_time)
{
	struct server *s = server_start("[server]\nmax_pipeline = 1000\n"
					"[job ours]\nbuiltin = sleep\nconcurrency = 4\nqueue = 196\n"
					"[job plain]\nbuiltin = sleep\nconcurrency = 4\nqueue = 196\npredict = no\n");

	/* Of five times four, the last four would end at the very deadline. */
	expect_good_bursts(s, "ours", "plain", "100", 500, 16);
}
END_TEST

START_TEST(of_a_burst_of_commands_those_are_accepted_that_can_end_in_time)
{
	struct server *s = server_start("[server]\nmax_pipeline = 1000\n"
					"[job ours]\nexec = sleep 0.5\nconcurrency = 4\nqueue = 196\n"
					"[job plain]\nexec = sleep 0.5\nconcurrency = 4\nqueue = 196\npredict = no\n");

	/* As above, but long enough that it makes no difference whether a command is started in 2 ms or in 25. */
	expect_good_bursts(s, "ours", "plain", "x", 2500, 16);
}
END_TEST

/* Hundredths of a second of the clock that has no jumps. */
static long uptime(void)
{
	return (long)(strtod(read_file("/proc/uptime", NULL), NULL) * 100 + 0.5);
}

static int lines_of(const char *path)
{
	const char *text = read_file(path, NULL);
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

START_TEST(no_command_is_started_after_its_deadline_however_full_it_is)
{
	const char *book = new_file("");
	/* Its deadline comes as its payload; it writes down whether that has passed, to the hundredth of a second that the clock has. */
	const char *script = new_file("#!/bin/sh\nread deadline\nIFS=. read seconds hundredths rest </proc/uptime\n"
				      "[ $seconds${hundredths%% *} -le $((deadline + 1)) ] && echo in time >>\"$BOOK\" || echo late >>\"$BOOK\"\n");
	const char *job = scratchf("exec = %s\nuser = root\nenv.BOOK = %s\nqueue = 1000\n", script, book);
	struct server *s = server_start(scratchf("[server]\nmax_pipeline = 1000\n[job ours]\n%s[job plain]\n%spredict = no\n", job, job));
	struct client *c = dial(s);

	/* On a slow machine more time is needed for anything to be started at all. */
	for (int round = 0; round < 4 || (lines_of(book) < 20 && round < 20); round++) {
		const char *name = round % 2 ? "plain" : "ours";

		for (int i = 0; i < 2 * BURST; i++) {
			int hundredths = 20 + i * 7 % 100 + round * 20;

			sayf(c, "RUN %s %ld DEADLINE %d\r\n", name, uptime() + hundredths, hundredths * 10);
		}
		for (int i = 0; i < 2 * BURST; i++)
			hear_reply(c);
	}
	ck_assert_int_ge(lines_of(book), 20);
	ck_assert_msg(strstr(read_file(book, NULL), "late") == NULL, "%s", read_file(book, NULL));
}
END_TEST

Suite *predict_suite(void)
{
	const TTest *tests[] = {
		each_reason_is_said_on_both_protocols_with_a_time_to_come_again,
		of_a_burst_those_are_accepted_that_can_end_in_time,
		of_a_burst_of_commands_those_are_accepted_that_can_end_in_time,
		no_command_is_started_after_its_deadline_however_full_it_is,
	};
	return wire_suite("predict", tests, countof(tests));
}
