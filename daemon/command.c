#include "command.h"

#include "args.h"
#include "batch.h"
#include "command_docs.h"
#include "exchange.h"
#include "inquiry.h"
#include "leatd.h"
#include "map.h"
#include "report.h"
#include "resp.h"
#include "text.h"
#include "tokens.h"

#include <fnmatch.h>
#include <stdio.h>

static void fail(struct exchange *ex, enum code code, const char *detail)
{
	struct answer a = answer_make(code, detail);

	exchange_answer(ex, &a);
}

static void simple(struct exchange *ex, const char *text)
{
	resp_add_simple(exchange_begin(ex), text);
	exchange_end(ex);
}

static void bulk(struct exchange *ex, struct slice text)
{
	resp_add_bulk(exchange_begin(ex), text);
	exchange_end(ex);
}

static void do_ping(struct exchange *ex, size_t argc, const struct slice *argv)
{
	if (argc > 1)
		bulk(ex, argv[1]);
	else
		simple(ex, "PONG");
}

static void do_echo(struct exchange *ex, size_t argc unused_arg, const struct slice *argv)
{
	bulk(ex, argv[1]);
}

/* The option at the front of these words: how many of them it takes. 0: it is none, or wrong, and *why is the answer. */
static size_t run_option(const char *usage, struct request *request, struct arg_values *args, size_t left, const struct slice *words,
			 struct answer *why)
{
	if (left >= 2 && slice_is_nocase(words[0], SLICE("DEADLINE")))
		return request_set_deadline(request, words[1], why) ? 2 : 0;
	if (left >= 2 && slice_is_nocase(words[0], SLICE("ID")))
		return request_set_id(request, words[1], why) ? 2 : 0;
	if (left >= 3 && slice_is_nocase(words[0], SLICE("ARG"))) {
		request->args = args;
		return arg_values_add(args, words[1], words[2], why) ? 3 : 0;
	}
	*why = answer_make(CODE_ERR, usage);
	return 0;
}

static void do_run(struct exchange *ex, size_t argc, const struct slice *argv)
{
	struct request request = { .job = argv[1] };
	struct arg_values args;
	struct answer why;

	args.count = 0;
	if (argc > 2)
		request.payload = argv[2];
	for (size_t i = 3, n; i < argc; i += n) {
		n = run_option("RUN takes job [payload] [DEADLINE duration] [ID id] [ARG name value]...", &request, &args, argc - i, argv + i, &why);
		if (n == 0) {
			exchange_answer(ex, &why);
			return;
		}
	}
	exchange_run(ex, &request);
}

/* The same for MAP. */
static size_t map_option(struct map_request *map, struct arg_values *args, size_t left, const struct slice *words, struct answer *why)
{
	if (left >= 2 && slice_is_nocase(words[0], SLICE("WIDTH")))
		return map_set_width(map, words[1], why) ? 2 : 0;
	if (left >= 2 && slice_is_nocase(words[0], SLICE("QUORUM")))
		return map_set_quorum(map, words[1], why) ? 2 : 0;
	return run_option("MAP takes job n payload... [WIDTH w] [QUORUM k] [DEADLINE duration] [ID id] [ARG name value]...", &map->request,
			  args, left, words, why);
}

/* How many payloads there are, which have to follow. */
static bool map_count(struct map_request *map, size_t argc, const struct slice *argv, struct answer *why)
{
	uint64_t n;

	if (!text_count(argv[2], &n) || n == 0 || n > BATCH_ITEMS_MAX) {
		*why = answer_make(CODE_ERR, "the number of payloads is not 1 to 10000");
		return false;
	}
	if (n > argc - 3) {
		*why = answer_make(CODE_ERR, "fewer payloads follow than their number says");
		answer_fact(why, "number", (int64_t)n);
		answer_fact(why, "payloads", (int64_t)(argc - 3));
		return false;
	}
	map->payloads = argv + 3;
	map->count = n;
	return true;
}

static void do_map(struct exchange *ex, size_t argc, const struct slice *argv)
{
	struct map_request map = { .request.job = argv[1] };
	struct arg_values args;
	struct answer why;
	bool good = map_count(&map, argc, argv, &why);

	args.count = 0;
	for (size_t i = 3 + map.count, n; good && i < argc; i += n) {
		n = map_option(&map, &args, argc - i, argv + i, &why);
		good = n > 0;
	}
	if (good)
		map_run(ex, &map);
	else
		exchange_answer(ex, &why);
}

/* How many jobs there are, which have to follow, and a payload. */
static bool pipe_stages(struct request *request, size_t argc, const struct slice *argv, struct answer *why)
{
	uint64_t n;

	if (!text_count(argv[1], &n)) {
		*why = answer_make(CODE_ERR, "the number of jobs is not 2 to 16");
		return false;
	}
	if (!request_set_stages(request, argv + 2, n, why))
		return false;
	if (n + 3 > argc) {
		*why = answer_make(CODE_ERR, "fewer jobs and a payload follow than their number says");
		answer_fact(why, "number", (int64_t)n);
		answer_fact(why, "words", (int64_t)(argc - 2));
		return false;
	}
	request->payload = argv[2 + n];
	return true;
}

/* The option at the front of these words, as run_option(). */
static size_t pipe_option(struct request *request, size_t left, const struct slice *words, struct answer *why)
{
	static const char usage[] = "PIPE takes n job... payload [DEADLINE duration] [ID id]";

	if (slice_is_nocase(words[0], SLICE("ARG"))) {
		*why = answer_make(CODE_ERR, usage);
		return 0;
	}
	return run_option(usage, request, NULL, left, words, why);
}

static void do_pipe(struct exchange *ex, size_t argc, const struct slice *argv)
{
	struct request request = { .stages = NULL };
	struct answer why;
	bool good = pipe_stages(&request, argc, argv, &why);

	for (size_t i = 3 + request.stage_count, n; good && i < argc; i += n) {
		n = pipe_option(&request, argc - i, argv + i, &why);
		good = n > 0;
	}
	if (good)
		exchange_run(ex, &request);
	else
		exchange_answer(ex, &why);
}

static void add_value(struct buf *to, const struct report_field *f)
{
	if (f->text)
		resp_add_bulk(to, slice_of(f->text));
	else
		resp_add_int(to, f->number);
}

static void add_record(struct buf *to, const struct report_record *record, int version)
{
	resp_add_map(to, record->count, version);
	for (size_t i = 0; i < record->count; i++) {
		resp_add_bulk(to, slice_of(record->fields[i].name));
		add_value(to, &record->fields[i]);
	}
}

/* An array with a record for each type, or for `only` one. */
static void records(struct exchange *ex, void (*fill)(const struct type *, struct report_record *), const struct type *only)
{
	const struct catalogue *c = exchange_catalogue(ex);
	struct buf *to = exchange_begin(ex);
	struct report_record record;

	resp_add_array(to, only ? 1 : c->type_count);
	for (size_t i = 0; i < c->type_count; i++) {
		if (only && only != c->types[i])
			continue;
		fill(c->types[i], &record);
		add_record(to, &record, ex->wire.version);
	}
	exchange_end(ex);
}

static void do_jobs(struct exchange *ex, size_t argc unused_arg, const struct slice *argv unused_arg)
{
	records(ex, report_job, NULL);
}

static void do_stats(struct exchange *ex, size_t argc, const struct slice *argv)
{
	struct answer why;
	const struct type *only = argc > 1 ? request_find_type(exchange_catalogue(ex), argv[1], &why) : NULL;

	if (argc > 1 && !only)
		exchange_answer(ex, &why);
	else
		records(ex, report_stats, only);
}

static void answer_ps(struct exchange *ex, const struct inquiry_result *result)
{
	size_t n = report_inquiry_records(result);
	struct report_record record;
	struct buf *to;

	if (result->no_memory) {
		fail(ex, CODE_BUSY, "no memory left for the answer");
		return;
	}
	to = exchange_begin(ex);
	resp_add_array(to, n);
	for (size_t i = 0; i < n; i++) {
		report_inquiry(result, i, &record);
		add_record(to, &record, ex->wire.version);
	}
	exchange_end(ex);
}

static void do_ps(struct exchange *ex, size_t argc unused_arg, const struct slice *argv unused_arg)
{
	inquiry_start(ex, INQUIRY_JOBS, SLICE(""), answer_ps);
}

static void answer_cancel(struct exchange *ex, const struct inquiry_result *result)
{
	if (result->no_memory && !result->cancelled) {
		fail(ex, CODE_BUSY, "no memory left to look for it everywhere");
		return;
	}
	resp_add_int(exchange_begin(ex), result->cancelled);
	exchange_end(ex);
}

static void do_cancel(struct exchange *ex, size_t argc unused_arg, const struct slice *argv)
{
	struct request request;
	struct answer why;

	if (request_set_id(&request, argv[1], &why))
		inquiry_start(ex, INQUIRY_CANCEL, request.id, answer_cancel);
	else
		exchange_answer(ex, &why);
}

static void set_paused(struct exchange *ex, struct slice job, bool paused)
{
	struct answer why;

	if (request_pause(exchange_catalogue(ex), job, paused, &why))
		simple(ex, "OK");
	else
		exchange_answer(ex, &why);
}

static void do_pause(struct exchange *ex, size_t argc unused_arg, const struct slice *argv)
{
	set_paused(ex, argv[1], true);
}

static void do_resume(struct exchange *ex, size_t argc unused_arg, const struct slice *argv)
{
	set_paused(ex, argv[1], false);
}

static void do_drain(struct exchange *ex, size_t argc unused_arg, const struct slice *argv unused_arg)
{
	request_drain(exchange_leatd(ex), ex->who);
	simple(ex, "OK");
}

static void answer_reload(struct exchange *ex, const struct inquiry_result *result)
{
	struct buf line = { 0 };

	if (!result->reload) {
		fail(ex, CODE_BUSY, "leatd is about to end, or has too much to do");
		return;
	}
	buf_addf(&line, "%s%.*s", result->reload->done ? "OK " : "", (int)result->reload->words.len, result->reload->words.at);
	buf_add_char(&line, '\0');
	if (line.failed)
		fail(ex, CODE_BUSY, "no memory left for the answer");
	else if (result->reload->done)
		simple(ex, line.at);
	else
		fail(ex, CODE_ERR, line.at);
	buf_free(&line);
}

static void do_reload(struct exchange *ex, size_t argc unused_arg, const struct slice *argv unused_arg)
{
	inquiry_start(ex, INQUIRY_RELOAD, SLICE(""), answer_reload);
}

static void do_info(struct exchange *ex, size_t argc, const struct slice *argv)
{
	struct buf text = { 0 };

	report_info(exchange_catalogue(ex), argc - 1, argv + 1, &text);
	bulk(ex, buf_slice(&text));
	buf_free(&text);
}

/* What redis-benchmark and others look at before they begin, under the names of Redis. */
struct setting {
	const char *name, *value;
};

static bool fits_any(const char *name, size_t n, const struct slice *patterns)
{
	char pattern[64];

	for (size_t i = 0; i < n; i++) {
		if (patterns[i].len >= sizeof(pattern))
			continue;
		memcpy(pattern, patterns[i].at, patterns[i].len);
		pattern[patterns[i].len] = '\0';
		if (fnmatch(pattern, name, FNM_CASEFOLD) == 0)
			return true;
	}
	return false;
}

static void add_settings(struct exchange *ex, const struct setting *settings, size_t count, size_t n, const struct slice *patterns)
{
	struct buf *to = exchange_begin(ex);
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += fits_any(settings[i].name, n, patterns);
	resp_add_map(to, found, ex->wire.version);
	for (size_t i = 0; i < count; i++) {
		if (!fits_any(settings[i].name, n, patterns))
			continue;
		resp_add_bulk(to, slice_of(settings[i].name));
		resp_add_bulk(to, slice_of(settings[i].value));
	}
	exchange_end(ex);
}

static void do_config(struct exchange *ex, size_t argc, const struct slice *argv)
{
	const struct server_config *server = &exchange_catalogue(ex)->config->server;
	char clients[32], memory[32];
	const struct setting settings[] = {
		{ "appendonly", "no" }, { "databases", "1" }, { "maxclients", clients }, { "maxmemory", memory },
		{ "maxmemory-policy", "noeviction" }, { "save", "" },
	};

	if (argc < 3 || !slice_is_nocase(argv[1], SLICE("GET"))) {
		fail(ex, CODE_ERR, "CONFIG takes GET pattern...; what can be set stands in the configuration");
		return;
	}
	snprintf(clients, sizeof(clients), "%llu", (unsigned long long)server->max_connections);
	snprintf(memory, sizeof(memory), "%llu", (unsigned long long)server->max_memory);
	add_settings(ex, settings, countof(settings), argc - 2, argv + 2);
}

static void add_hello(struct buf *to, struct exchange *ex)
{
	resp_add_map(to, 7, ex->wire.version);
	resp_add_bulk(to, SLICE("server"));
	resp_add_bulk(to, SLICE("leat"));
	resp_add_bulk(to, SLICE("version"));
	resp_add_bulk(to, SLICE(LEAT_VERSION));
	resp_add_bulk(to, SLICE("proto"));
	resp_add_int(to, ex->wire.version);
	resp_add_bulk(to, SLICE("id"));
	resp_add_int(to, (int64_t)exchange_conn_number(ex));
	resp_add_bulk(to, SLICE("mode"));
	resp_add_bulk(to, SLICE("standalone"));
	resp_add_bulk(to, SLICE("role"));
	resp_add_bulk(to, SLICE("master"));
	resp_add_bulk(to, SLICE("modules"));
	resp_add_array(to, 0);
}

/* What follows the version: true if it is of the right form. SETNAME is taken and forgotten. `auth` is the token, or NULL. */
static bool hello_options(size_t argc, const struct slice *argv, const struct slice **auth)
{
	size_t i = 2;

	*auth = NULL;
	while (i < argc) {
		size_t takes = slice_is_nocase(argv[i], SLICE("SETNAME")) ? 1 : slice_is_nocase(argv[i], SLICE("AUTH")) ? 2 : 0;

		if (takes == 0 || i + takes >= argc)
			return false;
		if (takes == 2)
			*auth = &argv[i + 2];
		i += 1 + takes;
	}
	return true;
}

/* False: it was refused, and answered; whoever has spoken so far still does. The user's name is for libraries that have to send one: the
 * token says it all. */
static bool authenticate(struct exchange *ex, struct slice secret)
{
	const struct tokens *tokens = exchange_tokens(ex);
	const struct token *who = tokens ? tokens_find(tokens, secret) : NULL;

	if (!tokens)
		fail(ex, CODE_ERR, "AUTH was sent, but no tokens are configured");
	else if (!who)
		exchange_deny_stranger(ex, "wrong token");
	else
		exchange_set_who(ex, who);
	return who != NULL;
}

static void do_hello(struct exchange *ex, size_t argc, const struct slice *argv)
{
	uint64_t version = (uint64_t)ex->wire.version;
	const struct slice *auth;

	if (argc > 1 && (!text_count(argv[1], &version) || version < 2 || version > 3)) {
		fail(ex, CODE_NOPROTO, "unsupported protocol version");
	} else if (!hello_options(argc, argv, &auth)) {
		fail(ex, CODE_ERR, "HELLO takes [2|3 [AUTH user token] [SETNAME name]]");
	} else if (!auth && !ex->who) {
		exchange_deny_stranger(ex, "HELLO needs a token here: HELLO 2|3 AUTH user token, or AUTH token before it");
	} else if (!auth || authenticate(ex, *auth)) {
		exchange_set_version(ex, (int)version);
		add_hello(exchange_begin(ex), ex);
		exchange_end(ex);
	}
}

static void do_auth(struct exchange *ex, size_t argc, const struct slice *argv)
{
	if (authenticate(ex, argv[argc - 1]))
		simple(ex, "OK");
}

static void do_client(struct exchange *ex, size_t argc unused_arg, const struct slice *argv)
{
	if (slice_is_nocase(argv[1], SLICE("ID"))) {
		resp_add_int(exchange_begin(ex), (int64_t)exchange_conn_number(ex));
		exchange_end(ex);
	} else if (slice_is_nocase(argv[1], SLICE("GETNAME"))) {
		resp_add_null(exchange_begin(ex), ex->wire.version);
		exchange_end(ex);
	} else if (slice_is_nocase(argv[1], SLICE("SETNAME")) || slice_is_nocase(argv[1], SLICE("SETINFO")) ||
		   slice_is_nocase(argv[1], SLICE("NO-EVICT")) || slice_is_nocase(argv[1], SLICE("NO-TOUCH"))) {
		simple(ex, "OK");
	} else {
		fail(ex, CODE_ERR, "CLIENT takes ID, GETNAME, SETNAME or SETINFO");
	}
}

static void do_command(struct exchange *ex, size_t argc, const struct slice *argv)
{
	const char *refusal = command_docs_answer(exchange_begin(ex), argc - 1, argv + 1, ex->wire.version);

	if (refusal)
		fail(ex, CODE_ERR, refusal);
	else
		exchange_end(ex);
}

static void do_select(struct exchange *ex, size_t argc unused_arg, const struct slice *argv)
{
	if (slice_is(argv[1], SLICE("0")))
		simple(ex, "OK");
	else
		fail(ex, CODE_ERR, "DB index is out of range: there is only 0");
}

static void do_quit(struct exchange *ex, size_t argc unused_arg, const struct slice *argv unused_arg)
{
	ex->close_after = true;
	simple(ex, "OK");
}

static const struct command {
	struct slice name;
	void (*run)(struct exchange *, size_t argc, const struct slice *argv);
	enum right right;
	size_t least, most;             /* arguments besides the name */
	const char *usage;
} commands[] = {
#define COMMAND(name, function, right, least, most, group, takes, does) \
	{ SLICE(#name), do_##function, RIGHT_##right, least, most, takes ": " does },
#include "commands.def"
#undef COMMAND
};

static const char *command_name(size_t i, const void *arg unused_arg)
{
	return commands[i].name.at;
}

/* A browser that was made to speak to us: what follows are its headers, and must not be taken for commands. */
static bool is_http(struct slice name)
{
	return slice_is_nocase(name, SLICE("POST")) || slice_is_nocase(name, SLICE("GET")) || slice_is_nocase(name, SLICE("PUT")) ||
	       slice_is_nocase(name, SLICE("Host:"));
}

static void unknown(struct exchange *ex, struct slice name)
{
	struct answer a = answer_make(CODE_ERR, "unknown command");
	char upper[32];
	const char *nearest;
	size_t len = name.len < sizeof(upper) ? name.len : sizeof(upper);

	for (size_t i = 0; i < len; i++)
		upper[i] = (char)(name.at[i] >= 'a' && name.at[i] <= 'z' ? name.at[i] - 'a' + 'A' : name.at[i]);
	if (is_http(name))
		ex->close_after = true;
	if (len > 0)
		answer_fact_text(&a, "command", (struct slice){ name.at, len });
	nearest = text_nearest((struct slice){ upper, len }, command_name, countof(commands), NULL);
	if (nearest)
		answer_fact_text(&a, "nearest", slice_of(nearest));
	exchange_answer(ex, &a);
}

struct type *command_type(const struct catalogue *c, struct slice name, struct slice argument)
{
	return slice_is_nocase(name, SLICE("RUN")) || slice_is_nocase(name, SLICE("MAP")) ? catalogue_type(c, argument) : NULL;
}

static const struct command *find(struct slice name)
{
	for (size_t i = 0; i < countof(commands); i++) {
		if (slice_is_nocase(name, commands[i].name))
			return &commands[i];
	}
	return NULL;
}

static void run(struct exchange *ex, const struct command *command, size_t argc, const struct slice *argv)
{
	char usage[160];

	if (argc - 1 >= command->least && argc - 1 <= command->most) {
		command->run(ex, argc, argv);
		return;
	}
	snprintf(usage, sizeof(usage), "wrong number of arguments: %s%s%s", command->name.at, *command->usage == ':' ? "" : " ",
		 command->usage);
	fail(ex, CODE_ERR, usage);
}

/* A stranger is not told what commands there are. */
static void deny_stranger(struct exchange *ex, struct slice name)
{
	if (is_http(name))
		ex->close_after = true;
	exchange_deny_stranger(ex, "authentication required: AUTH token");
}

void command_dispatch(struct exchange *ex, size_t argc, const struct slice *argv)
{
	const struct command *command = find(argv[0]);

	if (!ex->who && (!command || command->right != RIGHT_NONE))
		deny_stranger(ex, argv[0]);
	else if (!command)
		unknown(ex, argv[0]);
	else if (!token_may(ex->who, command->right))
		exchange_deny_right(ex, "ops", (struct slice){ NULL, 0 });
	else
		run(ex, command, argc, argv);
}
