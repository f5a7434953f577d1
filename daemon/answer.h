/* An answer before it is bytes: the same for both protocols.
 *
 * `-BUSY queue full reason=queue_full retry_ms=137` and its problem+json (RFC 9457) are two ways to write one of these: a code,
 * words for people, and facts for programs. Lives on a stack or in a job; owns nothing. */
#ifndef LEAT_ANSWER_H
#define LEAT_ANSWER_H

#include "buf.h"

enum code {
#define CODE(name, status) CODE_##name,
#include "codes.def"
#undef CODE
};

struct fact {
	const char *key;
	struct slice text;      /* borrowed; if `at` is NULL the number counts */
	int64_t number;
};

enum { ANSWER_FACTS_MAX = 6 };

/* Both ways to write an answer, up to the number that is its last fact: for what is said often, and not to be put together each time. */
struct answer_texts {
	struct slice line, problem;
};

struct answer {
	enum code code;
	int http_status;        /* 0: the usual one of the code */
	const char *detail;     /* words for people; borrowed */
	struct slice output;    /* CODE_OK; borrowed */
	const struct answer_texts *texts;       /* NULL: of the others */
	size_t fact_count;
	struct fact facts[ANSWER_FACTS_MAX];    /* so many of them are set */
};

struct answer answer_make(enum code, const char *detail);
/* An answer of CODE_OK, in place: it touches no more than has to be said. */
void answer_ok(struct answer *, struct slice output);
void answer_fact(struct answer *, const char *key, int64_t number);
void answer_fact_text(struct answer *, const char *key, struct slice text);

/* The number of a fact, or -1 if it is not there. */
int64_t answer_number(const struct answer *, const char *key);

int answer_http_status(const struct answer *);
const char *answer_code_name(enum code);

/* `CODE detail key=value ...`, without the leading '-'. Texts with blanks or quotes are quoted. */
void answer_add_line(const struct answer *, struct buf *);

/* The same as an object of JSON: `{"code":"FAILED","detail":"...","status":3}`. */
void answer_add_object(const struct answer *, struct buf *);

/* The problem+json document. */
void answer_add_problem(const struct answer *, struct buf *);

#endif
