/* `leat cancel ID...`, `leat pause JOB...`, `leat resume JOB...`: a word to leatd about each of several; `leat drain` and `leat reload`. */
#include "ask.h"
#include "command.h"
#include "json.h"
#include "standard.h"

#include <stdbool.h>
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

static enum status cancel(const struct invocation *i, const char *id, bool *cancelled)
{
	struct answer answer;
	enum status status = say(i, "CANCEL", id, &answer);

	*cancelled = status == STATUS_DONE && answer.reply.kind == REPLY_INT && answer.reply.integer == 1;
	if (status == STATUS_DONE && answer.reply.kind != REPLY_INT) {
		complain("the answer to CANCEL is not a number; is it leatd that listens there?");
		status = STATUS_PROTOCOL;
	} else if (status == STATUS_DONE && !*cancelled) {
		complain("no job %s waits or runs", id);
		status = STATUS_FAILED;
	}
	answer_free(&answer);
	return status;
}

static void add_object(struct bytes *out, const char *id, bool cancelled)
{
	bytes_addf(out, "%s{\"id\":", out->len > 1 ? "," : "");
	json_string(out, id, strlen(id));
	bytes_addf(out, ",\"cancelled\":%s}", cancelled ? "true" : "false");
}

enum status command_cancel(const struct invocation *i)
{
	enum status status = STATUS_DONE;
	struct bytes json = { 0 };
	bool on = true;

	bytes_addf(&json, "[");
	for (int word = 0; word < i->count && on; word++) {
		bool cancelled;

		on = goes_on(&status, cancel(i, i->words[word], &cancelled));
		add_object(&json, i->words[word], cancelled);
	}
	bytes_addf(&json, "]\n");
	if (i->option[OPTION_JSON] && on) {
		enum status written = standard_write(json.at, json.len);

		status = status == STATUS_DONE ? written : status;
	}
	bytes_free(&json);
	return status;
}

/* Is answered +OK or with an error, which ask() tells. */
static enum status say_simple(const struct invocation *i, const char *command, const char *word)
{
	struct answer answer;
	enum status status = say(i, command, word, &answer);

	if (status == STATUS_DONE && answer.reply.kind != REPLY_SIMPLE) {
		complain("the answer to %s is not a line; is it leatd that listens there?", command);
		status = STATUS_PROTOCOL;
	}
	answer_free(&answer);
	return status;
}

static enum status each(const struct invocation *i, const char *command)
{
	enum status status = STATUS_DONE;
	bool on = true;

	for (int word = 0; word < i->count && on; word++)
		on = goes_on(&status, say_simple(i, command, i->words[word]));
	return status;
}

enum status command_pause(const struct invocation *i)
{
	return each(i, "PAUSE");
}

enum status command_resume(const struct invocation *i)
{
	return each(i, "RESUME");
}

enum status command_drain(const struct invocation *i)
{
	return say_simple(i, "DRAIN", NULL);
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
	enum status status = say(i, "RELOAD", NULL, &answer);

	if (status == STATUS_DONE && answer.reply.kind != REPLY_SIMPLE) {
		complain("the answer to RELOAD is not a line; is it leatd that listens there?");
		status = STATUS_PROTOCOL;
	} else if (status == STATUS_DONE) {
		status = show_reload(i, answer.reply.text, answer.reply.len);
	}
	answer_free(&answer);
	return status;
}
