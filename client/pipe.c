/* `leat pipe JOB JOB... < payload` */
#include "ask.h"
#include "command.h"
#include "run.h"
#include "standard.h"
#include "stream.h"

#include <unistd.h>

static void add_request(struct bytes *request, const struct invocation *i, const struct bytes *payload, int64_t deadline)
{
	const char *id = i->option[OPTION_ID];

	request_begin(request, 3 + (size_t)i->count + (deadline ? 2 : 0) + (id ? 2 : 0));
	add_number(request, "PIPE", i->count);
	for (int n = 0; n < i->count; n++)
		request_text(request, i->words[n]);
	request_word(request, payload->at, payload->len);
	if (id) {
		request_text(request, "ID");
		request_text(request, id);
	}
	add_deadline(request, deadline);
}

static enum status run(const struct invocation *i, const struct bytes *payload, int64_t deadline)
{
	struct bytes request = { 0 };
	struct answer answer;
	enum status status;

	add_request(&request, i, payload, deadline);
	status = ask(i->server, &request, patience_for(deadline), &answer);
	if (status == STATUS_DONE)
		status = print_output(i, &answer);
	bytes_free(&request);
	return answer_end(&answer, i->option[OPTION_JSON], status);
}

enum status command_pipe(const struct invocation *i)
{
	struct bytes payload = { 0 };
	int64_t deadline;
	enum status status = check_deadline(i->option[OPTION_DEADLINE], &deadline);

	if (status == STATUS_DONE)
		status = check_id(i->option[OPTION_ID]);
	if (status == STATUS_DONE)
		status = check_form(i);
	if (status != STATUS_DONE)
		return status;
	if (i->option[OPTION_STREAM])
		return stream_run(i, "pipe", i->count, deadline, patience_for(deadline));
	if (isatty(STDIN_FILENO))
		complain("reading the payload from the terminal; end it with Ctrl-D");
	status = standard_read(&payload);
	if (status == STATUS_DONE)
		status = run(i, &payload, deadline);
	bytes_free(&payload);
	return status;
}
