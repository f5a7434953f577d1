/* `leat jobs`, `leat stats [JOB]`, `leat ping`: questions that are answered at once or not at all. */
#include "ask.h"
#include "command.h"
#include "standard.h"
#include "table.h"

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
static enum status print_list(const struct invocation *i, const struct reply *list)
{
	struct bytes out = { 0 };

	if (!table_is_list(list)) {
		complain("the answer is not a list of fields and values; is it leatd that listens there?");
		return STATUS_PROTOCOL;
	}
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
		status = print_list(i, &answer.reply);
	answer_free(&answer);
	return status;
}

enum status command_jobs(const struct invocation *i)
{
	return list(i, "JOBS");
}

enum status command_stats(const struct invocation *i)
{
	return list(i, "STATS");
}

static enum status print_line(const struct reply *reply)
{
	if (reply->kind != REPLY_SIMPLE) {
		complain("the answer to PING is not a line; is it leatd that listens there?");
		return STATUS_PROTOCOL;
	}

	enum status status = standard_write(reply->text, reply->len);

	return status == STATUS_DONE ? standard_write("\n", 1) : status;
}

enum status command_ping(const struct invocation *i)
{
	struct answer answer;
	enum status status = look(i, "PING", &answer);

	if (status == STATUS_DONE)
		status = print_line(&answer.reply);
	answer_free(&answer);
	return status;
}
