#include "command_docs.h"

#include "resp.h"
#include "tokens.h"

#include <ctype.h>
#include <fnmatch.h>

/* The version that brought a command; all of them are as old as leatd. */
static const char since[] = "0.1.0";

static const struct facts {
	struct slice name;
	enum right right;
	size_t least, most;             /* arguments besides the name */
	struct slice group, takes, does;
} commands[] = {
#define COMMAND(name, function, right, least, most, group, takes, does) \
	{ SLICE(#name), RIGHT_##right, least, most, SLICE(#group), SLICE(takes), SLICE(does) },
#include "commands.def"
#undef COMMAND
};

static const struct facts *find(struct slice name)
{
	for (size_t i = 0; i < countof(commands); i++) {
		if (slice_is_nocase(name, commands[i].name))
			return &commands[i];
	}
	return NULL;
}

/* Redis writes names in lower case. */
static void add_name(struct buf *to, struct slice name)
{
	char room[32];
	size_t len = name.len < sizeof(room) ? name.len : sizeof(room);

	for (size_t i = 0; i < len; i++)
		room[i] = (char)tolower((unsigned char)name.at[i]);
	resp_add_bulk(to, (struct slice){ room, len });
}

static void add_text(struct buf *to, const char *key, struct slice text)
{
	resp_add_bulk(to, slice_of(key));
	resp_add_bulk(to, text);
}

/* --- COMMAND, COMMAND INFO --- */

struct words {
	const char *at[6];
	size_t count;
};

static void add_words(struct buf *to, const struct words *words, int version)
{
	resp_add_set(to, words->count, version);
	for (size_t i = 0; i < words->count; i++)
		resp_add_simple(to, words->at[i]);
}

/* Only what runs jobs can keep its caller waiting. */
static bool is_blocking(const struct facts *c)
{
	return slice_is(c->group, SLICE("job"));
}

static struct words flags_of(const struct facts *c)
{
	struct words w = { .count = 0 };

	w.at[w.count++] = is_blocking(c) ? "blocking" : "fast";
	w.at[w.count++] = "noscript";
	if (c->right == RIGHT_OPS)
		w.at[w.count++] = "admin";
	if (c->right == RIGHT_NONE)
		w.at[w.count++] = "no_auth";
	return w;
}

static struct words categories_of(const struct facts *c)
{
	struct words w = { .count = 0 };

	w.at[w.count++] = is_blocking(c) ? "@slow" : "@fast";
	if (is_blocking(c))
		w.at[w.count++] = "@blocking";
	if (slice_is(c->group, SLICE("connection")))
		w.at[w.count++] = "@connection";
	if (c->right == RIGHT_OPS)
		w.at[w.count++] = "@admin";
	return w;
}

static void add_info(struct buf *to, const struct facts *c, int version)
{
	struct words flags = flags_of(c), categories = categories_of(c);
	int64_t arity = (int64_t)c->least + 1;

	resp_add_array(to, 10);
	add_name(to, c->name);
	resp_add_int(to, c->least == c->most ? arity : -arity);
	add_words(to, &flags, version);
	/* No argument is a key. */
	for (int i = 0; i < 3; i++)
		resp_add_int(to, 0);
	add_words(to, &categories, version);
	/* Tips, key specifications, subcommands. */
	for (int i = 0; i < 3; i++)
		resp_add_set(to, 0, version);
}

static const char *answer_info(struct buf *to, size_t argc, const struct slice *argv, int version)
{
	resp_add_array(to, argc ? argc : countof(commands));
	for (size_t i = 0; i < (argc ? argc : countof(commands)); i++) {
		const struct facts *c = argc ? find(argv[i]) : &commands[i];

		if (c)
			add_info(to, c, version);
		else
			resp_add_null_array(to, version);
	}
	return NULL;
}

/* --- COMMAND DOCS --- */

static bool is_token(struct slice word)
{
	for (size_t i = 0; i < word.len; i++) {
		if (!isupper((unsigned char)word.at[i]) && !isdigit((unsigned char)word.at[i]))
			return false;
	}
	return word.len > 0;
}

static bool begins(struct slice text, const char *with)
{
	size_t len = strlen(with);

	return text.len >= len && memcmp(text.at, with, len) == 0;
}

static void skip(struct slice *text, size_t n)
{
	text->at += n;
	text->len -= n;
}

/* Cuts what comes before any of these characters off the front. */
static struct slice cut(struct slice *text, const char *until)
{
	size_t n = 0;

	while (n < text->len && !strchr(until, text->at[n]) && !begins((struct slice){ text->at + n, text->len - n }, "..."))
		n++;
	skip(text, n);
	return (struct slice){ text->at - n, n };
}

static bool take(struct slice *text, const char *what)
{
	if (!begins(*text, what))
		return false;
	skip(text, strlen(what));
	return true;
}

/* An argument as Redis tells of it. */
struct argument {
	struct slice name, token;
	const char *type;
	bool optional, multiple;
	struct buf parts;               /* of a block, or of a choice: an array of arguments; owned */
};

static void add_argument(struct buf *to, struct argument *a, int version)
{
	size_t pairs = 2 + (a->token.len > 0) + (a->optional || a->multiple) + (a->parts.len > 0);

	resp_add_map(to, pairs, version);
	resp_add_bulk(to, SLICE("name"));
	add_name(to, a->name);
	add_text(to, "type", slice_of(a->type));
	if (a->token.len > 0)
		add_text(to, "token", a->token);
	if (a->optional || a->multiple) {
		struct words flags = { .count = 0 };

		if (a->optional)
			flags.at[flags.count++] = "optional";
		if (a->multiple)
			flags.at[flags.count++] = "multiple";
		resp_add_bulk(to, SLICE("flags"));
		add_words(to, &flags, version);
	}
	if (a->parts.len > 0) {
		resp_add_bulk(to, SLICE("arguments"));
		buf_add_slice(to, buf_slice(&a->parts));
	}
	to->failed |= a->parts.failed;
	buf_free(&a->parts);
}

static void read_word(struct argument *a, struct slice word, int version);

/* `A|B|c`: one of them. */
static void read_choice(struct argument *a, struct slice word, int version)
{
	struct buf parts = { 0 };
	size_t count = 0;

	a->type = "oneof";
	while (word.len > 0) {
		struct argument part = { 0 };

		read_word(&part, cut(&word, "|"), version);
		add_argument(&parts, &part, version);
		count++;
		(void)take(&word, "|");
	}
	resp_add_array(&a->parts, count);
	buf_add_slice(&a->parts, buf_slice(&parts));
	a->parts.failed |= parts.failed;
	buf_free(&parts);
}

static void read_word(struct argument *a, struct slice word, int version)
{
	a->name = word;
	a->type = "string";
	if (memchr(word.at, '|', word.len)) {
		read_choice(a, word, version);
	} else if (is_token(word)) {
		a->type = "pure-token";
		a->token = word;
	}
}

static size_t read_list(struct buf *to, struct slice *takes, int version);

/* What stands in brackets: a word, or several that belong together, of which a token leads. */
static void read_optional(struct argument *a, struct slice *takes, int version)
{
	struct slice word = cut(takes, " []");
	struct buf parts = { 0 };
	size_t count;

	a->optional = true;
	a->multiple = take(takes, "...");
	read_word(a, word, version);
	if (take(takes, "]"))
		return;
	a->type = "block";
	if (!a->token.len) {
		/* The first one is a part like the others. */
		struct argument first = { .name = a->name, .type = a->parts.len ? "oneof" : "string", .multiple = a->multiple, .parts = a->parts };

		a->parts = (struct buf){ 0 };
		a->multiple = false;
		add_argument(&parts, &first, version);
	}
	count = read_list(&parts, takes, version) + !a->token.len;
	(void)take(takes, "]");
	resp_add_array(&a->parts, count);
	buf_add_slice(&a->parts, buf_slice(&parts));
	a->parts.failed |= parts.failed;
	buf_free(&parts);
}

/* Up to the end, or to the bracket that closes: how many there were. */
static size_t read_list(struct buf *to, struct slice *takes, int version)
{
	size_t count = 0;

	while (take(takes, " "))
		;
	while (takes->len > 0 && !begins(*takes, "]")) {
		struct argument a = { 0 };

		if (take(takes, "["))
			read_optional(&a, takes, version);
		else
			read_word(&a, cut(takes, " []"), version);
		a.multiple |= take(takes, "...");
		add_argument(to, &a, version);
		count++;
		while (take(takes, " "))
			;
	}
	return count;
}

static void add_docs(struct buf *to, const struct facts *c, int version)
{
	struct buf arguments = { 0 };
	struct slice takes = c->takes;
	size_t count = read_list(&arguments, &takes, version);

	add_name(to, c->name);
	resp_add_map(to, 3 + (count > 0), version);
	add_text(to, "summary", c->does);
	add_text(to, "since", slice_of(since));
	add_text(to, "group", c->group);
	if (count > 0) {
		resp_add_bulk(to, SLICE("arguments"));
		resp_add_array(to, count);
		buf_add_slice(to, buf_slice(&arguments));
	}
	to->failed |= arguments.failed;
	buf_free(&arguments);
}

/* Names that there are not are left out. */
static const char *answer_docs(struct buf *to, size_t argc, const struct slice *argv, int version)
{
	size_t known = 0;

	for (size_t i = 0; i < argc; i++)
		known += find(argv[i]) != NULL;
	resp_add_map(to, argc ? known : countof(commands), version);
	for (size_t i = 0; i < (argc ? argc : countof(commands)); i++) {
		const struct facts *c = argc ? find(argv[i]) : &commands[i];

		if (c)
			add_docs(to, c, version);
	}
	return NULL;
}

/* --- The others --- */

static const char *answer_count(struct buf *to, size_t argc, const struct slice *argv unused_arg, int version unused_arg)
{
	if (argc > 0)
		return "COMMAND COUNT takes nothing more";
	resp_add_int(to, (int64_t)countof(commands));
	return NULL;
}

static const char *answer_getkeys(struct buf *to unused_arg, size_t argc, const struct slice *argv, int version unused_arg)
{
	return argc > 0 && find(argv[0]) ? "the command has no key arguments" : "COMMAND GETKEYS takes a command that there is";
}

static bool has_category(const struct facts *c, const char *wanted)
{
	struct words categories = categories_of(c);

	for (size_t i = 0; i < categories.count; i++) {
		if (strcasecmp(categories.at[i] + 1, wanted) == 0)
			return true;
	}
	return false;
}

static bool fits(const struct facts *c, const char *pattern)
{
	return fnmatch(pattern, c->name.at, FNM_CASEFOLD) == 0;
}

static bool is_of_module(const struct facts *c unused_arg, const char *module unused_arg)
{
	return false;
}

static const struct filter {
	struct slice name;
	bool (*lets)(const struct facts *, const char *wanted);
} filters[] = { { SLICE("ACLCAT"), has_category }, { SLICE("PATTERN"), fits }, { SLICE("MODULE"), is_of_module } };

static void add_list(struct buf *to, bool (*lets)(const struct facts *, const char *), const char *wanted)
{
	size_t count = 0;

	for (size_t i = 0; i < countof(commands); i++)
		count += !lets || lets(&commands[i], wanted);
	resp_add_array(to, count);
	for (size_t i = 0; i < countof(commands); i++) {
		if (!lets || lets(&commands[i], wanted))
			add_name(to, commands[i].name);
	}
}

static const char *answer_list(struct buf *to, size_t argc, const struct slice *argv, int version unused_arg)
{
	char wanted[64];

	if (argc == 0) {
		add_list(to, NULL, NULL);
		return NULL;
	}
	for (size_t i = 0; argc == 3 && slice_is_nocase(argv[0], SLICE("FILTERBY")) && i < countof(filters); i++) {
		if (!slice_is_nocase(argv[1], filters[i].name) || argv[2].len >= sizeof(wanted))
			continue;
		memcpy(wanted, argv[2].at, argv[2].len);
		wanted[argv[2].len] = '\0';
		add_list(to, filters[i].lets, wanted);
		return NULL;
	}
	return "COMMAND LIST takes [FILTERBY ACLCAT|PATTERN|MODULE word]";
}

const char *command_docs_answer(struct buf *to, size_t argc, const struct slice *argv, int version)
{
	static const struct {
		struct slice name;
		const char *(*answer)(struct buf *, size_t argc, const struct slice *argv, int version);
	} subcommands[] = {
		{ SLICE("COUNT"), answer_count }, { SLICE("DOCS"), answer_docs }, { SLICE("INFO"), answer_info },
		{ SLICE("LIST"), answer_list }, { SLICE("GETKEYS"), answer_getkeys }, { SLICE("GETKEYSANDFLAGS"), answer_getkeys },
	};

	if (argc == 0)
		return answer_info(to, 0, NULL, version);
	for (size_t i = 0; i < countof(subcommands); i++) {
		if (slice_is_nocase(argv[0], subcommands[i].name))
			return subcommands[i].answer(to, argc - 1, argv + 1, version);
	}
	return "COMMAND takes COUNT, DOCS, INFO, LIST or GETKEYS";
}
