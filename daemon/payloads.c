#include "payloads.h"

#include "json_string.h"

#include <stdlib.h>

/* The media type without its parameters. */
static bool is_ndjson(struct slice type)
{
	size_t len = 0;

	while (len < type.len && type.at[len] != ';' && type.at[len] != ' ' && type.at[len] != '\t')
		len++;
	return slice_is_nocase((struct slice){ type.at, len }, SLICE("application/x-ndjson"));
}

/* Takes the next line off the front. */
static struct slice take_line(struct slice *text)
{
	const char *end = memchr(text->at, '\n', text->len);
	struct slice line = { text->at, end ? (size_t)(end - text->at) : text->len };
	size_t taken = line.len + (end != NULL);

	text->at += taken;
	text->len -= taken;
	return line;
}

/* No more than one over `max`. */
static size_t count_lines(struct slice text, size_t max)
{
	size_t n = 0;

	while (text.len > 0 && n <= max) {
		(void)take_line(&text);
		n++;
	}
	return n;
}

static void skip_blanks(struct slice *s)
{
	while (s->len > 0 && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r')) {
		s->at++;
		s->len--;
	}
}

/* NULL, or what is wrong. */
static const char *decode(struct slice *line)
{
	struct slice rest = *line;
	const char *wrong;
	char *first, *to;

	skip_blanks(&rest);
	/* The body may be written to. */
	first = to = (char *)(uintptr_t)rest.at;
	wrong = json_string_decode(&rest, &to);
	if (wrong)
		return wrong;
	skip_blanks(&rest);
	*line = (struct slice){ first, (size_t)(to - first) };
	return rest.len == 0 ? NULL : "something follows the string";
}

static bool decode_all(struct payloads *p, struct answer *why)
{
	for (size_t i = 0; i < p->count; i++) {
		const char *wrong = decode(&p->list[i]);

		if (!wrong)
			continue;
		*why = answer_make(CODE_ERR, "a line is not one string of JSON");
		answer_fact(why, "line", (int64_t)i + 1);
		answer_fact_text(why, "why", slice_of(wrong));
		return false;
	}
	return true;
}

bool payloads_read(struct payloads *p, char *body, size_t len, struct slice content_type, size_t max, struct answer *why)
{
	struct slice text = { body, len };

	*p = (struct payloads){ .count = count_lines(text, max) };
	if (p->count == 0 || p->count > max) {
		*why = answer_make(CODE_ERR, p->count == 0 ? "the body has no line" : "the body has too many lines");
		answer_fact(why, "max", (int64_t)max);
		return false;
	}
	p->list = calloc(p->count, sizeof(*p->list));
	if (!p->list) {
		*why = answer_make(CODE_BUSY, "no memory left for it");
		answer_fact_text(why, "reason", SLICE("memory"));
		return false;
	}
	for (size_t i = 0; i < p->count; i++)
		p->list[i] = take_line(&text);
	return !is_ndjson(content_type) || decode_all(p, why);
}
