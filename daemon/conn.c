#include "conn_impl.h"

#include "access.h"
#include "intake.h"
#include "leatd.h"
#include "route.h"
#include "stream_in.h"
#include "tls.h"
#include "tokens.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a closing connection may still read what the client sends. */
#define LINGER_NS (1 * SECONDS)

/* When it has done nothing for so long, a connection lets go of what it may need again. */
#define REST_NS (500 * MILLISECONDS)

/* When leatd stops: how long a connection may still take to send its first request. */
#define FIRST_REQUEST_NS (200 * MILLISECONDS)

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_timer(struct wheel_timer *timer);

/* --- Who --- */

static const struct token *token_at_first(const struct conn *conn)
{
	const struct tokens *tokens = conn->loop->catalogue->access->tokens;

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

static struct type *same_type(const struct loop *loop, const struct type *type)
{
	return type ? catalogue_type(loop->catalogue, type->name) : NULL;
}

/* The configured texts of before are about to be freed. */
static void renew_origins(struct conn *conn)
{
	for (struct exchange *ex = conn->first; ex; ex = ex->next) {
		if (ex->wire.origin.len > 0)
			ex->wire.origin = route_origin(conn->loop->catalogue, ex->wire.origin);
	}
}

void conns_renew(struct loop *loop)
{
	const struct tokens *tokens = loop->catalogue->access->tokens;

	for (struct conn *conn = loop->conns; conn; conn = conn->next) {
		if (conn->who)
			conn_set_who(conn, tokens ? tokens_find_same(tokens, conn->who) : &token_everybody);
		conn->starved_type = same_type(loop, conn->starved_type);
		renew_origins(conn);
	}
}

/* --- Life --- */

static bool begin_tls(struct conn *conn)
{
	struct loop *loop = conn->loop;

	conn->tls = tls_new(loop->catalogue->access->tls, conn->fd);
	if (!conn->tls)
		return false;
	/* Nothing can be said to a client with whom there is no handshake: what does not fit is closed. */
	if (!purse_spend(&loop->purse, tls_bytes(conn->tls))) {
		tls_free(conn->tls);
		return false;
	}
	conn->held = tls_bytes(conn->tls);
	conn->handshake_until = moment_add(loop->now, loop->catalogue->config->server.header_timeout);
	return true;
}

bool conn_open(struct loop *loop, int fd, const struct peer *peer, uint64_t number, const char *surplus, bool tls)
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
	/* Who is only told to go away has no place to be silent in. */
	conn->finish_by = surplus ? moment_add(loop->now, loop->catalogue->config->server.header_timeout) : FOREVER;
	conn->number = number;
	conn->peer = *peer;
	conn->timer.fire = on_timer;
	conn->who = token_at_first(conn);
	out_init(&conn->out);
	if (event_assign(&conn->read_event, loop->base, fd, EV_READ | EV_PERSIST, on_readable, conn) < 0 || (tls && !begin_tls(conn))) {
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
	stream_in_free(conn->body);
	ctx_unref(conn->ctx);
	event_del(&conn->read_event);
	if (conn->write_event)
		event_free(conn->write_event);
	wheel_remove(&conn->timer);
	if (conn->protocol == PROTOCOL_LINE)
		resp_parser_free(&conn->parser.resp);
	buf_free(&conn->in);
	out_free(&conn->out);
	purse_return(&conn->loop->purse, conn->held);
	unlink_conn(conn);
	listeners_forget(conn->loop, &conn->peer);
	tls_free(conn->tls);
	close(conn->fd);
	free(conn);
}

void conn_reset(struct conn *conn)
{
	struct linger at_once = { .l_onoff = 1 };

	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	conn->broken = true;
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
	const struct tokens *tokens = conn->loop->catalogue->access->tokens;
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

/* Who fetches an answer bit by bit must not be able to take for ever: what is fetched gives time for more, as much as min_rate says. */
static void set_write_until(struct conn *conn, uint64_t sent)
{
	const struct server_config *config = &conn->loop->catalogue->config->server;
	moment most = moment_add(conn->loop->now, config->write_timeout);

	if (conn->write_until == 0 || (sent > 0 && !config->min_rate))
		conn->write_until = most;
	else if (sent > 0)
		conn->write_until = moment_min(most, moment_add(conn->write_until, moment_span(sent, config->min_rate)));
}

static void send_out(struct conn *conn)
{
	int64_t n = 0;

	if (out_waiting(&conn->out) > 0)
		n = out_write(&conn->out, conn->fd, conn->tls);

	if (n < 0)
		conn->broken = true;
	if (n > 0)
		conn->idle_since = conn->loop->now;
	if (out_waiting(&conn->out) == 0)
		conn->write_until = 0;
	else if (n >= 0)
		set_write_until(conn, (uint64_t)n);
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

static bool watch_write(struct conn *conn, short events)
{
	struct event_base *base = conn->loop->base;

	if (conn->write_event) {
		event_del(conn->write_event);
		event_assign(conn->write_event, base, conn->fd, events, on_writable, conn);
	} else if (events) {
		conn->write_event = event_new(base, conn->fd, events, on_writable, conn);
	}
	return !events || (conn->write_event && event_add(conn->write_event, NULL) == 0);
}

static void set_interest(struct conn *conn, unsigned interest)
{
	short events = write_events(interest);

	if (interest == conn->interest)
		return;
	/* All that go first, since libevent wants the events of a descriptor to be all of an edge or none. */
	if (conn->interest & ~interest & INTEREST_READ)
		event_del(&conn->read_event);
	if (events != write_events(conn->interest) && !watch_write(conn, events))
		conn->broken = true;
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

/* The end of a body has to come by then: after its time, or earlier when it comes too slowly. */
static moment body_until(const struct conn *conn, const struct server_config *config)
{
	moment until = moment_add(conn->phase_began, config->body_timeout);

	if (config->min_rate)
		until = moment_min(until, moment_add(moment_add(conn->phase_began, config->min_rate_after), moment_span(conn->phase_bytes, config->min_rate)));
	return until;
}

/* It has nothing to do. */
static moment idle_until(const struct conn *conn, const struct server_config *config)
{
	moment until = config->idle_timeout ? moment_add(conn->idle_since, config->idle_timeout) : FOREVER;

	return conn->ctx ? moment_min(until, moment_add(conn->idle_since, REST_NS)) : until;
}

/* The earliest time at which something is to be done about this connection. */
static moment conn_due(const struct conn *conn)
{
	const struct server_config *config = &conn->loop->catalogue->config->server;
	moment due = conn->finish_by;

	if (conn->handshake_until)
		due = moment_min(due, conn->handshake_until);
	else if (conn->write_until)
		due = moment_min(due, conn->write_until);
	else if (conn->phase != PHASE_NONE && intake_is_open(conn))
		due = moment_min(due, conn->phase == PHASE_LINE ? moment_add(conn->phase_began, config->header_timeout) :
				 body_until(conn, config));
	else if (!conn->first)
		due = moment_min(due, idle_until(conn, config));
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
	if ((intake_has_requests(conn) && intake_is_open(conn)) || has_hidden(conn) || exchanges_wait_for_turn(conn))
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
	if (conn->loop->now >= conn->finish_by || conn->write_until || conn->phase == PHASE_NONE || conn->protocol == PROTOCOL_UNDECIDED)
		conn->broken = true;
	else
		intake_late(conn);
}

/* Ten thousand that are idle hold little. To the next job of a busy one it would only be work to make it again. */
static void rest(struct conn *conn)
{
	if (conn->first || moment_add(conn->idle_since, REST_NS) > conn->loop->now)
		return;
	ctx_unref(conn->ctx);
	conn->ctx = NULL;
}

static void on_timer(struct wheel_timer *timer)
{
	struct conn *conn = container_of(timer, struct conn, timer);

	rest(conn);
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
