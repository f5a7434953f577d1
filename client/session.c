#include "session.h"

#include "token.h"

#include <stdio.h>
#include <string.h>

enum status session_init(struct session *s, const struct server *server, int64_t patience)
{
	*s = (struct session){ .patience = patience, .ca_file = server->ca_file };

	const char *wrong = address_parse(&s->address, server->address);

	if (wrong) {
		complain("bad server address '%s': %s", server->address, wrong);
		return STATUS_USAGE;
	}
	return server->token_file ? token_add(&s->greeting, server->token_file) : STATUS_DONE;
}

static void disconnect(struct session *s)
{
	if (s->connected)
		connection_close(&s->connection);
	s->connected = false;
}

void session_close(struct session *s)
{
	disconnect(s);
	bytes_free(&s->greeting);
}

static enum told nothing(struct session *s, const char *what, const char *why)
{
	snprintf(s->why, sizeof(s->why), "%s%s%s", what, *why ? ": " : "", why);
	disconnect(s);
	return TOLD_NOTHING;
}

static enum told take(struct session *s, struct answer *answer)
{
	const char *why;

	if (reply_build(&answer->reply, answer->bytes.at, answer->bytes.len, &why) != REPLY_DONE)
		return nothing(s, "the answer is not to be understood", why);
	if (answer->reply.kind != REPLY_ERROR)
		return TOLD;
	snprintf(s->why, sizeof(s->why), "%.*s", (int)(answer->reply.len < 200 ? answer->reply.len : 200), answer->reply.text);
	return TOLD_ERROR;
}

static enum told exchange(struct session *s, const struct bytes *request, bool greet, struct answer *answer)
{
	const char *why = "";

	s->connection.limit = moment_in(s->patience);
	switch (connection_exchange(&s->connection, request, greet ? 1 : 0, &answer->bytes, &why)) {
	case EXCHANGE_DONE:
		return take(s, answer);
	case EXCHANGE_ENDED:
		return nothing(s, "leatd closed the connection", "");
	case EXCHANGE_TIMED_OUT:
		return nothing(s, "no answer in time", "");
	case EXCHANGE_BAD:
		break;
	}
	return nothing(s, "the answer is not to be understood", why);
}

static const char *connect_anew(struct session *s)
{
	const char *wrong = connection_open(&s->connection, &s->address, s->ca_file, moment_in(s->patience));

	/* `wrong` may be of the connection, so that is closed when it was told. */
	s->connected = true;
	return wrong;
}

enum told session_ask(struct session *s, const char *const *words, struct answer *answer)
{
	bool greet = !s->connected && s->greeting.len > 0;
	const char *wrong = s->connected ? NULL : connect_anew(s);
	struct bytes request = { 0 };
	size_t count = 0;

	*answer = (struct answer){ 0 };
	if (wrong)
		return nothing(s, "cannot reach leatd", wrong);
	while (words[count])
		count++;
	if (greet)
		bytes_add(&request, s->greeting.at, s->greeting.len);
	request_begin(&request, count);
	for (size_t i = 0; i < count; i++)
		request_text(&request, words[i]);

	enum told told = exchange(s, &request, greet, answer);

	/* A token that is not known is not to be passed over the next time. */
	if (greet && told == TOLD_ERROR)
		disconnect(s);
	bytes_free(&request);
	return told;
}
