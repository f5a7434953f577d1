/* The status page, and the stream of events that it draws. */
#include "wire.h"

#include <openssl/evp.h>
#include <signal.h>
#include <sys/stat.h>

#define HOST "Host: localhost\r\n"
#define OPERATOR "operator-token-0123456789"
#define LOOKER "looker-token-0123456789"

static const char jobs[] =
	"[job sleep]\n"
	"builtin = sleep\n"
	"concurrency = 1\n"
	"queue = 4\n"
	"deadline = 1m\n"
	"[job echo]\n"
	"builtin = echo\n";

static void ask_for_events(struct client *c, const char *headers)
{
	sayf(c, "GET /v1/events HTTP/1.1\r\n" HOST "%s\r\n", headers);
}

/* The text up to the empty line that ends an event, without the size of the chunk that it is. */
static const char *hear_event(struct client *c)
{
	const char *end;
	char *event;

	hear_match(c, "^[0-9a-f]+$");
	while (!(end = memmem(c->in + c->at, c->len - c->at, "\n\n\r\n", 4)))
		ck_assert_msg(hear_more(c), "the stream ended in the middle of an event");
	event = scratchf("%.*s", (int)(end + 1 - (c->in + c->at)), c->in + c->at);
	c->at = (size_t)(end + 4 - c->in);
	return event;
}

static struct client *watch(struct server *s, const char *headers)
{
	struct client *c = dial(s);
	const struct response *r;

	ask_for_events(c, headers);
	r = hear_head(c);
	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(header(r, "Content-Type"), "text/event-stream");
	ck_assert_str_eq(header(r, "Cache-Control"), "no-store");
	return c;
}

static void hear_the_end(struct client *c, const char *why)
{
	const char *event = hear_event(c);

	while (strncmp(event, "event: end\n", 11) != 0)
		event = hear_event(c);
	ck_assert_str_eq(event, scratchf("event: end\ndata: %s\n", why));
	hear(c, "0\r\n\r\n");
}

static uint64_t streams(struct server *s)
{
	return metric(s, "leat_event_streams");
}

START_TEST(an_event_is_a_whole_snapshot_and_there_is_one_a_second)
{
	struct server *s = server_start(jobs);
	struct client *c = watch(s, ""), *busy = dial(s);
	const char *event = hear_event(c);

	assert_match(event, "^id: 1\nretry: [0-9]+\ndata: \\{\"server\":\\{\"version\":\"[^\n]*\\}\n$");
	assert_has(event, "\"in_flight\":0,\"ps\":[]}");
	say(busy, "RUN echo x\r\nRUN sleep 60000 ID nap\r\n");
	hear(busy, "$1\r\nx\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	hear_event(c);
	event = hear_event(c);
	assert_match(event, "^id: 3\ndata: ");
	assert_match(event, "\"jobs\":\\[\\{\"job\":\"echo\",\"kind\":\"builtin\",[^]]*\"job\":\"sleep\"");
	assert_match(event, "\"stats\":\\[\\{\"job\":\"echo\",\"submitted\":1,[^]]*\"job\":\"sleep\",\"submitted\":1,");
	assert_match(event, "\"latency\":\\[\\{\"job\":\"echo\",\"queued\":\\[[0-9,]*\\],\"ran\":\\[[0-9,]*[1-9][0-9,]*\\]\\},");
	assert_match(event, "\"in_flight\":1,\"ps\":\\[\\{\"id\":\"nap\",\"job\":\"sleep\",\"state\":\"running\",");
}
END_TEST

START_TEST(many_jobs_in_flight_are_counted_and_the_oldest_listed)
{
	struct server *s = server_start("[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 200\ndeadline = 1m\n");
	struct client *busy = dial(s);
	const char *event;

	for (int i = 0; i < 120; i++)
		sayf(busy, "RUN sleep 60000 ID job-%03d\r\n", i);
	await(inside(s, "sleep") == 120);
	event = hear_event(watch(s, ""));
	assert_has(event, "\"in_flight\":120,\"ps\":[{\"id\":\"job-000\",");
	assert_has(event, "\"job-099\"");
	ck_assert_ptr_null(strstr(event, "\"job-100\""));
}
END_TEST

START_TEST(a_stream_holds_nobody_up)
{
	struct server *s = server_start(scratchf("[server]\nloops = 1\n%s", jobs));
	struct client *c = watch(s, ""), *other = dial(s);

	for (int i = 0; i < 3; i++) {
		hear_event(c);
		say(other, "PING\r\nRUN echo x\r\n");
		hear(other, "+PONG\r\n$1\r\nx\r\n");
		say(other, "PS\r\n");
		hear(other, "*0\r\n");
	}
}
END_TEST

START_TEST(a_stream_keeps_its_place_among_the_answers_of_its_connection)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say_post(c, "/v1/run/sleep", "", "1500");
	ask_for_events(c, "");
	say(c, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
	assert_response(hear_response(c), 200, "");
	ck_assert_int_eq(hear_head(c)->status, 200);
	assert_match(hear_event(c), "^id: 1\n");
	hear_event(c);
	kill(s->pid, SIGTERM);
	hear_the_end(c, "stopping");
	assert_response(hear_response(c), 200, "ok\n");
	hear_end(c);
	server_wait(s);
}
END_TEST

START_TEST(one_stream_too_many_is_refused_until_another_client_goes)
{
	struct server *s = server_start(scratchf("[server]\nevent_streams = 2\n%s", jobs));
	struct client *first = watch(s, ""), *second = watch(s, ""), *third = dial(s);
	const struct response *r;

	ask_for_events(third, "");
	r = hear_response(third);
	assert_problem(r, 503, "BUSY");
	assert_has(r->body, "\"reason\":\"event_streams\"");
	ck_assert(header(r, "Retry-After") != NULL);
	ck_assert_uint_eq(streams(s), 2);
	hang_up(first);
	await(streams(s) == 1);
	watch(s, "");
	reset(second);
	await(streams(s) == 1);
}
END_TEST

START_TEST(nothing_is_left_of_a_client_that_goes)
{
	struct server *s = server_start(scratchf("[server]\nloops = 4\n%s", jobs));
	struct base_line base = base_line_of(s);

	for (int i = 0; i < 20; i++) {
		struct client *c = watch(s, "");

		if (i % 3 == 0)
			hear_event(c);
		if (i % 2)
			hang_up(c);
		else
			reset(c);
	}
	await(streams(s) == 0);
	await(metric(s, "leat_memory_bytes") == 0);
	await_base_line(s, base, 0);
}
END_TEST

/* So many types that an event does not fit into what the kernel holds for long. */
static const char *many_jobs(void)
{
	char *text = scratch(64 * 1024), *at = text;

	for (int i = 0; i < 600; i++)
		at += sprintf(at, "[job with-a-rather-long-name-%d]\nbuiltin = echo\nqueue = 1\n", i);
	return text;
}

START_TEST(a_client_that_does_not_read_is_cut_off)
{
	struct server *s = server_start(scratchf("[server]\nwrite_timeout = 500ms\n%s", many_jobs()));
	struct client *c = watch(s, "");

	/* Its events do not pile up meanwhile. */
	await(streams(s) == 0);
	ck_assert_uint_lt(memory_of(s->pid, "VmHWM"), (IS_SANITIZED ? 400 : 64) << 20);
	hang_up(c);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(a_drain_ends_the_streams_and_takes_no_new_ones)
{
	struct server *s = server_start(jobs);
	struct client *running = dial(s), *c = watch(s, ""), *late = dial(s);

	say(running, "RUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	kill(s->pid, SIGTERM);
	hear_the_end(c, "stopping");
	ask_for_events(late, "");
	assert_problem(hear_response(late), 503, "DRAINING");
	reset(running);
	hear_end(c);
	server_wait(s);
}
END_TEST

START_TEST(head_has_no_body_and_http_1_0_no_stream)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "HEAD /v1/events HTTP/1.1\r\n" HOST "\r\nGET /healthz HTTP/1.1\r\n" HOST "\r\n");
	ck_assert_str_eq(header(hear_head(c), "Content-Type"), "text/event-stream");
	assert_response(hear_response(c), 200, "ok\n");
	assert_problem(ask(s, "GET /v1/events HTTP/1.0\r\n\r\n"), 505, "ERR");
	ck_assert_uint_eq(streams(s), 0);
}
END_TEST

/* --- With tokens --- */

static const char *token_line(const char *token, const char *name, const char *right)
{
	struct ran ran = run("/bin/sh", "-c", scratchf("printf %%s '%s' | %s --hash-token", token, leatd_path()));

	return scratchf("%s %.64s %s\n", name, strchr(ran.out, ' ') + 1, right);
}

static const char *tokens_file(void)
{
	const char *path = new_file(scratchf("%s%s", token_line(OPERATOR, "operator", "ops"), token_line(LOOKER, "looker", "look")));

	ck_assert_int_eq(chmod(path, 0600), 0);
	return path;
}

START_TEST(who_may_look_sees_the_books_and_who_may_steer_the_jobs)
{
	struct server *s = server_start(scratchf("[server]\ntokens = %s\n%s", tokens_file(), jobs));
	struct client *stranger = dial(s);
	const char *event;

	ask_for_events(stranger, "");
	assert_problem(hear_response(stranger), 401, "NOAUTH");
	event = hear_event(watch(s, "Authorization: Bearer " LOOKER "\r\n"));
	assert_has(event, "\"stats\":[{\"job\":\"echo\",");
	ck_assert_ptr_null(strstr(event, "\"ps\""));
	assert_has(hear_event(watch(s, "Authorization: Bearer " OPERATOR "\r\n")), "\"ps\":[]");
}
END_TEST

START_TEST(a_stream_ends_when_the_tokens_are_read_again)
{
	const char *path = tokens_file();
	struct server *s = server_start(scratchf("[server]\ntokens = %s\n%s", path, jobs));
	struct client *c = watch(s, "Authorization: Bearer " LOOKER "\r\n");

	hear_event(c);
	kill(s->pid, SIGHUP);
	hear_the_end(c, "tokens");
	/* The connection goes on. */
	ask_for_events(c, "Authorization: Bearer " LOOKER "\r\n");
	ck_assert_int_eq(hear_head(c)->status, 200);
	assert_match(hear_event(c), "^id: 1\n");
}
END_TEST

/* --- The page --- */

/* The hash of what stands in an element, as Content-Security-Policy has it. */
static const char *hash_of(const char *page, const char *tag)
{
	const char *from = strstr(page, scratchf("<%s>", tag)) + strlen(tag) + 2, *to = strstr(from, scratchf("</%s>", tag));
	unsigned char digest[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
	unsigned len;

	ck_assert_ptr_nonnull(to);
	ck_assert(to - from > 1000);
	EVP_Digest(from, (size_t)(to - from), digest, &len, EVP_sha256(), NULL);
	EVP_EncodeBlock(text, digest, (int)len);
	return scratchf("%s-src 'sha256-%s'", tag, (const char *)text);
}

START_TEST(the_page_needs_nothing_from_elsewhere_and_is_for_strangers)
{
	struct server *s = server_start(scratchf("[server]\ntokens = %s\n%s", tokens_file(), jobs));
	const struct response *r = get(s, "/");
	const char *policy = header(r, "Content-Security-Policy");

	ck_assert_int_eq(r->status, 200);
	ck_assert_str_eq(header(r, "Content-Type"), "text/html; charset=utf-8");
	assert_has(policy, "default-src 'none'; connect-src 'self';");
	assert_has(policy, "frame-ancestors 'none'");
	assert_has(policy, hash_of(r->body, "style"));
	assert_has(policy, hash_of(r->body, "script"));
	ck_assert_ptr_null(strstr(policy, "unsafe"));
	/* No outside resource, no style or handler in an attribute, none of the names of jobs. */
	ck_assert(!text_matches(r->body, "(src|href)=\"?(https?:)?//"));
	ck_assert(!text_matches(r->body, "<[^>]* (on[a-z]+|style)="));
	ck_assert_ptr_null(strstr(r->body, "sleep"));
	assert_has(r->body, "<noscript>");
}
END_TEST

START_TEST(the_page_is_at_its_address_only_and_only_for_this_host)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);

	say(c, "HEAD / HTTP/1.1\r\n" HOST "\r\n");
	ck_assert_int_eq(hear_head(c)->status, 200);
	say(c, "GET /?x=y HTTP/1.1\r\n" HOST "\r\n");
	ck_assert_int_eq(hear_response(c)->status, 200);
	assert_problem(get(s, "/index.html"), 404, "ERR");
	assert_problem(get(s, "//"), 404, "ERR");
	assert_problem(post(s, "/", ""), 405, "ERR");
	assert_problem(ask(s, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421, "ERR");
}
END_TEST

Suite *events_suite(void)
{
	const TTest *tests[] = {
		an_event_is_a_whole_snapshot_and_there_is_one_a_second,
		many_jobs_in_flight_are_counted_and_the_oldest_listed,
		a_stream_holds_nobody_up,
		a_stream_keeps_its_place_among_the_answers_of_its_connection,
		one_stream_too_many_is_refused_until_another_client_goes,
		nothing_is_left_of_a_client_that_goes,
		a_client_that_does_not_read_is_cut_off,
		a_drain_ends_the_streams_and_takes_no_new_ones,
		head_has_no_body_and_http_1_0_no_stream,
		who_may_look_sees_the_books_and_who_may_steer_the_jobs,
		a_stream_ends_when_the_tokens_are_read_again,
		the_page_needs_nothing_from_elsewhere_and_is_for_strangers,
		the_page_is_at_its_address_only_and_only_for_this_host,
	};
	return wire_suite("events", tests, countof(tests));
}
