#include "pieces.h"
#include "worker_words.h"

#define EXPECT(bytes, said) feed_expect(&worker_words, SLICE(bytes), said)

START_TEST(every_word_is_heard_wherever_it_is_cut)
{
	EXPECT("READY\n", "<ready>");
	EXPECT("DONE 5\nhello", "hello<done>");
	EXPECT("DONE 0\n", "<done>");
	EXPECT("FAIL 3\nbad", "<fail bad>");
	EXPECT("FAIL 0\n", "<fail >");
	EXPECT("READY\nBEAT\nPART 3\nabcPART 0\nBEAT\nPART 1\ndDONE 2\nefFAIL 2\nno", "<ready><beat>abc<beat>def<done><fail no>");
}
END_TEST

START_TEST(bytes_of_a_body_may_be_anything)
{
	EXPECT("DONE 8\nDONE 1\n\0READY\n", "DONE 1\n@<done><ready>");
	EXPECT("PART 6\nBEAT\n\nDONE 1\n\xff", "BEAT\n\n\xff<done>");
}
END_TEST

START_TEST(a_message_is_kept_up_to_its_limit_and_without_its_line_end)
{
	char bytes[16 + WORKER_MESSAGE_MAX], expected[WORKER_MESSAGE_KEPT + 16];
	int head = snprintf(bytes, sizeof(bytes), "FAIL %d\n", WORKER_MESSAGE_MAX);

	memset(bytes + head, 'x', WORKER_MESSAGE_MAX);
	snprintf(expected, sizeof(expected), "<fail %.*s>", WORKER_MESSAGE_KEPT, bytes + head);
	feed_expect(&worker_words, (struct slice){ bytes, (size_t)head + WORKER_MESSAGE_MAX }, expected);
	EXPECT("FAIL 5\nbad\r\n", "<fail bad>");
	EXPECT("FAIL 4097\n", "<wrote a FAIL whose message is too long>");
}
END_TEST

START_TEST(whatever_else_is_rubbish)
{
	static const struct slice lines[] = {
		SLICE("\n"), SLICE("ready\n"), SLICE("READY \n"), SLICE("READY 1\n"), SLICE("READY\r\n"), SLICE("BEAT 1\n"), SLICE(" BEAT\n"),
		SLICE("DONE\n"), SLICE("DONE5\n"), SLICE("hello\n"), SLICE("\0\n"), SLICE("JOB 1 2 3\n"),
	};

	for (size_t i = 0; i < countof(lines); i++)
		feed_expect(&worker_words, lines[i], "<wrote what is not of the protocol>");
}
END_TEST

START_TEST(a_length_is_digits)
{
	static const struct slice lines[] = {
		SLICE("DONE \n"), SLICE("DONE -1\n"), SLICE("DONE +1\n"), SLICE("DONE  1\n"), SLICE("DONE 1 \n"), SLICE("PART 0x1\n"),
		SLICE("FAIL 1.5\n"), SLICE("DONE 9999999999999999999\n"), SLICE("PART 1\r\n"),
	};

	for (size_t i = 0; i < countof(lines); i++)
		feed_expect(&worker_words, lines[i], "<wrote a length that is no number>");
	EXPECT("DONE 000000000000000002\nab", "ab<done>");
}
END_TEST

START_TEST(a_line_that_is_too_long_is_rubbish_before_it_ends)
{
	char line[WORKER_LINE_MAX + 1];

	memset(line, 'x', sizeof(line));
	feed_expect(&worker_words, (struct slice){ line, WORKER_LINE_MAX - 1 }, "");
	feed_expect(&worker_words, (struct slice){ line, WORKER_LINE_MAX }, "<wrote a line that is too long>");
	line[WORKER_LINE_MAX] = '\n';
	feed_expect(&worker_words, (struct slice){ line, sizeof(line) }, "<wrote a line that is too long>");
}
END_TEST

START_TEST(noise_is_survived_and_means_the_same_however_it_is_cut)
{
	static const struct slice seeds[] = {
		SLICE("READY\nBEAT\nPART 3\nabcDONE 2\nef"), SLICE("FAIL 3\nbadREADY\n"), SLICE("DONE 0\nDONE 12\nhello, worldPART 1\nx"),
	};

	feed_noise(&worker_words, seeds, countof(seeds), "\n 0123456789DONEPARTFAIL", 23, 20000);
}
END_TEST

Suite *worker_parse_suite(void);
Suite *worker_parse_suite(void)
{
	const TTest *const tests[] = {
		every_word_is_heard_wherever_it_is_cut, bytes_of_a_body_may_be_anything,
		a_message_is_kept_up_to_its_limit_and_without_its_line_end, whatever_else_is_rubbish, a_length_is_digits,
		a_line_that_is_too_long_is_rubbish_before_it_ends, noise_is_survived_and_means_the_same_however_it_is_cut,
	};

	return suite_of("worker_parse", tests, countof(tests));
}
