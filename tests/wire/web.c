#include "web.h"

#include "wire.h"

#include <stdio.h>
#include <strings.h>

static struct response *take_head(struct client *c)
{
	struct response *r = scratch(sizeof(*r));
	const char *end;
	size_t len;

	while (!(end = memmem(c->in + c->at, c->len - c->at, "\r\n\r\n", 4)))
		ck_assert_msg(hear_more(c), "the server closed without a whole response; said:\n%s\nheard:\n%s", c->said, c->in + c->at);
	len = (size_t)(end + 2 - (c->in + c->at));
	r->head = scratchf("%.*s", (int)len, c->in + c->at);
	c->at += len + 2;
	assert_match(r->head, "^HTTP/1[.]1 [1-5][0-9][0-9] [A-Z]");
	r->status = atoi(r->head + 9);
	return r;
}

const struct response *hear_head(struct client *c)
{
	struct response *r = take_head(c);

	r->body = "";
	return r;
}

const struct response *hear_response(struct client *c)
{
	struct response *r = take_head(c);
	const char *length = header(r, "Content-Length");
	char *body;

	r->body_len = length ? strtoul(length, NULL, 10) : 0;
	while (c->len - c->at < r->body_len)
		ck_assert_msg(hear_more(c), "the server closed in the middle of a body");
	body = scratch(r->body_len + 1);
	memcpy(body, c->in + c->at, r->body_len);
	c->at += r->body_len;
	r->body = body;
	return r;
}

const char *header(const struct response *r, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = strstr(r->head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
			const char *value = line + 2 + len + 1 + strspn(line + 2 + len + 1, " ");

			return scratchf("%.*s", (int)strcspn(value, "\r"), value);
		}
	}
	return NULL;
}

const struct response *ask(struct server *s, const char *request)
{
	struct client *c = dial(s);
	const struct response *r;

	say(c, request);
	r = hear_response(c);
	hang_up(c);
	return r;
}

const struct response *get(struct server *s, const char *path)
{
	return ask(s, scratchf("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path));
}

void say_post(struct client *c, const char *path, const char *headers, const char *body)
{
	sayf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n%s\r\n%s", path, strlen(body), headers, body);
}

const struct response *post(struct server *s, const char *path, const char *body)
{
	struct client *c = dial(s);
	const struct response *r;

	say_post(c, path, "", body);
	r = hear_response(c);
	hang_up(c);
	return r;
}

void assert_problem(const struct response *r, int status, const char *code)
{
	const char *type = header(r, "Content-Type");

	ck_assert_msg(r->status == status, "not %d but\n%s\n%s", status, r->head, r->body);
	ck_assert_msg(type && strcmp(type, "application/problem+json") == 0, "%s", r->head);
	assert_has(r->body, scratchf("\"status\":%d,", status));
	assert_has(r->body, scratchf("\"code\":\"%s\"", code));
	assert_match(r->body, "^\\{\"type\":\"about:blank\",\"title\":\"[A-Z][A-Za-z -]+\",.*\"detail\":\"[^\"].*\\}\n$");
}
