/* Connections that do nothing cost little, and those that are over cost nothing. */
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* As many as the limits of the machine allow. A sanitizer makes each of them a hundred times as slow, and as large. */
	MANY = IS_SANITIZED ? 500 : 10000,
	CHURN = IS_SANITIZED ? 1000 : 20000,
	/* What an idle connection may cost, resident. */
	IDLE_BYTES = 1536,
	/* Descriptors that are not those of clients. */
	BESIDE = 200,
};

static size_t possible(void)
{
	struct rlimit limit;
	size_t most;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	most = limit.rlim_cur - BESIDE;
	if (most < MANY)
		printf("SKIPPED in part: %zu connections, and not %d, since no more descriptors are allowed\n", most, MANY);
	return most < MANY ? most : MANY;
}

/* A connection of ours without the room for what is heard, of which there are ten thousand. */
static int ask_once(struct server *s, const char *question, const char *answer)
{
	struct client *c = dial_unix(s);
	int fd;

	say(c, question);
	hear_match(c, answer);
	fd = dup(c->fd);
	ck_assert(fd >= 0);
	hang_up(c);
	return fd;
}

/* Memory of leatd, when nothing is under way and there are so many connections beside ours. */
static size_t resident(struct server *s, size_t connections)
{
	await(metric(s, "leat_connections") == connections + 2);
	await(metric(s, "leat_memory_bytes") == 0);
	return memory_of(s->pid, "VmRSS");
}

/* Bytes of each of those that came after `before` was measured. */
static size_t cost(struct server *s, size_t before, size_t present, size_t more)
{
	size_t after = resident(s, present);

	return after < before ? 0 : (after - before) / more;
}

static void check_idle(const char *question, const char *answer)
{
	struct server *s = server_start("[server]\nmax_connections = 20000\nidle_timeout = 0\n[job echo]\nbuiltin = echo\n");
	size_t n = possible(), warm = n / 20, before;
	int *fds = scratch(n * sizeof(*fds));

	stat_of(s, "echo", "done");
	for (size_t i = 0; i < warm; i++)
		fds[i] = ask_once(s, question, answer);
	before = resident(s, warm);
	for (size_t i = warm; i < n; i++)
		fds[i] = ask_once(s, question, answer);
	/* What the last of them have used a moment ago they may still hold. */
	await(IS_SANITIZED || cost(s, before, n, n - warm) <= IDLE_BYTES);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	await(metric(s, "leat_connections") == 2);
}

START_TEST(ten_thousand_idle_connections_of_the_line_protocol_cost_little)
{
	check_idle("RUN echo hello\r\n", "^[$]5$");
}
END_TEST

START_TEST(ten_thousand_idle_connections_of_http_cost_little)
{
	check_idle("POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", "^HTTP/1.1 200 ");
}
END_TEST

/* A client of one of the kinds that there are. */
static void come_and_go(struct server *s, size_t kind)
{
	struct client *c = kind % 3 ? dial_unix(s) : dial(s);

	switch (kind % 5) {
	case 0:
		break;
	case 1:
		say(c, "RUN echo hello\r\nQUIT\r\n");
		hear(c, "$5\r\nhello\r\n+OK\r\n");
		hear_end(c);
		break;
	case 2:
		say(c, "GET /healthz HTTP/1.0\r\n\r\n");
		hear_match(c, "^HTTP/1.1 200 ");
		break;
	case 3:
		say(c, "POST /v1/run/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello");
		reset(c);
		break;
	case 4:
		say(c, "*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$100\r\nhel");
		break;
	}
	hang_up(c);
}

static void come_and_go_often(struct server *s, size_t times)
{
	for (size_t i = 0; i < times; i++)
		come_and_go(s, i);
	await(metric(s, "leat_connections") == 2);
	await(metric(s, "leat_memory_bytes") == 0);
}

START_TEST(twenty_thousand_that_come_and_go_leave_nothing_behind)
{
	struct server *s = server_start("[server]\nclient_connections = 9000\n[job echo]\nbuiltin = echo\n");
	struct base_line line;
	size_t before, after;

	stat_of(s, "echo", "done");
	come_and_go_often(s, CHURN / 2);
	line = base_line_of(s);
	before = memory_of(s->pid, "VmRSS");
	come_and_go_often(s, CHURN / 2);
	await_base_line(s, line, 4);
	after = memory_of(s->pid, "VmRSS");
	/* A hundred bytes of each would be a megabyte. */
	ck_assert_msg(IS_SANITIZED || after < before + 512 * 1024, "%zu bytes more", after - before);
}
END_TEST

Suite *idle_suite(void)
{
	const TTest *tests[] = {
		ten_thousand_idle_connections_of_the_line_protocol_cost_little,
		ten_thousand_idle_connections_of_http_cost_little,
		twenty_thousand_that_come_and_go_leave_nothing_behind,
	};
	return wire_suite("idle", tests, countof(tests));
}
