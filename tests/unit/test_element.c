#include "../../daemon/element.h"
#include "testing.h"

#include <stdlib.h>

static void finish(struct element *e, struct buf *to)
{
	while (!element_write(e, to))
		;
	buf_add_char(to, '\0');
}

static void expect_output(bool http, struct slice output, const char *wanted)
{
	struct buf to = { 0 };
	struct element e;

	element_begin_output(&e, &to, http, 7, output);
	finish(&e, &to);
	ck_assert_str_eq(to.at, wanted);
	buf_free(&to);
}

START_TEST(an_output_is_a_bulk_string_or_a_line_of_json)
{
	expect_output(false, SLICE("hello"), "$5\r\nhello\r\n");
	expect_output(false, (struct slice){ NULL, 0 }, "$0\r\n\r\n");
	expect_output(true, SLICE("hello"), "{\"index\":7,\"output\":\"hello\"}\n");
	expect_output(true, (struct slice){ NULL, 0 }, "{\"index\":7,\"output\":\"\"}\n");
	expect_output(true, SLICE("\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9"),
		      "{\"index\":7,\"output\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\"}\n");
}
END_TEST

START_TEST(what_is_not_utf8_is_base64)
{
	expect_output(true, SLICE("\xff"), "{\"index\":7,\"output_base64\":\"/w==\"}\n");
	expect_output(true, SLICE("\xffo"), "{\"index\":7,\"output_base64\":\"/28=\"}\n");
	expect_output(true, SLICE("\xffoo"), "{\"index\":7,\"output_base64\":\"/29v\"}\n");
	expect_output(true, SLICE("\xed\xa0\x80"), "{\"index\":7,\"output_base64\":\"7aCA\"}\n");
	expect_output(true, SLICE("\xe2\x82"), "{\"index\":7,\"output_base64\":\"4oI=\"}\n");
}
END_TEST

START_TEST(an_error_stands_as_it_is)
{
	struct buf to = { 0 };
	struct element e;

	element_begin_error(&e, &to, false, 7, SLICE("-FAILED x\r\n"));
	while (!element_write(&e, &to))
		;
	element_begin_error(&e, &to, true, 8, SLICE("{\"code\":\"FAILED\"}"));
	finish(&e, &to);
	ck_assert_str_eq(to.at, "-FAILED x\r\n{\"index\":8,\"error\":{\"code\":\"FAILED\"}}\n");
	buf_free(&to);
}
END_TEST

/* Whatever the pieces are, and wherever a character is cut. */
START_TEST(a_large_output_comes_in_pieces)
{
	enum { LEN = 50000 };
	static char text[LEN + 1];
	struct buf to = { 0 };
	struct element e;
	size_t pieces = 0;

	for (size_t shift = 0; shift < 3; shift++) {
		struct slice output = { text, shift + LEN / 3 * 3 - 3 };

		for (size_t i = 0; i < LEN; i++)
			text[i] = i < shift ? 'a' : "\xe2\x82\xac"[(i - shift) % 3];
		element_begin_output(&e, &to, true, 0, output);
		do {
			size_t before = to.len;

			pieces++;
			if (element_write(&e, &to))
				break;
			ck_assert_uint_le(to.len - before, 16 * 1024);
		} while (true);
		ck_assert_uint_eq(to.len, strlen("{\"index\":0,\"output\":\"\"}\n") + output.len);
		ck_assert(memcmp(to.at + 21, text, output.len) == 0);
		buf_free(&to);
	}
	ck_assert_uint_gt(pieces, 9);
}
END_TEST

Suite *element_suite(void);
Suite *element_suite(void)
{
	const TTest *const tests[] = {
		an_output_is_a_bulk_string_or_a_line_of_json,
		what_is_not_utf8_is_base64,
		an_error_stands_as_it_is,
		a_large_output_comes_in_pieces,
	};
	return suite_of("element", tests, countof(tests));
}
