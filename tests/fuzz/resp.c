/* resp.c: commands in pieces. */
#include "wire.h"

#include "../../daemon/resp.h"

enum { MAX_BULK = 32, STRANGER_ARGS = 3, STRANGER_BYTES = 64 };

static void *open_resp(bool strict)
{
	struct resp_parser *p = malloc(sizeof(*p));

	insist(p);
	memset(p, 0xa5, sizeof(*p));
	resp_parser_init(p);
	if (strict) {
		p->max_args = STRANGER_ARGS;
		p->max_bytes = STRANGER_BYTES;
	}
	return p;
}

static void close_resp(void *parser)
{
	resp_parser_free(parser);
	free(parser);
}

static struct parse_result parse_resp(void *parser, char *window, size_t len)
{
	return resp_parse(parser, window, len, MAX_BULK);
}

static void add_arg(struct buf *to, struct slice arg)
{
	buf_addf(to, "%zu<", arg.len);
	buf_add_slice(to, arg);
	buf_add_char(to, '>');
}

static void describe_resp(void *parser, const struct parse_result *result, struct buf *to)
{
	const struct resp_parser *p = parser;

	insist(!resp_in_array(p));
	if (result->status != PARSE_DONE)
		return;
	insist(p->argc >= 1 && p->argc <= p->max_args);
	for (size_t i = 0; i < p->argc; i++) {
		insist(p->argv[i].len <= MAX_BULK);
		add_arg(to, p->argv[i]);
	}
}

static bool skip_resp(void *parser, char *window, struct buf *head)
{
	struct slice args[2];

	if (!resp_skip(parser, window, args))
		return false;
	for (size_t i = 0; i < 2 && args[i].at; i++)
		add_arg(head, args[i]);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct subject resp = { open_resp, close_resp, parse_resp, describe_resp, skip_resp };

	fuzz_wire(&resp, (struct slice){ (const char *)bytes, len });
	return 0;
}
