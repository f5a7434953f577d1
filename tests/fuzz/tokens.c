/* tokens.c: what is taken holds together, what is not is told without telling a secret; and neither comments nor line ends with CR change it. */
#include "fuzz.h"

#include "../../daemon/config.h"
#include "../../daemon/text.h"
#include "../../daemon/tokens.h"

/* What somebody has written where a digest belongs. It does not begin like the end of an escape such as \xXX. */
#define SECRET "horse-battery-staple"

/* The jobs that are named, and the names of the tokens. */
static void add_job(struct slice token, struct slice job, void *arg)
{
	insist(text_is_name(token, JOB_NAME_MAX) && text_is_name(job, JOB_NAME_MAX));
	buf_add_slice(arg, token);
	buf_add_char(arg, ' ');
	buf_add_slice(arg, job);
	buf_add_char(arg, '\n');
}

static struct tokens *parse(struct slice text, struct buf *said)
{
	struct tokens *tokens = tokens_parse(text, "tokens", said);

	if (tokens) {
		insist(said->len == 0);
		tokens_each_job(tokens, add_job, said);
		insist(!tokens_find(tokens, SLICE(SECRET)));
	} else {
		insist_readable(said);
	}
	insist(!said->failed);
	return tokens;
}

/* Behind the first word of the line and a blank, and nowhere else in it. */
static bool stands_for_digest(struct slice line, const char *secret)
{
	size_t at = (size_t)(secret - line.at), len = strlen(SECRET);

	if (at < 2 || *line.at == ' ' || memmem(secret + len, line.len - at - len, SECRET, len))
		return false;
	for (size_t i = 0; i < at; i++) {
		if (strchr(" \t\r", line.at[i]) ? i < at - 1 : i == at - 1)
			return false;
	}
	return true;
}

static void check_secret(struct slice text, const struct buf *said)
{
	while (text.len > 0) {
		struct slice line = fuzz_line(&text);
		const char *secret = line.len > 0 ? memmem(line.at, line.len, SECRET, strlen(SECRET)) : NULL;

		if (secret && !stands_for_digest(line, secret))
			return;
	}
	insist(!said->at || !memmem(said->at, said->len, SECRET, strlen(SECRET)));
}

/* The same with CR, and with a remark in each line. */
static void check_again(struct slice text, const struct buf *said, bool taken)
{
	struct buf other = { 0 }, again = { 0 };
	struct tokens *tokens;

	while (text.len > 0) {
		struct slice line = fuzz_line(&text);

		/* Not so that a line becomes too long. */
		buf_add_slice(&other, line);
		if (line.len < TOKENS_LINE_MAX - 8)
			buf_add_slice(&other, SLICE(" #;a\r"));
		buf_add_char(&other, '\n');
	}
	tokens = parse(buf_slice(&other), &again);
	insist((tokens != NULL) == taken);
	insist_same("with remarks it says", buf_slice(&again), buf_slice(said));
	tokens_free(tokens);
	buf_free(&other);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice text = { (const char *)bytes, len };
	struct buf said = { 0 };
	struct tokens *tokens = parse(text, &said);

	check_secret(text, &said);
	check_again(text, &said, tokens != NULL);
	tokens_free(tokens);
	buf_free(&said);
	return 0;
}
