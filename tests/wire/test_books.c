/* The books: what many clients counted is what leatd counted, exactly, and afterwards everything is as it was before. */
#include "wire.h"

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

Suite *books_suite(void)
{
	const TTest *tests[] = {
		the_books_balance_with_what_the_clients_counted,
	};
	return wire_suite("books", tests, countof(tests));
}
