#include "../../daemon/stream.h"
#include "mill.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct stream open_one(void)
{
	struct stream s;

	/* As in leatd. */
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(stream_open(&s, false), 0);
	return s;
}

static size_t fill(int fd)
{
	static const char zeros[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = write(fd, zeros, sizeof(zeros))) > 0)
		total += (size_t)n;
	return total;
}

static size_t empty(int fd)
{
	char room[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, room, sizeof(room))) > 0)
		total += (size_t)n;
	return total;
}

START_TEST(what_is_written_is_read_and_the_end_is_seen)
{
	struct stream s = open_one();
	struct ctx *ctx = ctx_with_cancel(NULL);
	char room[8];

	ck_assert(stream_write(&s, "hello", 5, ctx));
	stream_close_writer(&s);
	ck_assert_int_eq(read(s.reader, room, sizeof(room)), 5);
	ck_assert_int_eq(read(s.reader, room, sizeof(room)), 0);
	stream_close(&s);
	ck_assert_int_eq(s.reader, -1);
	ctx_unref(ctx);
}
END_TEST

struct writing {
	struct stream s;
	struct ctx *ctx;
	size_t len;
	bool all;
};

static void *write_much(void *arg)
{
	struct writing *w = arg;
	char *bytes = calloc(1, w->len);

	w->all = stream_write(&w->s, bytes, w->len, w->ctx);
	free(bytes);
	return NULL;
}

START_TEST(a_writer_waits_for_room)
{
	struct writing w = { .s = open_one(), .ctx = ctx_with_cancel(NULL), .len = 1 << 20 };
	size_t got = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, write_much, &w);
	while (got < w.len) {
		poll(&(struct pollfd){ w.s.reader, POLLIN, 0 }, 1, -1);
		got += empty(w.s.reader);
	}
	pthread_join(thread, NULL);
	ck_assert(w.all);
	stream_close(&w.s);
	ctx_unref(w.ctx);
}
END_TEST

START_TEST(a_writer_that_waits_is_let_go_when_its_context_ends)
{
	for (int how = 0; how < 2; how++) {
		struct writing w = { .s = open_one(), .len = 1 << 20 };
		pthread_t thread;

		w.ctx = how ? ctx_with_cancel(NULL) : ctx_with_deadline(NULL, moment_in(50 * MILLISECONDS));
		pthread_create(&thread, NULL, write_much, &w);
		/* The deadline may pass before it has begun. */
		if (how) {
			poll(&(struct pollfd){ w.s.reader, POLLIN, 0 }, 1, -1);
			ctx_cancel(w.ctx);
		}
		pthread_join(thread, NULL);
		ck_assert(!w.all);
		ck_assert_uint_le(empty(w.s.reader), STREAM_BYTES);
		stream_close(&w.s);
		ctx_unref(w.ctx);
	}
}
END_TEST

START_TEST(a_writer_ends_when_nobody_reads_any_more)
{
	struct writing w = { .s = open_one(), .ctx = ctx_with_cancel(NULL), .len = 1 << 20 };
	pthread_t thread;

	pthread_create(&thread, NULL, write_much, &w);
	poll(&(struct pollfd){ w.s.reader, POLLIN, 0 }, 1, -1);
	stream_close_reader(&w.s);
	pthread_join(thread, NULL);
	ck_assert(!w.all);
	stream_close(&w.s);
	ctx_unref(w.ctx);
}
END_TEST

START_TEST(moving_says_whom_it_waits_for)
{
	struct stream s = open_one(), from = open_one();
	size_t moved = 0;

	ck_assert_int_eq(stream_move(&s, from.reader, 100, &moved), STREAM_EMPTY);
	ck_assert_int_eq(write(from.writer, "hello", 5), 5);
	ck_assert_int_eq(stream_move(&s, from.reader, 100, &moved), STREAM_EMPTY);
	ck_assert_uint_eq(moved, 5);
	ck_assert_int_eq(write(from.writer, "hello", 5), 5);
	ck_assert_int_eq(stream_move(&s, from.reader, 3, &moved), STREAM_MOST);
	ck_assert_uint_eq(moved, 8);
	ck_assert_uint_eq(empty(s.reader), 8);
	fill(s.writer);
	ck_assert_int_eq(stream_move(&s, from.reader, 100, &moved), STREAM_FULL);
	empty(s.reader);
	ck_assert_int_eq(stream_move(&s, from.reader, 100, &moved), STREAM_EMPTY);
	ck_assert_uint_eq(moved, 10);
	stream_close_writer(&from);
	ck_assert_int_eq(stream_move(&s, from.reader, 100, &moved), STREAM_END);
	stream_close(&from);
	stream_close(&s);
}
END_TEST

START_TEST(moving_ends_when_nobody_reads_any_more)
{
	struct stream s = open_one(), from = open_one();
	size_t moved = 0;

	stream_close_reader(&s);
	ck_assert_int_eq(write(from.writer, "hello", 5), 5);
	ck_assert_int_eq(stream_move(&s, from.reader, 100, &moved), STREAM_UNREAD);
	stream_close(&from);
	stream_close(&s);
}
END_TEST

/* --- Jobs --- */

static struct job *submit(struct mill *m, bool in, bool out)
{
	struct request request = { .job = SLICE("t"), .stream_in = in, .stream_out = out };
	struct requester requester = { .ctx = m->client, .home = m->home, .peer = &(struct peer){ .family = AF_INET } };
	struct answer why;
	struct job *job = request_submit(m->leatd.catalogue, &request, &requester, moment_now(), &why);

	ck_assert_ptr_nonnull(job);
	return job;
}

static struct mill *start(const char *exec, const char *more)
{
	char override[128];
	const char *overrides[] = { override, "job t.grace=100ms", more };

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	snprintf(override, sizeof(override), "job t.exec=%s", exec);
	return mill_start(overrides, countof(overrides));
}

START_TEST(a_command_reads_and_writes_while_it_runs)
{
	struct mill *m = start("cat", "job t.max_output=64K");
	struct job *job = submit(m, true, true);
	char room[16];

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(write(job->in.writer, "hello", 5), 5);
		poll(&(struct pollfd){ job->out.reader, POLLIN, 0 }, 1, -1);
		ck_assert_int_eq(read(job->out.reader, room, sizeof(room)), 5);
	}
	stream_close_writer(&job->in);
	ck_assert_ptr_eq(mill_home(m), job);
	ck_assert_int_eq(job->outcome, OUTCOME_done);
	ck_assert_uint_eq(job->answer.output.len, 0);
	ck_assert_int_eq(read(job->out.reader, room, sizeof(room)), 0);
	mill_forget(job);
	mill_stop(m);
}
END_TEST

START_TEST(what_is_over_max_output_is_not_written)
{
	struct mill *m = start("yes", "job t.max_output=10");
	struct job *job = submit(m, false, true);

	ck_assert_ptr_eq(mill_home(m), job);
	ck_assert_int_eq(job->answer.code, CODE_TOOBIG);
	ck_assert_uint_eq(empty(job->out.reader), 10);
	mill_forget(job);
	mill_stop(m);
}
END_TEST

START_TEST(a_command_whose_output_nobody_reads_in_time_is_timed_out)
{
	struct mill *m = start("sh -c 'head -c 100000 /dev/zero'", "job t.deadline=300ms");
	struct job *job = submit(m, false, true);

	ck_assert_ptr_eq(mill_home(m), job);
	ck_assert_int_eq(job->answer.code, CODE_TIMEOUT);
	mill_forget(job);
	mill_stop(m);
}
END_TEST

Suite *stream_suite(void);

Suite *stream_suite(void)
{
	const TTest *tests[] = {
		what_is_written_is_read_and_the_end_is_seen,
		a_writer_waits_for_room,
		a_writer_that_waits_is_let_go_when_its_context_ends,
		a_writer_ends_when_nobody_reads_any_more,
		moving_says_whom_it_waits_for,
		moving_ends_when_nobody_reads_any_more,
		a_command_reads_and_writes_while_it_runs,
		what_is_over_max_output_is_not_written,
		a_command_whose_output_nobody_reads_in_time_is_timed_out,
	};
	return suite_of("stream", tests, countof(tests));
}
