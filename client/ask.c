#include "ask.h"

#include "address.h"
#include "connection.h"
#include "refusal.h"
#include "standard.h"
#include "token.h"

#include <stdbool.h>
#include <string.h>

static const int64_t connect_patience = 10 * SECONDS;

void request_begin(struct bytes *request, size_t words)
{
	bytes_addf(request, "*%zu\r\n", words);
}

void request_word(struct bytes *request, const void *bytes, size_t len)
{
	bytes_addf(request, "$%zu\r\n", len);
	bytes_add(request, bytes, len);
	bytes_add(request, "\r\n", 2);
}

void request_text(struct bytes *request, const char *text)
{
	request_word(request, text, strlen(text));
}

static bool is_local(const struct address *a)
{
	return !a->host[0] || strcmp(a->host, "localhost") == 0 || strcmp(a->host, "::1") == 0 || strncmp(a->host, "127.", 4) == 0;
}

static enum status no_server(const struct address *a, const char *why, struct bytes *error)
{
	return refusal_own(error, STATUS_NO_SERVER, "cannot reach leatd at %s: %s; %s", a->text, why,
	                   is_local(a) ? "is it running? Start it with `leatd`, or with `systemctl start leatd`"
	                               : "is it running there, and is the address right?");
}

static enum status not_understood(const struct address *a, const char *why, struct bytes *error)
{
	return refusal_own(error, STATUS_PROTOCOL, "the answer from %s is not to be understood: %s; is it leatd that listens there?", a->text, why);
}

enum status ask_is_not(struct answer *answer, const char *what)
{
	return refusal_own(&answer->error, STATUS_PROTOCOL, "%s; is it leatd that listens there?", what);
}

static enum status take_answer(const struct address *a, struct answer *answer)
{
	const char *why;

	if (reply_build(&answer->reply, answer->bytes.at, answer->bytes.len, &why) != REPLY_DONE)
		return not_understood(a, why, &answer->error);
	if (answer->reply.kind == REPLY_ERROR) {
		refusal_object(&answer->error, answer->reply.text, answer->reply.len);
		return refusal_explain(answer->reply.text, answer->reply.len);
	}
	return STATUS_DONE;
}

enum status ask_failed(const struct address *a, enum exchange_status how, const char *why, int64_t patience, struct bytes *error)
{
	switch (how) {
	case EXCHANGE_DONE:
		break;
	case EXCHANGE_ENDED:
		return refusal_own(error, STATUS_NO_SERVER, "leatd at %s closed the connection without an answer; its log says why", a->text);
	case EXCHANGE_TIMED_OUT:
		return refusal_own(error, STATUS_NO_SERVER, "no answer from %s within %lld ms; leatd there hangs, or the network does", a->text,
		                   (long long)(patience / MILLISECONDS));
	case EXCHANGE_BAD:
		return not_understood(a, why, error);
	}
	return STATUS_PROTOCOL;
}

static enum status exchange(struct connection *c, const struct address *a, const struct bytes *request, size_t before, int64_t patience,
                            struct answer *answer)
{
	const char *why = NULL;
	enum exchange_status how = connection_exchange(c, request, before, &answer->bytes, &why);

	return how == EXCHANGE_DONE ? take_answer(a, answer) : ask_failed(a, how, why, patience, &answer->error);
}

static enum status parse_address(struct address *address, const struct server *server, struct bytes *error)
{
	const char *wrong = address_parse(address, server->address);

	if (!wrong)
		return STATUS_DONE;
	return refusal_own(error, STATUS_USAGE, "bad server address '%s': %s", server->address, wrong);
}

/* With `limit` for all that follows. */
static enum status open_at(const struct address *a, const char *ca_file, moment limit, struct connection *c, struct bytes *error)
{
	const char *wrong = connection_open(c, a, ca_file, moment_min(limit, moment_in(connect_patience)));

	c->limit = limit;
	return wrong ? no_server(a, wrong, error) : STATUS_DONE;
}

enum status ask_open(const struct server *server, int64_t patience, struct address *address, struct connection *c)
{
	enum status status = parse_address(address, server, NULL);

	*c = (struct connection){ .fd = -1 };
	return status == STATUS_DONE ? open_at(address, server->ca_file, moment_in(patience), c, NULL) : status;
}

/* `before`: how many answers come before the one to `request`. */
static enum status ask_at(const struct address *a, const char *ca_file, const struct bytes *request, size_t before, int64_t patience,
                          struct progress *progress, struct answer *answer)
{
	struct connection connection;
	enum status status = open_at(a, ca_file, moment_in(patience), &connection, &answer->error);

	connection.progress = progress;

	if (status == STATUS_DONE)
		status = exchange(&connection, a, request, before, patience, answer);
	connection_close(&connection);
	return status;
}

enum status ask(const struct server *server, const struct bytes *request, int64_t patience, struct answer *answer)
{
	return ask_watched(server, request, patience, NULL, answer);
}

enum status ask_watched(const struct server *server, const struct bytes *request, int64_t patience, struct progress *progress,
                        struct answer *answer)
{
	struct bytes whole = { 0 };
	struct address address;

	*answer = (struct answer){ 0 };

	enum status status = parse_address(&address, server, &answer->error);

	if (status != STATUS_DONE)
		return status;
	if (!server->token_file)
		return ask_at(&address, server->ca_file, request, 0, patience, progress, answer);

	status = token_add(&whole, server->token_file);

	bytes_add(&whole, request->at, request->len);
	if (status == STATUS_DONE)
		status = ask_at(&address, server->ca_file, &whole, 1, patience, progress, answer);
	bytes_free(&whole);
	return status;
}

void answer_free(struct answer *answer)
{
	reply_free(&answer->reply);
	bytes_free(&answer->bytes);
	bytes_free(&answer->error);
}

enum status answer_end(struct answer *answer, bool json, enum status status)
{
	struct bytes out = { 0 };

	if (json && answer->error.len > 0) {
		bytes_addf(&out, "{\"error\":%.*s}\n", (int)answer->error.len, answer->error.at);
		/* What went wrong first is what it ends with. */
		(void)!standard_write(out.at, out.len);
	}
	bytes_free(&out);
	answer_free(answer);
	return status;
}
