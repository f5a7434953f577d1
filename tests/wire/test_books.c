/* The books: what many clients counted is what leatd counted, exactly, and afterwards everything is as it was before. */
#include "wire.h"

#include <signal.h>
#include <stdio.h>

enum { CLIENTS = 64, BATCH = 16, HANGERS = 4, HANGING = 3 };

static const char jobs[] =
	"[job echo]\nbuiltin = echo\nconcurrency = 4\nqueue = 10000\n"
	"[job tiny]\nbuiltin = sleep\nconcurrency = 2\nqueue = 3\n"
	"[job sleep]\nbuiltin = sleep\nconcurrency = 32\nqueue = 10000\n"
	"[job true]\nexec = /bin/true\nqueue = 10000\ndeadline = 1m\n"
	"[job false]\nexec = /bin/false\nqueue = 10000\ndeadline = 1m\n"
	"[job crash]\nexec = /bin/sh -c 'kill -SEGV $$'\nqueue = 10000\ndeadline = 1m\n"
	"[job yes]\nexec = yes\nmax_output = 10K\nqueue = 10000\ndeadline = 1m\n"
	"[job hang]\nbuiltin = sleep\nconcurrency = 4\nqueue = 100\ndeadline = 1m\n";

enum { IDLE_RUNNERS = 4 + 2 + 32 + 4 * 4 + 4 };

/* What is asked: of a thousand, so many. */
static const struct kind {
	int of_thousand;
	const char *job, *payload, *deadline;
} kinds[] = {
	{ 5, "true", "x", "1m" }, { 3, "false", "x", "1m" }, { 2, "crash", "x", "1m" }, { 2, "yes", "x", "1m" },
	{ 50, "tiny", "3", "1m" }, { 30, "sleep", "60000", "5" }, { 20, "sleep", "nonsense", "5s" }, { 20, "sleep", "1", "1m" },
	{ 10, "nope", "x", "5s" }, { 10, "echo", "x", "tomorrow" }, { 1000, "echo", "hello", "5s" },
};

static const struct kind *pick(unsigned *seed)
{
	const struct kind *kind = kinds;
	int n;

	*seed = *seed * 1664525 + 1013904223;
	n = (int)((*seed >> 8) % 1000);
	while (n >= kind->of_thousand)
		n -= kind++->of_thousand;
	return kind;
}

/* --- What the clients count --- */

static const char *const job_names[] = { "echo", "tiny", "sleep", "true", "false", "crash", "yes", "hang" };
static const char *const ends[] = { "refused", "done", "failed", "timeout", "killed", "canceled" };

struct count {
	uint64_t of[countof(job_names)][countof(ends)];
};

/* What the first word of an answer means for the books. NULL: it never became a job. */
static const char *end_of(const char *code)
{
	static const struct {
		const char *code, *end;
	} meanings[] = {
		{ "BUSY", "refused" }, { "FAILED", "failed" }, { "TIMEOUT", "timeout" }, { "KILLED", "killed" }, { "TOOBIG", "killed" },
		{ "CANCELED", "canceled" }, { "NOJOB", NULL }, { "ERR", NULL }, { "OK", "done" },
	};

	for (size_t i = 0; i < countof(meanings); i++) {
		if (strcmp(code, meanings[i].code) == 0)
			return meanings[i].end;
	}
	ck_abort_msg("a code that is none: %s", code);
	return NULL;
}

static size_t place_in(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(names[i], name) != 0)
		i++;
	ck_assert_uint_lt(i, n);
	return i;
}

static void count(struct count *counted, const char *job, const char *end, uint64_t n)
{
	if (end)
		counted->of[place_in(job_names, countof(job_names), job)][place_in(ends, countof(ends), end)] += n;
}

/* --- Asking and hearing --- */

struct asker {
	struct client *c;
	bool http;
	const struct kind *asked[BATCH];
};

static void ask_batch(struct asker *a, unsigned *seed)
{
	const char *batch = "";

	for (size_t i = 0; i < BATCH; i++) {
		const struct kind *k = a->asked[i] = pick(seed);

		batch = a->http ? scratchf("%sPOST /v1/run/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\nLeat-Deadline: %s\r\n\r\n%s",
					   batch, k->job, strlen(k->payload), k->deadline, k->payload)
				: scratchf("%sRUN %s %s DEADLINE %s\r\n", batch, k->job, k->payload, k->deadline);
	}
	say(a->c, batch);
}

static void hear_batch(struct asker *a, struct count *counted)
{
	for (size_t i = 0; i < BATCH; i++) {
		char code[32] = "OK";
		const char *answer;

		if (a->http) {
			const struct response *r = hear_response(a->c);

			answer = strstr(r->body, "\"code\":\"");
			if (r->status != 200)
				ck_assert_int_eq(sscanf(answer, "\"code\":\"%31[A-Z]", code), 1);
		} else {
			answer = hear_reply(a->c);
			if (*answer == '-')
				ck_assert_int_eq(sscanf(answer, "-%31[A-Z]", code), 1);
		}
		count(counted, a->asked[i]->job, end_of(code), 1);
	}
}

/* Clients that leave while their jobs run and wait: how many there are is known once all are inside. */
static void ask_and_leave(struct server *s, struct count *counted)
{
	struct client *clients[HANGERS];

	for (size_t i = 0; i < HANGERS; i++) {
		clients[i] = dial(s);
		for (size_t j = 0; j < HANGING; j++) {
			if (i % 2)
				say_post(clients[i], "/v1/run/hang", "", "60000");
			else
				say(clients[i], "RUN hang 60000\r\n");
		}
	}
	await(inside(s, "hang") == HANGERS * HANGING);
	for (size_t i = 0; i < HANGERS; i++)
		i == 1 ? hang_up(clients[i]) : reset(clients[i]);
	await(inside(s, "hang") == 0);
	count(counted, "hang", "canceled", HANGERS * HANGING);
}

/* --- Comparing --- */

static uint64_t sample_of(const char *metrics, const char *sample)
{
	const char *at = strstr(metrics, scratchf("\n%s ", sample));

	ck_assert_msg(at != NULL, "no %s in\n%s", sample, metrics);
	return strtoull(at + strlen(sample) + 2, NULL, 10);
}

static uint64_t refused_by(const char *metrics, const char *job)
{
	uint64_t sum = 0;
	const char *begin = scratchf("\nleat_jobs_refused_total{job=\"%s\",", job);

	for (const char *at = metrics; (at = strstr(at, begin)); at++)
		sum += strtoull(strchr(at, ' ') + 1, NULL, 10);
	return sum;
}

static void check_job(const char *metrics, const char *job, const uint64_t of[countof(ends)])
{
	uint64_t submitted = 0;

	for (size_t i = 0; i < countof(ends); i++) {
		const char *sample = scratchf("leat_jobs_ended_total{job=\"%s\",outcome=\"%s\"}", job, ends[i]);
		uint64_t theirs = i == 0 ? refused_by(metrics, job) : sample_of(metrics, sample);

		ck_assert_msg(theirs == of[i], "of %s the clients counted %llu %s, leatd %llu", job, (unsigned long long)of[i], ends[i],
			      (unsigned long long)theirs);
		submitted += of[i];
	}
	ck_assert_uint_eq(sample_of(metrics, scratchf("leat_jobs_submitted_total{job=\"%s\"}", job)), submitted);
	ck_assert_uint_eq(sample_of(metrics, scratchf("leat_jobs_waiting{job=\"%s\"}", job)), 0);
	ck_assert_uint_eq(sample_of(metrics, scratchf("leat_jobs_running{job=\"%s\"}", job)), 0);
	ck_assert_uint_eq(sample_of(metrics, scratchf("leat_run_seconds_count{job=\"%s\"}", job)),
			  sample_of(metrics, scratchf("leat_queue_seconds_count{job=\"%s\"}", job)));
}

static void check_books(struct server *s, const struct count *counted)
{
	const char *metrics;

	for (size_t i = 0; i < countof(job_names); i++)
		await(inside(s, job_names[i]) == 0);
	metrics = get(s, "/metrics")->body;
	for (size_t i = 0; i < countof(job_names); i++)
		check_job(metrics, job_names[i], counted->of[i]);
	await(metric(s, "leat_memory_bytes") == 0);
	await(metric(s, "leat_connections") == 2);
}

static long requests_wanted(void)
{
	const char *wanted = getenv("LEAT_REQUESTS");

	return wanted ? atol(wanted) : IS_SANITIZED ? 10000 : 100000;
}

START_TEST(the_books_balance_with_what_the_clients_counted)
{
	struct server *s = server_start(jobs);
	struct base_line base = base_line_of(s);
	struct asker askers[CLIENTS];
	struct count counted = { 0 };
	unsigned seed = 1;

	for (size_t i = 0; i < CLIENTS; i++)
		askers[i] = (struct asker){ .c = i % 3 ? dial(s) : dial_unix(s), .http = i % 2 };
	for (long asked = 0; asked < requests_wanted(); asked += CLIENTS * BATCH) {
		for (size_t i = 0; i < CLIENTS; i++)
			ask_batch(&askers[i], &seed);
		ask_and_leave(s, &counted);
		for (size_t i = 0; i < CLIENTS; i++)
			hear_batch(&askers[i], &counted);
	}
	for (size_t i = 0; i < CLIENTS; i++)
		hang_up(askers[i].c);
	check_books(s, &counted);
	await_base_line(s, base, IDLE_RUNNERS);
	/* All that was to be tried was tried. */
	for (size_t i = 0; i < countof(ends); i++) {
		uint64_t n = 0;

		for (size_t j = 0; j < countof(job_names); j++)
			n += counted.of[j][i];
		ck_assert_uint_gt(n, 0);
	}
}
END_TEST

/* --- Every way --- */

/* A job each, so that what is known to have happened is known of which. */
static const char ways[] =
	"[server]\nmax_memory = 4M\nmax_payload = 8M\ndrain_timeout = 200ms\n"
	"[job one]\nbuiltin = sleep\nconcurrency = 1\nqueue = 3\ndeadline = 1m\npredict = no\n"
	"[job two]\nexec = /bin/sleep 60\nconcurrency = 1\nqueue = 3\ndeadline = 1m\npredict = no\n"
	"[job echo]\nbuiltin = echo\n"
	"[job true]\nexec = /bin/true\n[job false]\nexec = /bin/false\n[job crash]\nexec = /bin/sh -c 'kill -SEGV $$'\n"
	"[job yes]\nexec = yes\nmax_output = 10K\ndeadline = 1m\n"
	"[job nobody]\nexec = /bin/sh -c 'exit 3'\n";

static const char *const way_names[] = { "one", "two", "echo", "true", "false", "crash", "yes", "nobody" };

struct ways {
	uint64_t submitted, of[countof(ends)], queue_full, memory, paused;
};

static void way(struct ways *w, const char *end)
{
	w->submitted++;
	w->of[place_in(ends, countof(ends), end)]++;
}

static void hear_way(struct ways *w, struct client *c, const char *pattern, const char *end)
{
	hear_match(c, pattern);
	way(w, end);
}

/* At a moment when nothing moves: what /metrics, STATS and INFO say is what was counted. */
static void expect_books(struct server *s, const struct ways counted[countof(way_names)], uint64_t still_inside)
{
	const char *metrics = get(s, "/metrics")->body;
	uint64_t submitted = 0, refused = 0, ended = 0, left = 0;
	struct client *c = dial(s);
	const char *info;

	for (size_t i = 0; i < countof(way_names); i++) {
		const struct ways *w = &counted[i];
		const char *job = way_names[i];

		ck_assert_uint_eq(sample_of(metrics, scratchf("leat_jobs_submitted_total{job=\"%s\"}", job)), w->submitted);
		ck_assert_uint_eq(stat_of(s, job, "submitted"), w->submitted);
		submitted += w->submitted;
		ck_assert_msg(refused_by(metrics, job) == w->of[0], "of %s", job);
		ck_assert_uint_eq(stat_of(s, job, "refused"), w->of[0]);
		refused += w->of[0];
		ck_assert_uint_eq(stat_of(s, job, "refused_queue_full"), w->queue_full);
		ck_assert_uint_eq(stat_of(s, job, "refused_memory"), w->memory);
		ck_assert_uint_eq(stat_of(s, job, "refused_paused"), w->paused);
		for (size_t j = 1; j < countof(ends); j++) {
			const char *sample = scratchf("leat_jobs_ended_total{job=\"%s\",outcome=\"%s\"}", job, ends[j]);

			ck_assert_msg(sample_of(metrics, sample) == w->of[j], "%s of %s", ends[j], job);
			ck_assert_uint_eq(stat_of(s, job, ends[j]), w->of[j]);
			ended += w->of[j];
		}
		left += sample_of(metrics, scratchf("leat_jobs_waiting{job=\"%s\"}", job)) +
			sample_of(metrics, scratchf("leat_jobs_running{job=\"%s\"}", job));
	}
	ck_assert_uint_eq(left, still_inside);
	ck_assert_uint_eq(submitted, refused + ended + left);
	say(c, "INFO stats\r\n");
	info = hear_reply(c);
	assert_has(info, scratchf("jobs_submitted:%llu\r\n", (unsigned long long)submitted));
	assert_has(info, scratchf("jobs_refused:%llu\r\n", (unsigned long long)refused));
	assert_has(info, scratchf("jobs_ended:%llu\r\n", (unsigned long long)ended));
	say(c, "PS\r\n");
	assert_match(hear_reply(c), scratchf("^\\*%llu\r\n", (unsigned long long)left));
	hang_up(c);
}

/* By themselves, or of a limit. */
static void end_by_themselves(struct client *c, struct ways *of)
{
	say(c, "RUN echo x\r\nRUN true\r\nRUN false\r\nRUN crash\r\nRUN yes\r\nRUN nobody\r\nRUN one nonsense\r\n");
	hear(c, "$1\r\nx\r\n$0\r\n\r\n");
	way(&of[2], "done");
	way(&of[3], "done");
	hear_way(&of[4], c, "^-FAILED ", "failed");
	hear_way(&of[5], c, "^-KILLED .*SIGSEGV", "killed");
	hear_way(&of[6], c, "^-TOOBIG ", "killed");
	hear_way(&of[7], c, "^-FAILED .*status=3", "failed");
	hear_way(&of[0], c, "^-FAILED ", "failed");
	/* These never become jobs. */
	say(c, "RUN nope\r\nRUN echo x DEADLINE 0\r\n");
	hear_match(c, "^-NOJOB ");
	hear_match(c, "^-ERR ");
}

/* Out of time, cancelled, abandoned: each while it runs and while it waits. Two types, since one is builtin and one is not. */
static void end_by_others(struct server *s, struct client *c, struct ways *w, const char *job, const char *payload)
{
	struct client *operator = dial(s), *leaves;

	sayf(c, "RUN %s %s DEADLINE 1s\r\n", job, payload);
	hear_way(w, c, "^-TIMEOUT .* state=running ", "timeout");

	sayf(c, "RUN %s %s ID runs\r\n", job, payload);
	await(stat_of(s, job, "running") == 1);
	leaves = dial(s);
	sayf(leaves, "RUN %s %s DEADLINE 100\r\nRUN %s %s ID waits\r\n", job, payload, job, payload);
	hear_way(w, leaves, "^-TIMEOUT .* state=waiting ", "timeout");
	say(operator, "CANCEL waits\r\n");
	hear(operator, ":1\r\n");
	hear_way(w, leaves, "^-CANCELED .* state=waiting ", "canceled");

	sayf(leaves, "RUN %s %s\r\n", job, payload);
	await(stat_of(s, job, "waiting") == 1);
	reset(leaves);
	await(stat_of(s, job, "waiting") == 0);
	way(w, "canceled");
	leaves = dial(s);
	say_post(leaves, scratchf("/v1/run/%s", job), "", payload);
	await(stat_of(s, job, "waiting") == 1);
	hang_up(leaves);
	await(stat_of(s, job, "waiting") == 0);
	way(w, "canceled");

	say(operator, "CANCEL runs\r\n");
	hear(operator, ":1\r\n");
	hear_way(w, c, "^-CANCELED .* state=running ", "canceled");

	leaves = dial(s);
	sayf(leaves, "RUN %s %s\r\n", job, payload);
	await(stat_of(s, job, "running") == 1);
	reset(leaves);
	await(inside(s, job) == 0);
	way(w, "canceled");
	leaves = dial(s);
	say_post(leaves, scratchf("/v1/run/%s", job), "", payload);
	await(stat_of(s, job, "running") == 1);
	hang_up(leaves);
	await(inside(s, job) == 0);
	way(w, "canceled");
	hang_up(operator);
}

static void end_refused(struct server *s, struct client *c, struct ways *of)
{
	const size_t too_much = 5 << 20;
	struct client *full = dial(s);

	say(full, "RUN one 60000\r\nRUN one 1\r\nRUN one 1\r\nRUN one 1\r\n");
	await(inside(s, "one") == 4);
	say(c, "RUN one 1\r\n");
	hear_way(&of[0], c, "^-BUSY .*reason=queue_full", "refused");
	of[0].queue_full++;
	reset(full);
	await(inside(s, "one") == 0);
	for (int i = 0; i < 4; i++)
		way(&of[0], "canceled");

	sayf(c, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$%zu\r\n", too_much);
	say_bytes(c, random_bytes(too_much, 1), too_much);
	say(c, "\r\n");
	hear_way(&of[2], c, "^-BUSY .*reason=memory", "refused");
	of[2].memory++;

	say(c, "PAUSE echo\r\nRUN echo x\r\nRESUME echo\r\nRUN echo x\r\n");
	hear(c, "+OK\r\n");
	hear_way(&of[2], c, "^-BUSY .*reason=paused", "refused");
	of[2].paused++;
	hear(c, "+OK\r\n$1\r\nx\r\n");
	way(&of[2], "done");
}

START_TEST(the_books_balance_through_every_way_a_job_can_end)
{
	struct server *s = server_start(ways);
	struct base_line base = base_line_of(s);
	struct ways of[countof(way_names)] = { 0 };
	struct client *c = dial(s), *drained;

	end_by_themselves(c, of);
	expect_books(s, of, 0);
	end_by_others(s, c, &of[0], "one", "60000");
	expect_books(s, of, 0);
	end_by_others(s, c, &of[1], "two", "x");
	expect_books(s, of, 0);
	end_refused(s, c, of);
	expect_books(s, of, 0);
	hang_up(c);
	await_base_line(s, base, 8 + 4 * 4);
	await(metric(s, "leat_memory_bytes") == 0);

	/* The last ones, told by the client alone: there is nobody left to ask. Running, waiting, and waiting in a pause. */
	drained = dial(s);
	say(drained, "RUN one 60000\r\nRUN one 60000\r\nRUN two x\r\nRUN two x\r\n");
	await(inside(s, "one") == 2 && inside(s, "two") == 2 && stat_of(s, "one", "running") + stat_of(s, "two", "running") == 2);
	say(drained, "PAUSE two\r\n");
	await(metric(s, "leat_jobs_paused{job=\"two\"}") == 1);
	of[0].submitted += 2;
	of[1].submitted += 2;
	expect_books(s, of, 4);
	kill(s->pid, SIGTERM);
	await(server_logged(s, "msg=draining"));
	hear_match(drained, "^-CANCELED .* state=running ");
	hear_match(drained, "^-CANCELED .* state=waiting ");
	hear_match(drained, "^-CANCELED .* state=running ");
	hear_match(drained, "^-CANCELED .* state=waiting ");
	hear(drained, "+OK\r\n");
	hear_end(drained);
	server_wait(s);
}
END_TEST

START_TEST(what_came_while_draining_is_in_the_books)
{
	struct server *s = server_start("[job one]\nbuiltin = sleep\nconcurrency = 1\nqueue = 3\ndeadline = 1m\npredict = no\n");
	struct client *runs = dial(s), *c = dial(s);

	say(runs, "RUN one 60000 ID last\r\nRUN one 1\r\n");
	await(inside(s, "one") == 2);
	kill(s->pid, SIGTERM);
	await(server_logged(s, "msg=draining"));
	say(c, "RUN one 1\r\nRUN one 1\r\n");
	hear_match(c, "^-DRAINING ");
	hear_match(c, "^-DRAINING ");
	ck_assert_uint_eq(stat_of(s, "one", "submitted"), 4);
	ck_assert_uint_eq(stat_of(s, "one", "refused_draining"), 2);
	ck_assert_uint_eq(stat_of(s, "one", "running") + stat_of(s, "one", "waiting"), 2);
	say(c, "CANCEL last\r\n");
	hear(c, ":1\r\n");
	hear_match(runs, "^-CANCELED ");
	hear(runs, "$0\r\n\r\n");
	server_wait(s);
}
END_TEST

Suite *books_suite(void)
{
	const TTest *tests[] = {
		the_books_balance_with_what_the_clients_counted,
		the_books_balance_through_every_way_a_job_can_end,
		what_came_while_draining_is_in_the_books,
	};
	return wire_suite("books", tests, countof(tests));
}
