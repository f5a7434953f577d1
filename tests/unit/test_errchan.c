#include "blocked.h"

#include "../../lib/errchan.h"

#include <errno.h>
#include <string.h>

START_TEST(a_report_is_a_note_that_can_be_received)
{
	struct errchan *e = errchan_new(2);
	struct error_note note;
	moment before = moment_now();

	ck_assert(!errchan_first(e, &note));
	ck_assert(errchan_report(e, EPIPE, "job %d: %s", 7, "pipe"));
	ck_assert_status(chan_recv(errchan_chan(e), &note, NULL, FOREVER), CHAN_OK);
	ck_assert_int_eq(note.code, EPIPE);
	ck_assert_str_eq(note.text, "job 7: pipe");
	ck_assert(note.when >= before);
	errchan_unref(e);
	errchan_unref(NULL);
}
END_TEST

START_TEST(a_full_channel_drops_and_counts_and_keeps_the_first)
{
	struct errchan *e = errchan_new(1), *none = errchan_new(0);
	struct error_note note;

	ck_assert(errchan_report(e, 1, "first"));
	ck_assert(!errchan_report(e, 2, "second"));
	ck_assert(!errchan_report(e, 3, "third"));
	ck_assert_uint_eq(errchan_dropped(e), 2);
	ck_assert_status(chan_try_recv(errchan_chan(e), &note), CHAN_OK);
	ck_assert(errchan_report(e, 4, "fourth"));
	ck_assert(errchan_first(e, &note));
	ck_assert_str_eq(note.text, "first");
	ck_assert(!errchan_report(none, 5, "lost"));
	ck_assert(errchan_first(none, &note));
	ck_assert_int_eq(note.code, 5);
	errchan_unref(errchan_ref(e));
	errchan_unref(e);
	errchan_unref(none);
}
END_TEST

START_TEST(a_long_text_is_cut_off)
{
	struct errchan *e = errchan_new(1);
	struct error_note note;
	char text[300];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert(errchan_report(e, 0, "%s", text));
	ck_assert(errchan_first(e, &note));
	ck_assert_uint_eq(strlen(note.text), ERROR_TEXT_BYTES - 1);
	errchan_unref(e);
}
END_TEST

START_TEST(a_closed_channel_ends_the_range_after_what_is_left)
{
	struct errchan *e = errchan_new(2);
	struct error_note note;

	ck_assert(errchan_report(e, 1, "left"));
	errchan_close(e);
	ck_assert(!errchan_report(e, 2, "late"));
	ck_assert_uint_eq(errchan_dropped(e), 1);
	ck_assert_status(chan_recv(errchan_chan(e), &note, NULL, FOREVER), CHAN_OK);
	ck_assert_status(chan_recv(errchan_chan(e), &note, NULL, FOREVER), CHAN_CLOSED);
	errchan_unref(e);
}
END_TEST

enum { REPORTERS = 4, REPORTS = 5000 };

static void *report_main(void *arg)
{
	struct errchan *e = arg;
	int i;

	for (i = 0; i < REPORTS; i++)
		errchan_report(e, i, "error %d", i);
	errchan_unref(e);
	return NULL;
}

START_TEST(every_report_is_received_or_counted_as_dropped)
{
	struct errchan *e = errchan_new(16);
	struct error_note note;
	pthread_t threads[REPORTERS];
	size_t i, received = 0;

	for (i = 0; i < REPORTERS; i++)
		threads[i] = thread_start(report_main, errchan_ref(e));
	for (i = 0; i < 1000; i++)
		received += chan_try_recv(errchan_chan(e), &note) == CHAN_OK;
	for (i = 0; i < REPORTERS; i++)
		thread_join(threads[i]);
	errchan_close(e);
	while (chan_recv(errchan_chan(e), &note, NULL, FOREVER) == CHAN_OK)
		received++;
	ck_assert_uint_eq(received + errchan_dropped(e), REPORTERS * REPORTS);
	errchan_unref(e);
}
END_TEST

Suite *errchan_suite(void);

Suite *errchan_suite(void)
{
	const TTest *tests[] = {
		a_report_is_a_note_that_can_be_received,
		a_full_channel_drops_and_counts_and_keeps_the_first,
		a_long_text_is_cut_off,
		a_closed_channel_ends_the_range_after_what_is_left,
		every_report_is_received_or_counted_as_dropped,
	};
	return suite_of("errchan", tests, countof(tests));
}
