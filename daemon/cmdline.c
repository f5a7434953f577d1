#include "cmdline.h"

#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an unquoted character of a shell's would mean. */
static const char operators[] = "|&;<>()`$";

struct split {
	const char *in;
	char *out;              /* where the next character goes */
	struct cmdline *to;
	bool in_word;
	char *why;
	size_t why_len;
};

printf_like(2, 3) static bool fail(struct split *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->why, s->why_len, format, args);
	va_end(args);
	return false;
}

static void put(struct split *s, char c)
{
	*s->out++ = c;
}

static bool begin_word(struct split *s)
{
	if (s->in_word)
		return true;
	if (s->to->argc == CMDLINE_ARGS_MAX)
		return fail(s, "more than %d arguments", CMDLINE_ARGS_MAX);
	s->to->argv[s->to->argc++] = s->out;
	s->in_word = true;
	return true;
}

static void end_word(struct split *s)
{
	if (s->in_word)
		put(s, '\0');
	s->in_word = false;
}

bool cmdline_is_name(struct slice name)
{
	return text_is_name(name, CMDLINE_NAME_MAX) && !memchr(name.at, '.', name.len);
}

static bool hole(struct split *s, struct slice name)
{
	struct cmdline *to = s->to;
	char shown[64];

	text_printable(name, shown, sizeof(shown));
	if (!cmdline_is_name(name))
		return fail(s, "{%s} is no placeholder: its name is 1 to %d of A-Za-z0-9_- (write {{ for the character itself)", shown,
			    CMDLINE_NAME_MAX);
	if (to->argc == 1)
		return fail(s, "the program itself can hold no placeholder such as {%s}", shown);
	if (to->hole_count == CMDLINE_HOLES_MAX)
		return fail(s, "more than %d placeholders", CMDLINE_HOLES_MAX);
	to->holes[to->hole_count++] = (struct cmdline_hole){ to->argc - 1, (size_t)(s->out - to->argv[to->argc - 1]), name };
	s->in += name.len + 2;
	return true;
}

/* `{{` and `}}`; a single brace opens a placeholder. */
static bool brace(struct split *s)
{
	size_t name;

	if (s->in[1] == s->in[0]) {
		put(s, s->in[0]);
		s->in += 2;
		return true;
	}
	name = s->in[0] == '{' ? strcspn(s->in + 1, "}") : 0;
	if (s->in[0] == '}' || s->in[1 + name] == '\0')
		return fail(s, "a single '%c' (write it twice for the character itself)", s->in[0]);
	return hole(s, (struct slice){ s->in + 1, name });
}

static bool quoted(struct split *s, char quote)
{
	for (s->in++; *s->in != quote;) {
		if (*s->in == '\0')
			return fail(s, "a %c that is not closed", quote);
		if (*s->in == '{' || *s->in == '}') {
			if (!brace(s))
				return false;
			continue;
		}
		if (quote == '"' && *s->in == '\\' && s->in[1] && strchr("\"\\$`", s->in[1]))
			s->in++;
		put(s, *s->in++);
	}
	s->in++;
	return true;
}

/* The next piece of a word, which has begun. */
static bool piece(struct split *s)
{
	switch (*s->in) {
	case '\'':
	case '"':
		return quoted(s, *s->in);
	case '{':
	case '}':
		return brace(s);
	case '\\':
		if (s->in[1] == '\0')
			return fail(s, "a %c at the end", '\\');
		s->in++;
		break;
	default:
		if (strchr(operators, *s->in))
			return fail(s, "an unquoted '%c': it is run without a shell (quote it, or run a script)", *s->in);
	}
	put(s, *s->in++);
	return true;
}

static bool split_all(struct split *s)
{
	while (*s->in) {
		if (*s->in == ' ' || *s->in == '\t' || *s->in == '\n') {
			end_word(s);
			s->in++;
		} else if (!begin_word(s) || !piece(s)) {
			return false;
		}
	}
	end_word(s);
	s->to->argv[s->to->argc] = NULL;
	return s->to->argc > 0 || fail(s, "nothing to run");
}

struct cmdline *cmdline_split(const char *line, char *why, size_t why_len)
{
	/* No argument is longer than it was written, and each but the last is ended by what was a blank. */
	struct cmdline *to = malloc(sizeof(*to) + strlen(line) + 1);
	struct split s = { .in = line, .out = (char *)(to + 1), .to = to, .why = why, .why_len = why_len };

	if (!to) {
		snprintf(why, why_len, "%s", strerror(ENOMEM));
		return NULL;
	}
	to->argc = 0;
	to->hole_count = 0;
	if (split_all(&s))
		return to;
	free(to);
	return NULL;
}

struct cmdline *cmdline_of(const char *const *words, size_t count)
{
	size_t bytes = 0;
	struct cmdline *to;
	char *out;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(words[i]) + 1;
	to = count <= CMDLINE_ARGS_MAX ? malloc(sizeof(*to) + bytes) : NULL;
	if (!to)
		return NULL;
	to->argc = count;
	to->hole_count = 0;
	out = (char *)(to + 1);
	for (size_t i = 0; i < count; i++) {
		to->argv[i] = out;
		out = stpcpy(out, words[i]) + 1;
	}
	to->argv[count] = NULL;
	return to;
}
