#include "cmdline.h"

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
	char **argv;
	size_t argc;
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
	if (s->argc == CMDLINE_ARGS_MAX)
		return fail(s, "more than %d arguments", CMDLINE_ARGS_MAX);
	s->argv[s->argc++] = s->out;
	s->in_word = true;
	return true;
}

static void end_word(struct split *s)
{
	if (s->in_word)
		put(s, '\0');
	s->in_word = false;
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
	return fail(s, "the placeholder {%.*s} has no arg.* key (write {{ for the character itself)", (int)name, s->in + 1);
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
	s->argv[s->argc] = NULL;
	return s->argc > 0 || fail(s, "nothing to run");
}

char **cmdline_split(const char *line, char *why, size_t why_len)
{
	size_t vector = (CMDLINE_ARGS_MAX + 1) * sizeof(char *);
	/* No argument is longer than it was written, and each but the last is ended by what was a blank. */
	char **argv = malloc(vector + strlen(line) + 1);
	struct split s = { .in = line, .argv = argv, .why = why, .why_len = why_len };

	if (!argv) {
		snprintf(why, why_len, "%s", strerror(ENOMEM));
		return NULL;
	}
	s.out = (char *)argv + vector;
	if (split_all(&s))
		return argv;
	free(argv);
	return NULL;
}
