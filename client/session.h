/* Several questions to a server over one connection, for a program that stays. Says what is wrong instead of complaining, and connects anew
 * when it is asked after that. */
#ifndef LEAT_SESSION_H
#define LEAT_SESSION_H

#include "address.h"
#include "ask.h"
#include "connection.h"
#include "server.h"

#include <stdbool.h>

struct session {
	struct address address;
	const char *ca_file;
	struct bytes greeting;          /* the token, if there is one */
	int64_t patience;               /* nanoseconds for each question */
	struct connection connection;
	bool connected;
	char why[256];                  /* what went wrong last; an error as the answer is its line */
};

/* Takes the address and the token. Complains. Nobody is asked yet. Close in any case. */
enum status session_init(struct session *, const struct server *, int64_t patience) must_check;
void session_close(struct session *);

enum told {
	TOLD,
	TOLD_ERROR,                     /* the server has answered with an error */
	TOLD_NOTHING,                   /* it has not answered, or not so that it can be understood */
};

/* Asks `words`, ended by NULL. But for TOLD `why` says what is wrong. Release the answer with answer_free() in any case. */
enum told session_ask(struct session *, const char *const *words, struct answer *) must_check;

#endif
