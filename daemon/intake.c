#include "intake.h"

#include "admit.h"
#include "command.h"
#include "conn_impl.h"
#include "leatd.h"
#include "route.h"
#include "stream_in.h"
#include "tls.h"

#include <errno.h>
#include <sys/socket.h>

enum {
	/* Bytes that wait to be sent before no further request is taken: a client that does not read its answers is not read from, and
	 * is cut off at write_timeout. */
	OUT_WAITING_MAX = 1 << 20,
	/* The same while memory is short. */
	OUT_SCARCE_BYTES = 4096,
	/* Requests of one connection before others get their turn. */
	TURN_REQUESTS = 64,
	/* Room for at least so many more bytes of a request that did not come whole. */
	IN_STEP_BYTES = 4096,
	/* What a connection may hold of it, and reads at a time, while memory is short. */
	IN_SCARCE_BYTES = 4096,
	/* A payload for which there is no memory is read and thrown away, so that the connection can go on, but not more than this. */
	SKIP_MAX_BYTES = 64 << 20,
	/* What a client of the line protocol may send before it has said who it is. */
	STRANGER_ARGS_MAX = 10,
	STRANGER_BYTES_MAX = 16 * 1024,
};

void intake_limit_line(struct conn *conn)
{
	struct resp_parser *parser = &conn->parser.resp;

	parser->max_args = conn->who ? RESP_ARGS_MAX : STRANGER_ARGS_MAX;
	parser->max_bytes = conn->who ? 0 : STRANGER_BYTES_MAX;
}

/* --- What it holds of the memory budget --- */

static size_t holds(const struct conn *conn)
{
	size_t args = conn->protocol == PROTOCOL_LINE ? resp_parser_bytes(&conn->parser.resp) : 0;

	return conn->in.cap + conn->out.bytes.cap + conn->kept_bytes + args + (conn->tls ? tls_bytes(conn->tls) : 0);
}

/* Pays for what its buffers have become. What an answer needs that is not fetched cannot be refused any more. */
void intake_account(struct conn *conn)
{
	struct purse *purse = &conn->loop->purse;
	size_t now = holds(conn);

	if (likely(now == conn->held))
		return;
	if (now < conn->held)
		purse_return(purse, conn->held - now);
	else if (!purse_spend(purse, now - conn->held) && !purse_overdraw(purse, now - conn->held)) {
		conn->broken = true;
		return;
	}
	conn->held = now;
}

/* What it has read is about to become jobs, which pay for it themselves. */
static void change_hands(struct conn *conn)
{
	purse_return(&conn->loop->purse, conn->held);
	conn->held = 0;
}

/* The capacity of `in` becomes `cap`, and is paid for. */
static bool buy_room(struct conn *conn, size_t cap, bool (*pay)(struct purse *, size_t bytes))
{
	size_t more = cap - conn->in.cap;

	if (!pay(&conn->loop->purse, more))
		return false;
	if (!buf_resize(&conn->in, cap)) {
		purse_return(&conn->loop->purse, more);
		return false;
	}
	conn->held += more;
	return true;
}

/* Room in `in` for `wish` more bytes, or for `least`. False: there is no memory. */
static bool make_room(struct conn *conn, size_t least, size_t wish)
{
	struct buf *in = &conn->in;
	/* Whole requests have been read and are owed an answer. */
	size_t most = conn->want == 0 ? LOOP_SCRATCH_BYTES : IN_SCARCE_BYTES;
	size_t scarce = conn->want == 0 ? in->len + least : IN_SCARCE_BYTES;

	if (in->cap - in->len >= least || buy_room(conn, in->len + wish, purse_spend))
		return true;
	return in->len + least <= most && buy_room(conn, scarce, purse_overdraw);
}

/* --- Requests --- */

bool intake_is_open(const struct conn *conn)
{
	size_t waiting = out_waiting(&conn->out) + conn->kept_bytes;

	if (conn->no_more || conn->broken || conn->lingering)
		return false;
	/* A body has been let in already. */
	if (conn->body)
		return !stream_in_is_full(conn->body);
	return conn->exchanges < conn->loop->catalogue->config->server.max_pipeline &&
	       (waiting < OUT_SCARCE_BYTES || (waiting < OUT_WAITING_MAX && !purse_is_scarce(&conn->loop->purse)));
}

/* It holds requests that were read but not looked at yet. */
bool intake_has_requests(const struct conn *conn)
{
	return conn->in.len > 0 && conn->want == 0 && conn->protocol != PROTOCOL_UNDECIDED;
}

static struct exchange begin_exchange(struct conn *conn)
{
	struct exchange ex = { .conn = conn, .who = conn->who, .wire = { .http = conn->protocol == PROTOCOL_HTTP, .version = conn->version,
						       .date_line = conn->loop->date_line }, .peer = conn->peer };

	if (ex.wire.http) {
		const struct http_request *r = &conn->parser.http.request;

		ex.wire.minor = r->minor;
		ex.wire.keep_alive = r->keep_alive;
		ex.wire.head_only = r->method == HTTP_HEAD;
		ex.close_after = !r->keep_alive;
	}
	if (conn->loop->stopping) {
		ex.wire.keep_alive = false;
		ex.close_after = true;
	}
	return ex;
}

static void answer_and_close(struct conn *conn, struct answer a)
{
	struct exchange ex = begin_exchange(conn);

	ex.wire.keep_alive = false;
	ex.close_after = true;
	exchange_answer(&ex, &a);
}

static void answer_surplus(struct conn *conn)
{
	struct answer a = answer_make(CODE_BUSY, conn->surplus);

	answer_fact_text(&a, "reason", SLICE("connections"));
	answer_fact(&a, "retry_ms", 1000);
	answer_and_close(conn, a);
}

static struct answer bad_answer(const struct parse_result *r)
{
	struct answer a = answer_make(r->http_status == 413 ? CODE_TOOBIG : CODE_ERR, r->why);

	a.http_status = r->http_status;
	return a;
}

static void answer_too_big(struct conn *conn)
{
	struct exchange ex = begin_exchange(conn);
	struct answer a = answer_make(CODE_TOOBIG, "the payload is over max_payload");

	answer_fact(&a, "max_payload", (int64_t)conn->loop->catalogue->config->server.max_payload);
	exchange_answer(&ex, &a);
}

static void refuse_starved(struct conn *conn, struct answer *a)
{
	if (conn->starved_type) {
		admit_starved(conn->starved_type, conn->loop->now, a);
		summary_refused(conn->loop);
		return;
	}
	*a = answer_make(CODE_BUSY, refusal_words(REFUSED_memory));
	answer_fact_text(a, "reason", SLICE("memory"));
	answer_fact(a, "retry_ms", 1000);
}

/* A request whose payload was thrown away for want of memory. */
static void answer_starved(struct conn *conn)
{
	struct exchange ex = begin_exchange(conn);
	struct answer a;

	refuse_starved(conn, &a);
	exchange_answer(&ex, &a);
}

static void dispatch(struct conn *conn)
{
	struct exchange ex = begin_exchange(conn);

	if (conn->surplus)
		answer_surplus(conn);
	else if (conn->protocol == PROTOCOL_HTTP)
		route_dispatch(&ex, &conn->parser.http.request);
	else
		command_dispatch(&ex, conn->parser.resp.argc, conn->parser.resp.argv);
	/* Room for many arguments is not for an idle connection to keep. */
	if (conn->protocol == PROTOCOL_LINE && resp_parser_bytes(&conn->parser.resp) > 0)
		resp_parser_free(&conn->parser.resp);
}

/* Whether it is known who asks, which the head says: strangers must not make us hold a body. If not, it is answered. */
static bool is_admitted(struct conn *conn)
{
	struct exchange ex;

	if (conn->protocol != PROTOCOL_HTTP)
		return true;
	ex = begin_exchange(conn);
	return route_admits(&ex, &conn->parser.http.request);
}

/* The client holds the body back until it is told to send it. */
static void say_continue(struct conn *conn)
{
	struct http_parser *parser = &conn->parser.http;
	struct exchange ex;

	if (!parser->request.expect_continue || conn->continued)
		return;
	ex = begin_exchange(conn);
	ex.close_after = false;
	buf_add_slice(exchange_begin(&ex), SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
	exchange_end(&ex);
	conn->continued = true;
}

/* The head of a request whose body is still to come. False: it was refused, and the connection closes. */
static bool take_head(struct conn *conn)
{
	if (conn->protocol != PROTOCOL_HTTP || !conn->parser.http.head_done || conn->head_taken)
		return true;
	conn->head_taken = true;
	if (!is_admitted(conn))
		return false;
	say_continue(conn);
	return true;
}

/* --- Bodies that go to their jobs as they come --- */

static bool wants_stream(const struct conn *conn)
{
	return !conn->surplus && route_streams_body(conn->loop->catalogue, &conn->parser.http.request);
}

/* The head is there, and is dispatched: if the job is admitted, the body goes to it, and otherwise nobody reads it. */
static void begin_body(struct conn *conn)
{
	struct exchange ex = begin_exchange(conn);
	const struct http_request *request = &conn->parser.http.request;

	http_stream(&conn->parser.http);
	ex.body_to_come = true;
	conn->head_taken = true;
	conn->served = true;
	route_dispatch(&ex, request);
	if (!ex.kept || !ex.kept->job) {
		conn->no_more = true;
		return;
	}
	conn->body = stream_in_start(ex.kept, request->expect_continue, ex.close_after);
	if (!conn->body)
		conn->broken = true;
	conn_touch(conn);
}

/* How many bytes of the part that has come there is no room for. */
static size_t leave_of_part(struct conn *conn)
{
	struct http_parser *parser = &conn->parser.http;
	size_t left = parser->request.body.len - stream_in_take(conn->body, parser->request.body);

	http_give_back(parser, left);
	return left;
}

static void fail_body(struct conn *conn, struct answer a)
{
	stream_in_fail(conn->body, &a);
	conn_touch(conn);
}

static bool decide_protocol(struct conn *conn, const char *at, size_t len)
{
	bool undecided;

	if (conn->protocol != PROTOCOL_UNDECIDED)
		return true;
	if (http_begins(at, len, &undecided)) {
		conn->protocol = PROTOCOL_HTTP;
		http_parser_init(&conn->parser.http);
		conn->parser.http.wants_head = true;
	} else if (!undecided) {
		conn->protocol = PROTOCOL_LINE;
		resp_parser_init(&conn->parser.resp);
		intake_limit_line(conn);
	}
	return conn->protocol != PROTOCOL_UNDECIDED;
}

static struct parse_result parse(struct conn *conn, char *at, size_t len)
{
	size_t max = conn->loop->catalogue->config->server.max_payload;

	if (conn->protocol == PROTOCOL_HTTP)
		return http_parse(&conn->parser.http, at, len, max);
	return resp_parse(&conn->parser.resp, at, len, max);
}

/* The rest of the request is thrown away as it comes. False: it has to come whole. */
static bool skip_rest(struct conn *conn, char *at)
{
	const struct catalogue *c = conn->loop->catalogue;
	struct slice head[2];

	conn->starved_type = NULL;
	if (conn->protocol == PROTOCOL_HTTP) {
		if (!http_skip(&conn->parser.http, at))
			return false;
		conn->starved_type = route_type(c, &conn->parser.http.request);
		/* Who waits for the word to send it is better told not to. */
		return !conn->parser.http.request.expect_continue;
	}
	if (conn->protocol == PROTOCOL_UNDECIDED || !resp_skip(&conn->parser.resp, at, head))
		return false;
	conn->starved_type = conn->who ? command_type(c, head[0], head[1]) : NULL;
	return true;
}

/* There is no memory for the rest of the request at `at`, of which `len` bytes have come. Returns how many of them are dealt with. */
static size_t starve(struct conn *conn, char *at, size_t len)
{
	struct parse_result r;
	struct answer a;

	if (conn->body) {
		conn->broken = true;
		return len;
	}
	if (!conn->starved)
		shim_add(&conn->loop->leatd->starved, 1, relaxed);
	if (!conn->starved && conn->want > 0 && conn->want - len <= SKIP_MAX_BYTES && skip_rest(conn, at)) {
		conn->starved = true;
		r = parse(conn, at, len);
		conn->want = r.want;
		return r.used;
	}
	conn->phase = PHASE_NONE;
	conn->want = 0;
	if (conn->protocol == PROTOCOL_UNDECIDED) {
		conn->broken = true;
		return len;
	}
	refuse_starved(conn, &a);
	answer_and_close(conn, a);
	return len;
}

/* There is something to be parsed. The end of a body whose last part was taken needs no further byte, so nothing would call for
 * another turn for it. */
static bool has_next(const struct conn *conn, size_t len, int turn)
{
	return (len > 0 && turn < TURN_REQUESTS) || (conn->body && http_at_end(&conn->parser.http));
}

/* Takes requests from the front of the window; returns the bytes that are dealt with. */
static size_t take_requests(struct conn *conn, char *at, size_t len)
{
	size_t used = 0;

	conn->want = 0;
	for (int turn = 0; has_next(conn, len - used, turn) && intake_is_open(conn); turn++) {
		struct parse_result r;

		if (!decide_protocol(conn, at + used, len - used))
			break;
		r = parse(conn, at + used, len - used);
		switch (r.status) {
		case PARSE_MORE:
			if (!take_head(conn))
				return len;
			conn->want = r.want;
			return used + r.used;
		case PARSE_HEAD:
			if (wants_stream(conn))
				begin_body(conn);
			used += r.used;
			continue;
		case PARSE_PART:
			used += r.used - leave_of_part(conn);
			continue;
		case PARSE_DONE:
			if (conn->body)
				stream_in_end(conn->body);
			else
				dispatch(conn);
			break;
		case PARSE_TOOBIG:
			if (!is_admitted(conn))
				break;
			if (conn->starved)
				answer_starved(conn);
			else
				answer_too_big(conn);
			break;
		case PARSE_BAD:
			if (conn->body)
				fail_body(conn, bad_answer(&r));
			else
				answer_and_close(conn, bad_answer(&r));
			break;
		}
		used += r.used;
		conn->phase = PHASE_NONE;
		conn->served = true;
		conn->continued = false;
		conn->starved = false;
		conn->head_taken = false;
	}
	/* Nothing after a request that closes the connection is looked at. */
	return conn->no_more ? len : used;
}

/* What is left of `in` moves to its front. */
static void drop_front(struct buf *in, size_t used)
{
	in->len -= used;
	if (in->len == 0)
		buf_free(in);
	else if (used > 0)
		memmove(in->at, in->at + used, in->len);
	/* What a large payload needed is not for what follows it. */
	if (in->cap / 4 > in->len + IN_STEP_BYTES)
		(void)!buf_resize(in, in->len);
}

/* Takes what it can of what was read before. */
static void take_from_in(struct conn *conn)
{
	change_hands(conn);
	drop_front(&conn->in, take_requests(conn, conn->in.at, conn->in.len));
	/* Now, and not when all have had their turn: the next one has to see that memory has become short. */
	intake_account(conn);
}

/* Requests that were read before there was place, or time, for them. */
void intake_take_waiting(struct conn *conn)
{
	if (intake_has_requests(conn) && intake_is_open(conn))
		take_from_in(conn);
}

static enum phase phase_of(const struct conn *conn)
{
	bool body;

	if (intake_has_requests(conn))
		return PHASE_NONE;
	if (conn->body)
		return PHASE_BODY;
	body = conn->want > 0 && (conn->protocol == PROTOCOL_HTTP ? conn->parser.http.head_done : resp_in_array(&conn->parser.resp));
	return body ? PHASE_BODY : conn->in.len > 0 ? PHASE_LINE : PHASE_NONE;
}

void intake_set_phase(struct conn *conn)
{
	enum phase phase = phase_of(conn);

	if (phase == conn->phase)
		return;
	conn->phase = phase;
	conn->phase_began = conn->loop->now;
	/* What has come of it with its head counts. */
	conn->phase_bytes = conn->in.len;
}

/* --- Reading --- */

static ssize_t receive(struct conn *conn, void *to, size_t len)
{
	ssize_t n = conn->tls ? tls_read(conn->tls, to, len) : recv(conn->fd, to, len, 0);

	if (n > 0)
		conn->phase_bytes += (size_t)n;
	return n;
}

/* Of `len` bytes that were read, `used` are dealt with; the others wait for what follows them. */
static void keep_rest(struct conn *conn, char *at, size_t len, size_t used)
{
	size_t left = len - used;

	if (left > 0 && !make_room(conn, left, left)) {
		used += starve(conn, at + used, left);
		left = len - used;
		if (left > 0 && !make_room(conn, left, left))
			left -= starve(conn, at + used, left);
	}
	buf_add(&conn->in, at + len - left, left);
	intake_account(conn);
}

static void read_scratch(struct conn *conn)
{
	struct loop *loop = conn->loop;
	size_t most = purse_is_scarce(&loop->purse) ? IN_SCARCE_BYTES : LOOP_SCRATCH_BYTES;
	ssize_t n = receive(conn, loop->scratch, most);

	if (n < 0) {
		conn->broken = errno != EAGAIN && errno != EINTR;
		return;
	}
	if (n == 0) {
		conn_on_eof(conn);
		return;
	}
	keep_rest(conn, loop->scratch, (size_t)n, take_requests(conn, loop->scratch, (size_t)n));
}

/* Room grows as the request comes, not as it was announced: who announces much and sends little shall not hold much. */
static size_t read_step(const struct conn *conn)
{
	size_t len = conn->in.len;
	size_t step = len > IN_STEP_BYTES ? len : IN_STEP_BYTES;

	if (conn->want <= len + IN_STEP_BYTES)
		return IN_STEP_BYTES;
	return conn->want - len < step ? conn->want - len : step;
}

static void read_more(struct conn *conn)
{
	struct buf *in = &conn->in;
	ssize_t n;

	if (!make_room(conn, 1, read_step(conn))) {
		drop_front(in, starve(conn, in->at, in->len));
		return;
	}
	n = receive(conn, in->at + in->len, in->cap - in->len);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		conn->broken = true;
	} else if (n == 0) {
		conn_on_eof(conn);
	} else if (n > 0) {
		in->len += (size_t)n;
		if (in->len >= conn->want)
			take_from_in(conn);
	}
}

void intake_read(struct conn *conn)
{
	if (conn->in.len == 0)
		read_scratch(conn);
	else
		read_more(conn);
}

void intake_late(struct conn *conn)
{
	struct answer a = answer_make(CODE_ERR, "the request did not come whole in time");

	a.http_status = 408;
	if (conn->starved)
		refuse_starved(conn, &a);
	if (conn->body)
		fail_body(conn, a);
	else
		answer_and_close(conn, a);
	buf_free(&conn->in);
	conn->phase = PHASE_NONE;
}
