#include "../../daemon/buf.h"
#include "../../daemon/http_query.h"
#include "testing.h"

#include <stdlib.h>

START_TEST(a_query_gives_decoded_values)
{
	static const struct {
		const char *query, *name;
		int result;
		const char *value;
	} rows[] = {
		{ "deadline=500ms", "deadline", 5, "500ms" },
		{ "a=1&b=2&c=3", "b", 1, "2" },
		{ "a=1&b=2&c=3", "c", 1, "3" },
		{ "a=1&a=2", "a", 1, "1" },
		{ "a=b=c", "a", 3, "b=c" },
		{ "a", "a", 0, "" },
		{ "a=", "a", 0, "" },
		{ "&&a=1&", "a", 1, "1" },
		{ "a=x+y%20z%2B%26%3d", "a", 8, "x y z+&=" },
		{ "arg%2Ewidth=5", "arg.width", 1, "5" },
		{ "a=%c3%A4", "a", 2, "\xc3\xa4" },
		{ "a=12345678", "a", 8, "12345678" },
		{ "", "a", -1, "" },
		{ "ab=1", "a", -1, "" },
		{ "a=1", "ab", -1, "" },
		{ "A=1", "a", -1, "" },
		{ "b=a=1", "a", -1, "" },
		{ "%=1&a=2", "a", 1, "2" },
		{ "a=%", "a", -2, "" },
		{ "a=%2", "a", -2, "" },
		{ "a=%2&b=0", "a", -2, "" },
		{ "a=%2g", "a", -2, "" },
		{ "a=%g2", "a", -2, "" },
		{ "a=123456789", "a", -2, "" },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		char room[8];
		size_t len = strlen(rows[i].query);
		char *query = malloc(len);
		int n;

		memcpy(query, rows[i].query, len);
		n = http_query_value((struct slice){ query, len }, slice_of(rows[i].name), room, sizeof(room));
		ck_assert_msg(n == rows[i].result, "%s: %d", rows[i].query, n);
		if (n > 0)
			ck_assert_mem_eq(room, rows[i].value, (size_t)n);
		free(query);
	}
	ck_assert_int_eq(http_query_value((struct slice){ 0 }, SLICE("a"), NULL, 0), -1);
}
END_TEST

START_TEST(a_query_is_taken_apart_pair_by_pair)
{
	static const struct {
		const char *query;
		const char *pairs;      /* NAME>VALUE| of each */
		int end;
	} rows[] = {
		{ "a=1&b=2", "a>1|b>2|", 0 },
		{ "&&a=1&&b&", "a>1|b>|", 0 },
		{ "arg.x=a%26b%3D+c&arg%2ey=", "arg.x>a&b= c|arg.y>|", 0 },
		{ "=x&a=b=c", ">x|a>b=c|", 0 },
		{ "a=1&b=%2&c=3", "a>1|", -2 },
		{ "a%=1", "", -2 },
		{ "", "", 0 },
		{ "&", "", 0 },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		size_t len = strlen(rows[i].query);
		char *bytes = malloc(len + 1), *room = malloc(len + 1), *left = room;
		struct slice query = { bytes, len };
		struct buf is = { 0 };
		struct http_pair pair;
		int n;

		memcpy(bytes, rows[i].query, len);
		while ((n = http_query_next(&query, &pair, &left)) > 0)
			buf_addf(&is, "%.*s>%.*s|", (int)pair.name.len, pair.name.at, (int)pair.value.len, pair.value.at);
		buf_add_char(&is, '\0');
		ck_assert_str_eq(is.at, rows[i].pairs);
		ck_assert_int_eq(n, rows[i].end);
		ck_assert(left <= room + len);
		buf_free(&is);
		free(bytes);
		free(room);
	}
}
END_TEST

Suite *http_query_suite(void);

Suite *http_query_suite(void)
{
	const TTest *tests[] = {
		a_query_gives_decoded_values,
		a_query_is_taken_apart_pair_by_pair,
	};
	return suite_of("http_query", tests, countof(tests));
}
