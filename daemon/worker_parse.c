#include "worker_parse.h"

#include "../lib/compiler.h"

/* Longer numbers than any length that could be meant, and none that could overflow. */
enum { DIGITS_MAX = 18 };

static struct worker_said rubbish(const char *why)
{
	return (struct worker_said){ .word = WORKER_RUBBISH, .why = why };
}

static bool read_length(struct slice digits, uint64_t *length)
{
	*length = 0;
	if (digits.len == 0 || digits.len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return false;
		*length = *length * 10 + (uint64_t)(digits.at[i] - '0');
	}
	return true;
}

static const struct verb {
	struct slice start;
	enum worker_body body;
} verbs[] = {
	{ { "DONE ", 5 }, WORKER_BODY_DONE },
	{ { "PART ", 5 }, WORKER_BODY_PART },
	{ { "FAIL ", 5 }, WORKER_BODY_FAIL },
};

static struct worker_said begin_body(struct worker_parser *p, struct slice line)
{
	for (size_t i = 0; i < countof(verbs); i++) {
		struct slice start = verbs[i].start;

		if (line.len < start.len || memcmp(line.at, start.at, start.len) != 0)
			continue;
		if (!read_length((struct slice){ line.at + start.len, line.len - start.len }, &p->left))
			return rubbish("wrote a length that is no number");
		if (verbs[i].body == WORKER_BODY_FAIL && p->left > WORKER_MESSAGE_MAX)
			return rubbish("wrote a FAIL whose message is too long");
		p->body = verbs[i].body;
		p->message_len = 0;
		return (struct worker_said){ .word = WORKER_MORE };
	}
	return rubbish("wrote what is not of the protocol");
}

static struct worker_said parse_line(struct worker_parser *p, const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len < WORKER_LINE_MAX ? len : WORKER_LINE_MAX);
	struct slice line = { bytes, end ? (size_t)(end - bytes) : 0 };
	struct worker_said said = { .word = WORKER_MORE };

	if (!end)
		return len < WORKER_LINE_MAX ? said : rubbish("wrote a line that is too long");
	if (slice_is(line, SLICE("READY")))
		said.word = WORKER_READY;
	else if (slice_is(line, SLICE("BEAT")))
		said.word = WORKER_BEAT;
	else
		said = begin_body(p, line);
	said.used = line.len + 1;
	return said;
}

static void keep_message(struct worker_parser *p, struct slice piece)
{
	size_t room = WORKER_MESSAGE_KEPT - p->message_len;

	if (piece.len > room)
		piece.len = room;
	if (piece.len > 0)
		memcpy(p->message + p->message_len, piece.at, piece.len);
	p->message_len += piece.len;
	p->message[p->message_len] = '\0';
}

/* A line's end is not a part of the message. */
static void end_message(struct worker_parser *p)
{
	while (p->message_len > 0 && (p->message[p->message_len - 1] == '\n' || p->message[p->message_len - 1] == '\r'))
		p->message_len--;
	p->message[p->message_len] = '\0';
}

static enum worker_word body_word(enum worker_body body, bool ended)
{
	switch (body) {
	case WORKER_BODY_DONE:
		return ended ? WORKER_DONE : WORKER_OUTPUT;
	case WORKER_BODY_FAIL:
		return ended ? WORKER_FAIL : WORKER_MORE;
	case WORKER_BODY_PART:
		return WORKER_OUTPUT;
	case WORKER_BODY_NONE:
		break;
	}
	return WORKER_MORE;
}

static struct worker_said parse_body(struct worker_parser *p, const char *bytes, size_t len)
{
	size_t here = p->left < len ? (size_t)p->left : len;
	struct worker_said said = { .used = here, .output = { bytes, here } };
	bool ended;

	p->left -= here;
	ended = p->left == 0;
	said.word = body_word(p->body, ended);
	if (p->body == WORKER_BODY_FAIL) {
		keep_message(p, said.output);
		said.output = (struct slice){ 0 };
		if (ended)
			end_message(p);
	}
	if (ended)
		p->body = WORKER_BODY_NONE;
	/* PART 0, or the line of a body that has not come. */
	if (said.word == WORKER_OUTPUT && here == 0)
		said.word = WORKER_MORE;
	return said;
}

struct worker_said worker_parse(struct worker_parser *p, const char *bytes, size_t len)
{
	struct worker_said said = { .word = WORKER_MORE };
	size_t used = 0;

	while (said.word == WORKER_MORE && (used < len || (p->body != WORKER_BODY_NONE && p->left == 0))) {
		bool in_body = p->body != WORKER_BODY_NONE;

		said = in_body ? parse_body(p, bytes + used, len - used) : parse_line(p, bytes + used, len - used);
		used += said.used;
		if (said.word == WORKER_MORE && said.used == 0 && !in_body)
			break;
	}
	said.used = used;
	return said;
}
