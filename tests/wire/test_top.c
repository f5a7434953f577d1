/* `leat top` on a terminal of its own, and without one. */
#include "wire.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#define LOOKER "looker-token-0123456789"

static const char jobs[] =
	"[job sleep]\n"
	"builtin = sleep\n"
	"concurrency = 1\n"
	"queue = 4\n"
	"deadline = 1m\n"
	"[job echo]\n"
	"builtin = echo\n";

struct terminal {
	pid_t pid;
	int fd;
	struct termios before;
	char *shown;                    /* since the last forget(); a NUL follows */
	size_t len;
};

enum { SHOWN_MAX = 8 << 20 };

static void become(const struct server *s, const char *const *words)
{
	const char *argv[16] = { leat_path(), "--server", scratchf("%s:%s", s->host, s->port), "top", "--interval", "200ms" };
	size_t count = 6;

	while (*words)
		argv[count++] = *words++;
	setenv("TERM", "xterm", 1);
	execv(argv[0], (char **)(uintptr_t)argv);
	_exit(127);
}

#define start_top(s, ...) start_top_with(s, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })
static struct terminal *start_top_with(const struct server *s, const char *const *words)
{
	struct winsize size = { .ws_row = 24, .ws_col = 130 };
	struct terminal *t = scratch(sizeof(*t));
	int own;

	t->shown = scratch(SHOWN_MAX);
	ck_assert_int_eq(openpty(&t->fd, &own, NULL, NULL, &size), 0);
	ck_assert_int_eq(tcgetattr(own, &t->before), 0);
	t->pid = fork();
	if (t->pid == 0) {
		close(t->fd);
		login_tty(own);
		become(s, words);
	}
	close(own);
	return t;
}

static void look(struct terminal *t)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };

	while (poll(&p, 1, 0) > 0 && p.revents & POLLIN) {
		ssize_t n = read(t->fd, t->shown + t->len, SHOWN_MAX - 1 - t->len);

		if (n <= 0)
			return;
		t->len += (size_t)n;
		t->shown[t->len] = 0;
	}
}

static bool shows(struct terminal *t, const char *text)
{
	look(t);
	return strstr(t->shown, text) != NULL;
}

static void forget(struct terminal *t)
{
	look(t);
	t->len = 0;
	t->shown[0] = 0;
}

/* Types what is to be typed, and forgets what was shown before. */
static void type(struct terminal *t, const char *keys)
{
	forget(t);
	ck_assert_int_eq(write(t->fd, keys, strlen(keys)), (ssize_t)strlen(keys));
}

/* It has ended, and the terminal is what it was. */
static void assert_left_as_it_was(struct terminal *t, int status)
{
	static const char end[] = "\033[?7h\033[?25h\033[0m\033[?1049l";
	struct termios after;

	ck_assert_int_eq(wait_for(t->pid), status);
	look(t);
	ck_assert_int_eq(tcgetattr(t->fd, &after), 0);
	ck_assert_uint_eq(after.c_lflag, t->before.c_lflag);
	ck_assert_uint_eq(after.c_iflag, t->before.c_iflag);
	ck_assert(t->len >= strlen(end));
	ck_assert_str_eq(t->shown + t->len - strlen(end), end);
	close(t->fd);
}

START_TEST(it_shows_types_and_jobs_live)
{
	struct server *s = server_start(jobs);
	struct terminal *t = start_top(s);
	struct client *c = dial(s);

	await(shows(t, "JOB ") && shows(t, "sleep") && shows(t, "IN FLIGHT"));
	say(c, "RUN sleep 60000 ID the-nap\r\nRUN sleep 60000 ID the-next\r\nRUN nope\r\n");
	await(shows(t, "the-nap") && shows(t, "the-next") && shows(t, "1/1") && shows(t, "1/4"));
	say(dial(s), "RUN sleep 1\r\nRUN sleep 1\r\nRUN sleep 1\r\nRUN sleep 1\r\n");
	await(shows(t, "queue_full"));
	type(t, "q");
	assert_left_as_it_was(t, 0);
}
END_TEST

START_TEST(the_keys_pause_resume_and_cancel)
{
	struct server *s = server_start(jobs);
	struct client *c = dial(s);
	struct terminal *t;

	say(c, "RUN sleep 60000 ID first\r\nRUN sleep 60000 ID second\r\n");
	await(stat_of(s, "sleep", "waiting") == 1);
	t = start_top(s);
	await(shows(t, "second"));
	type(t, "\033[Bp");
	await(shows(t, "sleep is paused") && metric(s, "leat_jobs_paused{job=\"sleep\"}") == 1);
	ck_assert_uint_eq(metric(s, "leat_jobs_paused{job=\"echo\"}"), 0);
	type(t, "r");
	await(shows(t, "sleep goes on") && metric(s, "leat_jobs_paused{job=\"sleep\"}") == 0);
	/* Not without a yes. */
	type(t, "\tc");
	await(shows(t, "cancel first?"));
	type(t, "n");
	await(shows(t, "q quit"));
	type(t, "jc");
	await(shows(t, "cancel second?"));
	type(t, "y");
	await(shows(t, "second is cancelled"));
	ck_assert_uint_eq(stat_of(s, "sleep", "canceled"), 1);
	ck_assert_uint_eq(stat_of(s, "sleep", "running"), 1);
	type(t, "q");
	assert_left_as_it_was(t, 0);
}
END_TEST

START_TEST(the_order_is_by_what_is_asked_for)
{
	struct server *s = server_start(jobs);
	struct terminal *t;

	say(dial(s), "RUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	t = start_top(s);
	await(shows(t, "s sort: name"));
	ck_assert(strstr(t->shown, "echo") < strstr(t->shown, "sleep"));
	type(t, "ss");
	await(shows(t, "s sort: running"));
	ck_assert(strstr(strstr(t->shown, "s sort: rate"), "sleep") < strstr(strstr(t->shown, "s sort: rate"), "echo"));
	type(t, "q");
	assert_left_as_it_was(t, 0);
}
END_TEST

START_TEST(the_terminal_is_left_as_it_was_whatever_ends_it)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct server *s = server_start(jobs);
	struct terminal *t;

	for (size_t i = 0; i < countof(signals); i++) {
		t = start_top(s);
		await(shows(t, "q quit"));
		kill(t->pid, signals[i]);
		assert_left_as_it_was(t, 0);
	}
	t = start_top(s);
	await(shows(t, "q quit"));
	type(t, "\003");
	assert_left_as_it_was(t, 0);
	t = start_top(s, "--count", "2");
	assert_left_as_it_was(t, 0);
}
END_TEST

/* Bytes have come for the server that it has not read. */
static bool is_asked(const struct server *s)
{
	return text_matches(read_file("/proc/net/tcp", NULL),
			    scratchf(":%04X [0-9A-F]{8}:[0-9A-F]{4} 01 [0-9A-F]{8}:0*[1-9A-F]", (unsigned)atoi(s->port)));
}

START_TEST(a_request_without_an_answer_does_not_keep_it_from_ending)
{
	struct server *s = server_start(jobs);
	struct terminal *t = start_top(s);

	await(shows(t, "q quit"));
	kill(s->pid, SIGSTOP);
	await(is_asked(s));
	type(t, "\003");
	assert_left_as_it_was(t, 0);
	/* It has not waited for the end of its patience. */
	ck_assert_ptr_null(strstr(t->shown, "trying again"));
	kill(s->pid, SIGCONT);
}
END_TEST

/* Nothing can be written to the terminal. */
static bool is_full(const struct terminal *t)
{
	struct pollfd p = { .fd = open(ptsname(t->fd), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), .events = POLLOUT };
	bool full = p.fd >= 0 && poll(&p, 1, 0) == 0;

	close(p.fd);
	return full;
}

START_TEST(a_terminal_that_takes_no_more_does_not_keep_it_from_ending)
{
	static const int signals[] = { SIGINT, SIGTERM };
	struct winsize size = { .ws_row = 4000, .ws_col = 200 };
	struct server *s = server_start(jobs);

	for (size_t i = 0; i < countof(signals); i++) {
		struct terminal *t = start_top(s);

		await(shows(t, "q quit"));
		ck_assert_int_eq(ioctl(t->fd, TIOCSWINSZ, &size), 0);
		await(is_full(t));
		kill(t->pid, signals[i]);
		assert_left_as_it_was(t, 0);
	}
}
END_TEST

START_TEST(control_s_does_not_keep_it_from_ending)
{
	struct server *s = server_start(jobs);
	struct terminal *t = start_top(s);

	await(shows(t, "q quit"));
	type(t, "\023s");
	await(shows(t, "s sort: rate"));
	kill(t->pid, SIGTERM);
	assert_left_as_it_was(t, 0);
}
END_TEST

START_TEST(one_that_is_stopped_gives_the_terminal_back_meanwhile)
{
	struct server *s = server_start(jobs);
	struct terminal *t = start_top(s);
	struct termios meanwhile;

	await(shows(t, "q quit"));
	type(t, "\032");
	await(shows(t, "\033[?1049l"));
	ck_assert_int_eq(tcgetattr(t->fd, &meanwhile), 0);
	ck_assert_uint_eq(meanwhile.c_lflag, t->before.c_lflag);
	forget(t);
	kill(t->pid, SIGCONT);
	await(shows(t, "\033[?1049h") && shows(t, "q quit"));
	type(t, "q");
	assert_left_as_it_was(t, 0);
}
END_TEST

START_TEST(it_fits_itself_to_the_window)
{
	struct winsize size = { .ws_row = 40, .ws_col = 30 };
	struct server *s = server_start(jobs);
	struct terminal *t = start_top(s);

	await(shows(t, "\033[24;1H") && shows(t, "MOSTLY"));
	ck_assert_int_eq(ioctl(t->fd, TIOCSWINSZ, &size), 0);
	kill(t->pid, SIGWINCH);
	await(shows(t, "\033[40;1H"));
	forget(t);
	await(shows(t, "\033[40;1H"));
	ck_assert_ptr_null(strstr(strstr(t->shown, "\033[40;1H"), "MOSTLY"));
	type(t, "q");
	assert_left_as_it_was(t, 0);
}
END_TEST

START_TEST(a_server_that_goes_is_waited_for)
{
	struct server *s = server_start(jobs);
	struct terminal *t = start_top(s);

	await(shows(t, "q quit"));
	server_stop(s);
	await(shows(t, "cannot reach leatd") && shows(t, "trying again"));
	type(t, "q");
	assert_left_as_it_was(t, 0);
}
END_TEST

START_TEST(who_may_only_look_is_told_so)
{
	struct ran ran = run("/bin/sh", "-c", scratchf("printf %%s '%s' | %s --hash-token", LOOKER, leatd_path()));
	const char *tokens = new_file(scratchf("looker %.64s look\n", strchr(ran.out, ' ') + 1));
	struct terminal *t;

	ck_assert_int_eq(chmod(tokens, 0600), 0);
	t = start_top(server_start(scratchf("[server]\ntokens = %s\n%s", tokens, jobs)), "--token-file", new_file(LOOKER "\n"));
	await(shows(t, "takes a token with the right ops"));
	type(t, "p");
	await(shows(t, "NOAUTH"));
	type(t, "c");
	await(shows(t, "there is no job to be cancelled"));
	type(t, "q");
	assert_left_as_it_was(t, 0);
}
END_TEST

START_TEST(without_a_terminal_it_prints_a_table_for_each_look)
{
	struct server *s = server_start(jobs);
	struct ran ran;

	say(dial(s), "RUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	ran = shell(s, "$LEAT top --interval 100ms --count 2 | cat");
	ck_assert_int_eq(ran.status, 0);
	ck_assert_str_eq(ran.err, "");
	assert_match(ran.out, "^[^\n]*  up [^\n]*\nJOB +STATE +END/S [^\n]*\necho [^\n]*\nsleep +[^\n]* 1/1 +0/4 [^\n]*\n\n[^\n]*  up [^\n]*\nJOB [^\n]*\n[^\n]*\n[^\n]*\n$");
	ck_assert_ptr_null(strchr(ran.out, '\033'));
	ran = shell(s, "$LEAT top --interval 100ms --count 2 --json | jq -r '.jobs[] | \"\\(.job) \\(.running)\"' | sort | uniq -c | tr -s ' '");
	ck_assert_str_eq(ran.out, " 2 echo 0\n 2 sleep 1\n");
	ran = shell(s, "$LEAT top --server 127.0.0.1:1 --count 1");
	ck_assert_int_eq(ran.status, 69);
	assert_match(ran.err, "^leat: 127.0.0.1:1: cannot reach leatd: [^\n]*\n$");
}
END_TEST

START_TEST(colours_are_not_for_who_does_not_want_them)
{
	struct server *s = server_start(jobs);
	struct terminal *t;

	say(dial(s), "RUN sleep 60000\r\n");
	await(stat_of(s, "sleep", "running") == 1);
	t = start_top(s);
	await(shows(t, "\033[36m"));
	type(t, "q");
	assert_left_as_it_was(t, 0);
	setenv("NO_COLOR", "1", 1);
	t = start_top(s, "--count", "2");
	assert_left_as_it_was(t, 0);
	unsetenv("NO_COLOR");
	assert_has(t->shown, "sleep");
	ck_assert_ptr_null(strstr(t->shown, "\033[3"));
}
END_TEST

Suite *top_suite(void)
{
	const TTest *tests[] = {
		it_shows_types_and_jobs_live,
		the_keys_pause_resume_and_cancel,
		the_order_is_by_what_is_asked_for,
		the_terminal_is_left_as_it_was_whatever_ends_it,
		a_request_without_an_answer_does_not_keep_it_from_ending,
		a_terminal_that_takes_no_more_does_not_keep_it_from_ending,
		control_s_does_not_keep_it_from_ending,
		one_that_is_stopped_gives_the_terminal_back_meanwhile,
		it_fits_itself_to_the_window,
		a_server_that_goes_is_waited_for,
		who_may_only_look_is_told_so,
		without_a_terminal_it_prints_a_table_for_each_look,
		colours_are_not_for_who_does_not_want_them,
	};
	return wire_suite("top", tests, countof(tests));
}
