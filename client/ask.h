/* One question to a server, from the words to the answer. */
#ifndef LEAT_ASK_H
#define LEAT_ASK_H

#include "bytes.h"
#include "connection.h"
#include "reply.h"
#include "exit.h"
#include "server.h"

#include "../lib/moment.h"

#include <stdbool.h>

/* A request is an array of bulk strings: first how many, then each. */
void request_begin(struct bytes *request, size_t words);
void request_word(struct bytes *request, const void *bytes, size_t len);
void request_text(struct bytes *request, const char *text);

struct progress;

struct answer {
	struct bytes bytes;
	struct reply reply;             /* never an error; points into `bytes` */
	struct bytes error;             /* an object of JSON (refusal.h) that says what was complained of; empty: nothing */
};

/* Sends `request`, behind the token if there is one, to the server and waits at most `patience` nanoseconds for its answer (FOREVER:
 * for ever). Whatever goes wrong, an error as the answer included, has been complained about when this returns
 * another status than STATUS_DONE. Release with answer_free() in any case. */
enum status ask(const struct server *, const struct bytes *request, int64_t patience, struct answer *) must_check;
/* The same, and shows how many elements of an array have come. */
enum status ask_watched(const struct server *, const struct bytes *request, int64_t patience, struct progress *, struct answer *) must_check;
/* Complains that the answer is not what it should be; `what` says that. */
enum status ask_is_not(struct answer *, const char *what);
void answer_free(struct answer *);
/* The same, and returns `status`; with `json`, what was complained of becomes `{"error":...}` on stdout. */
enum status answer_end(struct answer *, bool json, enum status status) must_check;

/* For who holds the conversation himself: takes the address apart and connects, with `patience` for all of it. Close the connection in any case.
 * Complains. */
enum status ask_open(const struct server *, int64_t patience, struct address *, struct connection *) must_check;
/* Complains about another end of it than EXCHANGE_DONE; `error` as in refusal_own(). */
enum status ask_failed(const struct address *, enum exchange_status, const char *why, int64_t patience, struct bytes *error) must_check;

#endif
