#include "testing.h"

#include "../../daemon/log.h"
#include "../../lib/chan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* stderr of this process, which is the test's alone, becomes a pipe. Returns the end to read from. */
static int pipe_stderr(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	unsetenv("JOURNAL_STREAM");
	return ends[0];
}

static char *read_all(int fd, char *room, size_t room_len)
{
	ssize_t n = read(fd, room, room_len - 1);

	room[n > 0 ? n : 0] = '\0';
	return room;
}

START_TEST(values_are_quoted_and_escaped_where_they_must_be)
{
	char text[4096];
	int fd = pipe_stderr();
	struct log *log = log_start("info", 0);

	log_info(log, "two words", log_text("plain", SLICE("a/b:c")), log_text("odd", SLICE("a \"b\"\nc")), log_text("empty", SLICE("")),
		 log_number("n", -7));
	log_put(log, LOG_LEVEL_JOBS, "job ended", (struct log_field[]){ { 0 } });
	log_stop(log);
	read_all(fd, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "level=info msg=\"two words\" plain=a/b:c odd=\"a \\x22b\\x22\\x0ac\" empty=\"\" n=-7\n"));
	ck_assert_ptr_null(strstr(text, "job ended"));
}
END_TEST

START_TEST(more_fields_than_a_line_has_room_for_are_left_out)
{
	struct log_field fields[12];
	char text[4096], long_text[300];
	int fd = pipe_stderr();
	struct log *log = log_start("info", 0);

	memset(long_text, 'x', sizeof(long_text));
	for (size_t i = 0; i < countof(fields) - 1; i++)
		fields[i] = log_text("key", (struct slice){ long_text, sizeof(long_text) });
	fields[countof(fields) - 1] = (struct log_field){ 0 };
	log_put(log, LOG_LEVEL_INFO, "long", fields);
	log_stop(log);
	ck_assert_ptr_nonnull(strstr(read_all(fd, text, sizeof(text)), "xxx...\n"));
}
END_TEST

START_TEST(a_reader_that_does_not_read_stops_nobody_and_what_is_lost_is_counted)
{
	int fd = pipe_stderr();
	struct log *log = log_start("info", 0);
	struct chan *beats = chan_new(sizeof(size_t), 1);
	size_t who = 0;

	while (log_dropped(log) == 0)
		log_info(log, "ready", log_text("listen", SLICE("nobody reads this")));
	/* The thread is there all the same. */
	wait_until(log_beat(log, beats, 7), SOON);
	ck_assert_status(chan_recv(beats, &who, NULL, SOON), CHAN_OK);
	ck_assert_uint_eq(who, 7);
	log_stop(log);
	chan_unref(beats);
	close(fd);
}
END_TEST

START_TEST(what_was_lost_is_told_when_there_is_room_again)
{
	static char text[1 << 17];
	int fd = pipe_stderr();
	struct log *log = log_start("info", 0);

	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (log_dropped(log) == 0)
		log_info(log, "ready", log_text("listen", SLICE("nobody reads this")));
	/* It may be said as soon as the first piece is read. */
	while (!strstr(read_all(fd, text, sizeof(text)), "level=warning msg=\"log lines dropped\" lines="))
		log_info(log, "ready");
	log_stop(log);
	close(fd);
}
END_TEST

/* So that nothing more goes into it. */
static void fill_stderr(void)
{
	int flags = fcntl(STDERR_FILENO, F_GETFL);

	ck_assert_int_eq(fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK), 0);
	while (write(STDERR_FILENO, "....", 4) > 0)
		;
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_SETFL, flags), 0);
}

START_TEST(what_was_over_the_rate_is_told_later_when_its_second_ends_while_nobody_reads)
{
	static char text[1 << 17];
	int fd = pipe_stderr();
	struct log *log = log_start("info", 1);
	moment until;

	fill_stderr();
	for (int i = 0; i < 10; i++)
		log_info(log, "ready");
	/* The time in which it is told in vain, or might be. */
	until = moment_in(2500 * MILLISECONDS);
	wait_until(moment_reached(until), SOON);
	while (!strstr(read_all(fd, text, sizeof(text)), "msg=\"more of a kind\" kind=ready lines="))
		;
	log_stop(log);
	close(fd);
}
END_TEST

Suite *log_suite(void);
Suite *log_suite(void)
{
	const TTest *const tests[] = {
		values_are_quoted_and_escaped_where_they_must_be,
		more_fields_than_a_line_has_room_for_are_left_out,
		a_reader_that_does_not_read_stops_nobody_and_what_is_lost_is_counted,
		what_was_lost_is_told_when_there_is_room_again,
		what_was_over_the_rate_is_told_later_when_its_second_ends_while_nobody_reads,
	};

	return suite_of("log", tests, countof(tests));
}
