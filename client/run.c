/* `leat run JOB [PAYLOAD|-]` */
#include "ask.h"
#include "command.h"
#include "duration.h"
#include "json.h"
#include "run.h"
#include "standard.h"
#include "stream.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* How much longer than the deadline we wait: leatd answers at the deadline, and has to kill and reap before it may. */
enum { BEYOND_DEADLINE_MS = 5000 };

enum { ID_MAX = 64 };

enum status check_deadline(const char *text, int64_t *deadline)
{
	*deadline = 0;
	if (!text || duration_parse(text, deadline))
		return STATUS_DONE;
	complain("bad --deadline '%s': it has to be a duration above zero such as 250ms, 5s or 2m", text);
	return STATUS_USAGE;
}

int64_t patience_for(int64_t deadline)
{
	return deadline ? (deadline + BEYOND_DEADLINE_MS) * MILLISECONDS : FOREVER;
}

enum status check_id(const char *id)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	if (!id || (id[0] && strlen(id) <= ID_MAX && !id[strspn(id, allowed)]))
		return STATUS_DONE;
	complain("bad --id '%s': it has to be 1 to 64 of A-Z a-z 0-9 . _ -", id);
	return STATUS_USAGE;
}

/* What else may be said of them, the server knows. */
enum status check_args(const struct invocation *i)
{
	for (int n = 0; n < i->arg_count; n++) {
		const char *equals = strchr(i->args[n], '=');

		if (equals && equals > i->args[n])
			continue;
		complain("bad --arg '%s': it has to be NAME=VALUE", i->args[n]);
		return STATUS_USAGE;
	}
	return STATUS_DONE;
}

static enum status read_payload(const struct invocation *i, struct bytes *payload)
{
	const char *word = i->count > 1 ? i->words[1] : NULL;

	if (word && strcmp(word, "-") != 0) {
		bytes_add(payload, word, strlen(word));
		return STATUS_DONE;
	}
	if (!word && isatty(STDIN_FILENO))
		complain("reading the payload from the terminal; end it with Ctrl-D");
	return standard_read(payload);
}

void add_number(struct bytes *request, const char *option, int64_t number)
{
	struct bytes digits = { 0 };

	bytes_addf(&digits, "%lld", (long long)number);
	request_text(request, option);
	request_word(request, digits.at, digits.len);
	bytes_free(&digits);
}

void add_deadline(struct bytes *request, int64_t deadline)
{
	if (deadline)
		add_number(request, "DEADLINE", deadline);
}

void add_args(struct bytes *request, const struct invocation *i)
{
	for (int n = 0; n < i->arg_count; n++) {
		const char *equals = strchr(i->args[n], '=');

		request_text(request, "ARG");
		request_word(request, i->args[n], (size_t)(equals - i->args[n]));
		request_text(request, equals + 1);
	}
}

static void add_request(struct bytes *request, const struct invocation *i, const struct bytes *payload, int64_t deadline)
{
	const char *id = i->option[OPTION_ID];

	request_begin(request, 3U + (deadline ? 2 : 0) + (id ? 2 : 0) + 3 * (size_t)i->arg_count);
	request_text(request, "RUN");
	request_text(request, i->words[0]);
	request_word(request, payload->at, payload->len);
	add_deadline(request, deadline);
	if (id) {
		request_text(request, "ID");
		request_text(request, id);
	}
	add_args(request, i);
}

enum status print_output(const struct invocation *i, struct answer *answer)
{
	const struct reply *reply = &answer->reply;
	struct bytes out = { 0 };
	enum status status;

	if (reply->kind != REPLY_BULK && reply->kind != REPLY_SIMPLE)
		return ask_is_not(answer, "the answer is not a string");
	if (!i->option[OPTION_JSON])
		return standard_write(reply->text, reply->len);
	bytes_addf(&out, "{");
	json_output(&out, reply->text, reply->len);
	bytes_addf(&out, "}\n");
	status = standard_write(out.at, out.len);
	bytes_free(&out);
	return status;
}

enum status check_form(const struct invocation *i)
{
	if (!i->option[OPTION_STREAM] || !i->option[OPTION_JSON])
		return STATUS_DONE;
	complain("--stream and --json do not go together: what is written as it comes is bytes");
	return STATUS_USAGE;
}

static enum status run(const struct invocation *i, const struct bytes *payload, int64_t deadline)
{
	struct bytes request = { 0 };
	struct answer answer;

	add_request(&request, i, payload, deadline);

	enum status status = ask(i->server, &request, patience_for(deadline), &answer);

	if (status == STATUS_DONE)
		status = print_output(i, &answer);
	bytes_free(&request);
	return answer_end(&answer, i->option[OPTION_JSON], status);
}

enum status command_run(const struct invocation *i)
{
	struct bytes payload = { 0 };
	int64_t deadline;
	enum status status = check_deadline(i->option[OPTION_DEADLINE], &deadline);

	if (status == STATUS_DONE)
		status = check_id(i->option[OPTION_ID]);
	if (status == STATUS_DONE)
		status = check_args(i);
	if (status == STATUS_DONE)
		status = check_form(i);
	if (status == STATUS_DONE && i->option[OPTION_STREAM])
		return stream_run(i, "run", 1, deadline, patience_for(deadline));
	if (status == STATUS_DONE)
		status = read_payload(i, &payload);
	if (status == STATUS_DONE)
		status = run(i, &payload, deadline);
	bytes_free(&payload);
	return status;
}
