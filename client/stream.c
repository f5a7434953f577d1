#include "stream.h"

#include "address.h"
#include "ask.h"
#include "connection.h"
#include "http.h"
#include "refusal.h"
#include "token.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	STEP_BYTES = 64 * 1024,
	/* What a pipe that says it can be written to takes without blocking: while we blocked, nothing would be sent. */
	PIPE_STEP_BYTES = 4096,
	/* Of the document that explains an error. */
	PROBLEM_BYTES = 4096,
};

struct stream {
	struct connection connection;
	struct http_reader reader;
	struct bytes out;               /* what is being sent */
	size_t sent;
	bool more_to_send;              /* stdin has not ended */
	bool listens;                   /* the server still takes what we send */
	char in[STEP_BYTES];            /* what has come */
	size_t in_at, in_len;
	size_t body;                    /* so many bytes from in_at on are for stdout */
	struct bytes problem;           /* the body of an error */
	bool stdout_is_pipe;
	bool done;
};

/* --- What is asked --- */

static void add_encoded(struct bytes *to, const char *at, size_t len)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~";

	for (size_t i = 0; i < len; i++)
		if (at[i] && strchr(plain, at[i]))
			bytes_add(to, at + i, 1);
		else
			bytes_addf(to, "%%%02X", (unsigned char)at[i]);
}

static void add_arg(struct bytes *to, const char *arg)
{
	const char *equals = strchr(arg, '=');

	bytes_add(to, "&arg.", 5);
	add_encoded(to, arg, (size_t)(equals - arg));
	bytes_add(to, "=", 1);
	add_encoded(to, equals + 1, strlen(equals + 1));
}

static enum status add_head(struct bytes *to, const struct invocation *i, const char *way, int jobs, int64_t deadline)
{
	enum status status = STATUS_DONE;

	bytes_addf(to, "POST /v1/%s", way);
	for (int n = 0; n < jobs; n++) {
		bytes_add(to, "/", 1);
		add_encoded(to, i->words[n], strlen(i->words[n]));
	}
	bytes_addf(to, "?stream=1");
	for (int n = 0; n < i->arg_count; n++)
		add_arg(to, i->args[n]);
	bytes_addf(to, " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n");
	if (deadline)
		bytes_addf(to, "Leat-Deadline: %lldms\r\n", (long long)deadline);
	if (i->option[OPTION_ID])
		bytes_addf(to, "Leat-Id: %s\r\n", i->option[OPTION_ID]);
	if (i->server->token_file)
		status = token_add_header(to, i->server->token_file);
	bytes_addf(to, "\r\n");
	return status;
}

static void add_chunk(struct bytes *to, const char *at, size_t len)
{
	if (len == 0)
		return;
	bytes_addf(to, "%zx\r\n", len);
	bytes_add(to, at, len);
	bytes_add(to, "\r\n", 2);
}

static void end_payload(struct stream *s)
{
	bytes_addf(&s->out, "0\r\n\r\n");
	s->more_to_send = false;
}

/* --- What goes on at the same time --- */

static enum status read_stdin(struct stream *s)
{
	char room[STEP_BYTES];
	ssize_t n = read(STDIN_FILENO, room, sizeof(room));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return STATUS_DONE;
	if (n < 0) {
		complain("cannot read the payload from stdin: %s", strerror(errno));
		return STATUS_IO;
	}
	s->out.len = s->sent = 0;
	add_chunk(&s->out, room, (size_t)n);
	if (n == 0)
		end_payload(s);
	return STATUS_DONE;
}

static void send_some(struct stream *s)
{
	ssize_t n = connection_send(&s->connection, s->out.at + s->sent, s->out.len - s->sent);

	/* It may have answered before it closed. */
	if (n < 0)
		s->listens = false;
	else
		s->sent += (size_t)n;
}

static enum status write_stdout(struct stream *s)
{
	size_t len = s->stdout_is_pipe && s->body > PIPE_STEP_BYTES ? PIPE_STEP_BYTES : s->body;
	ssize_t n = write(STDOUT_FILENO, s->in + s->in_at, len);

	if (n < 0 && errno != EINTR && errno != EAGAIN) {
		complain("cannot write to stdout: %s", strerror(errno));
		return STATUS_IO;
	}
	if (n > 0) {
		s->in_at += (size_t)n;
		s->body -= (size_t)n;
	}
	return STATUS_DONE;
}

/* Only a result is for stdout. */
static void sort_body(struct stream *s)
{
	if (s->reader.status == 200)
		return;
	if (s->problem.len + s->body < PROBLEM_BYTES)
		bytes_add(&s->problem, s->in + s->in_at, s->body);
	s->in_at += s->body;
	s->body = 0;
}

/* Looks at what has come until there is something for stdout, or nothing left. */
static enum exchange_status look(struct stream *s, const char **why)
{
	while (!s->done && s->body == 0 && s->in_at < s->in_len) {
		size_t used, body;

		switch (http_read(&s->reader, s->in + s->in_at, s->in_len - s->in_at, &used, &body, why)) {
		case HTTP_BAD:
			return EXCHANGE_BAD;
		case HTTP_DONE:
			s->done = true;
			break;
		case HTTP_BODY:
			s->body = body;
			s->in_at += used - body;
			sort_body(s);
			/* What has a length ends with its last byte. */
			if (s->body == 0 && s->in_at == s->in_len)
				s->done = http_is_whole(&s->reader);
			break;
		case HTTP_MORE:
			s->in_at += used;
			break;
		}
	}
	return EXCHANGE_DONE;
}

static enum exchange_status receive_some(struct stream *s, const char **why)
{
	ssize_t n = connection_receive(&s->connection, s->in, sizeof(s->in));

	if (n < 0)
		return EXCHANGE_DONE;
	if (n == 0) {
		s->done = http_ends_with_close(&s->reader);
		return s->done ? EXCHANGE_DONE : EXCHANGE_ENDED;
	}
	s->in_at = 0;
	s->in_len = (size_t)n;
	return look(s, why);
}

enum { WAIT_SOCKET, WAIT_STDIN, WAIT_STDOUT, WAITS };

/* False: it takes too long. */
static bool wait_for_events(const struct stream *s, struct pollfd polls[WAITS])
{
	bool sending = s->listens && s->sent < s->out.len, hungry = s->body == 0;
	short events = (short)((hungry ? POLLIN : 0) | (sending ? POLLOUT : 0));
	bool hidden = hungry && connection_has_more(&s->connection);

	polls[WAIT_SOCKET] = (struct pollfd){ events ? s->connection.fd : -1, events, 0 };
	polls[WAIT_STDIN] = (struct pollfd){ s->listens && !sending && s->more_to_send ? STDIN_FILENO : -1, POLLIN, 0 };
	polls[WAIT_STDOUT] = (struct pollfd){ hungry ? -1 : STDOUT_FILENO, POLLOUT, 0 };
	if (!connection_poll(&s->connection, polls, WAITS, hidden))
		return false;
	if (hidden)
		polls[WAIT_SOCKET].revents |= POLLIN;
	return true;
}

/* One round. STATUS_DONE: and *how is EXCHANGE_DONE, or what went wrong with the server. */
static enum status go_on(struct stream *s, enum exchange_status *how, const char **why)
{
	struct pollfd polls[WAITS];
	enum status status = STATUS_DONE;

	if (!wait_for_events(s, polls)) {
		*how = EXCHANGE_TIMED_OUT;
		return STATUS_DONE;
	}
	if (polls[WAIT_STDOUT].revents && (status = write_stdout(s)) == STATUS_DONE && s->body == 0) {
		*how = look(s, why);
		s->done = s->done || (s->in_at == s->in_len && http_is_whole(&s->reader));
	}
	if (status == STATUS_DONE && polls[WAIT_STDIN].revents)
		status = read_stdin(s);
	if (polls[WAIT_SOCKET].revents & POLLOUT)
		send_some(s);
	if (polls[WAIT_SOCKET].revents & (POLLIN | POLLHUP | POLLERR) && s->body == 0 && !s->done && *how == EXCHANGE_DONE)
		*how = receive_some(s, why);
	return status;
}

/* --- What it means --- */

/* The text of a member of the problem+json, as it stands there; without a library, since it is only for people. */
static int problem_text(struct stream *s, const char *name, const char **text)
{
	const char *at;

	bytes_add(&s->problem, "", 1);
	s->problem.len--;
	at = strstr(s->problem.at, name);
	if (!at)
		return 0;
	*text = at + strlen(name);
	return (int)strcspn(*text, "\"");
}

/* An error that does not say its line: it was found before it was known that a stream is wanted. */
static enum status explain_problem(struct stream *s)
{
	const char *code, *detail;
	int code_len = problem_text(s, "\"code\":\"", &code), detail_len = problem_text(s, "\"detail\":\"", &detail);
	struct bytes line = { 0 };
	enum status status;

	if (code_len > 0 && detail_len > 0)
		bytes_addf(&line, "%.*s %.*s", code_len, code, detail_len, detail);
	else
		bytes_addf(&line, "HTTP status %d", s->reader.status);
	status = refusal_explain(line.at, line.len);
	bytes_free(&line);
	return status;
}

static enum status outcome(struct stream *s, const struct address *a)
{
	const struct http_reader *r = &s->reader;

	if (r->error.len > 0)
		return refusal_explain(r->error.at, r->error.len);
	if (r->status != 200)
		return explain_problem(s);
	if (r->outcome.len == 4 && memcmp(r->outcome.at, "done", 4) == 0)
		return STATUS_DONE;
	return ask_failed(a, EXCHANGE_BAD, "it does not say how the job ended", 0, NULL);
}

static enum status converse(struct stream *s, const struct address *a, int64_t patience)
{
	enum exchange_status how = EXCHANGE_DONE;
	enum status status = STATUS_DONE;
	const char *why = NULL;
	struct stat st;

	s->stdout_is_pipe = fstat(STDOUT_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
	while (status == STATUS_DONE && how == EXCHANGE_DONE && !s->done)
		status = go_on(s, &how, &why);
	if (status != STATUS_DONE)
		return status;
	if (how != EXCHANGE_DONE)
		return ask_failed(a, how, why, patience, NULL);
	if (!s->more_to_send && s->sent == s->out.len)
		connection_end(&s->connection);
	return outcome(s, a);
}

static enum status prepare(struct stream *s, const struct invocation *i, const char *way, int jobs, int64_t deadline)
{
	const char *word = i->count > jobs ? i->words[jobs] : NULL;
	enum status status = add_head(&s->out, i, way, jobs, deadline);

	s->listens = s->more_to_send = true;
	if (word && strcmp(word, "-") != 0) {
		add_chunk(&s->out, word, strlen(word));
		end_payload(s);
	}
	return status;
}

enum status stream_run(const struct invocation *i, const char *way, int jobs, int64_t deadline, int64_t patience)
{
	struct stream s = { .connection = { .fd = -1 } };
	struct address address;
	enum status status = prepare(&s, i, way, jobs, deadline);

	if (status == STATUS_DONE)
		status = ask_open(i->server, patience, &address, &s.connection);
	if (status == STATUS_DONE)
		status = converse(&s, &address, patience);
	connection_close(&s.connection);
	http_reader_free(&s.reader);
	bytes_free(&s.out);
	bytes_free(&s.problem);
	return status;
}
