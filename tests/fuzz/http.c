/* http.c and http_query.c: requests in pieces, and the query of each. */
#include "wire.h"

#include "../../daemon/http.h"
#include "../../daemon/http_query.h"

enum { MAX_BODY = 32 };

static void *open_http(bool strict unused_arg)
{
	struct http_parser *p = malloc(sizeof(*p));

	insist(p);
	memset(p, 0xa5, sizeof(*p));
	http_parser_init(p);
	return p;
}

static struct parse_result parse_http(void *parser, char *window, size_t len)
{
	return http_parse(parser, window, len, MAX_BODY);
}

static void describe_head(const struct http_request *r, struct buf *to)
{
	const struct slice fields[] = { r->path, r->query, r->host, r->origin, r->content_type, r->authorization, r->traceparent,
					r->leat_deadline, r->leat_id };

	buf_addf(to, "%d %d %d %d %d", r->method, r->minor, r->keep_alive, r->expect_continue, r->has_body);
	for (size_t i = 0; i < countof(fields); i++) {
		buf_add_char(to, fields[i].at ? '=' : '-');
		buf_add_slice(to, fields[i]);
	}
}

/* The first value of each name is the one that is found by it. */
static void check_query(struct slice query)
{
	struct slice left = query;
	char *room = malloc(query.len), *free_room = room, *value = malloc(query.len);
	struct http_pair pairs[16];
	size_t n = 0;
	int r;

	insist(room && value);
	while ((r = http_query_next(&left, &pairs[n], &free_room)) > 0 && ++n < countof(pairs))
		insist(free_room <= room + query.len);
	for (size_t i = 0; r == 0 && i < n; i++) {
		size_t first = 0;
		int len;

		/* Between two '&' stands an empty name, which only one of the two ways sees. */
		if (pairs[i].name.len == 0)
			continue;
		while (!slice_is(pairs[first].name, pairs[i].name))
			first++;
		len = http_query_value(query, pairs[i].name, value, query.len);
		insist(len >= 0 && slice_is((struct slice){ value, (size_t)len }, pairs[first].value));
	}
	free(room);
	free(value);
}

static void describe_http(void *parser, const struct parse_result *result, struct buf *to)
{
	const struct http_request *r = &((struct http_parser *)parser)->request;

	describe_head(r, to);
	insist(r->path.len > 0);
	check_query(r->query);
	if (result->status == PARSE_DONE) {
		insist(r->body.len <= MAX_BODY && (r->has_body || r->body.len == 0));
		buf_add_char(to, ':');
		buf_add_slice(to, r->body);
	}
}

static bool skip_http(void *parser, char *window, struct buf *head)
{
	struct http_parser *p = parser;

	if (!http_skip(p, window))
		return false;
	describe_head(&p->request, head);
	return true;
}

/* What the first bytes have decided, the next do not change. */
static void check_begins(struct slice bytes)
{
	bool decided = false, was = false;

	for (size_t len = 0; len <= bytes.len && len < 16; len++) {
		bool undecided, is = http_begins(bytes.at, len, &undecided);

		insist(!(is && undecided));
		insist(!decided || (is == was && !undecided));
		decided = !undecided;
		was = is;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct subject http = { open_http, free, parse_http, describe_http, skip_http };

	check_begins((struct slice){ (const char *)bytes, len });
	fuzz_wire(&http, (struct slice){ (const char *)bytes, len });
	return 0;
}
