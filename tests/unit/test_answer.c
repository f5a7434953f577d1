#include "../../daemon/answer.h"
#include "testing.h"

static void expect_line(const struct answer *a, const char *line)
{
	struct buf b = { 0 };

	answer_add_line(a, &b);
	buf_add_char(&b, '\0');
	ck_assert_str_eq(b.at, line);
	buf_free(&b);
}

START_TEST(a_line_is_the_code_the_words_and_the_facts)
{
	struct answer a = answer_make(CODE_BUSY, "queue full");

	answer_fact_text(&a, "reason", SLICE("queue_full"));
	answer_fact(&a, "retry_ms", 137);
	expect_line(&a, "BUSY queue full reason=queue_full retry_ms=137");
	ck_assert_int_eq(answer_number(&a, "retry_ms"), 137);
	ck_assert_int_eq(answer_number(&a, "reason"), -1);
}
END_TEST

START_TEST(a_text_that_is_not_one_word_is_quoted_and_cannot_forge_a_fact)
{
	struct answer a = answer_make(CODE_FAILED, "exited with status 3");

	answer_fact_text(&a, "error", SLICE("no \"such\" file\r\nretry_ms=1"));
	expect_line(&a, "FAILED exited with status 3 error=\"no \\x22such\\x22 file\\x0d\\x0aretry_ms=1\"");
}
END_TEST

START_TEST(a_problem_is_json_with_code_detail_and_the_facts)
{
	struct answer a = answer_make(CODE_TIMEOUT, "deadline passed");
	struct buf b = { 0 };

	answer_fact_text(&a, "state", SLICE("run\"ning"));
	answer_fact(&a, "after_ms", 200);
	answer_add_problem(&a, &b);
	buf_add_char(&b, '\0');
	ck_assert_str_eq(b.at, "{\"type\":\"about:blank\",\"title\":\"Gateway Timeout\",\"status\":504,\"code\":\"TIMEOUT\","
			       "\"detail\":\"deadline passed\",\"state\":\"run\\\"ning\",\"after_ms\":200}\n");
	buf_free(&b);
}
END_TEST

START_TEST(every_code_has_a_status_and_an_answer_may_have_another)
{
	struct answer a = answer_make(CODE_TOOBIG, "");

	ck_assert_int_eq(answer_http_status(&a), 413);
	a.http_status = 502;
	ck_assert_int_eq(answer_http_status(&a), 502);
	ck_assert_str_eq(answer_code_name(CODE_NOPROTO), "NOPROTO");
}
END_TEST

START_TEST(facts_beyond_the_most_are_left_out)
{
	struct answer a = answer_make(CODE_ERR, "x");

	for (int i = 0; i < 10; i++)
		answer_fact(&a, "n", i);
	expect_line(&a, "ERR x n=0 n=1 n=2 n=3 n=4 n=5");
}
END_TEST

Suite *answer_suite(void);
Suite *answer_suite(void)
{
	const TTest *const tests[] = {
		a_line_is_the_code_the_words_and_the_facts, a_text_that_is_not_one_word_is_quoted_and_cannot_forge_a_fact,
		a_problem_is_json_with_code_detail_and_the_facts, every_code_has_a_status_and_an_answer_may_have_another,
		facts_beyond_the_most_are_left_out,
	};

	return suite_of("answer", tests, countof(tests));
}
