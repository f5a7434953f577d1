#include "answer.h"

#include "http_head.h"
#include "text.h"

static const struct {
	const char *name;
	int status;
} codes[] = {
#define CODE(name, status) { #name, status },
#include "codes.def"
#undef CODE
};

struct answer answer_make(enum code code, const char *detail)
{
	return (struct answer){ .code = code, .detail = detail };
}

void answer_ok(struct answer *a, struct slice output)
{
	a->code = CODE_OK;
	a->http_status = 0;
	a->detail = "";
	a->output = output;
	a->texts = NULL;
	a->fact_count = 0;
}

void answer_fact(struct answer *a, const char *key, int64_t number)
{
	if (a->fact_count < ANSWER_FACTS_MAX)
		a->facts[a->fact_count++] = (struct fact){ .key = key, .number = number };
}

void answer_fact_text(struct answer *a, const char *key, struct slice text)
{
	if (a->fact_count < ANSWER_FACTS_MAX)
		a->facts[a->fact_count++] = (struct fact){ .key = key, .text = { text.at ? text.at : "", text.len } };
}

int64_t answer_number(const struct answer *a, const char *key)
{
	for (size_t i = 0; i < a->fact_count; i++) {
		if (!a->facts[i].text.at && strcmp(a->facts[i].key, key) == 0)
			return a->facts[i].number;
	}
	return -1;
}

int answer_http_status(const struct answer *a)
{
	return a->http_status ? a->http_status : codes[a->code].status;
}

const char *answer_code_name(enum code code)
{
	return codes[code].name;
}

static bool is_word(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
			return false;
	}
	return text.len > 0;
}

static void add_fact(const struct fact *f, struct buf *to)
{
	char shown[256];

	buf_add_char(to, ' ');
	buf_add_slice(to, slice_of(f->key));
	buf_add_char(to, '=');
	if (!f->text.at) {
		buf_add_int(to, f->number);
	} else if (is_word(f->text)) {
		buf_add_slice(to, f->text);
	} else {
		text_printable(f->text, shown, sizeof(shown));
		buf_addf(to, "\"%s\"", shown);
	}
}

static void add_text(const struct answer *a, struct slice text, struct buf *to)
{
	buf_add_slice(to, text);
	buf_add_int(to, a->facts[a->fact_count - 1].number);
}

void answer_add_line(const struct answer *a, struct buf *to)
{
	if (a->texts) {
		add_text(a, a->texts->line, to);
		return;
	}
	buf_add_slice(to, slice_of(codes[a->code].name));
	buf_add_char(to, ' ');
	buf_add_slice(to, slice_of(a->detail));
	for (size_t i = 0; i < a->fact_count; i++)
		add_fact(&a->facts[i], to);
}

static void add_member(struct buf *to, const char *key)
{
	buf_add_slice(to, SLICE(",\""));
	buf_add_slice(to, slice_of(key));
	buf_add_slice(to, SLICE("\":"));
}

/* `"code":..,"detail":..`, and the facts. */
static void add_members(const struct answer *a, struct buf *to)
{
	buf_add_slice(to, SLICE("\"code\":\""));
	buf_add_slice(to, slice_of(codes[a->code].name));
	buf_add_slice(to, SLICE("\",\"detail\":"));
	buf_add_json(to, slice_of(a->detail));
	for (size_t i = 0; i < a->fact_count; i++) {
		const struct fact *f = &a->facts[i];

		add_member(to, f->key);
		if (f->text.at)
			buf_add_json(to, f->text);
		else
			buf_add_int(to, f->number);
	}
}

void answer_add_object(const struct answer *a, struct buf *to)
{
	buf_add_char(to, '{');
	add_members(a, to);
	buf_add_char(to, '}');
}

/* Without printf: a refusal is to cost as little as can be. */
void answer_add_problem(const struct answer *a, struct buf *to)
{
	int status = answer_http_status(a);

	if (a->texts) {
		add_text(a, a->texts->problem, to);
		buf_add_slice(to, SLICE("}\n"));
		return;
	}
	buf_add_slice(to, SLICE("{\"type\":\"about:blank\",\"title\":\""));
	buf_add_slice(to, slice_of(http_reason(status)));
	buf_add_slice(to, SLICE("\",\"status\":"));
	buf_add_int(to, status);
	buf_add_char(to, ',');
	add_members(a, to);
	buf_add_slice(to, SLICE("}\n"));
}
