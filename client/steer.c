/* `leat cancel ID...`, `leat pause JOB...`, `leat resume JOB...`: a word to leatd about each of several; `leat drain` and `leat reload`. */
#include "ask.h"
#include "command.h"
#include "json.h"
#include "standard.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A reload takes as long as its plugins and files do. */
static const int64_t patience = 10 * SECONDS, reload_patience = 60 * SECONDS;

/* `word` NULL: there is none. */
static enum status say(const struct invocation *i, const char *command, const char *word, struct answer *answer)
{
	struct bytes request = { 0 };

	request_begin(&request, word ? 2 : 1);
	request_text(&request, command);
	if (word)
		request_text(&request, word);

	enum status status = ask(i->server, &request, word ? patience : reload_patience, answer);

	bytes_free(&request);
	return status;
}

/* What went wrong first is what the whole ends with. Without a server there is nothing more to be said. */
static bool goes_on(enum status *first, enum status status)
{
	if (*first == STATUS_DONE)
		*first = status;
	return status != STATUS_NO_SERVER && status != STATUS_PROTOCOL && status != STATUS_NO_RIGHT && status != STATUS_USAGE;
}

/* --- Each of several --- */

/* Says its word about one of them, and what came of it as members of JSON. */
typedef enum status say_one(const struct invocation *, const char *word, struct answer *, struct bytes *said);

static void add_object(struct bytes *out, const char *key, const char *word, const struct bytes *said, const struct bytes *error)
{
	bytes_addf(out, "%s{\"%s\":", out->len > 1 ? "," : "", key);
	json_string(out, word, strlen(word));
	if (said->len > 0)
		bytes_addf(out, ",%.*s", (int)said->len, said->at);
	if (error->len > 0)
		bytes_addf(out, ",\"error\":%.*s", (int)error->len, error->at);
	bytes_add(out, "}", 1);
}

/* `key`: what the words are called in JSON. */
static enum status each(const struct invocation *i, const char *key, say_one *say_it)
{
	enum status status = STATUS_DONE;
	struct bytes json = { 0 };
	bool on = true;

	bytes_addf(&json, "[");
	for (int word = 0; word < i->count && on; word++) {
		struct bytes said = { 0 };
		struct answer answer;

		on = goes_on(&status, say_it(i, i->words[word], &answer, &said));
		add_object(&json, key, i->words[word], &said, &answer.error);
		answer_free(&answer);
		bytes_free(&said);
	}
	bytes_addf(&json, "]\n");
	if (i->option[OPTION_JSON]) {
		enum status written = standard_write(json.at, json.len);

		status = status == STATUS_DONE ? written : status;
	}
	bytes_free(&json);
	return status;
}

static enum status cancel(const struct invocation *i, const char *id, struct answer *answer, struct bytes *said)
{
	enum status status = say(i, "CANCEL", id, answer);
	bool cancelled = status == STATUS_DONE && answer->reply.kind == REPLY_INT && answer->reply.integer == 1;

	bytes_addf(said, "\"cancelled\":%s", cancelled ? "true" : "false");
	if (status != STATUS_DONE || cancelled)
		return status;
	if (answer->reply.kind != REPLY_INT)
		return ask_is_not(answer, "the answer to CANCEL is not a number");
	complain("no job %s waits or runs", id);
	return STATUS_FAILED;
}

enum status command_cancel(const struct invocation *i)
{
	return each(i, "id", cancel);
}

/* Is answered +OK or with an error, which ask() tells. */
static enum status say_simple(const struct invocation *i, const char *command, const char *word, struct answer *answer)
{
	enum status status = say(i, command, word, answer);
	char what[64];

	if (status != STATUS_DONE || answer->reply.kind == REPLY_SIMPLE)
		return status;
	snprintf(what, sizeof(what), "the answer to %s is not a line", command);
	return ask_is_not(answer, what);
}

static enum status say_paused(const struct invocation *i, bool paused, const char *job, struct answer *answer, struct bytes *said)
{
	enum status status = say_simple(i, paused ? "PAUSE" : "RESUME", job, answer);

	if (status == STATUS_DONE)
		bytes_addf(said, "\"paused\":%s", paused ? "true" : "false");
	return status;
}

static enum status pause_one(const struct invocation *i, const char *job, struct answer *answer, struct bytes *said)
{
	return say_paused(i, true, job, answer, said);
}

static enum status resume_one(const struct invocation *i, const char *job, struct answer *answer, struct bytes *said)
{
	return say_paused(i, false, job, answer, said);
}

enum status command_pause(const struct invocation *i)
{
	return each(i, "job", pause_one);
}

enum status command_resume(const struct invocation *i)
{
	return each(i, "job", resume_one);
}

/* --- The whole of leatd --- */

enum status command_drain(const struct invocation *i)
{
	static const char draining[] = "{\"draining\":true}\n";
	struct answer answer;
	enum status status = say_simple(i, "DRAIN", NULL, &answer);

	if (status == STATUS_DONE && i->option[OPTION_JSON])
		status = standard_write(draining, strlen(draining));
	return answer_end(&answer, i->option[OPTION_JSON], status);
}

/* What follows OK. */
static enum status show_reload(const struct invocation *i, const char *words, size_t len)
{
	struct bytes out = { 0 };
	enum status status;

	if (len >= 3 && memcmp(words, "OK ", 3) == 0) {
		words += 3;
		len -= 3;
	}
	if (i->option[OPTION_JSON]) {
		bytes_addf(&out, "{\"reloaded\":true,\"detail\":");
		json_string(&out, words, len);
		bytes_addf(&out, "}\n");
	} else {
		bytes_addf(&out, "%.*s\n", (int)len, words);
	}
	status = standard_write(out.at, out.len);
	bytes_free(&out);
	return status;
}

enum status command_reload(const struct invocation *i)
{
	struct answer answer;
	enum status status = say_simple(i, "RELOAD", NULL, &answer);

	if (status == STATUS_DONE)
		status = show_reload(i, answer.reply.text, answer.reply.len);
	return answer_end(&answer, i->option[OPTION_JSON], status);
}
