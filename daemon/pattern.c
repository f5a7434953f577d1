#include "pattern.h"

#include "../lib/lock.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
	char *text;
	uint64_t pieces;
	struct lock lock;               /* of what follows */
	regex_t regex;                  /* set when `compiled` */
	bool compiled;
	uint64_t met;                   /* bytes of texts since it was compiled */
};

/* --- What a pattern may be --- */

/* The end of a bracket expression, in which a backslash is one. `at` is behind its `[`. */
static const char *skip_bracket(const char *at)
{
	at += *at == '^';
	at += *at == ']';
	while (*at && *at != ']') {
		char kind = at[0] == '[' && at[1] && strchr(":.=", at[1]) ? at[1] : '\0';

		/* [:alpha:] and its like. */
		for (at += kind ? 2 : 1; kind && *at; at++) {
			if (at[0] == kind && at[1] == ']') {
				at += 2;
				break;
			}
		}
	}
	return at;
}

/* A pattern that is none of the standard's, but that the C library takes, and with which a client could keep an event loop busy for
 * minutes: it is the only one that tries in vain again and again. */
static bool has_back_reference(const char *at)
{
	for (; *at; at++) {
		if (*at == '[') {
			at = skip_bracket(at + 1);
			if (!*at)
				return false;
		} else if (*at == '\\') {
			at++;
			if (!*at || (*at >= '1' && *at <= '9'))
				return *at != '\0';
		}
	}
	return false;
}

static uint64_t bound_at(const char **at)
{
	uint64_t n = 0;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		n = n < PATTERN_PIECES_MAX ? 10 * n + (uint64_t)(**at - '0') : n;
	return n;
}

/* How many copies of what it repeats a repetition is written out to, at most; *at is moved behind it. */
static uint64_t copies_of(const char **at)
{
	char kind = *(*at)++;
	uint64_t least, most;

	if (kind != '{')
		return kind == '+' ? 2 : 1;
	least = bound_at(at);
	*at += **at == ',';
	most = bound_at(at);
	*at += **at == '}';
	return most > least ? most : least + 1;
}

/* What stands from *at to the end of its group, in pieces: characters, brackets and groups, with each repetition written out, as the C library
 * does: `x+` as `xx*`, so that `x++` is twice that, and memory and time grow with the pieces and not with the characters of a pattern. More
 * than PATTERN_PIECES_MAX are not counted any further. */
static uint64_t pieces_of(const char **at, bool in_group)
{
	uint64_t before = 0, last = 0;

	while (**at && !(in_group && **at == ')') && before + last <= PATTERN_PIECES_MAX) {
		if (strchr("*?+{", **at)) {
			last *= copies_of(at);
			continue;
		}
		before += last;
		last = 1;
		switch (*(*at)++) {
		case '(':
			last += pieces_of(at, true);
			*at += **at == ')';
			break;
		case '[':
			*at = skip_bracket(*at);
			*at += **at != '\0';
			break;
		case '\\':
			*at += **at != '\0';
			break;
		default:
			break;
		}
	}
	return before + last;
}

/* --- Matching --- */

/* The C library makes the states of its automaton as texts lead to them, about one for a byte at most, and several where there are many
 * alternatives, and keeps them until regfree(). A state is a table of 256 pointers and, several times, a number for each piece that it is in. */
static bool remembers_too_much(const struct pattern *p)
{
	return p->met * (3072 + 64 * p->pieces) >= PATTERN_MEMORY;
}

/* Returns regcomp()'s error. */
static int compile(struct pattern *p)
{
	int error = regcomp(&p->regex, p->text, REG_EXTENDED);

	p->compiled = error == 0;
	p->met = 0;
	return error;
}

static void forget(struct pattern *p)
{
	if (p->compiled)
		regfree(&p->regex);
	p->compiled = false;
}

static bool match(struct pattern *p, struct slice text)
{
	if (remembers_too_much(p))
		forget(p);
	if (!p->compiled && compile(p) != 0)
		return false;
	p->met += text.len;
	/* The longest match from the first byte on is the whole text if any is. regexec() would look for one from every byte, unless `^(` stood
	 * before the pattern, with which regcomp() takes exponential time for some. */
	return re_match(&p->regex, text.len ? text.at : "", (regoff_t)text.len, 0, NULL) == (regoff_t)text.len;
}

bool pattern_matches(struct pattern *p, struct slice text)
{
	bool matches;

	lock_acquire(&p->lock);
	matches = match(p, text);
	lock_release(&p->lock);
	return matches;
}

/* --- Making one --- */

/* Compiles it, if it is one, and one for us. */
static bool prepare(struct pattern *p, char *why, size_t why_len)
{
	const char *at = p->text;
	int error;

	p->pieces = pieces_of(&at, false);
	if (p->pieces > PATTERN_PIECES_MAX) {
		snprintf(why, why_len, "its repetitions come to more than %d characters when they are written out", PATTERN_PIECES_MAX);
		return false;
	}
	error = compile(p);
	if (error) {
		regerror(error, &p->regex, why, why_len);
		return false;
	}
	if (has_back_reference(p->text)) {
		snprintf(why, why_len, "it has no back-references");
		return false;
	}
	return true;
}

struct pattern *pattern_new(const char *text, char *why, size_t why_len)
{
	struct pattern *p = calloc(1, sizeof(*p));

	snprintf(why, why_len, "there is no memory for it");
	if (p)
		p->text = strdup(text);
	if (p && p->text && prepare(p, why, why_len))
		return p;
	pattern_free(p);
	return NULL;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	forget(p);
	free(p->text);
	free(p);
}
