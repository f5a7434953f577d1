/* Bytes that mean nothing: an error of the contract or silence, and the next client is served. */
#include "wire.h"

enum { ROUNDS = 500, BYTES = 1000 };

static void check_served(struct server *s)
{
	struct client *c = dial(s);

	say(c, "RUN echo fine\r\nQUIT\r\n");
	hear(c, "$4\r\nfine\r\n+OK\r\n");
	hear_end(c);
	assert_response(get(s, "/healthz"), 200, "ok\n");
}

/* Says `head`, then noise, and that this was all. */
static void make_noise(struct server *s, const char *head, unsigned seed)
{
	static const char text[] = " \"'\\abR$*0123456789-:\r\n\r\n\t{}/\xc3";
	struct client *c = seed % 2 ? dial(s) : dial_unix(s);
	char *noise = random_bytes(BYTES, seed);

	/* Every other time as text, which goes further. */
	for (size_t i = 0; i < BYTES && seed % 4 < 2; i++)
		noise[i] = text[(unsigned char)noise[i] % (sizeof(text) - 1)];
	say(c, head);
	say_bytes(c, noise, BYTES);
	end_saying(c);
	/* Whole answers, whatever they are: by chance there was a request among it. */
	while (can_hear(c) || hear_more(c))
		hear_reply(c);
	hang_up(c);
}

START_TEST(a_thousand_random_bytes_are_an_error_and_the_next_client_is_served)
{
	static const char *const heads[] = {
		"", "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$5\r\n", "*2\r\n$", "*", "RUN echo \"", "RUN ", "PING ",
	};
	struct server *s = server_start(NULL);

	for (unsigned seed = 0; seed < ROUNDS; seed++) {
		make_noise(s, heads[seed % countof(heads)], seed);
		if (seed % 20 == 0)
			check_served(s);
	}
	check_served(s);
	await(metric(s, "leat_connections") == 1);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(random_bytes_as_http_are_400_and_the_next_client_is_served)
{
	static const char *const heads[] = {
		"GET ", "GET / HTTP/1.1\r\n", "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: ",
		"POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", "PUT /", "HEAD /v1/jobs?",
	};
	struct server *s = server_start(NULL);

	for (unsigned seed = 0; seed < ROUNDS; seed++) {
		struct client *c = dial(s);

		say(c, heads[seed % countof(heads)]);
		say_bytes(c, random_bytes(BYTES, seed), BYTES);
		ck_assert_int_eq(hear_response(c)->status, 400);
		hear_end(c);
		hang_up(c);
		if (seed % 20 == 0)
			check_served(s);
	}
	await(metric(s, "leat_connections") == 1);
	await(metric(s, "leat_memory_bytes") == 0);
}
END_TEST

START_TEST(random_bytes_are_a_payload_like_any_other)
{
	struct server *s = server_start(NULL);
	struct client *line = dial(s), *http = dial(s);

	for (unsigned seed = 0; seed < 100; seed++) {
		size_t len = seed * 37;
		char *noise = random_bytes(len, seed);
		const struct response *r;

		sayf(line, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$%zu\r\n", len);
		say_bytes(line, noise, len);
		say(line, "\r\n");
		hear(line, scratchf("$%zu\r\n", len));
		hear_bytes(line, noise, len);
		hear(line, "\r\n");
		sayf(http, "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", len);
		say_bytes(http, noise, len);
		r = hear_response(http);
		ck_assert_uint_eq(r->body_len, len);
		ck_assert_mem_eq(r->body, noise, len);
	}
}
END_TEST

START_TEST(the_log_tells_nothing_of_payloads)
{
	struct server *s = server_start("[server]\nlog = jobs\n[job echo]\nbuiltin = echo\n[job fail]\nexec = /bin/sh -c 'cat >&2; exit 1'\n");
	struct client *c = dial(s);

	say(c, "RUN echo swordfish ID one\r\nRUN fail swordfish\r\nRUN swordfish\r\nswordfish swordfish\r\n*1\r\nswordfish\r\n");
	hear(c, "$9\r\nswordfish\r\n");
	hear_rest(c, &(size_t){ 0 });
	await(server_logged(s, "msg=\"job ended\" job=echo id=one outcome=done"));
	await(server_logged(s, "msg=\"job ended\" job=fail"));
	ck_assert(!server_logged(s, "swordfish"));
}
END_TEST

Suite *hostile_suite(void)
{
	const TTest *tests[] = {
		a_thousand_random_bytes_are_an_error_and_the_next_client_is_served,
		random_bytes_as_http_are_400_and_the_next_client_is_served,
		random_bytes_are_a_payload_like_any_other,
		the_log_tells_nothing_of_payloads,
	};
	return wire_suite("hostile", tests, countof(tests));
}
