/* What systemd hears: ready, a line that says what leatd is doing, reloading, stopping, and the watchdog. */
#include "wire.h"

#include "preloaded.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/stat.h>
#include <unistd.h>

static const char jobs[] = "[job sleep]\nbuiltin = sleep\nconcurrency = 1\nqueue = 1\ndeadline = 1m\n[job echo]\nbuiltin = echo\n";

/* What systemd would listen on, and all that it has heard, a line for each. */
struct manager {
	const char *path;
	int fd;
	char *heard;
	size_t len;
};

static struct manager *manager_new(void)
{
	struct manager *m = scratch(sizeof(*m));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	m->path = scratchf("%s/notify", new_folder());
	strcpy(address.sun_path, m->path);
	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(m->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	m->heard = scratch(1 << 20);
	return m;
}

/* The socket's queue is short: it has to be looked at often. */
static const char *heard(struct manager *m)
{
	ssize_t n;

	while ((n = recv(m->fd, m->heard + m->len, (1 << 20) - m->len - 2, 0)) > 0) {
		m->len += (size_t)n;
		m->heard[m->len++] = '\n';
	}
	return m->heard;
}

static bool has_heard(struct manager *m, const char *pattern)
{
	return text_matches(heard(m), pattern);
}

static void forget_all(struct manager *m)
{
	(void)heard(m);
	memset(m->heard, 0, m->len);
	m->len = 0;
}

static struct server *start_told(struct manager *m, const char *config)
{
	const char *const environment[] = { scratchf("NOTIFY_SOCKET=%s", m->path), NULL };

	return server_launch(&(struct launch){ .environment = environment, .config = config });
}

START_TEST(the_line_says_what_it_is_doing)
{
	struct manager *m = manager_new();
	struct server *s = start_told(m, jobs);
	struct client *c = dial(s);

	await(has_heard(m, "^READY=1\nSTATUS=0 jobs running, 0 waiting, 0 refused\\.\n"));
	say(c, "RUN sleep 60000\r\nRUN sleep 60000\r\nRUN sleep 60000\r\n");
	await(has_heard(m, "STATUS=1 jobs running, 1 waiting, 1 refused\\.\n"));
	/* It is not said again what has been said. */
	forget_all(m);
	say(dial(s), "RUN sleep 60000\r\n");
	await(has_heard(m, "^STATUS=1 jobs running, 1 waiting, 2 refused\\.\n"));
	reset(c);
	await(has_heard(m, "^STATUS=1 jobs running, 1 waiting, 2 refused\\.\nSTATUS=0 jobs running, 0 waiting, 2 refused\\.\n$"));
}
END_TEST

START_TEST(reading_again_is_said_before_and_after)
{
	struct manager *m = manager_new();
	const char *tokens = new_file("ops 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 ops\n");
	struct server *s;

	ck_assert_int_eq(chmod(tokens, 0600), 0);
	s = start_told(m, scratchf("[server]\ntokens = %s\n%s", tokens, jobs));
	await(has_heard(m, "^READY=1\n"));
	forget_all(m);
	kill(s->pid, SIGHUP);
	await(has_heard(m, "^RELOADING=1\nMONOTONIC_USEC=[0-9]+\nREADY=1\nSTATUS=0 jobs"));
	ck_assert_int_eq(truncate(tokens, 5), 0);
	forget_all(m);
	kill(s->pid, SIGHUP);
	await(has_heard(m, "^RELOADING=1\nMONOTONIC_USEC=[0-9]+\nREADY=1\nSTATUS=What was read again is wrong and not in force.* 0 jobs"));
}
END_TEST

START_TEST(draining_says_what_is_left_and_asks_for_time)
{
	struct manager *m = manager_new();
	struct server *s = start_told(m, jobs);
	struct client *c = dial(s);

	say(c, "RUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	forget_all(m);
	kill(s->pid, SIGTERM);
	await(has_heard(m, "STOPPING=1\nSTATUS=Draining: 1 jobs running, 0 waiting, cancelled in [0-9]+ s\\.\n"));
	await(has_heard(m, "EXTEND_TIMEOUT_USEC=15000000\n"));
	kill(s->pid, SIGTERM);
	hear_match(c, "^-CANCELED ");
	await(has_heard(m, "STOPPING=1\nSTATUS=Cancelling: "));
	await(has_heard(m, "STATUS=All jobs are over, sending the last answers\\.\n"));
	server_wait(s);
}
END_TEST

START_TEST(the_last_time_that_is_asked_for_lets_the_workers_end)
{
	struct manager *m = manager_new();
	struct server *s = start_told(m, "[job w]\nworker = cat\ngrace = 30s\n");

	await(has_heard(m, "^READY=1\n"));
	kill(s->pid, SIGTERM);
	await(has_heard(m, "last answers\\.\nEXTEND_TIMEOUT_USEC=([6-9][0-9]|[1-9][0-9]{2})000000\n"));
	server_wait(s);
}
END_TEST

static struct server *start_watched(struct manager *m, struct failing **page, const char *microseconds)
{
	const char *const *environment = preloaded(page, scratchf("WATCHDOG_USEC=%s", microseconds));
	const char *const all[] = { environment[0], environment[1], environment[2], scratchf("NOTIFY_SOCKET=%s", m->path), NULL };

	return server_launch(&(struct launch){ .environment = all, .config = scratchf("[server]\nloops = 2\n%s", jobs) });
}

START_TEST(the_watchdog_is_fed_while_all_threads_move)
{
	struct manager *m = manager_new();
	struct failing *page;
	struct server *s = start_watched(m, &page, "90000");
	struct client *c = dial(s);

	await(has_heard(m, "WATCHDOG=1\n(.*\n)?WATCHDOG=1\n"));
	/* Work that waits for a runner, and one that is paused, are no reason to restart. */
	say(c, "RUN sleep 60000\r\nRUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "waiting") == 1);
	forget_all(m);
	await(has_heard(m, "WATCHDOG=1\n(.*\n)?WATCHDOG=1\n(.*\n)?WATCHDOG=1\n"));
	/* Nor is draining. */
	kill(s->pid, SIGTERM);
	await(has_heard(m, "STOPPING=1\n"));
	forget_all(m);
	await(has_heard(m, "WATCHDOG=1\n(.*\n)?WATCHDOG=1\n"));
	reset(c);
	await(has_heard(m, "WATCHDOG_USEC=0\n"));
	server_wait(s);
}
END_TEST

/* Ticks that a loop has missed, as the log says. */
static bool has_missed(const struct server *s, int ticks)
{
	return server_logged(s, scratchf("msg=\"a thread does not move\" thread=\"loop 0\" ticks=%d", ticks));
}

START_TEST(a_loop_that_is_frozen_stops_the_feeding)
{
	struct manager *m = manager_new();
	struct failing *page;
	struct server *s = start_watched(m, &page, "150000");

	await(has_heard(m, "WATCHDOG=1\n"));
	atomic_store(&page->frozen, 1);
	await(has_missed(s, 1));
	forget_all(m);
	await(has_missed(s, 4));
	ck_assert(!has_heard(m, "WATCHDOG=1"));
	atomic_store(&page->frozen, 0);
	await(has_heard(m, "WATCHDOG=1\n"));
	server_kill(s);
}
END_TEST

Suite *service_suite(void)
{
	const TTest *tests[] = {
		the_line_says_what_it_is_doing,
		reading_again_is_said_before_and_after,
		draining_says_what_is_left_and_asks_for_time,
		the_last_time_that_is_asked_for_lets_the_workers_end,
		the_watchdog_is_fed_while_all_threads_move,
		a_loop_that_is_frozen_stops_the_feeding,
	};
	return wire_suite("service", tests, countof(tests));
}
