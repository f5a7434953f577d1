/* Allocations that fail, one by one: whatever was asked is answered, refused, or its connection closes. Nothing crashes, and nothing
 * is lost. Connections that cannot be accepted, for want of descriptors or of memory: they come in later. */
#include "wire.h"

#include "preloaded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
	/* More than the script allocates. */
	ALLOCATIONS_MAX = 5000,
	LARGE = 50000,
};

static struct server *start_failing(struct failing **page)
{
	return server_launch(&(struct launch){ .environment = preloaded(page, NULL), .config =
		"[server]\nloops = 1\nheader_timeout = 2s\nbody_timeout = 2s\n[job echo]\nbuiltin = echo\nconcurrency = 1\n"
		"[job cat]\nexec = cat\nconcurrency = 1\ndeadline = 10s\n[job sleep]\nbuiltin = sleep\nconcurrency = 1\n" });
}

/* A payload that comes in two parts, and comes back. */
static void say_large(struct client *c, const char *job)
{
	static char bytes[LARGE];

	memset(bytes, 'x', sizeof(bytes));
	sayf(c, "*5\r\n$3\r\nRUN\r\n$%zu\r\n%s\r\n$%d\r\n", strlen(job), job, LARGE);
	say_bytes(c, bytes, LARGE / 2);
	await(is_read(c) || is_over(c));
	say_bytes(c, bytes, LARGE - LARGE / 2);
	say(c, "\r\n$2\r\nID\r\n$4\r\nsame\r\n");
}

static void line_script(struct server *s)
{
	struct client *c = dial_unix(s);
	size_t len;
	const char *heard;

	say(c, "PING\r\nINFO\r\nRUN echo hello ID mine\r\nRUN sleep 1\r\nRUN sleep 60000 DEADLINE 30\r\nJOBS\r\nRUN none x\r\n");
	say_large(c, "echo");
	say(c, "*20\r\n");
	for (int i = 0; i < 20; i++)
		say(c, "$4\r\nPING\r\n");
	say_large(c, "cat");
	say(c, "PING\r\nQUIT\r\n");
	end_saying(c);
	heard = hear_rest(c, &len);
	ck_assert_msg(len == 0 || strchr("+-$*", *heard), "%.100s", heard);
	hang_up(c);
}

static void http_script(struct server *s)
{
	struct client *c = dial_unix(s);
	size_t len;
	const char *heard;

	say(c, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"
	       "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
	       "POST /v1/run/none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
	       "POST /v1/run/cat HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
	await(is_read(c) || is_over(c));
	say(c, "lo\r\n0\r\n\r\n");
	heard = hear_rest(c, &len);
	ck_assert_msg(len == 0 || memcmp(heard, "HTTP/1.1 ", 9) == 0, "%.100s", heard);
	hang_up(c);
}

static void script(struct server *s)
{
	line_script(s);
	http_script(s);
}

static void await_quiet(struct server *s)
{
	await(inside(s, "echo") + inside(s, "cat") + inside(s, "sleep") == 0);
}

/* That nobody has missed anything. */
static void check_whole(struct server *s)
{
	struct client *c = dial(s);

	say(c, "RUN echo hello ID mine\r\nRUN cat hello ID same\r\nRUN sleep 1\r\nQUIT\r\n");
	hear(c, "$5\r\nhello\r\n$5\r\nhello\r\n$0\r\n\r\n+OK\r\n");
	hear_end(c);
	hang_up(c);
}

static void check_balance(struct server *s, const char *job)
{
	ck_assert_uint_eq(stat_of(s, job, "submitted"),
			  stat_of(s, job, "refused") + stat_of(s, job, "done") + stat_of(s, job, "failed") + stat_of(s, job, "timeout") +
			  stat_of(s, job, "killed") + stat_of(s, job, "canceled"));
}

START_TEST(every_allocation_may_fail_and_nothing_is_lost)
{
	struct failing *page;
	struct server *s = start_failing(&page);
	int64_t live, failed = 0;

	/* What stays, such as runners and the room of the channels, is there from the second time on. */
	for (int i = 0; i < 3; i++)
		script(s);
	await_quiet(s);
	check_whole(s);
	live = atomic_load(&page->live);
	for (int n = 1; n < ALLOCATIONS_MAX && atomic_load(&page->failed) == n - 1; n++) {
		atomic_store(&page->countdown, n);
		script(s);
		/* Those who only look are spared. */
		atomic_store(&page->countdown, 0);
		await_quiet(s);
		failed = n;
	}
	ck_assert_int_lt(failed, ALLOCATIONS_MAX - 1);
	ck_assert_int_gt(failed, 50);
	check_whole(s);
	await(atomic_load(&page->live) <= live + 8);
	await(metric(s, "leat_memory_bytes") == 0);
	check_balance(s, "echo");
	check_balance(s, "cat");
	check_balance(s, "sleep");
}
END_TEST

/* While nothing can be accepted: the old connection goes on, and leatd does not spin. */
static void check_patience(struct failing *page, struct client *old)
{
	int64_t before = atomic_load(&page->accepts);

	say(old, "RUN sleep 600\r\nRUN echo old\r\n");
	hear(old, "$0\r\n\r\n$3\r\nold\r\n");
	/* It tries again now and then; in a loop it would be tens of thousands. */
	ck_assert_int_lt(atomic_load(&page->accepts) - before, 100);
}

START_TEST(what_cannot_be_accepted_comes_in_later_and_the_old_connections_go_on)
{
	static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL, EBADF };
	struct failing *page;
	struct server *s = start_failing(&page);
	struct client *old = dial_unix(s), *new[10];

	say(old, "PING\r\n");
	hear(old, "+PONG\r\n");
	for (size_t e = 0; e < countof(errors); e++) {
		atomic_store(&page->accept_error, errors[e]);
		atomic_store(&page->accept_failures, -1);
		for (size_t i = 0; i < countof(new); i++)
			say(new[i] = i % 2 ? dial(s) : dial_unix(s), "RUN echo new\r\n");
		check_patience(page, old);
		for (size_t i = 0; i < countof(new); i++)
			ck_assert(!can_hear(new[i]));
		atomic_store(&page->accept_failures, 0);
		for (size_t i = 0; i < countof(new); i++) {
			hear(new[i], "$3\r\nnew\r\n");
			hang_up(new[i]);
		}
	}
	ck_assert(server_logged(s, "cannot accept, trying again"));
}
END_TEST

START_TEST(what_was_over_before_it_was_accepted_does_not_keep_the_next)
{
	static const int errors[] = { ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, EPERM, EINTR };
	struct failing *page;
	struct server *s = start_failing(&page);

	for (size_t e = 0; e < countof(errors); e++) {
		struct client *c;
		int64_t before = atomic_load(&page->accepts);

		atomic_store(&page->accept_error, errors[e]);
		atomic_store(&page->accept_failures, 5);
		c = dial(s);
		say(c, "RUN echo new\r\n");
		hear(c, "$3\r\nnew\r\n");
		ck_assert_int_ge(atomic_load(&page->accepts), before + 6);
		hang_up(c);
	}
	ck_assert(!server_logged(s, "cannot accept"));
}
END_TEST

Suite *scarce_suite(void)
{
	const TTest *tests[] = {
		every_allocation_may_fail_and_nothing_is_lost,
		what_cannot_be_accepted_comes_in_later_and_the_old_connections_go_on,
		what_was_over_before_it_was_accepted_does_not_keep_the_next,
	};

	/* A sanitizer has allocations of its own. */
	return wire_suite("scarce", tests, IS_SANITIZED ? 0 : countof(tests));
}
