/* However the bytes of a conversation are cut, the answers are the same. */
#include "wire.h"

#include <regex.h>

#define HOST "Host: localhost\r\n"

static const char jobs[] =
	"[job echo]\n"
	"builtin = echo\n"
	"queue = 100\n"
	"[job sleep]\n"
	"builtin = sleep\n";

static const char *const conversations[] = {
	"PING\r\nRUN echo \"hello \\\"world\\\"\"\r\n\r\nping 'a b'\nRUN sleep 3\r\nNOPE\r\nQUIT\r\n",
	"*1\r\n$4\r\nPING\r\n*0\r\n*5\r\n$3\r\nRUN\r\n$4\r\necho\r\n$12\r\na\r\n*1\r\n$1\r\nb\r\n$8\r\nDEADLINE\r\n$2\r\n5s\r\n*1\r\n$4\r\nQUIT\r\n",
	"*2\r\n$4\r\nPING\r\n$21\r\n012345678901234567890\r\nPING\r\nQUIT\r\n",
	"PING\r\n*1\r\n$4\r\nPINGx\r\n",
	"POST /v1/run/echo HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\nhello world"
	"POST /v1/run/sleep?deadline=1s HTTP/1.1\r\n" HOST "content-length:1\r\n\r\n3"
	"GET /healthz HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
	"POST /v1/run/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nA: b\r\n\r\n"
	"\r\nHEAD /nothing HTTP/1.1\r\n" HOST "\r\n"
	"POST /v1/run/echo HTTP/1.0\r\n"
	"Content-Length: 1\r\n\r\nx",
	"POST /v1/run/echo HTTP/1.1\r\n" HOST "Content-Length: 30\r\n\r\n012345678901234567890123456789GET /healthz HTTP/1.1\r\n\r\n",
	"GET /healthz HTTP/1.1\r\n" HOST "X : y\r\n\r\n",
};

/* What differs from one time to the next, wherever it stands. */
static void blank(char *text, const char *pattern)
{
	regex_t regex;
	regmatch_t found;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE), 0);
	for (char *at = text; regexec(&regex, at, 1, &found, 0) == 0; at += found.rm_so + 1) {
		/* All of its line, whose length may differ too. */
		char *from = at + found.rm_so, *end = from + strcspn(from, "\n");

		memmove(from + 1, end, strlen(end) + 1);
		*from = '~';
	}
	regfree(&regex);
}

static const char *hear_all(struct client *c)
{
	size_t len;
	char *all = hear_rest(c, &len);

	blank(all, "Date: .*");
	blank(all, "Server-Timing: .*");
	blank(all, "Leat-Id: .*");
	hang_up(c);
	return all;
}

static const char *talk_at_once(struct server *s, const char *text)
{
	struct client *c = dial_unix(s);

	say(c, text);
	return hear_all(c);
}

/* Each piece is said when the one before it has been read. */
static const char *talk_in_two(struct server *s, const char *text, size_t cut)
{
	struct client *c = dial_unix(s);

	say_bytes(c, text, cut);
	await(is_read(c));
	say(c, text + cut);
	return hear_all(c);
}

static const char *talk_in_steps(struct server *s, const char *text, size_t step)
{
	struct client *c = dial_unix(s);

	for (size_t len = strlen(text); len > 0 && !is_over(c); text += step, len -= step) {
		if (step > len)
			step = len;
		say_bytes(c, text, step);
		await(is_read(c) || is_over(c));
	}
	return hear_all(c);
}

START_TEST(a_conversation_that_is_split_at_any_byte_is_the_same)
{
	struct server *s = server_start(jobs);

	for (size_t i = 0; i < countof(conversations); i++) {
		const char *text = conversations[i], *expected = talk_at_once(s, text);

		ck_assert_uint_gt(strlen(expected), 0);
		for (size_t cut = 1; cut < strlen(text); cut++)
			ck_assert_str_eq(talk_in_two(s, text, cut), expected);
	}
}
END_TEST

START_TEST(a_conversation_byte_by_byte_is_the_same)
{
	struct server *s = server_start(jobs);

	for (size_t i = 0; i < countof(conversations); i++) {
		const char *text = conversations[i], *expected = talk_at_once(s, text);

		for (size_t step = 1; step < 8; step++)
			ck_assert_str_eq(talk_in_steps(s, text, step), expected);
	}
}
END_TEST

START_TEST(a_hundred_conversations_at_once_are_the_same)
{
	struct server *s = server_start(jobs);
	struct client *clients[100];

	for (size_t i = 0; i < countof(clients); i++)
		say(clients[i] = dial(s), conversations[i % countof(conversations)]);
	for (size_t i = 0; i < countof(clients); i++)
		ck_assert_str_eq(hear_all(clients[i]), talk_at_once(s, conversations[i % countof(conversations)]));
}
END_TEST

Suite *pieces_suite(void)
{
	const TTest *tests[] = {
		a_conversation_that_is_split_at_any_byte_is_the_same,
		a_conversation_byte_by_byte_is_the_same,
		a_hundred_conversations_at_once_are_the_same,
	};
	return wire_suite("pieces", tests, countof(tests));
}
