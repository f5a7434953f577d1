#include "../../daemon/payloads.h"
#include "testing.h"

#include <stdlib.h>

static const struct slice lines = SLICE(""), ndjson = SLICE("application/x-ndjson");

/* Each payload in brackets, or the error. */
static void expect(struct slice type, struct slice body, size_t max, const char *wanted)
{
	char *copy = malloc(body.len + 1);
	struct payloads p;
	struct answer why;
	struct buf said = { 0 };

	memcpy(copy, body.at, body.len);
	if (payloads_read(&p, copy, body.len, type, max, &why)) {
		for (size_t i = 0; i < p.count; i++)
			buf_addf(&said, "[%.*s]", (int)p.list[i].len, p.list[i].at);
	} else {
		answer_add_line(&why, &said);
	}
	buf_add_char(&said, '\0');
	ck_assert_str_eq(said.at, wanted);
	free(p.list);
	free(copy);
	buf_free(&said);
}

START_TEST(a_line_is_a_payload_and_the_last_newline_ends_the_last_one)
{
	expect(lines, SLICE("a"), 9, "[a]");
	expect(lines, SLICE("a\n"), 9, "[a]");
	expect(lines, SLICE("a\nb"), 9, "[a][b]");
	expect(lines, SLICE("\n"), 9, "[]");
	expect(lines, SLICE("\n\n"), 9, "[][]");
	expect(lines, SLICE("\na\n\n"), 9, "[][a][]");
	expect(lines, SLICE("\"a\" \r\n"), 9, "[\"a\" \r]");
}
END_TEST

START_TEST(of_ndjson_a_string_is_a_payload)
{
	expect(ndjson, SLICE("\"a\\nb\"\n \t\"\"\t \r\n\"\\u00e9\""), 9, "[a\nb][][\xc3\xa9]");
	expect(SLICE("APPLICATION/x-ndjson;charset=utf-8"), SLICE("\"a\""), 9, "[a]");
	expect(SLICE("application/x-ndjsonx"), SLICE("\"a\""), 9, "[\"a\"]");
	expect(ndjson, SLICE("\"a\"\n\n"), 9, "ERR a line is not one string of JSON line=2 why=\"it does not begin with a quote\"");
	expect(ndjson, SLICE("\"a\nb\""), 9, "ERR a line is not one string of JSON line=1 why=\"the string has no end\"");
	expect(ndjson, SLICE("\"a\" \"b\""), 9, "ERR a line is not one string of JSON line=1 why=\"something follows the string\"");
}
END_TEST

START_TEST(none_and_too_many_are_refused)
{
	expect(lines, SLICE(""), 2, "ERR the body has no line max=2");
	expect(lines, SLICE("1\n2\n"), 2, "[1][2]");
	expect(lines, SLICE("1\n2\n\n"), 2, "ERR the body has too many lines max=2");
	expect(lines, SLICE("1\n2\n3\n4\n5\n6"), 2, "ERR the body has too many lines max=2");
}
END_TEST

Suite *payloads_suite(void);
Suite *payloads_suite(void)
{
	const TTest *const tests[] = {
		a_line_is_a_payload_and_the_last_newline_ends_the_last_one,
		of_ndjson_a_string_is_a_payload,
		none_and_too_many_are_refused,
	};
	return suite_of("payloads", tests, countof(tests));
}
