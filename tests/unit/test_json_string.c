#include "../../daemon/json_string.h"
#include "testing.h"

#include <stdio.h>

/* The bytes that a string stands for, or what is wrong with it; what follows the string is shown behind a bar. */
static void expect(struct slice text, struct slice wanted)
{
	char room[256], copy[256], *to = copy;
	struct slice from = { copy, text.len };
	const char *wrong;
	size_t len;

	/* In its own place. */
	memcpy(copy, text.at, text.len);
	wrong = json_string_decode(&from, &to);
	len = (size_t)snprintf(room, sizeof(room), "%s", wrong ? wrong : "");
	if (!wrong) {
		memcpy(room, copy, (size_t)(to - copy));
		len = (size_t)(to - copy);
		room[len++] = '|';
		memcpy(room + len, from.at, from.len);
		len += from.len;
	}
	ck_assert_msg(slice_is((struct slice){ room, len }, wanted), "of %.*s came %.*s", (int)text.len, text.at, (int)len, room);
}

START_TEST(a_string_stands_for_its_bytes)
{
	expect(SLICE("\"\""), SLICE("|"));
	expect(SLICE("\"abc\" rest"), SLICE("abc| rest"));
	expect(SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), SLICE("\"\\/\b\f\n\r\t|"));
	expect(SLICE("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""), SLICE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80|"));
	expect(SLICE("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\u0000\""), SLICE("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0|"));
	expect(SLICE("\"\\uffff\\ud7ff\\ue000\\udbff\\udfff\""), SLICE("\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf|"));
	expect(SLICE("\"\x7f\""), SLICE("\x7f|"));
}
END_TEST

START_TEST(what_is_no_string_is_refused_with_the_reason)
{
	static const char unit[] = "\\u is not followed by the four digits of a character";

	expect(SLICE(""), SLICE("it does not begin with a quote"));
	expect(SLICE("a\""), SLICE("it does not begin with a quote"));
	expect(SLICE("\""), SLICE("the string has no end"));
	expect(SLICE("\"a"), SLICE("the string has no end"));
	expect(SLICE("\"a\\"), SLICE("the string has no end"));
	expect(SLICE("\"a\\\""), SLICE("the string has no end"));
	expect(SLICE("\"\\x41\""), SLICE("there is no such escape"));
	expect(SLICE("\"\\\xc3\xa9\""), SLICE("there is no such escape"));
	expect(SLICE("\"\t\""), SLICE("a control character that is not escaped"));
	expect(SLICE("\"\0\""), SLICE("a control character that is not escaped"));
	expect(SLICE("\"\xff\""), SLICE("bytes that are not UTF-8"));
	expect(SLICE("\"\xc0\x80\""), SLICE("bytes that are not UTF-8"));
	expect(SLICE("\"\xed\xa0\x80\""), SLICE("bytes that are not UTF-8"));
	expect(SLICE("\"\xe2\x82\""), SLICE("bytes that are not UTF-8"));
	expect(SLICE("\"\\u12\""), slice_of(unit));
	expect(SLICE("\"\\u12"), slice_of(unit));
	expect(SLICE("\"\\u12g4\""), slice_of(unit));
	expect(SLICE("\"\\ud83d\""), slice_of(unit));
	expect(SLICE("\"\\ude00\""), slice_of(unit));
	expect(SLICE("\"\\ud83dx\\ude00\""), slice_of(unit));
	expect(SLICE("\"\\ud83d\\u0041\""), slice_of(unit));
	expect(SLICE("\"\\ud83d\\ud83d\""), slice_of(unit));
}
END_TEST

Suite *json_string_suite(void);
Suite *json_string_suite(void)
{
	const TTest *const tests[] = {
		a_string_stands_for_its_bytes,
		what_is_no_string_is_refused_with_the_reason,
	};
	return suite_of("json_string", tests, countof(tests));
}
