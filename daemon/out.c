#include "out.h"

#include "job.h"
#include "tls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

enum {
	/* Under this, copying is cheaper than a piece of its own. */
	RESULT_MIN_BYTES = 16 * 1024,
	/* Under this, the copy is smaller than the job. */
	RESULT_SCARCE_BYTES = 512,
	PARTS_MAX = 16,
	FORGET_BYTES = 64 * 1024,
};

struct out_result {
	struct out_result *next;
	struct job *job;
	struct slice output;            /* what is left of it */
	size_t after;                   /* it follows so many bytes of out->bytes */
};

void out_init(struct out *o)
{
	*o = (struct out){ .last = &o->results };
}

static void pop_result(struct out *o)
{
	struct out_result *r = o->results;

	o->results = r->next;
	if (!o->results)
		o->last = &o->results;
	o->result_bytes -= r->output.len;
	job_unref(r->job);
	free(r);
}

void out_free(struct out *o)
{
	while (o->results)
		pop_result(o);
	buf_free(&o->bytes);
	out_init(o);
}

bool out_add_result(struct out *o, struct job *job, struct slice output, bool scarce)
{
	struct out_result *r;

	if (output.len < (scarce ? RESULT_SCARCE_BYTES : RESULT_MIN_BYTES)) {
		buf_add_slice(&o->bytes, output);
		job_unref(job);
		return !o->bytes.failed;
	}
	r = malloc(sizeof(*r));
	if (!r) {
		job_unref(job);
		return false;
	}
	*r = (struct out_result){ .job = job, .output = output, .after = o->bytes.len };
	*o->last = r;
	o->last = &r->next;
	o->result_bytes += output.len;
	return true;
}

static void add_part(struct iovec *parts, int *n, const char *at, size_t len)
{
	if (len > 0)
		parts[(*n)++] = (struct iovec){ (void *)(uintptr_t)at, len };
}

/* The next parts to send, in order. */
static int gather(const struct out *o, struct iovec parts[PARTS_MAX])
{
	const struct out_result *r;
	size_t from = o->sent;
	int n = 0;

	for (r = o->results; r && n + 3 <= PARTS_MAX; r = r->next) {
		add_part(parts, &n, o->bytes.at + from, r->after - from);
		add_part(parts, &n, r->output.at, r->output.len);
		from = r->after;
	}
	if (!r)
		add_part(parts, &n, o->bytes.at + from, o->bytes.len - from);
	return n;
}

/* `n` bytes have gone. */
static void advance(struct out *o, size_t n)
{
	while (n > 0) {
		size_t until = o->results ? o->results->after : o->bytes.len;
		size_t step = until - o->sent < n ? until - o->sent : n;

		o->sent += step;
		n -= step;
		if (n == 0 || !o->results)
			break;
		step = o->results->output.len < n ? o->results->output.len : n;
		o->results->output.at += step;
		o->results->output.len -= step;
		o->result_bytes -= step;
		n -= step;
		if (o->results->output.len == 0)
			pop_result(o);
	}
}

/* What has gone leaves the buffer, now and then: a reader that never quite catches up must not make it grow for ever. */
static void forget_sent(struct out *o)
{
	if (o->sent < FORGET_BYTES || o->sent < o->bytes.len / 2)
		return;
	o->bytes.len -= o->sent;
	memmove(o->bytes.at, o->bytes.at + o->sent, o->bytes.len);
	for (struct out_result *r = o->results; r; r = r->next)
		r->after -= o->sent;
	o->sent = 0;
}

static void tidy(struct out *o)
{
	if (out_waiting(o) > 0) {
		forget_sent(o);
		return;
	}
	/* An idle connection keeps nothing: there may be many. */
	o->sent = 0;
	buf_free(&o->bytes);
}

/* A record of TLS is made of bytes that lie together. */
static ssize_t write_parts(int fd, struct tls *tls, const struct iovec *parts, int n)
{
	if (tls)
		return tls_write(tls, parts[0].iov_base, parts[0].iov_len);
	return n == 1 ? write(fd, parts[0].iov_base, parts[0].iov_len) : writev(fd, parts, n);
}

int64_t out_write(struct out *o, int fd, struct tls *tls)
{
	struct iovec parts[PARTS_MAX];
	int64_t total = 0;

	while (out_waiting(o) > 0) {
		int n = gather(o, parts);
		ssize_t wrote = write_parts(fd, tls, parts, n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0 && errno == EAGAIN)
			break;
		if (wrote < 0)
			return -errno;
		advance(o, (size_t)wrote);
		total += wrote;
	}
	tidy(o);
	return total;
}
