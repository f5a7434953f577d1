#include "talk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sysexits.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, LINE_MAX_BYTES = 512, PAYLOAD_MAX = 1 << 30 };

/* Between two signs of life. */
#define BEAT_EVERY (100 * MILLISECONDS)

_Noreturn static void give_up(const char *what)
{
	fprintf(stderr, "leat-plugin-host: %s\n", what);
	exit(EX_PROTOCOL);
}

bool talk_open(struct talk *t, int in, int out)
{
	t->in = in;
	t->patience = (struct patience){ 0 };
	t->out = out;
	t->from = t->to = t->gathered = 0;
	t->said = NOW;
	t->read_cap = READ_BYTES;
	t->read = malloc(t->read_cap);
	return t->read != NULL;
}

void talk_close(struct talk *t)
{
	free(t->read);
}

/* --- What leatd says --- */

/* What is there now; -1 and EAGAIN: nothing. Kernels before 6.4 cannot say that of a pipe: then it waits. */
static ssize_t read_now(const struct talk *t)
{
	struct iovec room = { t->read + t->to, t->read_cap - t->to };
	ssize_t n = preadv2(t->in, &room, 1, -1, RWF_NOWAIT);

	return n < 0 && errno == EOPNOTSUPP ? readv(t->in, &room, 1) : n;
}

/* Awake, as long as that has been worth it, and then asleep. */
static ssize_t read_later(struct talk *t)
{
	moment began = moment_now(), now = began;
	ssize_t n = -1;

	errno = EAGAIN;
	while (n < 0 && errno == EAGAIN && patience_wait(&t->patience, began, &now))
		n = read_now(t);
	while (n < 0 && (errno == EAGAIN || errno == EINTR))
		n = read(t->in, t->read + t->to, t->read_cap - t->to);
	patience_learn(&t->patience, moment_now() - began);
	return n;
}

/* False: the end. */
static bool read_more(struct talk *t)
{
	ssize_t n = read_now(t);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		n = read_later(t);
	if (n > 0)
		t->to += (size_t)n;
	return n > 0;
}

/* Room for `bytes` from `from` on. What a large payload has taken is given back before the next job that is not. */
static void make_room(struct talk *t, size_t bytes)
{
	size_t cap = bytes > READ_BYTES ? bytes : READ_BYTES;

	if (t->from > 0)
		memmove(t->read, t->read + t->from, t->to - t->from);
	t->to -= t->from;
	t->from = 0;
	if (cap > t->read_cap || (t->read_cap > READ_BYTES && t->to <= cap)) {
		char *read = realloc(t->read, cap);

		if (!read)
			give_up("no memory for the payload");
		t->read = read;
		t->read_cap = cap;
	}
}

/* The next line, ended by NUL instead of its newline; NULL: the end. */
static char *next_line(struct talk *t)
{
	char *line, *end;

	while (!(end = memchr(t->read + t->from, '\n', t->to - t->from))) {
		if (t->to - t->from > LINE_MAX_BYTES)
			give_up("a line that is too long");
		if (t->read_cap - t->to < LINE_MAX_BYTES)
			make_room(t, 0);
		if (!read_more(t))
			return NULL;
	}
	*end = '\0';
	line = t->read + t->from;
	t->from = (size_t)(end + 1 - t->read);
	return line;
}

/* The next word of a line, cut after TALK_WORD_MAX; "" if there is none. */
static void take_word(char **line, char word[TALK_WORD_MAX + 1])
{
	size_t len = strcspn(*line, " ");
	size_t kept = len < TALK_WORD_MAX ? len : TALK_WORD_MAX;

	memcpy(word, *line, kept);
	word[kept] = '\0';
	*line += len + ((*line)[len] == ' ');
}

static int64_t take_number(char **line, int64_t max)
{
	int64_t number = 0;
	const char *start = *line;

	for (; **line >= '0' && **line <= '9' && number <= max; ++*line)
		number = number * 10 + (**line - '0');
	if (*line == start || number > max || (**line != ' ' && **line != '\0'))
		give_up("a JOB line without its numbers");
	*line += **line == ' ';
	return number;
}

/* A large payload is read in one piece, too. */
static bool read_payload(struct talk *t, struct talk_job *job)
{
	if (job->payload_len > t->read_cap - t->from)
		make_room(t, job->payload_len);
	while (t->to - t->from < job->payload_len) {
		if (!read_more(t))
			return false;
	}
	job->payload = t->read + t->from;
	t->from += job->payload_len;
	return true;
}

bool talk_job(struct talk *t, struct talk_job *job)
{
	char word[TALK_WORD_MAX + 1], *line;

	if (t->from == t->to || t->read_cap > READ_BYTES)
		make_room(t, t->to - t->from);
	line = next_line(t);
	if (!line)
		return false;
	take_word(&line, word);
	if (strcmp(word, "JOB") != 0)
		give_up("a line that is not JOB");
	take_word(&line, job->id);
	t->said = moment_now();
	job->end_by = moment_add(t->said, take_number(&line, INT64_MAX / MILLISECONDS / 10) * MILLISECONDS);
	job->payload_len = (size_t)take_number(&line, PAYLOAD_MAX);
	take_word(&line, job->traceparent);
	if (strcmp(job->traceparent, "-") == 0)
		job->traceparent[0] = '\0';
	return read_payload(t, job);
}

/* --- What we say --- */

/* Nobody reads any more: leatd is gone. */
static void write_all(const struct talk *t, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(t->out, bytes, len);

		if (n < 0 && errno != EINTR)
			_exit(EX_IOERR);
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
}

/* Decimal digits without printf: it would be the dearest part of a small job. Returns their number. */
static size_t put_number(char *to, size_t number)
{
	char digits[20];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	for (size_t i = 0; i < n; i++)
		to[i] = digits[n - 1 - i];
	return n;
}

static size_t put_head(char head[TALK_HEAD_MAX], const char *verb, size_t len)
{
	size_t n = strlen(verb);

	memcpy(head, verb, n);
	head[n++] = ' ';
	n += put_number(head + n, len);
	head[n++] = '\n';
	return n;
}

/* The head goes right before what is gathered, so that both are one write. */
static void send_gathered(struct talk *t, const char *verb)
{
	char head[TALK_HEAD_MAX];
	size_t n = put_head(head, verb, t->gathered);
	char *start = t->room + TALK_HEAD_MAX - n;

	memcpy(start, head, n);
	write_all(t, start, n + t->gathered);
	t->gathered = 0;
}

void talk_ready(struct talk *t)
{
	write_all(t, "READY\n", 6);
}

void talk_flush(struct talk *t)
{
	if (t->gathered == 0)
		return;
	send_gathered(t, "PART");
	t->said = moment_now();
}

static void send_large(struct talk *t, const char *bytes, size_t len)
{
	char head[TALK_HEAD_MAX];

	write_all(t, head, put_head(head, "PART", len));
	write_all(t, bytes, len);
	t->said = moment_now();
}

void talk_part(struct talk *t, const void *bytes, size_t len)
{
	if (len > TALK_OUT_BYTES - t->gathered)
		talk_flush(t);
	if (len > TALK_OUT_BYTES) {
		send_large(t, bytes, len);
	} else if (len > 0) {
		memcpy(t->room + TALK_HEAD_MAX + t->gathered, bytes, len);
		t->gathered += len;
	}
}

void talk_beat(struct talk *t, moment now)
{
	if (now - t->said < BEAT_EVERY)
		return;
	t->said = now;
	if (t->gathered > 0)
		talk_flush(t);
	else
		write_all(t, "BEAT\n", 5);
}

void talk_done(struct talk *t)
{
	send_gathered(t, "DONE");
}

void talk_fail(struct talk *t, const char *words)
{
	size_t len = strlen(words);

	t->gathered = len < TALK_OUT_BYTES ? len : TALK_OUT_BYTES;
	memcpy(t->room + TALK_HEAD_MAX, words, t->gathered);
	send_gathered(t, "FAIL");
}
