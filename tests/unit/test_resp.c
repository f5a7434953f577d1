#include "../../daemon/resp.h"
#include "pieces.h"
#include "../../lib/sanitized.h"

/* ---- What the parser says, as text ---- */

enum { MAX_BULK = 32 };

static void *resp_open(void)
{
	struct resp_parser *p = malloc(sizeof(*p));

	insist(p);
	memset(p, 0xa5, sizeof(*p));
	resp_parser_init(p);
	return p;
}

static void resp_close(void *parser)
{
	resp_parser_free(parser);
	free(parser);
}

static struct parse_result resp_feed(void *parser, char *window, size_t len)
{
	return resp_parse(parser, window, len, MAX_BULK);
}

static void resp_describe(void *parser, const struct parse_result *result, struct buf *to)
{
	const struct resp_parser *p = parser;

	if (result->status == PARSE_BAD) {
		insist(result->why);
		buf_addf(to, "BAD %s\n", result->why);
		return;
	}
	if (result->status == PARSE_TOOBIG) {
		buf_addf(to, "TOOBIG\n");
		return;
	}
	insist(p->argc >= 1);
	for (size_t i = 0; i < p->argc; i++) {
		buf_add_char(to, '<');
		buf_add_slice(to, p->argv[i]);
		buf_add_char(to, '>');
	}
	buf_add_char(to, '\n');
}

static const struct pieces resp = { resp_open, resp_close, resp_feed, resp_describe };

struct row {
	struct slice bytes;
	const char *said;
};

static void expect_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		feed_expect(&resp, rows[i].bytes, rows[i].said);
}

/* `bytes` is refused as soon as it is there, and without its last byte it is not. */
static void expect_certain(struct slice bytes, const char *said)
{
	feed_expect(&resp, bytes, said);
	feed_expect(&resp, (struct slice){ bytes.at, bytes.len - 1 }, "");
}

#define A16 "aaaaaaaaaaaaaaaa"

#define BAD_ARRAY "BAD the length of the array is not a number\n"
#define BAD_LENGTH "BAD the length of an element is not a number\n"
#define BAD_END "BAD an element of the array does not end with CR LF\n"
#define BAD_QUOTES "BAD unbalanced quotes\n"
#define BAD_MANY "BAD too many arguments\n"

/* ---- Arrays ---- */

START_TEST(an_array_of_bulk_strings_is_a_command)
{
	static const struct row rows[] = {
		{ SLICE("*1\r\n$4\r\nPING\r\n"), "<PING>\n" },
		{ SLICE("*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$5\r\nhello\r\n"), "<RUN><echo><hello>\n" },
		{ SLICE("*2\r\n$4\r\nECHO\r\n$0\r\n\r\n"), "<ECHO><>\n" },
		{ SLICE("*1\r\n$0\r\n\r\n"), "<>\n" },
		{ SLICE("*2\r\n$1\r\na\r\n$6\r\n\r\n$1\r\n\r\n"), "<a><\r\n$1\r\n>\n" },
		{ SLICE("*1\r\n$12\r\n\"quoted\\x20\"\r\n"), "<\"quoted\\x20\">\n" },
	};

	expect_rows(rows, countof(rows));
	feed_expect(&resp, SLICE("*1\r\n$3\r\n\0\n\xff\r\n*1\r\n$1\r\nb\r\n"), "<@\n\xff>\n<b>\n");
}
END_TEST

START_TEST(an_array_of_nothing_is_skipped)
{
	static const struct row rows[] = {
		{ SLICE("*0\r\n*1\r\n$1\r\na\r\n"), "<a>\n" },
		{ SLICE("*-1\r\n*-99\r\n*0\r\nPING\r\n"), "<PING>\n" },
	};
	struct feed f = feed_open(&resp);

	expect_rows(rows, countof(rows));
	feed_say(&f, SLICE("*0\r\n*0\r\n"));
	ck_assert_uint_eq(f.len, 0);
	feed_close(&f);
}
END_TEST

START_TEST(a_malformed_array_is_refused_as_soon_as_it_is_certain)
{
	static const struct row rows[] = {
		{ SLICE("*\r"), BAD_ARRAY },
		{ SLICE("*x"), BAD_ARRAY },
		{ SLICE("* "), BAD_ARRAY },
		{ SLICE("*+"), BAD_ARRAY },
		{ SLICE("*1x"), BAD_ARRAY },
		{ SLICE("*01"), BAD_ARRAY },
		{ SLICE("*00"), BAD_ARRAY },
		{ SLICE("*-\r"), BAD_ARRAY },
		{ SLICE("*-x"), BAD_ARRAY },
		{ SLICE("*--"), BAD_ARRAY },
		{ SLICE("*-0\r"), BAD_ARRAY },
		{ SLICE("*1\n"), BAD_ARRAY },
		{ SLICE("*1\rx"), BAD_ARRAY },
		{ SLICE("*1234567890123456789"), BAD_ARRAY },
		{ SLICE("*-1234567890123456789"), BAD_ARRAY },
		{ SLICE("*1\r\nP"), "BAD an element of the array does not begin with '$'\n" },
		{ SLICE("*1\r\n\r"), "BAD an element of the array does not begin with '$'\n" },
		{ SLICE("*1\r\n:"), "BAD an element of the array does not begin with '$'\n" },
		{ SLICE("*1\r\n*"), "BAD an element of the array does not begin with '$'\n" },
		{ SLICE("*2\r\n$1\r\na\r\n*"), "BAD an element of the array does not begin with '$'\n" },
		{ SLICE("*1\r\n$\r"), BAD_LENGTH },
		{ SLICE("*1\r\n$x"), BAD_LENGTH },
		{ SLICE("*1\r\n$1x"), BAD_LENGTH },
		{ SLICE("*1\r\n$1\n"), BAD_LENGTH },
		{ SLICE("*1\r\n$1\rx"), BAD_LENGTH },
		{ SLICE("*1\r\n$01"), BAD_LENGTH },
		{ SLICE("*1\r\n$9999999999999999999"), BAD_LENGTH },
		{ SLICE("*1\r\n$-1\r\n"), "BAD the length of an element is negative\n" },
		{ SLICE("*1\r\n$1\r\na\n"), BAD_END },
		{ SLICE("*1\r\n$1\r\nab"), BAD_END },
		{ SLICE("*1\r\n$1\r\na\rb"), BAD_END },
		{ SLICE("*1\r\n$0\r\na"), BAD_END },
	};

	for (size_t i = 0; i < countof(rows); i++)
		expect_certain(rows[i].bytes, rows[i].said);
}
END_TEST

/* An array of `n` arguments of one letter, and what is said of it. */
static void build_array(size_t n, struct buf *bytes, struct buf *said)
{
	buf_addf(bytes, "*%zu\r\n", n);
	for (size_t i = 0; i < n; i++) {
		buf_addf(bytes, "$1\r\n%c\r\n", (int)('a' + i % 26));
		buf_addf(said, "<%c>", (int)('a' + i % 26));
	}
	buf_add_slice(said, SLICE("\n"));
}

START_TEST(an_array_has_up_to_1024_elements)
{
	static const size_t sizes[] = { 1, 2, 15, 16, 17, 63, 64, 65, 255, 256, 257, RESP_ARGS_MAX };

	for (size_t i = 0; i < countof(sizes); i++) {
		struct buf bytes = { 0 }, said = { 0 };

		build_array(sizes[i], &bytes, &said);
		build_array(2, &bytes, &said);
		buf_add_char(&said, '\0');
		feed_expect_cut(&resp, buf_slice(&bytes), uncut, said.at);
		feed_expect_cut(&resp, buf_slice(&bytes), every_byte, said.at);
		for (size_t at = 1; at < bytes.len; at += 1 + sizes[i] / 8)
			feed_expect_cut(&resp, buf_slice(&bytes), (struct cuts){ at, SIZE_MAX }, said.at);
		buf_free(&bytes);
		buf_free(&said);
	}
	expect_certain(SLICE("*1025\r\n$3\r\nRUN\r\n"), BAD_MANY);
	expect_certain(SLICE("*1025\r\n$4\r\n"), BAD_MANY);
	expect_certain(SLICE("*1025\r\n$0\r\n"), BAD_MANY);
	expect_certain(SLICE("*10065\r\n"), BAD_MANY);
	expect_certain(SLICE("*999999999999999999\r\n"), BAD_MANY);
}
END_TEST

START_TEST(of_map_an_array_may_have_as_many_as_it_takes)
{
	struct buf bytes = { 0 };
	struct resp_parser *p = resp_open();
	struct parse_result result;

	buf_addf(&bytes, "*%d\r\n$3\r\nmaP\r\n", RESP_MAP_ARGS_MAX);
	for (int i = 1; i < RESP_MAP_ARGS_MAX; i++)
		buf_add_slice(&bytes, SLICE("$2\r\nab\r\n"));
	/* Framing alone is no reason to say that it is too big. */
	result = resp_parse(p, bytes.at, bytes.len, 3 * RESP_MAP_ARGS_MAX);
	ck_assert_int_eq(result.status, PARSE_DONE);
	ck_assert_uint_eq(result.used, bytes.len);
	ck_assert_uint_eq(p->argc, RESP_MAP_ARGS_MAX);
	ck_assert(slice_is(p->argv[RESP_MAP_ARGS_MAX - 1], SLICE("ab")));
	resp_close(p);
	buf_free(&bytes);

	struct feed f = feed_open(&resp);

	((struct resp_parser *)f.parser)->max_args = 10;
	feed_say(&f, SLICE("*1025\r\n"));
	ck_assert(slice_is(buf_slice(&f.said), SLICE(BAD_MANY)));
	feed_close(&f);
}
END_TEST

START_TEST(fewer_arguments_may_be_allowed)
{
	struct feed f = feed_open(&resp);
	struct resp_parser *p = f.parser;

	p->max_args = 3;
	feed_say(&f, SLICE("*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"));
	feed_say(&f, SLICE("a b c\r\n"));
	resp_parser_free(p);
	feed_say(&f, SLICE("*4\r\n"));
	feed_close(&f);

	f = feed_open(&resp);
	p = f.parser;
	p->max_args = 3;
	feed_say(&f, SLICE("a b c \r\na b c d\r\n"));
	ck_assert(slice_is(buf_slice(&f.said), SLICE("<a><b><c>\n" BAD_MANY)));
	feed_close(&f);
}
END_TEST

START_TEST(an_idle_connection_holds_no_memory)
{
	struct feed f = feed_open(&resp);
	struct resp_parser *p = f.parser;
	struct buf bytes = { 0 }, said = { 0 };

	build_array(16, &bytes, &said);
	feed_say(&f, buf_slice(&bytes));
	ck_assert_ptr_null(p->many);
	buf_free(&bytes);
	build_array(17, &bytes, &said);
	buf_add_slice(&bytes, SLICE("PING\r\n"));
	buf_add_slice(&said, SLICE("<PING>\n"));
	feed_say(&f, buf_slice(&bytes));
	ck_assert_ptr_null(p->many);
	ck_assert(slice_is(buf_slice(&f.said), buf_slice(&said)));
	buf_free(&bytes);
	buf_free(&said);
	feed_close(&f);
}
END_TEST

/* ---- Limits ---- */

START_TEST(a_command_over_its_limit_is_skipped_and_the_connection_goes_on)
{
	static const struct row rows[] = {
		{ SLICE("*1\r\n$32\r\n" A16 A16 "\r\n"), "<" A16 A16 ">\n" },
		{ SLICE("*1\r\n$33\r\n" A16 A16 "a\r\nPING\r\n"), "TOOBIG\n<PING>\n" },
		{ SLICE("*3\r\n$1\r\na\r\n$33\r\n" A16 A16 "a\r\n$1\r\nb\r\n*1\r\n$1\r\nc\r\n"), "TOOBIG\n<c>\n" },
		{ SLICE("*2\r\n$33\r\n" A16 A16 "a\r\n$33\r\n" A16 A16 "a\r\nPING\r\n"), "TOOBIG\n<PING>\n" },
		{ SLICE("*2\r\n$33\r\n" A16 A16 "a\r\n$x"), BAD_LENGTH },
		{ SLICE("*2\r\n$33\r\n" A16 A16 "a\r\nx"), "BAD an element of the array does not begin with '$'\n" },
		{ SLICE("*2\r\n$33\r\n" A16 A16 "ab"), BAD_END },
		/* Inline as well. */
		{ SLICE("RUN echo " A16 A16 "a\r\nPING\r\n"), "TOOBIG\n<PING>\n" },
		{ SLICE("RUN \"" A16 A16 "\\x61\"\r\nPING\r\n"), "TOOBIG\n<PING>\n" },
		{ SLICE("RUN \"" A16 "aaaaaaaaaaaa\\x61\"\r\n"), "<RUN><" A16 "aaaaaaaaaaaaa>\n" },
		{ SLICE("RUN " A16 A16 "a \"b\r\n"), BAD_QUOTES },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(what_is_skipped_does_not_stay_in_the_window)
{
	struct feed f = feed_open(&resp);
	char some[1000] = { 0 };

	ck_assert_uint_eq(feed_say(&f, SLICE("*2\r\n$1\r\na\r\n$1000000\r\n")).want, 65536);
	for (int i = 0; i < 1000; i++)
		feed_say(&f, (struct slice){ some, sizeof(some) });
	ck_assert_uint_eq(f.longest, 0);
	feed_say(&f, SLICE("\r\nPING\r\n"));
	ck_assert(slice_is(buf_slice(&f.said), SLICE("TOOBIG\n<PING>\n")));
	feed_close(&f);
}
END_TEST

START_TEST(a_command_that_would_take_forever_to_skip_is_refused)
{
	static const struct row rows[] = {
		/* The whole of it counts, framing and all. */
		{ SLICE("*1\r\n$67108847\r\n"), "" },
		{ SLICE("*1\r\n$67108848\r\n"), "BAD the command is too long\n" },
		{ SLICE("*1\r\n$999999999999999999\r\n"), "BAD the command is too long\n" },
		{ SLICE("*2\r\n$33\r\n" A16 A16 "a\r\n$67108840\r\n"), "BAD the command is too long\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

static struct parse_result resp_feed_more(void *parser, char *window, size_t len)
{
	return resp_parse(parser, window, len, 1000);
}

START_TEST(all_arguments_together_have_a_limit)
{
	static const struct pieces roomy = { resp_open, resp_close, resp_feed_more, resp_describe };
	const size_t limit = 1000 + 65536;
	char some[1000];
	struct buf whole = { 0 }, said = { 0 };

	memset(some, 'x', sizeof(some));
	/* Many that are within their own limit, and a last one that reaches that of all to the byte. */
	buf_add_slice(&whole, SLICE("*67\r\n"));
	for (int i = 0; i < 66; i++) {
		size_t n = i < 65 ? 1000 : limit - whole.len - strlen("$xxx\r\n\r\n$0\r\n\r\n");

		buf_addf(&whole, "$%zu\r\n%.*s\r\n", n, (int)n, some);
		buf_addf(&said, "<%.*s>", (int)n, some);
	}
	buf_add_slice(&whole, SLICE("$0\r\n\r\n"));
	ck_assert_uint_eq(whole.len, limit);
	buf_add(&said, "<>\n", 4);
	feed_expect(&roomy, buf_slice(&whole), said.at);

	whole.len -= strlen("$0\r\n\r\n");
	buf_add_slice(&whole, SLICE("$1\r\na\r\nPING\r\n"));
	feed_expect(&roomy, buf_slice(&whole), "TOOBIG\n<PING>\n");
	buf_free(&whole);
	buf_free(&said);
}
END_TEST

START_TEST(it_wants_as_much_as_is_certain_to_come)
{
	struct feed f = feed_open(&resp);

	ck_assert_uint_eq(feed_parse(&f).want, 1);
	ck_assert_uint_eq(feed_say(&f, SLICE("*1")).want, 3);
	ck_assert_uint_eq(feed_say(&f, SLICE("\r\n")).want, 5);
	ck_assert_uint_eq(feed_say(&f, SLICE("$20\r\n")).want, 9 + 20 + 2);
	ck_assert_uint_eq(feed_say(&f, SLICE(A16)).want, 9 + 20 + 2);
	ck_assert_uint_eq(feed_say(&f, SLICE("aaaa\r")).want, 9 + 20 + 2);
	ck_assert_uint_eq(feed_say(&f, SLICE("\n")).want, 1);
	ck_assert_uint_eq(feed_say(&f, SLICE("PING")).want, 5);
	feed_close(&f);
}
END_TEST

/* ---- Inline ---- */

START_TEST(a_line_is_a_command)
{
	static const struct row rows[] = {
		{ SLICE("PING\r\n"), "<PING>\n" },
		{ SLICE("PING\n"), "<PING>\n" },
		{ SLICE("RUN echo hello\r\n"), "<RUN><echo><hello>\n" },
		{ SLICE(" \t RUN \t echo  \r\n"), "<RUN><echo>\n" },
		{ SLICE("PING\rPONG\r\r\n"), "<PING><PONG>\n" },
		{ SLICE("$3 +x :1\r\n"), "<$3><+x><:1>\n" },
		{ SLICE("a\xc3\xa4\xff\x01\x7f\r\n"), "<a\xc3\xa4\xff\x01\x7f>\n" },
		{ SLICE("a\\nb\r\n"), "<a\\nb>\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(an_empty_line_is_skipped)
{
	static const struct row rows[] = {
		{ SLICE("\r\n\n \r\n\t\nPING\r\n\r\n"), "<PING>\n" },
		{ SLICE("\r\n*1\r\n$1\r\na\r\n"), "<a>\n" },
	};
	struct feed f = feed_open(&resp);

	expect_rows(rows, countof(rows));
	feed_say(&f, SLICE("\r\n \r\n"));
	ck_assert_uint_eq(f.len, 0);
	feed_close(&f);
}
END_TEST

START_TEST(quotes_are_those_of_redis_cli)
{
	static const struct row rows[] = {
		{ SLICE("RUN upper \"hello world\"\r\n"), "<RUN><upper><hello world>\n" },
		{ SLICE("a '' \"\"\r\n"), "<a><><>\n" },
		{ SLICE("\"\"\n"), "<>\n" },
		{ SLICE("\"\\x41\\x4a\\x6A\"\r\n"), "<AJj>\n" },
		{ SLICE("\"\\n\\r\\t\\b\\a\"\r\n"), "<\n\r\t\b\a>\n" },
		{ SLICE("\"\\\"\\\\\\q\\'\"\r\n"), "<\"\\q'>\n" },
		{ SLICE("\"\\xg1\\x1g\\x\"\r\n"), "<xg1x1gx>\n" },
		{ SLICE("\"it's\"\r\n"), "<it's>\n" },
		{ SLICE("'\\n\\x41\\\\ '\r\n"), "<\\n\\x41\\\\ >\n" },
		{ SLICE("'it\\'s' b\r\n"), "<it's><b>\n" },
		{ SLICE("'say \"x\"'\r\n"), "<say \"x\">\n" },
		{ SLICE("a\"b c\" d'e f'\r\n"), "<ab c><de f>\n" },
		{ SLICE("\"a\"\tb\r\n"), "<a><b>\n" },
		{ SLICE("\"tab\there\"\n"), "<tab\there>\n" },
	};

	expect_rows(rows, countof(rows));
}
END_TEST

START_TEST(unbalanced_quotes_are_refused)
{
	static const char *const lines[] = {
		"\"\n", "'\n", "a \"b\n", "a 'b\n", "a b\"\n", "\"a\"b\n", "'a'b\n", "\"a\"\"b\"\n", "'a''b'\n", "\"a\\\"\n", "'a\\'\n", "'a\\\\'\n",
		"\"a\\\n", "\"a'\n", "\"\\x\n", "\"\\x4\n",
	};

	for (size_t i = 0; i < countof(lines); i++)
		expect_certain(slice_of(lines[i]), BAD_QUOTES);
}
END_TEST

START_TEST(an_inline_command_has_up_to_64_kib_and_1024_arguments)
{
	static char line[RESP_INLINE_MAX + 3];
	size_t n = 0;

	/* Blank but for its beginning, since one argument may not be as long. */
	memset(line, ' ', sizeof(line));
	memcpy(line, "PING", 4);
	line[RESP_INLINE_MAX] = '\n';
	feed_expect(&resp, (struct slice){ line, RESP_INLINE_MAX + 1 }, "<PING>\n");
	line[RESP_INLINE_MAX] = ' ';
	line[RESP_INLINE_MAX + 1] = '\n';
	expect_certain((struct slice){ line, RESP_INLINE_MAX + 1 }, "BAD the inline command is too long\n");
	feed_expect_cut(&resp, (struct slice){ line, RESP_INLINE_MAX + 2 }, uncut, "BAD the inline command is too long\n");

	for (size_t i = 0; i < RESP_ARGS_MAX; i++) {
		line[n++] = 'a';
		line[n++] = ' ';
	}
	line[n] = '\n';
	{
		struct feed f = feed_open(&resp);

		feed_say(&f, (struct slice){ line, n + 1 });
		ck_assert(!f.over);
		ck_assert_uint_eq(f.said.len, RESP_ARGS_MAX * 3 + 1);
		feed_close(&f);
	}
	memcpy(line + n, "a\n", 2);
	feed_expect(&resp, (struct slice){ line, n + 2 }, BAD_MANY);
}
END_TEST

START_TEST(a_nul_in_a_line_is_refused_as_soon_as_it_is_there)
{
	expect_certain(SLICE("\x16\x03\x01\0"), "BAD a NUL in an inline command\n");
	expect_certain(SLICE("PING \0"), "BAD a NUL in an inline command\n");
	feed_expect(&resp, SLICE("PING\r\n\0"), "<PING>\nBAD a NUL in an inline command\n");
	feed_expect(&resp, SLICE("PING \0\r\n"), "BAD a NUL in an inline command\n");
}
END_TEST

/* ---- Both ---- */

START_TEST(commands_may_follow_each_other_at_once)
{
	static const struct {
		const char *bytes, *said;
	} kinds[] = {
		{ "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$5\r\nhello\r\n", "<RUN><echo><hello>\n" },
		{ "RUN upper \"hello world\"\r\n", "<RUN><upper><hello world>\n" },
		{ "\r\n*0\r\nPING\n", "<PING>\n" },
		{ "*2\r\n$1\r\na\r\n$34\r\n" A16 A16 "\r\n\r\n", "TOOBIG\n" },
		{ "*1\r\n$32\r\n" A16 A16 "\r\n", "<" A16 A16 ">\n" },
	};
	struct buf bytes = { 0 }, said = { 0 };

	for (size_t i = 0; i < 100; i++) {
		buf_add_slice(&bytes, slice_of(kinds[i * 7 % countof(kinds)].bytes));
		buf_add_slice(&said, slice_of(kinds[i * 7 % countof(kinds)].said));
	}
	buf_add_char(&said, '\0');
	feed_expect_cut(&resp, buf_slice(&bytes), uncut, said.at);
	feed_expect_cut(&resp, buf_slice(&bytes), every_byte, said.at);
	for (size_t step = 2; step < 300; step += 7)
		feed_expect_cut(&resp, buf_slice(&bytes), (struct cuts){ step, step }, said.at);
	buf_free(&bytes);
	buf_free(&said);
}
END_TEST

START_TEST(a_window_of_nothing_wants_one_byte)
{
	struct resp_parser p;
	struct parse_result result;

	resp_parser_init(&p);
	result = resp_parse(&p, NULL, 0, MAX_BULK);
	ck_assert_uint_eq(result.status, PARSE_MORE);
	ck_assert_uint_eq(result.used, 0);
	ck_assert_uint_eq(result.want, 1);
	resp_parser_free(&p);
}
END_TEST

START_TEST(noise_does_no_harm)
{
	static const struct slice seeds[] = {
		SLICE("*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$5\r\nhello\r\nPING\r\n*1\r\n$4\r\nPING\r\n"),
		SLICE("RUN upper \"hello \\x41 \\\" world\" 'a\\'b'\r\n*0\r\n\r\nPING\n"),
		SLICE("*2\r\n$3\r\nRUN\r\n$40\r\n" A16 A16 "aaaaaaaa\r\n*-1\r\nRUN " A16 A16 A16 "\r\n"),
		SLICE("*20\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n"
		      "$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n"
		      "$1\r\na\r\nPING\r\n"),
	};
	static const char spice[] = "\r\n\r\n$*- \t\"'\\x0123456789a\xff";

	feed_noise(&resp, seeds, countof(seeds), spice, sizeof(spice), IS_SANITIZED ? 10000 : 100000);
}
END_TEST

/* ---- Answers ---- */

START_TEST(answers_are_written_as_redis_writes_them)
{
	struct buf b = { 0 };

	resp_add_simple(&b, "PONG");
	resp_add_error(&b, SLICE("BUSY queue full"));
	resp_add_int(&b, 0);
	resp_add_int(&b, 1234);
	resp_add_int(&b, -7);
	resp_add_int(&b, INT64_MAX);
	resp_add_int(&b, INT64_MIN);
	resp_add_bulk(&b, SLICE("hello"));
	resp_add_bulk(&b, SLICE("\r\n\0"));
	resp_add_bulk(&b, (struct slice){ 0 });
	resp_add_null(&b, 2);
	resp_add_null(&b, 3);
	resp_add_array(&b, 0);
	resp_add_array(&b, 12);
	resp_add_map(&b, 3, 2);
	resp_add_map(&b, 3, 3);
	ck_assert(!b.failed);
	ck_assert(slice_is(buf_slice(&b),
			   SLICE("+PONG\r\n-BUSY queue full\r\n:0\r\n:1234\r\n:-7\r\n:9223372036854775807\r\n:-9223372036854775808\r\n"
				 "$5\r\nhello\r\n$3\r\n\r\n\0\r\n$0\r\n\r\n$-1\r\n_\r\n*0\r\n*12\r\n*6\r\n%3\r\n")));
	buf_free(&b);
}
END_TEST

START_TEST(an_error_stays_on_one_line)
{
	struct buf b = { 0 };

	resp_add_error(&b, SLICE("ERR a\r\n+OK\0\t\x1f\x7f\xc3\xa4"));
	resp_add_simple(&b, "a\r\nb");
	ck_assert(slice_is(buf_slice(&b), SLICE("-ERR a  +OK    \xc3\xa4\r\n+a  b\r\n")));
	buf_free(&b);
}
END_TEST

/* Cut at every byte: what has come is thrown away from there on, and what follows is understood. */
START_TEST(a_request_can_be_thrown_away_from_any_byte_on)
{
	static const char text[] = "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$30\r\n" A16 "aaaaaaaaaaaaaa\r\n" "PING\r\n";
	struct slice head[2];

	for (size_t cut = 1; cut < strlen(text) - 6; cut++) {
		char window[1024];
		size_t len = cut, sent = cut;
		struct resp_parser p;
		struct parse_result r;

		memcpy(window, text, cut);
		resp_parser_init(&p);
		r = resp_parse(&p, window, len, MAX_BULK);
		ck_assert_int_eq(r.status, PARSE_MORE);
		memmove(window, window + r.used, len -= r.used);
		if (!resp_skip(&p, window, head)) {
			/* Of a head there is nothing to throw away yet. */
			ck_assert_uint_lt(cut, 5);
			resp_parser_free(&p);
			continue;
		}
		ck_assert(slice_is(head[0], cut >= 11 ? SLICE("RUN") : SLICE("")));
		ck_assert(slice_is(head[1], cut >= 21 ? SLICE("echo") : SLICE("")));
		do {
			r = resp_parse(&p, window, len, MAX_BULK);
			memmove(window, window + r.used, len -= r.used);
			if (r.status == PARSE_MORE)
				window[len++] = text[sent++];
		} while (r.status == PARSE_MORE);
		ck_assert_int_eq(r.status, PARSE_TOOBIG);
		ck_assert_uint_eq(sent + 6, strlen(text));
		ck_assert_uint_eq(len, 0);
		memcpy(window, text + sent, len = 6);
		r = resp_parse(&p, window, len, MAX_BULK);
		ck_assert_int_eq(r.status, PARSE_DONE);
		resp_parser_free(&p);
	}
}
END_TEST

/* Only MAP may be so long, so that until its name has come nobody knows whether it is a request at all. */
START_TEST(a_long_array_can_be_thrown_away_once_its_name_is_there)
{
	static const char text[] = "*2000\r\n$3\r\nMAP\r\n$4\r\nec";

	for (size_t cut = 7; cut < strlen(text); cut++) {
		char window[64];
		struct slice head[2];
		struct resp_parser p;

		memcpy(window, text, cut);
		resp_parser_init(&p);
		ck_assert_int_eq(resp_parse(&p, window, cut, MAX_BULK).status, PARSE_MORE);
		ck_assert_int_eq(resp_skip(&p, window, head), cut >= 16);
		ck_assert(cut < 16 || slice_is(head[0], SLICE("MAP")));
		resp_parser_free(&p);
	}
}
END_TEST

Suite *resp_suite(void);

Suite *resp_suite(void)
{
	const TTest *tests[] = {
		a_request_can_be_thrown_away_from_any_byte_on,
		a_long_array_can_be_thrown_away_once_its_name_is_there,
		an_array_of_bulk_strings_is_a_command,
		an_array_of_nothing_is_skipped,
		a_malformed_array_is_refused_as_soon_as_it_is_certain,
		an_array_has_up_to_1024_elements,
		of_map_an_array_may_have_as_many_as_it_takes,
		fewer_arguments_may_be_allowed,
		an_idle_connection_holds_no_memory,
		a_command_over_its_limit_is_skipped_and_the_connection_goes_on,
		what_is_skipped_does_not_stay_in_the_window,
		a_command_that_would_take_forever_to_skip_is_refused,
		all_arguments_together_have_a_limit,
		it_wants_as_much_as_is_certain_to_come,
		a_line_is_a_command,
		an_empty_line_is_skipped,
		quotes_are_those_of_redis_cli,
		unbalanced_quotes_are_refused,
		an_inline_command_has_up_to_64_kib_and_1024_arguments,
		a_nul_in_a_line_is_refused_as_soon_as_it_is_there,
		commands_may_follow_each_other_at_once,
		a_window_of_nothing_wants_one_byte,
		noise_does_no_harm,
		answers_are_written_as_redis_writes_them,
		an_error_stays_on_one_line,
	};
	return suite_of("resp", tests, countof(tests));
}
