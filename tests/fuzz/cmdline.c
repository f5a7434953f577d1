/* cmdline.c and args.c: the first line is a command line, the others are `NAME=VALUE` of a client, who may say anything. Each value stays within
 * the argument in which its placeholder stands; and what was split, quoted again, is split into the same. */
#include "fuzz.h"

#include "../../daemon/args.h"
#include "../../daemon/cmdline.h"
#include "../../daemon/config.h"

static void add_quoted(struct buf *to, char c)
{
	switch (c) {
	case '\'':
		buf_add_slice(to, SLICE("'\\''"));
		break;
	case '{':
	case '}':
		buf_add_char(to, c);
		buf_add_char(to, c);
		break;
	default:
		buf_add_char(to, c);
	}
}

/* An argument within single quotes, in which its holes stand as they were. */
static void quote_arg(const struct cmdline *line, size_t arg, struct buf *to)
{
	const char *text = line->argv[arg];

	buf_add_char(to, '\'');
	for (size_t at = 0;; at++) {
		for (size_t i = 0; i < line->hole_count; i++) {
			if (line->holes[i].arg == arg && line->holes[i].at == at)
				buf_addf(to, "{%.*s}", (int)line->holes[i].name.len, line->holes[i].name.at);
		}
		if (!text[at])
			break;
		add_quoted(to, text[at]);
	}
	buf_add_slice(to, SLICE("' "));
}

static void check_again(const struct cmdline *line)
{
	struct buf quoted = { 0 };
	struct cmdline *again;
	char why[256];

	for (size_t i = 0; i < line->argc; i++)
		quote_arg(line, i, &quoted);
	buf_add_char(&quoted, '\0');
	insist(!quoted.failed);
	again = cmdline_split(quoted.at, why, sizeof(why));
	insist(again && again->argc == line->argc && again->hole_count == line->hole_count);
	for (size_t i = 0; i < line->argc; i++)
		insist_same("quoted it is", slice_of(again->argv[i]), slice_of(line->argv[i]));
	for (size_t i = 0; i < line->hole_count; i++)
		insist(again->holes[i].arg == line->holes[i].arg && again->holes[i].at == line->holes[i].at &&
		       slice_is(again->holes[i].name, line->holes[i].name));
	free(again);
	buf_free(&quoted);
}

static const struct slice *value_of(const struct arg_values *values, struct slice name)
{
	for (size_t i = 0; i < values->count; i++) {
		if (slice_is(values->list[i].name, name))
			return &values->list[i].value;
	}
	return NULL;
}

static void add_value(const struct arg_values *values, struct slice name, struct buf *to)
{
	const struct slice *value = value_of(values, name);

	insist(value && (value->len == 0 || value->at[0] != '-'));
	buf_add_slice(to, *value);
}

/* What an argument has to become. */
static void check_filled(const struct cmdline *line, size_t arg, const struct arg_values *values, const char *filled)
{
	struct buf wanted = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < line->hole_count; i++) {
		if (line->holes[i].arg != arg)
			continue;
		buf_add(&wanted, line->argv[arg] + at, line->holes[i].at - at);
		at = line->holes[i].at;
		add_value(values, line->holes[i].name, &wanted);
	}
	buf_add_slice(&wanted, slice_of(line->argv[arg] + at));
	insist(filled);
	insist_same("filled it is", slice_of(filled), buf_slice(&wanted));
	buf_free(&wanted);
}

/* A rule for each name, whose pattern takes everything. */
static bool add_rules(struct job_config *job, struct arg_rule *rules[ARGS_MAX])
{
	char why[256];

	for (size_t i = 0; i < job->cmdline->hole_count; i++) {
		char *name = fuzz_text(job->cmdline->holes[i].name);
		size_t known = 0;

		while (known < job->arg_count && strcmp(rules[known]->name, name) != 0)
			known++;
		if (known == job->arg_count && known < ARGS_MAX) {
			rules[job->arg_count++] = arg_rule_new(name, "(.|\n)*");
			insist(rules[known] && arg_rule_compile(rules[known], why, sizeof(why)));
		}
		free(name);
		if (known == ARGS_MAX)
			return false;
	}
	return true;
}

static void read_values(struct slice input, struct arg_values *values)
{
	struct answer why;

	while (input.len > 0) {
		struct slice line = fuzz_line(&input);
		const char *equals = line.len > 0 ? memchr(line.at, '=', line.len) : NULL;
		size_t name = equals ? (size_t)(equals - line.at) : line.len;
		size_t value = equals ? name + 1 : name;

		(void)!arg_values_add(values, (struct slice){ line.at, name }, (struct slice){ line.at + value, line.len - value }, &why);
	}
}

static void check_args(struct job_config *job, const struct arg_values *values)
{
	char *room = malloc(ARGS_PACKED_MAX), **argv;
	struct slice packed;
	struct answer why;

	insist(room);
	if (args_pack(job, values, room, &packed, &why)) {
		argv = args_fill(job, packed);
		insist(argv);
		for (size_t i = 0; i < job->cmdline->argc; i++)
			check_filled(job->cmdline, i, values, argv[i]);
		insist(!argv[job->cmdline->argc]);
		free(argv);
	}
	free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct buf copy = { 0 };
	struct slice input;
	char *text, why[256] = "";
	struct cmdline *line;
	struct arg_rule *rules[ARGS_MAX];
	struct job_config job = { .args = rules };
	struct arg_values values = { 0 };

	/* The sanitizer believes that regexec() reads up to a NUL, whatever it was told. */
	buf_add(&copy, bytes, len);
	buf_add_char(&copy, '\0');
	insist(!copy.failed);
	input = (struct slice){ copy.at, len };
	text = fuzz_text(fuzz_line(&input));
	line = cmdline_split(text, why, sizeof(why));
	job.cmdline = line;
	insist(line ? line->argc >= 1 && !line->argv[line->argc] : *why);
	read_values(input, &values);
	if (line) {
		check_again(line);
		if (add_rules(&job, rules))
			check_args(&job, &values);
	}
	while (job.arg_count > 0)
		arg_rule_free(rules[--job.arg_count]);
	free(line);
	free(text);
	buf_free(&copy);
	return 0;
}
