#include "../../daemon/tokens.h"
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>

/* Of "abc" (FIPS 180) and of the empty text. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct tokens *parse_right(const char *text)
{
	struct buf errors = { 0 };
	struct tokens *t = tokens_parse(slice_of(text), "file", &errors);

	ck_assert_msg(t != NULL, "%.*s", (int)errors.len, errors.at);
	ck_assert_uint_eq(errors.len, 0);
	return t;
}

static void expect_errors(struct slice text, const char *expected)
{
	struct buf errors = { 0 };

	ck_assert_ptr_null(tokens_parse(text, "file", &errors));
	buf_add_char(&errors, '\0');
	ck_assert_str_eq(errors.at, expected);
	buf_free(&errors);
}

START_TEST(a_token_is_found_by_its_secret_and_by_nothing_else)
{
	struct tokens *t = parse_right("one " ABC " run:a,b ops\ntwo uid:12 run:*\nthree cert:some.client look\n");
	const struct token *one = tokens_find(t, SLICE("abc"));

	ck_assert_ptr_nonnull(one);
	ck_assert(slice_is(token_name(one), SLICE("one")));
	ck_assert_ptr_null(tokens_find(t, SLICE("abC")));
	ck_assert_ptr_null(tokens_find(t, SLICE("ab")));
	ck_assert_ptr_null(tokens_find(t, SLICE("")));
	ck_assert_ptr_null(tokens_find(t, SLICE(ABC)));
	ck_assert_ptr_null(tokens_find(t, SLICE("uid:12")));
	ck_assert(slice_is(token_name(tokens_find_uid(t, 12)), SLICE("two")));
	ck_assert_ptr_null(tokens_find_uid(t, 0));
	ck_assert(slice_is(token_name(tokens_find_certificate(t, SLICE("some.client"))), SLICE("three")));
	ck_assert_ptr_null(tokens_find_certificate(t, SLICE("")));
	tokens_free(t);
}
END_TEST

START_TEST(rights_are_those_that_were_said)
{
	struct tokens *t = parse_right("one " ABC " run:a,b ops\ntwo uid:12 run:*\nthree uid:13 look\nfour uid:14 run:a run:c\n");
	const struct token *one = tokens_find(t, SLICE("abc")), *two = tokens_find_uid(t, 12), *three = tokens_find_uid(t, 13);

	ck_assert(token_may_run(one, SLICE("a")) && token_may_run(one, SLICE("b")));
	ck_assert(!token_may_run(one, SLICE("ab")) && !token_may_run(one, SLICE("")) && !token_may_run(one, SLICE("A")));
	ck_assert(token_may(one, RIGHT_OPS) && token_may(one, RIGHT_LOOK));
	ck_assert(token_may_run(two, SLICE("anything")) && !token_may(two, RIGHT_OPS) && token_may(two, RIGHT_LOOK));
	ck_assert(!token_may_run(three, SLICE("a")) && !token_may(three, RIGHT_OPS) && token_may(three, RIGHT_LOOK));
	ck_assert(token_may_run(tokens_find_uid(t, 14), SLICE("c")));
	ck_assert(!token_may_run(NULL, SLICE("a")) && !token_may(NULL, RIGHT_OPS) && !token_may(NULL, RIGHT_LOOK) && token_may(NULL, RIGHT_NONE));
	ck_assert(token_may_run(&token_everybody, SLICE("a")) && token_may(&token_everybody, RIGHT_OPS));
	tokens_free(t);
}
END_TEST

START_TEST(comments_blanks_and_line_ends_do_not_matter)
{
	struct tokens *t = parse_right("; first\r\n\r\n \t one\t" ABC "  run:a # why\n#two uid:1 ops\none uid:2 look ;x ;y\n");

	ck_assert_ptr_nonnull(tokens_find(t, SLICE("abc")));
	ck_assert_ptr_null(tokens_find_uid(t, 1));
	tokens_free(t);
}
END_TEST

START_TEST(a_line_is_named_with_what_is_wrong)
{
	expect_errors(SLICE(""), "file: holds no token: `leatd --hash-token` prints the line of one\n");
	expect_errors(SLICE("a uid:1 walk\n"), "file:1: 'walk' is not a right: run:*, run:JOB,JOB, ops, or look\n");
	expect_errors(SLICE("a uid:1 look\nb uid:1 ops\n\na " ABC " ops\na " ABC " run:*\n"),
		      "file:2: the same credential as in line 1\nfile:5: the same credential as in line 4\n");
	expect_errors(SLICE("a uid:1\0look\n"), "file:1: a line of more than 4096 characters, or one with a NUL in it\n");
	expect_errors(SLICE("a uid:4294967295 look\n"), "file:1: there is no user '4294967295'\n");
	expect_errors(SLICE("a cert: look\n"), "file:1: after the name comes the SHA-256 of the token in 64 hex digits "
		      "(`leatd --hash-token` prints the line), uid:USER or cert:NAME\n");
}
END_TEST

START_TEST(there_is_an_end_to_the_tokens)
{
	struct buf text = { 0 }, errors = { 0 };
	struct tokens *t;

	for (int i = 0; i < TOKENS_MAX; i++)
		buf_addf(&text, "t uid:%d look\n", i);
	t = tokens_parse(buf_slice(&text), "file", &errors);
	ck_assert_ptr_nonnull(tokens_find_uid(t, TOKENS_MAX - 1));
	tokens_free(t);
	buf_addf(&text, "t uid:%d look\n", TOKENS_MAX);
	ck_assert_ptr_null(tokens_parse(buf_slice(&text), "file", &errors));
	buf_add_char(&errors, '\0');
	ck_assert_str_eq(errors.at, "file:1001: more than 1000 tokens\n");
	buf_free(&text);
	buf_free(&errors);
}
END_TEST

START_TEST(a_credential_is_known_again_in_another_set)
{
	struct tokens *old = parse_right("a " ABC " look\nb uid:1 look\nc cert:x look\n");
	struct tokens *new = parse_right("other uid:1 ops\nnew " EMPTY " ops\nstill " ABC " ops\n");

	ck_assert_ptr_eq(tokens_find_same(new, tokens_find(old, SLICE("abc"))), tokens_find(new, SLICE("abc")));
	ck_assert_ptr_eq(tokens_find_same(new, tokens_find_uid(old, 1)), tokens_find_uid(new, 1));
	ck_assert_ptr_null(tokens_find_same(new, tokens_find_certificate(old, SLICE("x"))));
	tokens_free(old);
	tokens_free(new);
}
END_TEST

START_TEST(a_line_that_is_printed_reads_back)
{
	struct buf line = { 0 };
	struct tokens *t;

	ck_assert(token_line(SLICE("secret"), "me", &line));
	buf_add_char(&line, '\0');
	t = parse_right(line.at);
	ck_assert(token_may_run(tokens_find(t, SLICE("secret")), SLICE("any")));
	tokens_free(t);
	buf_free(&line);
	ck_assert_ptr_null(token_fault(SLICE("a!~")));
	ck_assert_ptr_nonnull(token_fault(SLICE("")));
	ck_assert_ptr_nonnull(token_fault(SLICE("a b")));
	ck_assert_ptr_nonnull(token_fault(SLICE("a\n")));
}
END_TEST

Suite *tokens_suite(void);
Suite *tokens_suite(void)
{
	const TTest *const tests[] = {
		a_token_is_found_by_its_secret_and_by_nothing_else,
		rights_are_those_that_were_said,
		comments_blanks_and_line_ends_do_not_matter,
		a_line_is_named_with_what_is_wrong,
		there_is_an_end_to_the_tokens,
		a_credential_is_known_again_in_another_set,
		a_line_that_is_printed_reads_back,
	};
	return suite_of("tokens", tests, countof(tests));
}
