/* Tokens: who may ask for what. A file of lines `NAME CREDENTIAL RIGHT...`, read whole, then never written to.
 *
 * CREDENTIAL is the SHA-256 of a token in hex, as `leatd --hash-token` prints it; or `uid:NUMBER` or `uid:NAME`, a program of that user that
 * connects over a unix socket; or `cert:NAME`, a client whose certificate (tls_ca) has that common name. RIGHT is `run:*`, `run:JOB,JOB`,
 * `ops`, or `look`, which every token has: to see the job types, the books and the metrics. An empty line, and from a '#' or ';' at the
 * beginning of a word on, is a comment. Names may repeat, so that an old token and its successor can hold at the same time. */
#ifndef LEAT_TOKENS_H
#define LEAT_TOKENS_H

#include "buf.h"

#include <sys/types.h>

/* What a command or an address asks for. */
enum right {
	RIGHT_NONE,     /* nothing: anybody may */
	RIGHT_LOOK,     /* any token; whether it may run a job, token_may_run() says */
	RIGHT_OPS,
};

enum {
	TOKEN_DIGEST_BYTES = 32,
	TOKENS_MAX = 1000,
	TOKENS_LINE_MAX = 4096,
	TOKENS_FILE_MAX = 1 << 20,
	/* Of a token that --hash-token takes. */
	TOKEN_LEN_MAX = 512,
	TOKEN_LEN_GOOD = 16,
};

struct token;
struct tokens;

/* Whoever asks, where no tokens are configured: may do everything. */
extern const struct token token_everybody;

/* Reads the text of a file; `file` is its name in messages. NULL when anything is wrong: for each fault a line `FILE:LINE: ...` is then
 * added to `errors`. Never repeats what stands in the place of a digest: it may be a token. */
must_check struct tokens *tokens_parse(struct slice text, const char *file, struct buf *errors);
/* The same from a file, with the checks of secret.h; `value` is as in the configuration. What is wrong with the file as a whole is
 * `tokens: 'VALUE' ...`. */
must_check struct tokens *tokens_load(const char *value, struct buf *errors);
void tokens_free(struct tokens *);

/* The token of that secret, user or certificate, or NULL. Any thread. The time that the first takes does not depend on how much of the
 * secret is right. */
const struct token *tokens_find(const struct tokens *, struct slice secret);
const struct token *tokens_find_uid(const struct tokens *, uid_t);
const struct token *tokens_find_certificate(const struct tokens *, struct slice name);
/* That of the same credential in another set, or NULL: it has been revoked. */
const struct token *tokens_find_same(const struct tokens *, const struct token *);

/* NULL may nothing but RIGHT_NONE. */
bool token_may(const struct token *, enum right);
bool token_may_run(const struct token *, struct slice job);
struct slice token_name(const struct token *);

/* Calls `each` for every job that a right names, with the token's name. */
void tokens_each_job(const struct tokens *, void (*each)(struct slice token, struct slice job, void *arg), void *arg);

/* What is wrong with a token that somebody has thought of (static), or NULL. */
const char *token_fault(struct slice secret);
/* Its line for the file, with `name` and the right to run everything. */
must_check bool token_line(struct slice secret, const char *name, struct buf *to);

#endif
