#include "reply.h"

#include "http_head.h"
#include "job.h"
#include "resp.h"

#include <stdio.h>

/* What an error usually takes: a refusal allocates nothing. */
enum { ERROR_ROOM_BYTES = 512 };

/* Without these the browser keeps the answer from the page. */
static never_inline void add_origin_headers(struct buf *to, struct slice origin)
{
	buf_add_slice(to, SLICE("Access-Control-Allow-Origin: "));
	buf_add_slice(to, origin);
	buf_add_slice(to, SLICE("\r\nAccess-Control-Expose-Headers: Leat-Id, Leat-Outcome, Leat-Error, Leat-Retry-Ms, Retry-After, "
				  "Server-Timing\r\nVary: Origin\r\n"));
}

static void add_head(struct buf *to, const struct wire *wire, int status, struct slice content_type, size_t content_length)
{
	http_add_head(to, &(struct http_head){
		.status = status, .minor = wire->minor, .keep_alive = wire->keep_alive, .content_type = content_type,
		.content_length = content_length, .date_line = wire->date_line,
	});
	if (unlikely(wire->origin.len > 0))
		add_origin_headers(to, wire->origin);
}

static void add_chunked_head(struct buf *to, const struct wire *wire, struct slice content_type)
{
	http_add_head(to, &(struct http_head){
		.status = 200, .minor = wire->minor, .keep_alive = wire->keep_alive, .content_type = content_type, .chunked = true,
		.date_line = wire->date_line,
	});
	if (wire->origin.len > 0)
		add_origin_headers(to, wire->origin);
}

/* A duration in milliseconds with one place, as Server-Timing has it. */
static void add_ms(struct buf *to, int64_t ns)
{
	uint64_t tenths = ns > 0 ? (uint64_t)ns / 100000 : 0;

	buf_add_uint(to, tenths / 10);
	buf_add_char(to, '.');
	buf_add_char(to, (char)('0' + tenths % 10));
}

static void add_id_header(struct buf *to, const struct job *job)
{
	buf_add_slice(to, SLICE("Leat-Id: "));
	buf_add_slice(to, slice_of(job->id));
	buf_add_slice(to, SLICE("\r\n"));
}

static void add_job_headers(struct buf *to, const struct job *job)
{
	moment until = job->started ? job->started : job->ended;

	add_id_header(to, job);
	buf_add_slice(to, SLICE("Server-Timing: queue;dur="));
	add_ms(to, until - job->arrived);
	if (job->started) {
		buf_add_slice(to, SLICE(", run;dur="));
		add_ms(to, job->ended - job->started);
	}
	buf_add_slice(to, SLICE("\r\n"));
}

static void add_retry_headers(struct buf *to, const struct answer *a)
{
	int64_t retry_ms = answer_number(a, "retry_ms");

	if (retry_ms < 0)
		return;
	/* Whole seconds are all that Retry-After has. */
	buf_add_slice(to, SLICE("Retry-After: "));
	buf_add_int(to, retry_ms < 1000 ? 1 : (retry_ms + 999) / 1000);
	buf_add_slice(to, SLICE("\r\nLeat-Retry-Ms: "));
	buf_add_int(to, retry_ms);
	buf_add_slice(to, SLICE("\r\n"));
}

/* The error's line as the value of a header. */
static void add_error_value(struct buf *to, const struct answer *a)
{
	char room[ERROR_ROOM_BYTES];
	struct buf line = buf_on(room);

	answer_add_line(a, &line);
	for (size_t i = 0; i < line.len; i++)
		buf_add_char(to, (unsigned char)line.at[i] < ' ' || line.at[i] == 0x7f ? ' ' : line.at[i]);
	to->failed |= line.failed;
	buf_free(&line);
}

/* How it ended, for who wants a stream: then the status cannot say it. */
static void add_outcome(struct buf *to, const struct answer *a, const struct job *job)
{
	buf_add_slice(to, SLICE("Leat-Outcome: "));
	buf_add_slice(to, job ? slice_of(outcome_name(job_outcome_of(a->code))) : SLICE("refused"));
	if (a->code != CODE_OK) {
		buf_add_slice(to, SLICE("\r\nLeat-Error: "));
		add_error_value(to, a);
	}
	buf_add_slice(to, SLICE("\r\n"));
}

static void add_http_problem(struct buf *to, const struct wire *wire, const struct answer *a, const struct job *job, const char *header)
{
	char room[ERROR_ROOM_BYTES];
	struct buf problem = buf_on(room);

	answer_add_problem(a, &problem);
	add_head(to, wire, answer_http_status(a), SLICE("application/problem+json"), problem.len);
	if (job)
		add_job_headers(to, job);
	add_retry_headers(to, a);
	if (wire->streamed)
		add_outcome(to, a, job);
	if (answer_http_status(a) == 401)
		buf_add_slice(to, SLICE("WWW-Authenticate: Bearer\r\n"));
	buf_add_slice(to, slice_of(header));
	buf_add_slice(to, SLICE("\r\n"));
	if (!wire->head_only)
		buf_add_slice(to, buf_slice(&problem));
	to->failed |= problem.failed;
	buf_free(&problem);
}

static void add_line_error(struct buf *to, const struct answer *a)
{
	char room[ERROR_ROOM_BYTES];
	struct buf line = buf_on(room);

	if (a->texts) {
		/* They are our own words: there is nothing in them to be made harmless. */
		buf_add_char(to, '-');
		answer_add_line(a, to);
		buf_add_slice(to, SLICE("\r\n"));
		return;
	}
	answer_add_line(a, &line);
	resp_add_error(to, buf_slice(&line));
	to->failed |= line.failed;
	buf_free(&line);
}

void reply_answer(struct buf *to, const struct wire *wire, const struct answer *a, const struct job *job)
{
	if (a->code != CODE_OK && wire->http) {
		add_http_problem(to, wire, a, job, "");
	} else if (a->code != CODE_OK) {
		add_line_error(to, a);
	} else if (wire->http) {
		add_head(to, wire, 200, SLICE("application/octet-stream"), a->output.len);
		if (job)
			add_job_headers(to, job);
		buf_add_slice(to, SLICE("\r\n"));
	} else {
		buf_add_char(to, '$');
		buf_add_uint(to, a->output.len);
		buf_add_slice(to, SLICE("\r\n"));
	}
}

void reply_stream_begin(struct buf *to, const struct wire *wire, const struct job *job)
{
	add_chunked_head(to, wire, SLICE("application/octet-stream"));
	add_id_header(to, job);
	buf_add_slice(to, SLICE("Server-Timing: queue;dur="));
	add_ms(to, (job->started ? job->started : moment_now()) - job->arrived);
	buf_add_slice(to, SLICE("\r\n"));
	if (wire->minor)
		buf_add_slice(to, SLICE("Trailer: Leat-Outcome, Leat-Error, Server-Timing\r\n"));
	buf_add_slice(to, SLICE("\r\n"));
}

void reply_stream_part(struct buf *to, const struct wire *wire, struct slice part)
{
	if (wire->minor)
		http_begin_chunk(to, part.len);
	buf_add_slice(to, part);
	if (wire->minor)
		http_end_chunk(to);
}

void reply_stream_end(struct buf *to, const struct wire *wire, const struct answer *a, const struct job *job)
{
	if (!wire->minor)
		return;
	http_last_chunk(to);
	add_outcome(to, a, job);
	if (job->started) {
		buf_add_slice(to, SLICE("Server-Timing: run;dur="));
		add_ms(to, job->ended - job->started);
		buf_add_slice(to, SLICE("\r\n"));
	}
	buf_add_slice(to, SLICE("\r\n"));
}

void reply_end(struct buf *to, const struct wire *wire)
{
	if (!wire->http)
		buf_add_slice(to, SLICE("\r\n"));
}

void reply_content(struct buf *to, const struct wire *wire, int status, struct slice content_type, struct slice body)
{
	add_head(to, wire, status, content_type, body.len);
	buf_add_slice(to, SLICE("\r\n"));
	if (!wire->head_only)
		buf_add_slice(to, body);
}

void reply_document(struct buf *to, const struct wire *wire, struct slice content_type, struct slice headers, struct slice body)
{
	add_head(to, wire, 200, content_type, body.len);
	buf_add_slice(to, headers);
	buf_add_slice(to, SLICE("\r\n"));
	if (!wire->head_only)
		buf_add_slice(to, body);
}

void reply_chunked(struct buf *to, const struct wire *wire, struct slice content_type, struct slice headers)
{
	add_chunked_head(to, wire, content_type);
	buf_add_slice(to, headers);
	buf_add_slice(to, SLICE("\r\n"));
}

void reply_not_allowed(struct buf *to, const struct wire *wire, const char *allow)
{
	struct answer a = answer_make(CODE_ERR, "this address does not take that method");
	char header[64];

	a.http_status = 405;
	snprintf(header, sizeof(header), "Allow: %s\r\n", allow);
	add_http_problem(to, wire, &a, NULL, header);
}

void reply_options(struct buf *to, const struct wire *wire, const char *allow)
{
	add_head(to, wire, 204, SLICE(""), 0);
	buf_addf(to, "Allow: %s\r\n", allow);
	/* Private network: an operator who names the origin of a public page means just that. */
	if (wire->origin.len > 0)
		buf_addf(to, "Access-Control-Allow-Methods: %s\r\n"
			 "Access-Control-Allow-Headers: Authorization, Content-Type, Leat-Deadline, Leat-Id, traceparent\r\n"
			 "Access-Control-Allow-Private-Network: true\r\nAccess-Control-Max-Age: 600\r\n", allow);
	buf_add_slice(to, SLICE("\r\n"));
}
