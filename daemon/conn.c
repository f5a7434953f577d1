#include "conn_impl.h"

#include "access.h"
#include "intake.h"
#include "leatd.h"
#include "tls.h"
#include "tokens.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a closing connection may still read what the client sends. */
#define LINGER_NS (1 * SECONDS)

/* When leatd stops: how long a connection may still take to send its first request. */
#define FIRST_REQUEST_NS (200 * MILLISECONDS)

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_timer(struct wheel_timer *timer);

/* --- Who --- */

static const struct token *token_at_first(const struct conn *conn)
{
	const struct tokens *tokens = conn->loop->access->tokens;

	if (!tokens)
		return &token_everybody;
	/* Of a unix socket the kernel knows it. */
	return conn->peer.family == AF_UNIX ? tokens_find_uid(tokens, conn->peer.address.uid) : NULL;
}

void conn_set_who(struct conn *conn, const struct token *who)
{
	conn->who = who;
	if (conn->protocol == PROTOCOL_LINE)
		intake_limit_line(conn);
}

void conns_renew(struct loop *loop)
{
	const struct tokens *tokens = loop->access->tokens;

	for (struct conn *conn = loop->conns; conn; conn = conn->next) {
		if (conn->who)
			conn_set_who(conn, tokens ? tokens_find_same(tokens, conn->who) : &token_everybody);
	}
}

/* --- Life --- */

static bool begin_tls(struct conn *conn)
{
	struct loop *loop = conn->loop;

	conn->tls = tls_new(loop->access->tls, conn->fd);
	conn->handshake_until = moment_add(loop->now, loop->leatd->config->server.header_timeout);
	return conn->tls != NULL;
}

bool conn_open(struct loop *loop, int fd, const struct peer *peer, uint64_t number, bool surplus, bool tls)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return false;
	conn->loop = loop;
	conn->fd = fd;
	conn->surplus = surplus;
	conn->version = 2;
	conn->last = &conn->first;
	conn->idle_since = loop->now;
	conn->finish_by = FOREVER;
	conn->number = number;
	conn->peer = *peer;
	conn->timer.fire = on_timer;
	conn->who = token_at_first(conn);
	out_init(&conn->out);
	if (event_assign(&conn->read_event, loop->base, fd, EV_READ | EV_PERSIST, on_readable, conn) < 0 ||
	    event_assign(&conn->write_event, loop->base, fd, EV_WRITE | EV_PERSIST, on_writable, conn) < 0 || (tls && !begin_tls(conn))) {
		free(conn);
		return false;
	}
	conn->next = loop->conns;
	if (conn->next)
		conn->next->prev = conn;
	loop->conns = conn;
	loop->conn_count++;
	conn_touch(conn);
	return true;
}

static void unlink_conn(struct conn *conn)
{
	struct loop *loop = conn->loop;

	if (conn->prev)
		conn->prev->next = conn->next;
	else
		loop->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	loop->conn_count--;
}

static void conn_close(struct conn *conn)
{
	exchanges_drop(conn);
	ctx_unref(conn->ctx);
	event_del(&conn->read_event);
	event_del(&conn->write_event);
	wheel_remove(&conn->timer);
	if (conn->protocol == PROTOCOL_LINE)
		resp_parser_free(&conn->parser.resp);
	buf_free(&conn->in);
	out_free(&conn->out);
	purse_return(&conn->loop->purse, conn->held);
	unlink_conn(conn);
	shim_sub(&conn->loop->leatd->connections, 1, relaxed);
	tls_free(conn->tls);
	close(conn->fd);
	free(conn);
}

void conn_touch(struct conn *conn)
{
	if (conn->touched)
		return;
	conn->touched = true;
	conn->touched_next = conn->loop->touched;
	conn->loop->touched = conn;
}

/* --- Reading --- */

void conn_on_eof(struct conn *conn)
{
	conn->eof = true;
	if (conn->protocol != PROTOCOL_LINE) {
		/* Of HTTP, whoever closes does not want the answers. */
		exchanges_drop(conn);
		conn->no_more = true;
	}
}

static void read_away(struct conn *conn)
{
	ssize_t n = recv(conn->fd, conn->loop->scratch, LOOP_SCRATCH_BYTES, 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn->broken = true;
}

/* Who has shown a certificate may need no token. */
static const struct token *token_of_certificate(const struct conn *conn)
{
	const struct tokens *tokens = conn->loop->access->tokens;
	char name[TLS_NAME_MAX];
	size_t len = tokens ? tls_client_name(conn->tls, name) : 0;

	return len > 0 ? tokens_find_certificate(tokens, (struct slice){ name, len }) : NULL;
}

/* True when the handshake is done. */
static bool shake_hands(struct conn *conn)
{
	int r = tls_handshake(conn->tls);

	conn->broken = r < 0;
	if (r <= 0)
		return false;
	conn->handshake_until = 0;
	if (!conn->who)
		conn_set_who(conn, token_of_certificate(conn));
	return true;
}

static void read_in(struct conn *conn)
{
	conn->idle_since = conn->loop->now;
	if (conn->lingering)
		read_away(conn);
	else if (conn->handshake_until && !shake_hands(conn))
		return;
	else
		intake_read(conn);
}

/* TLS holds bytes that the socket no longer has, so that nothing would wake us for them. */
static bool has_hidden(const struct conn *conn)
{
	return conn->tls && tls_has_more(conn->tls) && conn->interest & INTEREST_READ && !conn->lingering && !intake_has_requests(conn);
}

static void on_readable(evutil_socket_t fd unused_arg, short what unused_arg, void *arg)
{
	struct conn *conn = arg;

	loop_enter(conn->loop);
	read_in(conn);
	conn_touch(conn);
	loop_leave(conn->loop);
}

/* --- Sending, and what comes after it --- */

static void send_out(struct conn *conn)
{
	int64_t n = 0;

	if (out_waiting(&conn->out) > 0)
		n = out_write(&conn->out, conn->fd, conn->tls);

	if (n < 0)
		conn->broken = true;
	else if (n > 0 || conn->write_since == 0)
		conn->write_since = conn->loop->now;
	if (n > 0)
		conn->idle_since = conn->loop->now;
	if (out_waiting(&conn->out) == 0)
		conn->write_since = 0;
}

/* Being readable while it is not read from would wake the loop for ever, so there are interests that it does not: the closing of an HTTP
 * connection, once, and an edge on a line protocol's, whose FIN does not matter, and stays. */
static short write_events(unsigned interest)
{
	short events = 0;

	if (interest & INTEREST_WRITE)
		events |= EV_WRITE | EV_PERSIST;
	if (interest & INTEREST_CLOSE)
		events |= EV_CLOSED | EV_PERSIST;
	if (interest & INTEREST_HANGUP)
		events |= EV_WRITE | EV_ET | EV_PERSIST;
	return events;
}

static void set_interest(struct conn *conn, unsigned interest)
{
	short events = write_events(interest);

	if (interest == conn->interest)
		return;
	/* All that go first, since libevent wants the events of a descriptor to be all of an edge or none. */
	if (conn->interest & ~interest & INTEREST_READ)
		event_del(&conn->read_event);
	if (events != write_events(conn->interest)) {
		event_del(&conn->write_event);
		event_assign(&conn->write_event, conn->loop->base, conn->fd, events, on_writable, conn);
		if (events && event_add(&conn->write_event, NULL) < 0)
			conn->broken = true;
	}
	if (interest & ~conn->interest & INTEREST_READ) {
		if (event_add(&conn->read_event, NULL) < 0)
			conn->broken = true;
		/* The time that we did not read is not the client's. */
		conn->phase_began = conn->loop->now;
	}
	conn->interest = interest;
}

static unsigned interest_of(const struct conn *conn)
{
	unsigned interest = 0;

	if (conn->handshake_until)
		return tls_wants_write(conn->tls) ? INTEREST_WRITE : INTEREST_READ;
	if (!conn->eof && (intake_is_open(conn) || conn->lingering))
		interest |= INTEREST_READ;
	if (out_waiting(&conn->out) > 0 || (interest && conn->tls && tls_wants_write(conn->tls)))
		interest |= INTEREST_WRITE;
	if (!(interest & INTEREST_READ) && !conn->eof && conn->protocol == PROTOCOL_HTTP)
		interest |= INTEREST_CLOSE;
	return interest ? interest : INTEREST_HANGUP;
}

/* The earliest time at which something is to be done about this connection. */
static moment conn_due(const struct conn *conn)
{
	const struct server_config *config = &conn->loop->leatd->config->server;
	moment due = conn->finish_by;

	if (conn->handshake_until)
		due = moment_min(due, conn->handshake_until);
	else if (conn->write_since)
		due = moment_min(due, moment_add(conn->write_since, config->write_timeout));
	else if (conn->phase != PHASE_NONE && intake_is_open(conn))
		due = moment_min(due, moment_add(conn->phase_began,
						 conn->phase == PHASE_LINE ? config->header_timeout : config->body_timeout));
	else if (!conn->first && config->idle_timeout)
		due = moment_min(due, moment_add(conn->idle_since, config->idle_timeout));
	return due;
}

/* The timer may fire too early, and then sees that nothing is due: moving it for every request would cost more. */
static void set_timer(struct conn *conn)
{
	moment due = conn_due(conn);

	if (due != FOREVER && (!conn->timer.next || due < conn->timer.due))
		wheel_set(&conn->loop->wheel, &conn->timer, due);
}

static bool is_finished(const struct conn *conn)
{
	return conn->no_more && !conn->first && out_waiting(&conn->out) == 0;
}

/* Closing a socket that has unread input destroys the answer on its way: say that no more comes, and read what is there. */
static void linger(struct conn *conn)
{
	bool idle = conn->loop->stopping && conn->idle_since < conn->loop->now - LINGER_NS;

	if (conn->tls)
		tls_bye(conn->tls);
	if (conn->eof || idle || shutdown(conn->fd, SHUT_WR) < 0) {
		conn->broken = true;
		return;
	}
	conn->lingering = true;
	conn->finish_by = moment_min(conn->finish_by, moment_add(conn->loop->now, LINGER_NS));
}

/* Goes on when the others have had their turn. */
static void conn_later(struct conn *conn)
{
	conn->touched = true;
	conn->touched_next = conn->loop->later;
	conn->loop->later = conn;
}

/* Does what can be done for a connection, and closes it if it is over. */
static void look_after(struct conn *conn)
{
	exchanges_write(conn);
	if (!conn->broken)
		send_out(conn);
	intake_account(conn);
	intake_set_phase(conn);
	/* What has come is all there will be, and half a request will never be one. */
	if (conn->eof && !intake_has_requests(conn))
		conn->no_more = true;
	if (!conn->broken && !conn->lingering && is_finished(conn))
		linger(conn);
	if (!conn->broken)
		set_interest(conn, interest_of(conn));
	if (conn->broken) {
		conn_close(conn);
		return;
	}
	set_timer(conn);
	if ((intake_has_requests(conn) && intake_is_open(conn)) || has_hidden(conn) ||
	    (exchanges_have_more(conn) && out_waiting(&conn->out) == 0))
		conn_later(conn);
}

void conns_flush(struct loop *loop)
{
	while (loop->touched) {
		struct conn *conn = loop->touched;

		loop->touched = conn->touched_next;
		conn->touched = false;
		look_after(conn);
	}
}

bool conns_resume(struct loop *loop)
{
	if (!loop->later)
		return false;
	loop_enter(loop);
	loop->touched = loop->later;
	loop->later = NULL;
	for (struct conn *conn = loop->touched; conn; conn = conn->touched_next) {
		intake_take_waiting(conn);
		if (has_hidden(conn))
			read_in(conn);
	}
	loop_leave(loop);
	return true;
}

/* Reset, or, of a unix socket, closed in both directions. */
static bool has_gone(const struct conn *conn)
{
	struct pollfd poll_fd = { .fd = conn->fd };

	return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & (POLLERR | POLLHUP);
}

static void on_writable(evutil_socket_t fd unused_arg, short what, void *arg)
{
	struct conn *conn = arg;

	loop_enter(conn->loop);
	if (what & EV_CLOSED)
		conn_on_eof(conn);
	else if (conn->interest & INTEREST_HANGUP)
		conn->broken = has_gone(conn);
	else if (conn->tls && tls_wants_write(conn->tls))
		read_in(conn);
	conn_touch(conn);
	loop_leave(conn->loop);
}

/* --- Time --- */

static void give_up(struct conn *conn)
{
	if (conn->loop->now >= conn->finish_by || conn->write_since || conn->phase == PHASE_NONE || conn->protocol == PROTOCOL_UNDECIDED)
		conn->broken = true;
	else
		intake_late(conn);
}

static void on_timer(struct wheel_timer *timer)
{
	struct conn *conn = container_of(timer, struct conn, timer);

	if (conn_due(conn) <= conn->loop->now)
		give_up(conn);
	conn_touch(conn);
}

/* --- All of them --- */

void conns_cancel(struct loop *loop)
{
	/* In this order, or those that wait would be started in the places of those that ran. */
	for (struct conn *conn = loop->conns; conn; conn = conn->next)
		exchanges_cancel_waiting(conn);
	for (struct conn *conn = loop->conns; conn; conn = conn->next)
		exchanges_cancel_running(conn);
}

void conns_finish(struct loop *loop, moment until)
{
	for (struct conn *conn = loop->conns; conn; conn = conn->next) {
		/* One that has just been accepted has a request on its way, which is owed an answer. */
		if (conn->served)
			conn->no_more = true;
		conn->finish_by = moment_min(conn->finish_by,
					     conn->served ? until : moment_min(until, moment_add(loop->now, FIRST_REQUEST_NS)));
		conn_touch(conn);
	}
}
