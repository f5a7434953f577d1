/* The `leat` command: what the command line says, and which command it means. */
#include "command.h"

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SERVER "127.0.0.1:5328"

#define EXIT_STATUS_HELP \
	"Exit status:\n" \
	"  0    done\n" \
	"  1    the job FAILED, was KILLED or CANCELED; NOJOB, TOOBIG; no such ID\n" \
	"  64   bad command line\n" \
	"  69   no server, or no answer from it\n" \
	"  71   out of memory\n" \
	"  74   stdin or stdout cannot be used\n" \
	"  75   BUSY or DRAINING: trying again later makes sense\n" \
	"  76   the answer was not understood, or the request was not (ERR)\n" \
	"  77   NOAUTH\n" \
	"  124  TIMEOUT\n"

struct option_row {
	const char *name;
	const char *value;              /* what its value is called; NULL: it takes none */
	const char *help;
	bool common;                    /* of every command; the others are of the commands that name them */
	char letter;                    /* 0: none */
};

static const struct option_row options[OPTION_COUNT] = {
	[OPTION_SERVER] = { "server", "ADDRESS", "HOST:PORT, [v6]:PORT, unix:/PATH or tls:HOST:PORT\n"
	                    "                       (default: LEAT_SERVER, else " DEFAULT_SERVER ")", true, 0 },
	[OPTION_TOKEN_FILE] = { "token-file", "FILE", "a file that holds the token to send (default: LEAT_TOKEN_FILE)", true, 0 },
	[OPTION_CA] = { "ca", "FILE", "certificates to believe a tls: server by, in PEM\n"
	                "                       (default: LEAT_CA, else those of this machine)", true, 0 },
	[OPTION_JSON] = { "json", NULL, "print JSON, an error too, whose words are also on stderr", false, 0 },
	[OPTION_DEADLINE] = { "deadline", "D", "answer by then, with a result or TIMEOUT: 250ms, 5s, 2m\n"
	                      "                       (default: the job's own)", false, 0 },
	[OPTION_ID] = { "id", "ID", "a name for this run: 1 to 64 of A-Z a-z 0-9 . _ -", false, 0 },
	[OPTION_ARG] = { "arg", "NAME=VALUE", "an argument for the job's command; once for each\n"
	                 "                       that the job takes", false, 0 },
	[OPTION_INTERVAL] = { "interval", "D", "time between two looks, 100ms or more (default: 1s)", false, 0 },
	[OPTION_HOW_MANY] = { "count", "N", "end after so many looks (default: go on)", false, 0 },
	[OPTION_STREAM] = { "stream", NULL, "send the payload while it is read, and print the output\n"
	                    "                       while it comes", false, 0 },
	[OPTION_WIDTH] = { "width", "N", "at most so many at a time", false, 0 },
	[OPTION_QUORUM] = { "quorum", "N", "so many successes are enough, and end the rest", false, 0 },
	[OPTION_HELP] = { "help", NULL, "print this", true, 'h' },
	[OPTION_VERSION] = { "version", NULL, "print the version", true, 'V' },
};

#define TAKES(option) (1U << (option))

static const struct command {
	const char *name;
	const char *words;              /* what it takes, as the usage line shows it */
	int least, most;                /* how many words */
	unsigned takes;                 /* options beside the common ones */
	enum status (*run)(const struct invocation *);
	const char *summary;
	const char *help;
} commands[] = {
	{ "run", "JOB [PAYLOAD|-]", 1, 2, TAKES(OPTION_DEADLINE) | TAKES(OPTION_ID) | TAKES(OPTION_ARG) | TAKES(OPTION_STREAM) | TAKES(OPTION_JSON),
	  command_run,
	  "run a job and print its output",
	  "Runs JOB and writes its output to stdout, byte for byte. The payload is the\n"
	  "argument, or stdin when it is - or not given; at most 64 MiB, and what the server\n"
	  "allows. Errors are a line on stderr. Interrupting it cancels the job.\n"
	  "With --stream output is written as the job writes it, so there may be some before\n"
	  "an error. The payload has no limit then if the job reads it as it comes (in its\n"
	  "configuration: stdin = stream). With --json it is an object with its `output`, or\n"
	  "its `output_base64` if it is not UTF-8; not together with --stream.\n" },
	{ "map", "JOB", 1, 1, TAKES(OPTION_DEADLINE) | TAKES(OPTION_ARG) | TAKES(OPTION_WIDTH) | TAKES(OPTION_QUORUM) | TAKES(OPTION_JSON), command_map,
	  "run a job once for each line of stdin",
	  "Runs JOB with each line of stdin as a payload, 1 to 10000 of them, in one request\n"
	  "that needs as many free places. Writes the outputs in the order of the lines, each\n"
	  "ended by a newline, or, with --json, an object a line with its `index` and its\n"
	  "`output` (`output_base64` if that is not UTF-8) or `error`. A line that fails is a\n"
	  "line on stderr with its number, and the exit status is that of the first.\n"
	  "Interrupting it cancels all of them.\n" },
	{ "pipe", "JOB JOB...", 2, 16, TAKES(OPTION_DEADLINE) | TAKES(OPTION_ID) | TAKES(OPTION_STREAM) | TAKES(OPTION_JSON), command_pipe,
	  "run jobs, each on the output of the one before",
	  "Runs the first JOB with stdin as its payload, each of the others (16 at most in all)\n"
	  "with the output of the one before it, and writes the output of the last to stdout.\n"
	  "Needs a free place of each. Commands that stand side by side run at the same time.\n"
	  "The first that fails is the error, with its number from 0 (stage=), and ends the\n"
	  "others. Interrupting it cancels all of them. --stream and --json are as for run.\n" },
	{ "jobs", "", 0, 0, TAKES(OPTION_JSON), command_jobs,
	  "list the job types and their limits",
	  "Lists the job types, their limits, and what is waiting and running.\n" },
	{ "stats", "[JOB]", 0, 1, TAKES(OPTION_JSON), command_stats,
	  "show the books",
	  "Shows for JOB, or for every job type, how many were submitted, and what became\n"
	  "of them.\n" },
	{ "ps", "", 0, 0, TAKES(OPTION_JSON), command_ps,
	  "list the jobs that wait and run",
	  "Lists the jobs that wait and run, the oldest first: id, job type, state, age and\n"
	  "time left in milliseconds, and whom they are for. A server lists 4096 at most; how\n"
	  "many more there are is a line on stderr, and in JSON a last object with `more`.\n" },
	{ "cancel", "ID...", 1, INT_MAX, TAKES(OPTION_JSON), command_cancel,
	  "cancel jobs",
	  "Cancels the jobs of these IDs, which `leat ps` lists. One that waits is answered\n"
	  "CANCELED at once; one that runs is told to end, is killed after its grace, and\n"
	  "answered when it is gone. Status 1 if one of them neither waits nor runs; the\n"
	  "others are cancelled all the same.\n" },
	{ "pause", "JOB...", 1, INT_MAX, TAKES(OPTION_JSON), command_pause,
	  "refuse new jobs of a type, and start none",
	  "Pauses the job types: new jobs are refused (BUSY, reason=paused), those that wait\n"
	  "stay until they run out of time, those that run go on. `leat jobs` shows it. With\n"
	  "--json an array with `paused` or `error` for each of them.\n" },
	{ "resume", "JOB...", 1, INT_MAX, TAKES(OPTION_JSON), command_resume,
	  "end a pause",
	  "Lets the job types go on after `leat pause`. --json is as there.\n" },
	{ "drain", "", 0, 0, TAKES(OPTION_JSON), command_drain,
	  "let leatd finish what it has, and stop",
	  "Asks leatd to stop as at SIGTERM: what was accepted is finished within\n"
	  "drain_timeout, what comes is refused (DRAINING). Does not wait for the end. Under\n"
	  "systemd with its socket the next connection starts it again.\n" },
	{ "top", "", 0, 0, TAKES(OPTION_INTERVAL) | TAKES(OPTION_HOW_MANY) | TAKES(OPTION_JSON), command_top,
	  "watch what leatd does",
	  "Shows the job types, live: jobs that ended a second (END/S), running and waiting\n"
	  "ones of the places there are, what half and 99 of 100 jobs of the last looks waited\n"
	  "(W-P50, W-P99) and ran (R-P50, R-P99), refusals, jobs that ended otherwise than done\n"
	  "(NOTDONE), and the reason of most refusals; below them the jobs in flight, if the\n"
	  "token has the right to see them. Without a terminal it prints a table for each look,\n"
	  "with --json a line of JSON.\n\n"
	  "Keys: q quits; up and down (k, j) select; Tab goes from the types to the jobs and\n"
	  "back; p pauses the selected type, r resumes it; c cancels the selected job; s sorts\n"
	  "by name, rate, running, waiting, refusals.\n" },
	{ "reload", "", 0, 0, TAKES(OPTION_JSON), command_reload,
	  "read the configuration again",
	  "Has leatd read its configuration again, and prints how many job types were added,\n"
	  "changed and removed, and which keys take effect at a restart only. No connection and\n"
	  "no job is lost. If anything is wrong nothing changes; all of it is told then.\n" },
	{ "ping", "", 0, 0, TAKES(OPTION_JSON), command_ping,
	  "ask whether leatd is there",
	  "Prints PONG if leatd answers; with --json, how many milliseconds that took, and\n"
	  "the connection before it.\n" },
	{ "version", "", 0, 0, TAKES(OPTION_JSON), command_version,
	  "print the versions of leat and of leatd",
	  "Prints the version of this program, and that of the leatd that it reaches.\n" },
};

static bool command_takes(const struct command *command, size_t option)
{
	return options[option].common || (command && command->takes & TAKES(option));
}

static void print_options(const struct command *command)
{
	puts("\nOptions, before or after the command:");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *o = &options[i];
		char name[32];

		if (command && !command_takes(command, i))
			continue;
		snprintf(name, sizeof(name), "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
		printf("  %-19s  %s\n", name, o->help);
	}
}

static void print_command_help(const struct command *command)
{
	printf("Usage: leat %s%s%s [OPTION]...\n\n%s", command->name, command->words[0] ? " " : "", command->words, command->help);
	print_options(command);
	fputs("\n" EXIT_STATUS_HELP, stdout);
}

static void print_help(void)
{
	puts("Usage: leat [--server ADDRESS] [--token-file FILE] COMMAND ...\n\n"
	     "Asks leatd, which runs jobs.\n\n"
	     "Commands (`leat COMMAND --help` tells more):");
	for (size_t i = 0; i < countof(commands); i++) {
		char usage[32];

		snprintf(usage, sizeof(usage), "%s %s", commands[i].name, commands[i].words);
		printf("  %-19s  %s\n", usage, commands[i].summary);
	}
	print_options(NULL);
	fputs("\n" EXIT_STATUS_HELP, stdout);
}

static enum status bad_option(char **argv, int letter)
{
	const char *which = argv[optind - 1];

	/* A bad letter may stand within a word that getopt has not finished. */
	if (optopt && letter == '?' && optopt <= 0xff)
		complain("no option -%c; `leat --help` lists them", optopt);
	else if (letter == ':')
		complain("option %s needs a value; `leat --help` explains it", which);
	else
		complain("no option %s; `leat --help` lists them", which);
	return STATUS_USAGE;
}

/* The rows as getopt_long() wants them. Its value for a long option is its row, from FIRST_ROW on. */
enum { FIRST_ROW = 256 };

static void getopt_rows(struct option rows[OPTION_COUNT + 1])
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		rows[i] = (struct option){ options[i].name, options[i].value ? required_argument : no_argument, NULL, FIRST_ROW + (int)i };
	rows[OPTION_COUNT] = (struct option){ 0 };
}

static size_t row_of_letter(int letter)
{
	size_t i = 0;

	while (i < OPTION_COUNT && options[i].letter != letter)
		i++;
	return i;
}

/* Takes the command line apart. `words` and `args` have room for all of it. */
static enum status parse(struct invocation *i, int argc, char **argv)
{
	struct option rows[OPTION_COUNT + 1];
	int got;

	getopt_rows(rows);
	opterr = 0;
	/* '-': words are handed over in their place, whatever POSIXLY_CORRECT says. ':': tell a missing value apart. */
	while ((got = getopt_long(argc, argv, "-:hV", rows, NULL)) != -1) {
		if (got == 1) {
			i->words[i->count++] = optarg;
			continue;
		}

		size_t row = got >= FIRST_ROW ? (size_t)(got - FIRST_ROW) : row_of_letter(got);

		if (row == OPTION_COUNT)
			return bad_option(argv, got);
		i->option[row] = optarg ? optarg : "";
		if (row == OPTION_ARG)
			i->args[i->arg_count++] = optarg;
	}
	while (optind < argc)
		i->words[i->count++] = argv[optind++];
	return STATUS_DONE;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < countof(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static enum status check(const struct invocation *i, const struct command *command)
{
	for (size_t row = 0; row < OPTION_COUNT; row++)
		if (i->option[row] && !command_takes(command, row)) {
			complain("`leat %s` takes no --%s; see `leat %s --help`", command->name, options[row].name, command->name);
			return STATUS_USAGE;
		}
	if (i->count >= command->least && i->count <= command->most)
		return STATUS_DONE;
	complain("%s; usage: leat %s %s", i->count < command->least ? "too few arguments" : "too many arguments", command->name,
	         command->words);
	return STATUS_USAGE;
}

static enum status run_command(struct invocation *i)
{
	if (i->count == 0 || i->option[OPTION_VERSION]) {
		if (i->option[OPTION_VERSION])
			puts("leat " LEAT_VERSION);
		else if (i->option[OPTION_HELP])
			print_help();
		else
			complain("a command is missing; `leat --help` lists them");
		return i->option[OPTION_VERSION] || i->option[OPTION_HELP] ? STATUS_DONE : STATUS_USAGE;
	}

	const struct command *command = find_command(i->words[0]);

	if (!command) {
		complain("no command '%s'; `leat --help` lists them", i->words[0]);
		return STATUS_USAGE;
	}
	if (i->option[OPTION_HELP]) {
		print_command_help(command);
		return STATUS_DONE;
	}
	i->words++;
	i->count--;

	enum status status = check(i, command);

	return status == STATUS_DONE ? command->run(i) : status;
}

/* An option's value, else that of the variable, else `normal`. */
static const char *said(const struct invocation *i, size_t option, const char *variable, const char *normal)
{
	const char *value = i->option[option] ? i->option[option] : getenv(variable);

	return value && (value[0] || i->option[option]) ? value : normal;
}

int main(int argc, char **argv)
{
	char **words = calloc((size_t)argc + 1, sizeof(*words));
	const char **args = calloc((size_t)argc + 1, sizeof(*args));

	if (!words || !args)
		out_of_memory();

	struct invocation i = { .words = words, .args = args };
	enum status status = parse(&i, argc, argv);

	struct server server = {
		.address = said(&i, OPTION_SERVER, "LEAT_SERVER", DEFAULT_SERVER),
		.token_file = said(&i, OPTION_TOKEN_FILE, "LEAT_TOKEN_FILE", NULL),
		.ca_file = said(&i, OPTION_CA, "LEAT_CA", NULL),
	};

	i.server = &server;
	if (status == STATUS_DONE)
		status = run_command(&i);
	free(words);
	free(args);
	if (fflush(stdout) != 0 && status == STATUS_DONE)
		status = STATUS_IO;
	return (int)status;
}
