#include "../../daemon/out.h"
#include "mill.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* What has been read on the other side. */
static void read_all(int fd, struct buf *to)
{
	char room[65536];
	ssize_t n;

	while ((n = recv(fd, room, sizeof(room), MSG_DONTWAIT)) > 0)
		buf_add(to, room, (size_t)n);
}

static struct job *job_with(struct mill *m, size_t len, char fill)
{
	char *payload = malloc(len + 1);
	struct answer why;
	struct job *job;

	memset(payload, fill, len);
	payload[len] = '\0';
	ck_assert_ptr_nonnull(mill_submit(m, "echo", payload, 0, &why));
	job = mill_home(m);
	job_unref(job);
	free(payload);
	return job;
}

START_TEST(small_and_large_things_leave_in_the_order_in_which_they_were_added)
{
	struct mill *m = mill_start(NULL, 0);
	struct buf wanted = { 0 }, got = { 0 };
	struct out out;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	out_init(&out);
	for (int i = 0; i < 40; i++) {
		size_t len = i % 3 == 0 ? 5 : i % 3 == 1 ? 16 * 1024 : 100 * 1000;
		struct job *job = job_with(m, len, (char)('a' + i % 26));

		buf_addf(&out.bytes, "<%d>", i);
		buf_addf(&wanted, "<%d>", i);
		buf_add_slice(&wanted, job->answer.output);
		ck_assert(out_add_result(&out, job, job->answer.output, false));
	}
	ck_assert_uint_eq(out_waiting(&out), wanted.len);
	while (out_waiting(&out) > 0) {
		ck_assert_int_ge(out_write(&out, pair[0], NULL), 0);
		read_all(pair[1], &got);
	}
	read_all(pair[1], &got);
	ck_assert(slice_is(buf_slice(&got), buf_slice(&wanted)));
	out_free(&out);
	buf_free(&got);
	buf_free(&wanted);
	close(pair[0]);
	close(pair[1]);
	mill_stop(m);
}
END_TEST

START_TEST(a_reader_that_does_not_read_stops_it_without_blocking)
{
	struct out out;
	int pair[2];
	int64_t sent = 0, n;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	out_init(&out);
	for (int i = 0; i < 100000; i++)
		buf_add(&out.bytes, "0123456789", 10);
	while ((n = out_write(&out, pair[0], NULL)) > 0)
		sent += n;
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(out_waiting(&out), 1000000 - (size_t)sent);
	close(pair[1]);
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_lt(out_write(&out, pair[0], NULL), 0);
	out_free(&out);
	close(pair[0]);
}
END_TEST

START_TEST(a_reader_that_never_quite_catches_up_does_not_make_it_grow)
{
	char room[4096] = "";
	struct out out;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	out_init(&out);
	for (int i = 0; i < 100; i++)
		buf_add(&out.bytes, room, sizeof(room));
	for (int i = 0; i < 10000; i++) {
		ck_assert_int_ge(out_write(&out, pair[0], NULL), 0);
		ck_assert_int_gt(recv(pair[1], room, sizeof(room), 0), 0);
		buf_add(&out.bytes, room, sizeof(room));
	}
	ck_assert_uint_gt(out_waiting(&out), 0);
	ck_assert_uint_lt(out.bytes.cap, 2 << 20);
	out_free(&out);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(what_was_not_sent_is_given_back_with_the_rest)
{
	struct mill *m = mill_start(NULL, 0);
	struct job *job = job_with(m, 50000, 'x');
	struct out out;

	out_init(&out);
	ck_assert(out_add_result(&out, job, job->answer.output, false));
	ck_assert_uint_gt(shim_load(&m->leatd.memory_bytes, relaxed), 50000);
	out_free(&out);
	mill_stop(m);   /* sees that no byte is charged any more */
}
END_TEST

Suite *out_suite(void);
Suite *out_suite(void)
{
	const TTest *const tests[] = {
		small_and_large_things_leave_in_the_order_in_which_they_were_added, a_reader_that_does_not_read_stops_it_without_blocking,
		a_reader_that_never_quite_catches_up_does_not_make_it_grow, what_was_not_sent_is_given_back_with_the_rest,
	};

	return suite_of("out", tests, countof(tests));
}
