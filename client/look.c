/* `leat jobs`, `leat stats [JOB]`, `leat ps`, `leat ping`, `leat version`: questions that are answered at once or not at all. */
#include "ask.h"
#include "command.h"
#include "json.h"
#include "standard.h"
#include "table.h"

#include <stdbool.h>
#include <string.h>

static const int64_t patience = 10 * SECONDS;

/* Asks `command`, with the words of the invocation after it. */
static enum status look(const struct invocation *i, const char *command, struct answer *answer)
{
	struct bytes request = { 0 };

	request_begin(&request, 1 + (size_t)i->count);
	request_text(&request, command);
	for (int word = 0; word < i->count; word++)
		request_text(&request, i->words[word]);

	enum status status = ask(i->server, &request, patience, answer);

	bytes_free(&request);
	return status;
}

/* A list about one job that was named is shown a field a line. */
static enum status print_list(const struct invocation *i, struct answer *answer)
{
	const struct reply *list = &answer->reply;
	struct bytes out = { 0 };

	if (!table_is_list(list))
		return ask_is_not(answer, "the answer is not a list of fields and values");
	if (i->option[OPTION_JSON])
		table_json(&out, list);
	else if (i->count > 0 && list->count == 1)
		table_fields(&out, &list->items[0]);
	else
		table_text(&out, list);

	enum status status = standard_write(out.at, out.len);

	bytes_free(&out);
	return status;
}

static enum status list(const struct invocation *i, const char *command)
{
	struct answer answer;
	enum status status = look(i, command, &answer);

	if (status == STATUS_DONE)
		status = print_list(i, &answer);
	return answer_end(&answer, i->option[OPTION_JSON], status);
}

enum status command_jobs(const struct invocation *i)
{
	return list(i, "JOBS");
}

enum status command_stats(const struct invocation *i)
{
	return list(i, "STATS");
}

/* The last map of PS, if there are more jobs than an answer has: its only field is `more`. */
static const struct reply *more_of(const struct reply *list)
{
	const struct reply *last = list->count > 0 ? &list->items[list->count - 1] : NULL;

	if (last && last->count == 2 && last->items[0].len == 4 && memcmp(last->items[0].text, "more", 4) == 0)
		return &last->items[1];
	return NULL;
}

enum status command_ps(const struct invocation *i)
{
	struct answer answer;
	enum status status = look(i, "PS", &answer);

	if (status == STATUS_DONE && !i->option[OPTION_JSON] && table_is_list(&answer.reply)) {
		const struct reply *more = more_of(&answer.reply);

		if (more) {
			answer.reply.count--;
			complain("and %.*s more", (int)more->len, more->text);
		}
	}
	if (status == STATUS_DONE)
		status = print_list(i, &answer);
	return answer_end(&answer, i->option[OPTION_JSON], status);
}

static enum status print_pong(const struct invocation *i, struct answer *answer, int64_t ns)
{
	const struct reply *reply = &answer->reply;
	struct bytes out = { 0 };
	enum status status;

	if (reply->kind != REPLY_SIMPLE)
		return ask_is_not(answer, "the answer to PING is not a line");
	if (i->option[OPTION_JSON])
		bytes_addf(&out, "{\"ms\":%lld.%03lld}\n", (long long)(ns / MILLISECONDS), (long long)(ns % MILLISECONDS / MICROSECONDS));
	else
		bytes_addf(&out, "%.*s\n", (int)reply->len, reply->text);
	status = standard_write(out.at, out.len);
	bytes_free(&out);
	return status;
}

enum status command_ping(const struct invocation *i)
{
	moment asked = moment_now();
	struct answer answer;
	enum status status = look(i, "PING", &answer);

	if (status == STATUS_DONE)
		status = print_pong(i, &answer, moment_now() - asked);
	return answer_end(&answer, i->option[OPTION_JSON], status);
}

/* The value of `leat_version` in the text of INFO. */
static const char *version_of(const struct reply *info, int *len)
{
	static const char name[] = "leat_version:";
	const char *at = info->kind == REPLY_BULK ? memmem(info->text, info->len, name, sizeof(name) - 1) : NULL;
	const char *end = at ? memchr(at, '\r', info->len - (size_t)(at - info->text)) : NULL;

	if (!end)
		return NULL;
	at += sizeof(name) - 1;
	*len = (int)(end - at);
	return at;
}

static void add_versions(struct bytes *out, bool json, const char *theirs, int len)
{
	if (!json) {
		bytes_addf(out, "leat %s\nleatd %.*s\n", LEAT_VERSION, len, theirs);
		return;
	}
	bytes_addf(out, "{\"leat\":\"%s\",\"leatd\":", LEAT_VERSION);
	json_string(out, theirs, (size_t)len);
	bytes_addf(out, "}\n");
}

static enum status print_versions(const struct invocation *i, struct answer *answer)
{
	struct bytes out = { 0 };
	int len;
	const char *theirs = version_of(&answer->reply, &len);
	enum status status;

	if (!theirs)
		return ask_is_not(answer, "the answer has no version in it");
	add_versions(&out, i->option[OPTION_JSON], theirs, len);
	status = standard_write(out.at, out.len);
	bytes_free(&out);
	return status;
}

enum status command_version(const struct invocation *i)
{
	struct answer answer;
	enum status status = look(i, "INFO", &answer);

	if (status == STATUS_DONE)
		status = print_versions(i, &answer);
	return answer_end(&answer, i->option[OPTION_JSON], status);
}
