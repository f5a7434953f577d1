#include "blocked.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static bool becomes_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 30000) == 1;
}

static void send_one(struct chan *c)
{
	ck_assert_status(chan_try_send(c, &(int){ 1 }), CHAN_OK);
}

static void take_one(struct chan *c)
{
	ck_assert_status(chan_try_recv(c, &(int){ 0 }), CHAN_OK);
}

START_TEST(an_armed_watch_is_written_once_however_much_is_sent)
{
	struct chan *c = chan_new(sizeof(int), 8);
	eventfd_t writes;
	int fd, i;
	struct chan_watch *w = chan_watch_new(c, &fd);

	ck_assert(chan_watch_arm(w));
	ck_assert(!is_readable(fd));
	for (i = 0; i < 5; i++)
		send_one(c);
	ck_assert(is_readable(fd));
	ck_assert_int_eq(eventfd_read(fd, &writes), 0);
	ck_assert_uint_eq(writes, 1);
	chan_watch_free(w);
	chan_unref(c);
}
END_TEST

START_TEST(a_watch_that_is_not_armed_is_not_written)
{
	struct chan *c = chan_new(sizeof(int), 8);
	int fd;
	struct chan_watch *w = chan_watch_new(c, &fd);

	send_one(c);
	ck_assert(!is_readable(fd));
	ck_assert(!chan_watch_arm(w));
	ck_assert(!is_readable(fd));
	take_one(c);
	ck_assert(chan_watch_arm(w));
	chan_watch_free(w);
	chan_unref(c);
}
END_TEST

START_TEST(arming_again_makes_the_descriptor_quiet)
{
	struct chan *c = chan_new(sizeof(int), 8);
	int fd, i;
	struct chan_watch *w = chan_watch_new(c, &fd);

	for (i = 0; i < 3; i++) {
		ck_assert(chan_watch_arm(w));
		ck_assert(chan_watch_arm(w));
		send_one(c);
		ck_assert(is_readable(fd));
		ck_assert(!chan_watch_arm(w));
		ck_assert(!is_readable(fd));
		take_one(c);
	}
	chan_watch_free(w);
	chan_unref(c);
}
END_TEST

START_TEST(closing_fires_every_watch)
{
	struct chan *c = chan_new(sizeof(int), 8);
	int fd[3], i;
	struct chan_watch *w[3];

	for (i = 0; i < 3; i++) {
		w[i] = chan_watch_new(c, &fd[i]);
		ck_assert(chan_watch_arm(w[i]));
	}
	ck_assert_status(chan_close(c), CHAN_OK);
	for (i = 0; i < 3; i++) {
		ck_assert(is_readable(fd[i]));
		ck_assert(!chan_watch_arm(w[i]));
		chan_watch_free(w[i]);
	}
	chan_unref(c);
}
END_TEST

START_TEST(one_message_wakes_one_watch)
{
	struct chan *c = chan_new(sizeof(int), 8);
	int fd[2], i;
	struct chan_watch *w[2];

	for (i = 0; i < 2; i++) {
		w[i] = chan_watch_new(c, &fd[i]);
		ck_assert(chan_watch_arm(w[i]));
	}
	send_one(c);
	ck_assert_int_eq(is_readable(fd[0]) + is_readable(fd[1]), 1);
	send_one(c);
	ck_assert_int_eq(is_readable(fd[0]) + is_readable(fd[1]), 2);
	for (i = 0; i < 2; i++)
		chan_watch_free(w[i]);
	chan_unref(c);
}
END_TEST

START_TEST(a_watch_freed_before_it_drained_passes_the_wake_on)
{
	struct chan *c = chan_new(sizeof(int), 8);
	int fd[2];
	struct chan_watch *first = chan_watch_new(c, &fd[0]), *second = chan_watch_new(c, &fd[1]);

	ck_assert(chan_watch_arm(first));
	ck_assert(chan_watch_arm(second));
	send_one(c);
	ck_assert(is_readable(fd[0]) && !is_readable(fd[1]));
	chan_watch_free(first);
	ck_assert(is_readable(fd[1]));
	chan_watch_free(second);
	chan_unref(c);
}
END_TEST

START_TEST(freeing_an_armed_watch_closes_its_descriptor)
{
	struct chan *c = chan_new(sizeof(int), 8);
	int fd;
	struct chan_watch *w = chan_watch_new(c, &fd);

	ck_assert(chan_watch_arm(w));
	chan_watch_free(w);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	send_one(c);
	chan_unref(c);
	chan_watch_free(NULL);
}
END_TEST

START_TEST(a_watch_keeps_its_channel)
{
	struct chan *c = chan_new(sizeof(int), 8);
	int fd;
	struct chan_watch *w = chan_watch_new(c, &fd);

	chan_unref(c);
	ck_assert(chan_watch_arm(w));
	chan_watch_free(w);
}
END_TEST

START_TEST(a_blocked_thread_goes_before_a_watch)
{
	struct chan *c = chan_new(sizeof(int), 8);
	struct blocked b = { .op = CHAN_OP_RECV, .chan = c, .deadline = FOREVER };
	int fd;
	struct chan_watch *w = chan_watch_new(c, &fd);

	ck_assert(chan_watch_arm(w));
	blocked_start(&b);
	send_one(c);
	ck_assert_status(blocked_end(&b), CHAN_OK);
	ck_assert(!is_readable(fd));
	send_one(c);
	ck_assert(is_readable(fd));
	chan_watch_free(w);
	chan_unref(c);
}
END_TEST

START_TEST(a_blocked_sender_is_something_to_receive)
{
	struct chan *c = chan_new(sizeof(int), 0);
	struct blocked b = { .op = CHAN_OP_SEND, .chan = c, .value = 4, .deadline = FOREVER };
	int fd, value = 0;
	struct chan_watch *w = chan_watch_new(c, &fd);

	ck_assert(chan_watch_arm(w));
	blocked_start(&b);
	ck_assert(becomes_readable(fd));
	ck_assert_status(chan_try_recv(c, &value), CHAN_OK);
	ck_assert_status(blocked_end(&b), CHAN_OK);
	ck_assert_int_eq(value, 4);
	ck_assert(chan_watch_arm(w));
	chan_watch_free(w);
	chan_unref(c);
}
END_TEST

START_TEST(a_select_that_waits_to_send_is_something_to_receive)
{
	struct chan *c = chan_new(sizeof(int), 0);
	int fd, value = 0;
	struct chan_watch *w = chan_watch_new(c, &fd);
	struct chan_case one = CHAN_SEND_CASE(c, &value);

	ck_assert(chan_watch_arm(w));
	ck_assert_int_eq(chan_select(&one, 1, NULL, moment_in(MILLISECONDS), NULL), -1);
	ck_assert(is_readable(fd));
	/* It has gone meanwhile: a spurious wake-up. */
	ck_assert(chan_watch_arm(w));
	chan_watch_free(w);
	chan_unref(c);
}
END_TEST

START_TEST(nil_may_be_watched_and_never_is_ready)
{
	int fd;
	struct chan_watch *w = chan_watch_new(NULL, &fd);

	ck_assert(chan_watch_arm(w));
	ck_assert(!is_readable(fd));
	chan_watch_free(w);
}
END_TEST

START_TEST(a_timer_wakes_a_loop_at_its_moment)
{
	moment due = moment_in(MILLISECONDS);
	struct chan *c = chan_after(due), *ticker = chan_ticker(MILLISECONDS);
	int fd, tick_fd, i;
	struct chan_watch *w = chan_watch_new(c, &fd), *tick = chan_watch_new(ticker, &tick_fd);

	if (chan_watch_arm(w))
		ck_assert(becomes_readable(fd));
	ck_assert(moment_now() >= due);
	ck_assert_status(chan_try_recv(c, NULL), CHAN_OK);
	ck_assert(chan_watch_arm(w));
	ck_assert(!is_readable(fd));
	for (i = 0; i < 3; i++) {
		if (chan_watch_arm(tick))
			ck_assert(becomes_readable(tick_fd));
		ck_assert_status(chan_try_recv(ticker, NULL), CHAN_OK);
	}
	chan_watch_free(w);
	chan_watch_free(tick);
	chan_unref(c);
	chan_unref(ticker);
}
END_TEST

START_TEST(the_end_of_a_ctx_wakes_a_loop)
{
	struct ctx *cancelled = ctx_with_cancel(NULL), *late = ctx_with_deadline(NULL, moment_in(MILLISECONDS));
	int fd, late_fd;
	struct chan_watch *w = chan_watch_new(ctx_done(cancelled), &fd), *v = chan_watch_new(ctx_done(late), &late_fd);

	ck_assert(chan_watch_arm(w));
	ck_assert(!is_readable(fd));
	ctx_cancel(cancelled);
	ck_assert(is_readable(fd));
	ck_assert(!chan_watch_arm(w));
	if (chan_watch_arm(v))
		ck_assert(becomes_readable(late_fd));
	ck_assert_status(chan_try_recv(ctx_done(late), NULL), CHAN_CLOSED);
	ck_assert(!chan_watch_arm(v));
	chan_watch_free(w);
	chan_watch_free(v);
	ctx_unref(cancelled);
	ctx_unref(late);
}
END_TEST

enum { LOOPS = 2, SENDERS = 2, MESSAGES = 20000, BATCH = 8 };

struct traffic {
	struct chan *chan;
	shim_u32 received, stuck;
};

static void *send_all(void *arg)
{
	struct traffic *t = arg;
	int i;

	for (i = 0; i < MESSAGES; i++)
		chan_send(t->chan, &i, NULL, FOREVER);
	return NULL;
}

/* An event loop that knows one descriptor. */
static void *loop_main(void *arg)
{
	struct traffic *t = arg;
	enum chan_status why = CHAN_OK;
	int fd, batch[BATCH];
	struct chan_watch *w = chan_watch_new(t->chan, &fd);

	while (why != CHAN_CLOSED) {
		size_t n = chan_try_recv_many(t->chan, batch, BATCH, &why);
		shim_add(&t->received, (uint32_t)n, relaxed);
		if (n < BATCH && why != CHAN_CLOSED && chan_watch_arm(w) && !becomes_readable(fd)) {
			shim_add(&t->stuck, 1, relaxed);
			break;
		}
	}
	chan_watch_free(w);
	return NULL;
}

static void run_traffic(size_t capacity)
{
	struct traffic t = { .chan = chan_new(sizeof(int), capacity) };
	pthread_t senders[SENDERS], loops[LOOPS];
	int i;

	for (i = 0; i < LOOPS; i++)
		loops[i] = thread_start(loop_main, &t);
	for (i = 0; i < SENDERS; i++)
		senders[i] = thread_start(send_all, &t);
	for (i = 0; i < SENDERS; i++)
		thread_join(senders[i]);
	ck_assert_status(chan_close(t.chan), CHAN_OK);
	for (i = 0; i < LOOPS; i++)
		thread_join(loops[i]);
	ck_assert_uint_eq(shim_load(&t.stuck, relaxed), 0);
	ck_assert_uint_eq(shim_load(&t.received, relaxed), SENDERS * MESSAGES);
	chan_unref(t.chan);
}

START_TEST(loops_that_sleep_on_a_watch_miss_nothing)
{
	run_traffic(0);
	run_traffic(1);
	run_traffic(64);
}
END_TEST

/* A loop that throws its watch away after every wake-up, drained or not. */
static void *fickle_main(void *arg)
{
	struct traffic *t = arg;
	enum chan_status why = CHAN_OK;
	int fd, value;

	while (why != CHAN_CLOSED) {
		struct chan_watch *w = chan_watch_new(t->chan, &fd);
		if (chan_watch_arm(w) && !becomes_readable(fd))
			shim_add(&t->stuck, 1, relaxed);
		if ((uintptr_t)moment_now() % 3 && (why = chan_try_recv(t->chan, &value)) == CHAN_OK)
			shim_add(&t->received, 1, relaxed);
		chan_watch_free(w);
	}
	return NULL;
}

START_TEST(watches_may_be_freed_while_others_send)
{
	struct traffic t = { .chan = chan_new(sizeof(int), 2) };
	pthread_t sender = thread_start(send_all, &t), loops[LOOPS];
	int i;

	for (i = 0; i < LOOPS; i++)
		loops[i] = thread_start(fickle_main, &t);
	thread_join(sender);
	ck_assert_status(chan_close(t.chan), CHAN_OK);
	for (i = 0; i < LOOPS; i++)
		thread_join(loops[i]);
	ck_assert_uint_eq(shim_load(&t.stuck, relaxed), 0);
	ck_assert_uint_eq(shim_load(&t.received, relaxed), MESSAGES);
	chan_unref(t.chan);
}
END_TEST

Suite *watch_suite(void);

Suite *watch_suite(void)
{
	const TTest *tests[] = {
		an_armed_watch_is_written_once_however_much_is_sent,
		a_watch_that_is_not_armed_is_not_written,
		arming_again_makes_the_descriptor_quiet,
		closing_fires_every_watch,
		one_message_wakes_one_watch,
		a_watch_freed_before_it_drained_passes_the_wake_on,
		freeing_an_armed_watch_closes_its_descriptor,
		a_watch_keeps_its_channel,
		a_blocked_thread_goes_before_a_watch,
		a_blocked_sender_is_something_to_receive,
		a_select_that_waits_to_send_is_something_to_receive,
		nil_may_be_watched_and_never_is_ready,
		a_timer_wakes_a_loop_at_its_moment,
		the_end_of_a_ctx_wakes_a_loop,
		loops_that_sleep_on_a_watch_miss_nothing,
		watches_may_be_freed_while_others_send,
	};
	return suite_of("watch", tests, countof(tests));
}
