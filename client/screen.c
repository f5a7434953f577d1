#include "screen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define TEXT(text) (text), sizeof(text) - 1

/* The alternate screen, without cursor, without wrapping; and all that undone. */
static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[H\033[2J";
static const char leave[] = "\033[?7h\033[?25h\033[0m\033[?1049l";

bool screen_is_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && term[0] && strcmp(term, "dumb") != 0;
}

bool screen_has_colours(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && no[0]);
}

static bool write_all(const char *at, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, at, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static void measure(struct screen *s)
{
	struct winsize size;

	s->rows = 24;
	s->columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
		s->rows = size.ws_row;
		s->columns = size.ws_col;
	}
}

/* Character by character and unseen; ^C and ^Z are signals as before. ^S is a key: were it to stop the output, we would be kept from all
 * others until ^Q. */
static bool take_terminal(const struct screen *s)
{
	struct termios raw = s->before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_iflag &= ~(tcflag_t)IXON;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) == 0 && write_all(TEXT(enter));
}

static void give_terminal_back(const struct screen *s)
{
	write_all(TEXT(leave));
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
}

/* The one that is open, for exit() and for signals: whoever comes from there knows nothing of it. */
static struct screen *volatile *open_screen(void)
{
	static struct screen *volatile screen;

	return &screen;
}

/* Whatever it is that does not come to an end: a request, a look for a name, a terminal that takes no more. */
static void end_at_once(int signal unused_arg)
{
	const struct screen *s = *open_screen();
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	int fd;

	if (!s)
		_exit(0);
	/* Nobody is going to see what waits there. */
	if (poll(&p, 1, 0) == 0)
		tcflush(STDOUT_FILENO, TCOFLUSH);
	/* Of our own, so that it does not wait, and the terminal's others do as before. */
	fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (write(fd < 0 ? STDOUT_FILENO : fd, TEXT(leave)) < 0)
		(void)0;
	tcflush(STDIN_FILENO, TCIFLUSH);
	tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
	_exit(0);
}

/* Unless they are ignored, as under nohup. */
static void set_ends(void (*handler)(int))
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = handler }, before;

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < countof(signals); i++)
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

static void wanted_signals(sigset_t *set)
{
	static const int signals[] = { SIGWINCH, SIGTSTP, SIGPIPE };

	sigemptyset(set);
	for (size_t i = 0; i < countof(signals); i++)
		sigaddset(set, signals[i]);
}

static bool take_signals(struct screen *s)
{
	sigset_t set;

	wanted_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals >= 0;
}

static void give_signals_back(struct screen *s)
{
	sigset_t set;

	close(s->signals);
	wanted_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void close_open_screen(void)
{
	if (*open_screen())
		screen_close(*open_screen());
}

bool screen_open(struct screen *s)
{
	*s = (struct screen){ .colours = screen_has_colours() };
	measure(s);
	/* Signals first, so that none can come between the terminal and its way back. */
	if (atexit(close_open_screen) != 0 || tcgetattr(STDIN_FILENO, &s->before) < 0 || !take_signals(s))
		return false;
	*open_screen() = s;
	set_ends(end_at_once);
	if (take_terminal(s))
		return true;
	screen_close(s);
	return false;
}

void screen_close(struct screen *s)
{
	/* In this order: a signal between them does it all again. */
	give_terminal_back(s);
	set_ends(SIG_DFL);
	*open_screen() = NULL;
	give_signals_back(s);
}

bool screen_show(const struct screen *s unused_arg, const struct bytes *frame)
{
	return write_all(frame->at, frame->len);
}

/* ^Z: whoever comes next finds the terminal as it was, and keeps it if a signal ends us meanwhile. Goes on behind raise() when we are
 * continued. */
static void stop(struct screen *s)
{
	give_terminal_back(s);
	*open_screen() = NULL;
	raise(SIGSTOP);
	*open_screen() = s;
	if (!take_terminal(s))
		return;
	measure(s);
}

static int take_signal(struct screen *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return KEY_NONE;
	if (info.ssi_signo == SIGPIPE)
		return KEY_QUIT;
	if (info.ssi_signo == SIGTSTP)
		stop(s);
	else
		measure(s);
	return KEY_REDRAW;
}

/* What the keys beside the letters send. */
static int sequence(const char *bytes, size_t len)
{
	static const struct {
		const char *bytes;
		int key;
	} keys[] = {
		{ "\033[A", KEY_UP }, { "\033OA", KEY_UP }, { "\033[B", KEY_DOWN }, { "\033OB", KEY_DOWN },
		{ "\033[5~", KEY_PAGE_UP }, { "\033[6~", KEY_PAGE_DOWN }, { "\033[H", KEY_HOME }, { "\033OH", KEY_HOME },
		{ "\033[1~", KEY_HOME }, { "\033[F", KEY_END }, { "\033OF", KEY_END }, { "\033[4~", KEY_END },
	};

	for (size_t i = 0; i < countof(keys); i++)
		if (len == strlen(keys[i].bytes) && memcmp(bytes, keys[i].bytes, len) == 0)
			return keys[i].key;
	return KEY_NONE;
}

/* A key sends one byte, or several that begin with an escape. */
static int take_key(void)
{
	char bytes[8];
	ssize_t n = read(STDIN_FILENO, bytes, 1);

	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		return KEY_QUIT;
	if (n < 0)
		return KEY_NONE;
	if (bytes[0] != '\033')
		return (unsigned char)bytes[0];

	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	size_t len = 1;

	/* What follows an escape comes with it, and ends with a letter or ~. */
	while (len < sizeof(bytes) && poll(&p, 1, 20) > 0 && read(STDIN_FILENO, bytes + len, 1) == 1) {
		char last = bytes[len++];

		if (len > 2 && (last == '~' || (last >= 'A' && last <= 'Z')))
			break;
	}
	return sequence(bytes, len);
}

static int time_left(moment until)
{
	int64_t left = until - moment_now();

	return left <= 0 ? 0 : left / MILLISECONDS < INT_MAX ? (int)(left / MILLISECONDS) + 1 : INT_MAX;
}

int screen_key(struct screen *s, moment until)
{
	struct pollfd p[] = { { .fd = s->signals, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
	int n = poll(p, countof(p), time_left(until));

	if (n > 0 && p[0].revents)
		return take_signal(s);
	if (n > 0 && p[1].revents & (POLLERR | POLLHUP | POLLNVAL))
		return KEY_QUIT;
	return n > 0 ? take_key() : KEY_NONE;
}
