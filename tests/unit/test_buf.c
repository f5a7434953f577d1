#include "../../daemon/buf.h"
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

static void expect(struct buf *b, struct slice text)
{
	ck_assert(!b->failed);
	ck_assert_msg(slice_is(buf_slice(b), text), "%.*s, not %.*s", (int)b->len, b->at, (int)text.len, text.at);
	buf_free(b);
}

START_TEST(what_is_added_follows_what_is_there)
{
	struct buf b = { 0 };

	buf_add(&b, "one", 3);
	buf_add_char(&b, ' ');
	buf_add_slice(&b, SLICE("two"));
	buf_add_char(&b, ' ');
	buf_add_uint(&b, 3);
	buf_addf(&b, " %s %d", "four", 5);
	expect(&b, SLICE("one two 3 four 5"));
}
END_TEST

START_TEST(nothing_may_be_added)
{
	struct buf b = { 0 };

	buf_add(&b, NULL, 0);
	buf_add_slice(&b, (struct slice){ 0 });
	buf_addf(&b, "%s", "");
	ck_assert_uint_eq(b.len, 0);
	expect(&b, SLICE(""));
}
END_TEST

START_TEST(it_grows_and_keeps_its_content)
{
	struct buf b = { 0 };

	for (int i = 0; i < 100000; i++)
		buf_addf(&b, "%06d", i);
	ck_assert(!b.failed);
	ck_assert_uint_eq(b.len, 600000);
	ck_assert_uint_ge(b.cap, b.len);
	for (size_t i = 0; i < 100000; i += 777) {
		char text[8];

		snprintf(text, sizeof(text), "%06zu", i);
		ck_assert_mem_eq(b.at + i * 6, text, 6);
	}
	buf_free(&b);
}
END_TEST

START_TEST(reserved_room_is_behind_the_present_bytes)
{
	struct buf b = { 0 };
	char *room;

	buf_add(&b, "abc", 3);
	room = buf_reserve(&b, 5000);
	ck_assert_ptr_eq(room, b.at + 3);
	ck_assert_uint_ge(b.cap, 5003);
	memset(room, 'x', 5000);
	ck_assert_uint_eq(b.len, 3);
	b.len += 2;
	expect(&b, SLICE("abcxx"));
}
END_TEST

START_TEST(a_failed_allocation_is_remembered_until_it_is_freed)
{
	struct buf b = { 0 };

	buf_add(&b, "abc", 3);
	ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
	ck_assert(b.failed);
	buf_add(&b, "def", 3);
	buf_add_char(&b, 'g');
	buf_add_uint(&b, 1);
	buf_addf(&b, "%d", 1);
	buf_add_json(&b, SLICE("h"));
	ck_assert(b.failed);
	ck_assert_uint_eq(b.len, 3);
	ck_assert_ptr_null(buf_reserve(&b, 1));

	buf_free(&b);
	buf_add(&b, "again", 5);
	expect(&b, SLICE("again"));
}
END_TEST

START_TEST(more_than_any_memory_fails_and_does_not_hang)
{
	struct buf b = { 0 };

	ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX / 2 + 2));
	ck_assert(b.failed);
	buf_free(&b);
}
END_TEST

START_TEST(numbers_are_written_as_printf_writes_them)
{
	uint64_t n = 1;

	for (int digits = 1; digits <= 20; digits++, n *= 10) {
		for (int64_t by = -1; by <= 1; by++) {
			struct buf b = { 0 };
			char text[32];

			snprintf(text, sizeof(text), "%llu", (unsigned long long)(n + by));
			buf_add_uint(&b, n + by);
			expect(&b, slice_of(text));
		}
	}
	for (uint64_t i = 0; i < 1000; i++) {
		struct buf b = { 0 };
		char text[32];

		snprintf(text, sizeof(text), "%llu", (unsigned long long)i);
		buf_add_uint(&b, i);
		expect(&b, slice_of(text));
	}
	{
		struct buf b = { 0 };

		buf_add_uint(&b, UINT64_MAX);
		expect(&b, SLICE("18446744073709551615"));
	}
}
END_TEST

#define BAD_BYTE "\xef\xbf\xbd"

START_TEST(json_is_quoted_and_what_is_not_utf8_is_replaced)
{
	static const struct {
		struct slice text, json;
	} rows[] = {
		{ SLICE(""), SLICE("\"\"") },
		{ SLICE("plain"), SLICE("\"plain\"") },
		{ SLICE("say \"hi\" \\ or/not"), SLICE("\"say \\\"hi\\\" \\\\ or/not\"") },
		{ SLICE("\b\t\n\f\r"), SLICE("\"\\b\\t\\n\\f\\r\"") },
		{ SLICE("\0\x01\x1f\x7f"), SLICE("\"\\u0000\\u0001\\u001f\x7f\"") },
		/* The first and the last of each length. */
		{ SLICE("\xc2\x80\xdf\xbf"), SLICE("\"\xc2\x80\xdf\xbf\"") },
		{ SLICE("\xe0\xa0\x80\xef\xbf\xbf"), SLICE("\"\xe0\xa0\x80\xef\xbf\xbf\"") },
		{ SLICE("\xed\x9f\xbf\xee\x80\x80"), SLICE("\"\xed\x9f\xbf\xee\x80\x80\"") },
		{ SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), SLICE("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"") },
		/* Lone, cut off, overlong, surrogate, too large. */
		{ SLICE("a\x80z"), SLICE("\"a" BAD_BYTE "z\"") },
		{ SLICE("\xff"), SLICE("\"" BAD_BYTE "\"") },
		{ SLICE("\xc3"), SLICE("\"" BAD_BYTE "\"") },
		{ SLICE("\xc3z"), SLICE("\"" BAD_BYTE "z\"") },
		{ SLICE("\xe2\x82"), SLICE("\"" BAD_BYTE BAD_BYTE "\"") },
		{ SLICE("\xf0\x9f\x98z"), SLICE("\"" BAD_BYTE BAD_BYTE BAD_BYTE "z\"") },
		{ SLICE("\xc0\x80"), SLICE("\"" BAD_BYTE BAD_BYTE "\"") },
		{ SLICE("\xc1\xbf"), SLICE("\"" BAD_BYTE BAD_BYTE "\"") },
		{ SLICE("\xe0\x9f\xbf"), SLICE("\"" BAD_BYTE BAD_BYTE BAD_BYTE "\"") },
		{ SLICE("\xed\xa0\x80"), SLICE("\"" BAD_BYTE BAD_BYTE BAD_BYTE "\"") },
		{ SLICE("\xf0\x8f\xbf\xbf"), SLICE("\"" BAD_BYTE BAD_BYTE BAD_BYTE BAD_BYTE "\"") },
		{ SLICE("\xf4\x90\x80\x80"), SLICE("\"" BAD_BYTE BAD_BYTE BAD_BYTE BAD_BYTE "\"") },
		{ SLICE("\xf5"), SLICE("\"" BAD_BYTE "\"") },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		struct buf b = { 0 };
		/* Of its own size, for a sanitizer to see who reads beyond it. */
		char *text = malloc(rows[i].text.len);

		memcpy(text, rows[i].text.at, rows[i].text.len);
		buf_add_json(&b, (struct slice){ text, rows[i].text.len });
		free(text);
		expect(&b, rows[i].json);
	}
}
END_TEST

Suite *buf_suite(void);

Suite *buf_suite(void)
{
	const TTest *tests[] = {
		what_is_added_follows_what_is_there,
		nothing_may_be_added,
		it_grows_and_keeps_its_content,
		reserved_room_is_behind_the_present_bytes,
		a_failed_allocation_is_remembered_until_it_is_freed,
		more_than_any_memory_fails_and_does_not_hang,
		numbers_are_written_as_printf_writes_them,
		json_is_quoted_and_what_is_not_utf8_is_replaced,
	};
	return suite_of("buf", tests, countof(tests));
}
