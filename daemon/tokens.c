#include "tokens.h"

#include "config.h"
#include "secret.h"
#include "text.h"
#include "../lib/cleanup.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <stdarg.h>

enum kind { KIND_EVERYBODY, KIND_DIGEST, KIND_UID, KIND_CERTIFICATE };

struct token {
	enum kind kind;
	int line;
	struct slice name;
	unsigned char digest[TOKEN_DIGEST_BYTES];       /* KIND_DIGEST */
	uid_t uid;                                      /* KIND_UID */
	struct slice certificate;                       /* KIND_CERTIFICATE */
	bool ops, run_all;
	struct slice *jobs;                             /* owned */
	size_t job_count;
};

struct tokens {
	char *text;                     /* what the slices point into */
	size_t text_len;
	struct token *list;
	size_t count;
};

const struct token token_everybody = { .kind = KIND_EVERYBODY, .name = { "", 0 }, .ops = true, .run_all = true };

/* --- Asking --- */

bool token_may(const struct token *token, enum right right)
{
	switch (right) {
	case RIGHT_NONE:
		return true;
	case RIGHT_LOOK:
		return token != NULL;
	case RIGHT_OPS:
		return token && token->ops;
	}
	return false;
}

bool token_may_run(const struct token *token, struct slice job)
{
	if (!token || token->run_all)
		return token != NULL;
	for (size_t i = 0; i < token->job_count; i++) {
		if (slice_is(job, token->jobs[i]))
			return true;
	}
	return false;
}

struct slice token_name(const struct token *token)
{
	return token->name;
}

static bool make_digest(struct slice secret, unsigned char digest[TOKEN_DIGEST_BYTES])
{
	return EVP_Digest(secret.at ? secret.at : "", secret.len, digest, NULL, EVP_sha256(), NULL) == 1;
}

const struct token *tokens_find(const struct tokens *t, struct slice secret)
{
	unsigned char digest[TOKEN_DIGEST_BYTES];
	const struct token *found = NULL;

	if (!make_digest(secret, digest))
		return NULL;
	/* To the end of the list, whatever is found. */
	for (size_t i = 0; i < t->count; i++) {
		if (t->list[i].kind == KIND_DIGEST && CRYPTO_memcmp(t->list[i].digest, digest, sizeof(digest)) == 0)
			found = &t->list[i];
	}
	return found;
}

const struct token *tokens_find_uid(const struct tokens *t, uid_t uid)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->list[i].kind == KIND_UID && t->list[i].uid == uid)
			return &t->list[i];
	}
	return NULL;
}

const struct token *tokens_find_certificate(const struct tokens *t, struct slice name)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->list[i].kind == KIND_CERTIFICATE && slice_is(t->list[i].certificate, name))
			return &t->list[i];
	}
	return NULL;
}

static bool is_same(const struct token *a, const struct token *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case KIND_EVERYBODY:
		return true;
	case KIND_DIGEST:
		return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
	case KIND_UID:
		return a->uid == b->uid;
	case KIND_CERTIFICATE:
		return slice_is(a->certificate, b->certificate);
	}
	return false;
}

const struct token *tokens_find_same(const struct tokens *t, const struct token *token)
{
	for (size_t i = 0; i < t->count; i++) {
		if (is_same(&t->list[i], token))
			return &t->list[i];
	}
	return NULL;
}

void tokens_each_job(const struct tokens *t, void (*each)(struct slice token, struct slice job, void *arg), void *arg)
{
	for (size_t i = 0; i < t->count; i++) {
		for (size_t j = 0; j < t->list[i].job_count; j++)
			each(t->list[i].name, t->list[i].jobs[j], arg);
	}
}

/* --- Reading --- */

struct reader {
	struct tokens *tokens;
	const char *file;
	struct buf *errors;
	int line;
	bool wrong;
};

static void printf_like(2, 3) fault(struct reader *r, const char *format, ...)
{
	char sentence[512];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	if (r->line > 0)
		buf_addf(r->errors, "%s:%d: %s\n", r->file, r->line, sentence);
	else
		buf_addf(r->errors, "%s: %s\n", r->file, sentence);
	r->wrong = true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of what is left of a line; empty at its end, or where a comment begins. */
static struct slice next_word(struct slice *left)
{
	struct slice word;
	size_t len = 0;

	while (left->len > 0 && is_blank(*left->at)) {
		left->at++;
		left->len--;
	}
	if (left->len > 0 && (*left->at == '#' || *left->at == ';'))
		left->len = 0;
	while (len < left->len && !is_blank(left->at[len]))
		len++;
	word = (struct slice){ left->at, len };
	left->at += len;
	left->len -= len;
	return word;
}

static bool begins(struct slice word, struct slice with)
{
	return word.len >= with.len && memcmp(word.at, with.at, with.len) == 0;
}

static struct slice after(struct slice word, size_t n)
{
	return (struct slice){ word.at + n, word.len - n };
}

static bool read_digest(struct slice word, unsigned char digest[TOKEN_DIGEST_BYTES])
{
	if (word.len != (size_t)2 * TOKEN_DIGEST_BYTES)
		return false;
	for (size_t i = 0; i < TOKEN_DIGEST_BYTES; i++) {
		int high = hex_digit(word.at[2 * i]), low = hex_digit(word.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static void read_uid(struct reader *r, struct token *token, struct slice user)
{
	char name[64], shown[64];
	const struct passwd *entry;
	uint64_t number;

	if (text_count(user, &number) && number < UINT32_MAX) {
		token->uid = (uid_t)number;
		return;
	}
	snprintf(name, sizeof(name), "%.*s", user.len < sizeof(name) ? (int)user.len : 0, user.at);
	entry = *name ? getpwnam(name) : NULL;
	if (entry) {
		token->uid = entry->pw_uid;
		return;
	}
	text_printable(user, shown, sizeof(shown));
	fault(r, "there is no user '%s'", shown);
}

static void read_credential(struct reader *r, struct token *token, struct slice word)
{
	if (begins(word, SLICE("uid:"))) {
		token->kind = KIND_UID;
		read_uid(r, token, after(word, 4));
	} else if (begins(word, SLICE("cert:")) && word.len > 5) {
		token->kind = KIND_CERTIFICATE;
		token->certificate = after(word, 5);
	} else {
		token->kind = KIND_DIGEST;
		if (!read_digest(word, token->digest))
			fault(r, "after the name comes the SHA-256 of the token in 64 hex digits (`leatd --hash-token` prints the line), "
			      "uid:USER or cert:NAME");
	}
}

static void add_job(struct reader *r, struct token *token, struct slice job)
{
	struct slice *jobs;
	char shown[64];

	if (!text_is_name(job, JOB_NAME_MAX)) {
		text_printable(job, shown, sizeof(shown));
		fault(r, "run: '%s' is not the name of a job, 1 to %d of A-Za-z0-9._-, nor *", shown, JOB_NAME_MAX);
		return;
	}
	jobs = reallocarray(token->jobs, token->job_count + 1, sizeof(*jobs));
	if (!jobs) {
		fault(r, "no memory");
		return;
	}
	jobs[token->job_count++] = job;
	token->jobs = jobs;
}

static void read_jobs(struct reader *r, struct token *token, struct slice list)
{
	if (slice_is(list, SLICE("*"))) {
		token->run_all = true;
		return;
	}
	for (;;) {
		const char *comma = list.len ? memchr(list.at, ',', list.len) : NULL;
		size_t len = comma ? (size_t)(comma - list.at) : list.len;

		add_job(r, token, (struct slice){ list.at, len });
		if (!comma)
			break;
		list = after(list, len + 1);
	}
}

static void read_right(struct reader *r, struct token *token, struct slice word)
{
	char shown[64];

	if (slice_is(word, SLICE("ops"))) {
		token->ops = true;
	} else if (begins(word, SLICE("run:"))) {
		read_jobs(r, token, after(word, 4));
	} else if (!slice_is(word, SLICE("look"))) {
		text_printable(word, shown, sizeof(shown));
		fault(r, "'%s' is not a right: run:*, run:JOB,JOB, ops, or look", shown);
	}
}

static void check_unique(struct reader *r, const struct token *token)
{
	const struct token *other = tokens_find_same(r->tokens, token);

	if (other != token)
		fault(r, "the same credential as in line %d", other->line);
}

static void read_token(struct reader *r, struct slice name, struct slice left)
{
	struct tokens *t = r->tokens;
	struct token *token = &t->list[t->count];
	struct slice credential = next_word(&left), word = next_word(&left);
	char shown[64];
	bool wrong = r->wrong;

	if (t->count == TOKENS_MAX) {
		fault(r, "more than %d tokens", TOKENS_MAX);
		return;
	}
	t->count++;
	*token = (struct token){ .line = r->line, .name = name };
	r->wrong = false;
	if (!text_is_name(name, JOB_NAME_MAX)) {
		/* Not shown either: who forgets the name may have written a token here. */
		fault(r, "a line is NAME CREDENTIAL RIGHT..., and a name is 1 to %d of A-Za-z0-9._-", JOB_NAME_MAX);
	} else {
		read_credential(r, token, credential);
		if (word.len == 0) {
			text_printable(name, shown, sizeof(shown));
			fault(r, "'%s' has no right: run:*, run:JOB,JOB, ops, or look", shown);
		}
	}
	if (!r->wrong)
		check_unique(r, token);
	for (; word.len > 0; word = next_word(&left))
		read_right(r, token, word);
	r->wrong |= wrong;
}

static void read_line(struct reader *r, struct slice line)
{
	struct slice left = line, name;

	if (line.len > TOKENS_LINE_MAX || (line.len > 0 && memchr(line.at, '\0', line.len))) {
		fault(r, "a line of more than %d characters, or one with a NUL in it", TOKENS_LINE_MAX);
		return;
	}
	name = next_word(&left);
	if (name.len > 0)
		read_token(r, name, left);
}

static void read_lines(struct reader *r, struct slice text)
{
	while (text.len > 0) {
		const char *end = memchr(text.at, '\n', text.len);
		size_t len = end ? (size_t)(end - text.at) : text.len;

		r->line++;
		read_line(r, (struct slice){ text.at, len });
		text = after(text, len + (end ? 1 : 0));
	}
}

static size_t count_lines(struct slice text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.len; i++)
		n += text.at[i] == '\n';
	return n;
}

static struct tokens *tokens_new(struct slice text)
{
	size_t lines = count_lines(text);
	struct tokens *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->text_len = text.len;
	t->text = malloc(text.len + 1);
	t->list = calloc(lines < TOKENS_MAX ? lines : TOKENS_MAX, sizeof(*t->list));
	if (t->text && t->list) {
		memcpy(t->text, text.len ? text.at : "", text.len);
		return t;
	}
	tokens_free(t);
	return NULL;
}

struct tokens *tokens_parse(struct slice text, const char *file, struct buf *errors)
{
	struct reader r = { .tokens = tokens_new(text), .file = file, .errors = errors };

	if (!r.tokens) {
		fault(&r, "no memory");
		return NULL;
	}
	read_lines(&r, (struct slice){ r.tokens->text, text.len });
	r.line = 0;
	/* Nobody at all is not what anybody wants: a file that was cut, say. */
	if (r.tokens->count == 0 && !r.wrong)
		fault(&r, "holds no token: `leatd --hash-token` prints the line of one");
	if (!r.wrong)
		return r.tokens;
	tokens_free(r.tokens);
	return NULL;
}

struct tokens *tokens_load(const char *value, struct buf *errors)
{
	char why[SECRET_WHY_MAX];
	autofree char *path = secret_path(value, why);
	size_t len = 0;
	char *text = path ? secret_read(path, SECRET_OWNER, TOKENS_FILE_MAX, &len, why) : NULL;
	struct tokens *t;

	if (!text) {
		buf_addf(errors, "tokens: '%s' %s\n", value, why);
		return NULL;
	}
	t = tokens_parse((struct slice){ text, len }, path, errors);
	secret_free(text, len);
	return t;
}

void tokens_free(struct tokens *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->list && i < t->count; i++)
		free(t->list[i].jobs);
	free(t->list);
	secret_free(t->text, t->text_len);
	free(t);
}

/* --- Making one --- */

const char *token_fault(struct slice secret)
{
	if (secret.len == 0)
		return "there is no token on stdin; `openssl rand -hex 32` makes a good one";
	if (secret.len > TOKEN_LEN_MAX)
		return "a token has at most 512 characters";
	for (size_t i = 0; i < secret.len; i++) {
		/* What stands in an Authorization header. */
		if (secret.at[i] <= ' ' || secret.at[i] >= 0x7f)
			return "a token is of visible ASCII characters, without blanks";
	}
	return NULL;
}

bool token_line(struct slice secret, const char *name, struct buf *to)
{
	unsigned char digest[TOKEN_DIGEST_BYTES];

	if (!make_digest(secret, digest))
		return false;
	buf_addf(to, "%s ", name);
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_addf(to, "%02x", digest[i]);
	buf_addf(to, " run:*\n");
	return !to->failed;
}
