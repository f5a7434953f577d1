/* `leat map JOB < lines` */
#include "ask.h"
#include "command.h"
#include "json.h"
#include "progress.h"
#include "refusal.h"
#include "run.h"
#include "standard.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES_MAX = 10000 };

/* What is asked for. */
struct map {
	const struct invocation *i;
	struct bytes text;              /* stdin */
	size_t lines;
	int64_t deadline, width, quorum;        /* 0: not given */
};

static enum status check_number(const char *option, const char *text, int64_t *number)
{
	char *end;

	*number = text ? strtoll(text, &end, 10) : 0;
	if (!text || (text[0] >= '0' && text[0] <= '9' && !*end && *number > 0))
		return STATUS_DONE;
	complain("bad --%s '%s': it has to be a whole number above zero", option, text);
	return STATUS_USAGE;
}

static enum status check(struct map *m)
{
	const struct invocation *i = m->i;
	enum status status = check_deadline(i->option[OPTION_DEADLINE], &m->deadline);

	if (status == STATUS_DONE)
		status = check_args(i);
	if (status == STATUS_DONE)
		status = check_number("width", i->option[OPTION_WIDTH], &m->width);
	if (status == STATUS_DONE)
		status = check_number("quorum", i->option[OPTION_QUORUM], &m->quorum);
	return status;
}

/* Takes a line off the front: its length without the newline. */
static size_t take_line(const char **at, const char *end)
{
	const char *line = *at, *newline = memchr(line, '\n', (size_t)(end - line));

	*at = newline ? newline + 1 : end;
	return (size_t)((newline ? newline : end) - line);
}

static enum status read_lines(struct map *m)
{
	enum status status;

	if (isatty(STDIN_FILENO))
		complain("reading lines from the terminal; end them with Ctrl-D");
	status = standard_read(&m->text);
	if (status != STATUS_DONE)
		return status;
	for (const char *at = m->text.at, *end = at + m->text.len; at < end; m->lines++)
		(void)take_line(&at, end);
	if (m->lines >= 1 && m->lines <= LINES_MAX)
		return STATUS_DONE;
	complain("stdin has %zu lines, and a map takes 1 to %d", m->lines, LINES_MAX);
	return STATUS_FAILED;
}

static void add_request(struct bytes *request, const struct map *m)
{
	const char *at = m->text.at, *end = at + m->text.len;
	struct bytes number = { 0 };

	request_begin(request, 3 + m->lines + (m->deadline ? 2 : 0) + (m->width ? 2 : 0) + (m->quorum ? 2 : 0) + 3 * (size_t)m->i->arg_count);
	request_text(request, "MAP");
	request_text(request, m->i->words[0]);
	bytes_addf(&number, "%zu", m->lines);
	request_word(request, number.at, number.len);
	bytes_free(&number);
	while (at < end) {
		const char *line = at;
		size_t len = take_line(&at, end);

		request_word(request, line, len);
	}
	if (m->width)
		add_number(request, "WIDTH", m->width);
	if (m->quorum)
		add_number(request, "QUORUM", m->quorum);
	add_deadline(request, m->deadline);
	add_args(request, m->i);
}

/* --- The answer --- */

static void add_line(struct bytes *out, const struct reply *item)
{
	bytes_add(out, item->text, item->len);
	if (item->len == 0 || item->text[item->len - 1] != '\n')
		bytes_add(out, "\n", 1);
}

static void add_object(struct bytes *out, size_t index, const struct reply *item)
{
	bytes_addf(out, "{\"index\":%zu,", index);
	if (item->kind == REPLY_ERROR) {
		bytes_addf(out, "\"error\":");
		refusal_object(out, item->text, item->len);
	} else {
		json_output(out, item->text, item->len);
	}
	bytes_addf(out, "}\n");
}

/* With a quorum the rest was ended on purpose. */
static bool is_wanted(const struct map *m, const struct reply *item)
{
	static const char canceled[] = "CANCELED ";

	return m->quorum && item->len >= strlen(canceled) && memcmp(item->text, canceled, strlen(canceled)) == 0;
}

static enum status explain(size_t index, const struct reply *item)
{
	complain("line %zu: %.*s", index + 1, (int)item->len, item->text);
	return refusal_status(item->text, item->len);
}

static enum status print(const struct map *m, struct answer *answer)
{
	const struct reply *reply = &answer->reply;
	bool json = m->i->option[OPTION_JSON] != NULL;
	enum status first = STATUS_DONE, written;
	struct bytes out = { 0 };
	size_t done = 0;

	if (reply->kind != REPLY_ARRAY || reply->count != m->lines)
		return ask_is_not(answer, "the answer to MAP is not an array of so many");
	for (size_t n = 0; n < reply->count; n++) {
		const struct reply *item = &reply->items[n];
		bool failed = item->kind == REPLY_ERROR;

		done += !failed;
		if (json)
			add_object(&out, n, item);
		else if (!failed)
			add_line(&out, item);
		if (failed && !is_wanted(m, item)) {
			enum status status = explain(n, item);

			first = first == STATUS_DONE ? status : first;
		}
	}
	if (m->quorum && done >= (size_t)m->quorum)
		first = STATUS_DONE;
	written = standard_write(out.at, out.len);
	bytes_free(&out);
	return first == STATUS_DONE ? written : first;
}

static enum status run(const struct map *m)
{
	struct bytes request = { 0 };
	struct progress progress;
	struct answer answer;
	enum status status;

	add_request(&request, m);
	progress_begin(&progress, m->lines);
	status = ask_watched(m->i->server, &request, patience_for(m->deadline), &progress, &answer);
	progress_end(&progress);
	if (status == STATUS_DONE)
		status = print(m, &answer);
	bytes_free(&request);
	return answer_end(&answer, m->i->option[OPTION_JSON], status);
}

enum status command_map(const struct invocation *i)
{
	struct map map = { .i = i };
	enum status status = check(&map);

	if (status == STATUS_DONE)
		status = read_lines(&map);
	if (status == STATUS_DONE)
		status = run(&map);
	bytes_free(&map.text);
	return status;
}
