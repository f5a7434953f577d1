#include "talk.h"

#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Of the test that runs. */
static struct client *clients;

static struct client *connect_to(const struct sockaddr *address, socklen_t len)
{
	struct client *c = scratch(sizeof(*c));
	int on = 1;

	c->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(c->fd, 0);
	ck_assert_msg(connect(c->fd, address, len) == 0, "cannot connect: %s", strerror(errno));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	/* Pieces go as they are said. Fails on a unix socket, which does that anyway. */
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->cap = 65536;
	c->in = calloc(1, c->cap);
	ck_assert(c->in != NULL);
	c->next = clients;
	clients = c;
	return c;
}

struct client *dial(const struct server *s)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST }, *found;
	struct client *c;

	ck_assert_int_eq(getaddrinfo(s->host, s->port, &hints, &found), 0);
	c = connect_to(found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return c;
}

struct client *dial_unix(const struct server *s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", s->unix_path);
	return connect_to((const struct sockaddr *)&address, sizeof(address));
}

/* --- Hearing --- */

/* Reads what is there; false if that is nothing. */
static bool receive(struct client *c)
{
	ssize_t n;

	if (c->cap - c->len < 4096) {
		c->cap *= 2;
		c->in = realloc(c->in, c->cap);
		ck_assert(c->in != NULL);
	}
	n = recv(c->fd, c->in + c->len, c->cap - c->len - 1, 0);
	if (n > 0)
		c->len += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		c->over = true;
	c->in[c->len] = '\0';
	return n > 0;
}

static void forget_heard(struct client *c)
{
	if (c->at < 1 << 20 && c->at < c->len)
		return;
	memmove(c->in, c->in + c->at, c->len - c->at);
	c->len -= c->at;
	c->at = 0;
}

static size_t not_heard(const struct client *c)
{
	return c->len - c->at;
}

/* For messages: a copy with an end. */
static const char *shown(const char *bytes, size_t len)
{
	return scratchf("%.*s%s", len < 1000 ? (int)len : 1000, bytes, len < 1000 ? "" : "...");
}

bool hear_more(struct client *c)
{
	struct pollfd waiting = { c->fd, POLLIN, 0 };

	if (c->over)
		return false;
	ck_assert_msg(poll(&waiting, 1, 30000) == 1, "no answer within 30 s to:\n%s\nbut\n%s", c->said ? c->said : "",
		      shown(c->in + c->at, not_heard(c)));
	receive(c);
	return !c->over;
}

bool can_hear(struct client *c)
{
	if (!c->over)
		receive(c);
	return c->len > c->at;
}

bool is_over(struct client *c)
{
	if (!c->over)
		receive(c);
	return c->over;
}

void hear_at(struct client *c, const void *bytes, size_t len, const char *here)
{
	while (not_heard(c) < len && memcmp(c->in + c->at, bytes, not_heard(c)) == 0 && hear_more(c))
		;
	ck_assert_msg(not_heard(c) >= len && memcmp(c->in + c->at, bytes, len) == 0, "%s: said:\n%s\nheard:\n%s%s\ninstead of:\n%s", here,
		      c->said ? c->said : "", shown(c->in + c->at, not_heard(c)), c->over ? "(end)" : "", shown(bytes, len));
	c->at += len;
	forget_heard(c);
}

const char *hear_match_at(struct client *c, const char *pattern, const char *here)
{
	const char *line, *end;
	size_t len;

	while (!(end = memmem(c->in + c->at, not_heard(c), "\r\n", 2)))
		ck_assert_msg(hear_more(c), "%s: the server closed instead of a line that matches '%s'; said:\n%s", here, pattern,
			      c->said ? c->said : "");
	len = (size_t)(end - (c->in + c->at));
	line = scratchf("%.*s", (int)len, c->in + c->at);
	ck_assert_msg(text_matches(line, pattern), "%s: said:\n%s\nheard:\n%s\nwhich does not match:\n%s", here, c->said ? c->said : "", line,
		      pattern);
	c->at += len + 2;
	forget_heard(c);
	return line;
}

void hear_end_at(struct client *c, const char *here)
{
	while (not_heard(c) == 0 && hear_more(c))
		;
	ck_assert_msg(not_heard(c) == 0, "%s: heard instead of the end:\n%s", here, shown(c->in + c->at, not_heard(c)));
}

char *hear_rest(struct client *c, size_t *len)
{
	char *rest;

	while (hear_more(c))
		;
	*len = not_heard(c);
	rest = scratch(*len + 1);
	memcpy(rest, c->in + c->at, *len);
	c->at = c->len;
	return rest;
}

/* Waits for the line that begins at offset `from` of what was not heard yet. The offset behind it. */
static size_t line_end(struct client *c, size_t from)
{
	const char *end;

	while (not_heard(c) < from || !(end = memmem(c->in + c->at + from, not_heard(c) - from, "\r\n", 2)))
		ck_assert_msg(hear_more(c), "the server closed in the middle of an answer to:\n%s", c->said);
	return (size_t)(end + 2 - (c->in + c->at));
}

/* The offset behind the answer that begins at offset `from`. */
static size_t reply_end(struct client *c, size_t from)
{
	size_t end = line_end(c, from);
	const char *line = c->in + c->at + from;
	char type = *line;
	long n = type == '+' || type == '-' ? 0 : strtol(line + 1, NULL, 10);

	ck_assert_msg(type && strchr("+-:$*~%_", type), "not an answer: %s", shown(line, not_heard(c) - from));
	if (type == '$' && n >= 0)
		end = line_end(c, end + (size_t)n);
	if (type == '%')
		n *= 2;
	for (; (type == '*' || type == '~' || type == '%') && n > 0; n--)
		end = reply_end(c, end);
	return end;
}

char *hear_reply(struct client *c)
{
	size_t len = reply_end(c, 0);
	char *reply = scratch(len + 1);

	memcpy(reply, c->in + c->at, len);
	c->at += len;
	forget_heard(c);
	return reply;
}

/* --- Saying --- */

void say_bytes(struct client *c, const void *bytes, size_t len)
{
	const char *at = bytes;

	c->said = shown(bytes, len);
	while (len > 0) {
		ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);
		struct pollfd waiting = { c->fd, c->over ? POLLOUT : POLLOUT | POLLIN, 0 };

		if (n < 0 && errno != EAGAIN)
			return;         /* what is heard next will tell */
		if (n > 0) {
			at += n;
			len -= (size_t)n;
			continue;
		}
		ck_assert_msg(poll(&waiting, 1, 30000) == 1, "the server does not read:\n%s", c->said);
		if (waiting.revents & POLLIN)
			receive(c);
	}
}

void say(struct client *c, const char *text)
{
	say_bytes(c, text, strlen(text));
}

void sayf(struct client *c, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	ck_assert_int_ge(len, 0);
	say_bytes(c, text, (size_t)len);
	free(text);
}

bool is_read(const struct client *c)
{
	int waiting;

	ck_assert_int_eq(ioctl(c->fd, SIOCOUTQ, &waiting), 0);
	return waiting == 0;
}

/* --- The end --- */

void end_saying(struct client *c)
{
	shutdown(c->fd, SHUT_WR);
}

void hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->over = true;
	free(c->in);
	c->in = NULL;
	c->len = c->at = c->cap = 0;
}

void reset(struct client *c)
{
	struct linger at_once = { 1, 0 };

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	hang_up(c);
}

void clients_reset(void)
{
	for (; clients; clients = clients->next) {
		if (clients->fd >= 0)
			reset(clients);
	}
}
