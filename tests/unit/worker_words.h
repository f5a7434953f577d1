/* What a worker's bytes say, in words that a test can compare. Shared with tests/fuzz; see feed.h. */
#ifndef LEAT_WORKER_WORDS_H
#define LEAT_WORKER_WORDS_H

#include "../../daemon/worker_parse.h"
#include "feed.h"

/* The bytes of the output are joined, since in which pieces they come is the only thing that the cuts may change. */
struct heard {
	struct worker_parser parser;
	struct worker_said said;
};

static inline void *worker_words_open(void)
{
	return calloc(1, sizeof(struct heard));
}

static inline struct parse_result worker_words_parse(void *arg, char *window, size_t len)
{
	struct heard *h = arg;

	h->said = worker_parse(&h->parser, window, len);
	switch (h->said.word) {
	case WORKER_MORE:
		return (struct parse_result){ .status = PARSE_MORE, .used = h->said.used, .want = len - h->said.used + 1 };
	case WORKER_RUBBISH:
		return (struct parse_result){ .status = PARSE_BAD, .why = h->said.why };
	case WORKER_READY:
	case WORKER_BEAT:
	case WORKER_OUTPUT:
	case WORKER_DONE:
	case WORKER_FAIL:
		break;
	}
	return (struct parse_result){ .status = PARSE_DONE, .used = h->said.used };
}

static inline void worker_words_describe(void *arg, const struct parse_result *result unused_arg, struct buf *to)
{
	const struct heard *h = arg;

	buf_add_slice(to, h->said.output);
	if (h->said.word == WORKER_READY)
		buf_add_slice(to, SLICE("<ready>"));
	else if (h->said.word == WORKER_BEAT)
		buf_add_slice(to, SLICE("<beat>"));
	else if (h->said.word == WORKER_DONE)
		buf_add_slice(to, SLICE("<done>"));
	else if (h->said.word == WORKER_FAIL)
		buf_addf(to, "<fail %s>", h->parser.message);
	else if (h->said.word == WORKER_RUBBISH)
		buf_addf(to, "<%s>", h->said.why);
}

static const struct pieces worker_words = { worker_words_open, free, worker_words_parse, worker_words_describe };

#endif
