/* leat-plugin-host: a plugin (lib/leat_plugin.h) as a process of its own, which leatd runs like any worker and kills like any worker. One
 * thread, which runs one call at a time. */
#include "talk.h"

#include "../plugin_object.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
	"Usage: leat-plugin-host [--config TEXT] FILE\n"
	"       leat-plugin-host --check FILE\n"
	"\n"
	"Loads a plugin of leatd and runs jobs with it, as docs/worker-protocol.md says, over stdin and stdout.\n"
	"leatd starts it for a job with `plugin = FILE`.\n"
	"\n"
	"      --config TEXT  what its open() is given\n"
	"      --check        only load it: 0, or 78 and what is wrong with it on stdout\n"
	"  -V, --version      print the version, and end\n"
	"  -h, --help         print this, and end\n";

struct arguments {
	const char *file, *config;
	bool check;
};

/* A handler of signals is given nothing of ours. `waiting`: there is no call that could be told. */
static volatile sig_atomic_t told_to_end, waiting;

static void on_sigterm(int signal)
{
	(void)signal;
	told_to_end = 1;
	if (waiting)
		_exit(EX_OK);
}

/* --- What the plugin asks of us --- */

struct run {
	struct leat_call call;
	struct talk *talk;
	moment end_by;
	bool failed;
	char words[256];
};

static struct run *run_of(struct leat_call *call)
{
	return container_of(call, struct run, call);
}

static bool host_cancelled(struct leat_call *call)
{
	struct run *run = run_of(call);
	moment now = moment_now();

	talk_beat(run->talk, now);
	return told_to_end || now >= run->end_by;
}

static bool host_write(struct leat_call *call, const void *bytes, size_t len)
{
	talk_part(run_of(call)->talk, bytes, len);
	return !told_to_end;
}

static bool host_flush(struct leat_call *call)
{
	talk_flush(run_of(call)->talk);
	return !host_cancelled(call);
}

static int64_t host_time_left_ms(struct leat_call *call)
{
	int64_t left = run_of(call)->end_by - moment_now();

	return told_to_end || left <= 0 ? 0 : left / MILLISECONDS + 1;
}

printf_like(2, 0) static void host_fail(struct leat_call *call, const char *format, va_list args)
{
	struct run *run = run_of(call);

	plugin_words(run->words, sizeof(run->words), format, args);
	run->failed = true;
}

static const struct leat_host host = {
	.size = sizeof(host),
	.write = host_write,
	.flush = host_flush,
	.cancelled = host_cancelled,
	.time_left_ms = host_time_left_ms,
	.fail = host_fail,
};

/* --- Jobs --- */

static void run_job(const struct plugin_object *object, struct talk *talk, const struct talk_job *job)
{
	struct run run;
	int status;

	run.talk = talk;
	run.end_by = job->end_by;
	run.failed = false;
	run.words[0] = '\0';
	run.call = (struct leat_call){ .size = sizeof(run.call), .host = &host, .state = object->state, .payload = job->payload,
				       .payload_len = job->payload_len, .id = job->id, .traceparent = job->traceparent };
	status = object->plugin->run(&run.call);
	if (status != 0 && !*run.words)
		snprintf(run.words, sizeof(run.words), "the plugin failed with status %d", status);
	if (status != 0 || run.failed)
		talk_fail(talk, run.words);
	else
		talk_done(talk);
}

/* SIGTERM lets the call that runs end, which is told of it, and ends a process that waits for one. */
static bool next_job(struct talk *talk, struct talk_job *job)
{
	bool there;

	waiting = 1;
	there = !told_to_end && talk_job(talk, job);
	waiting = 0;
	return there;
}

static int serve(struct plugin_object *object, const char *config, struct talk *talk)
{
	char why[PLUGIN_WHY_MAX];
	struct talk_job job;

	if (!plugin_object_open(object, config, why)) {
		fprintf(stderr, "leat-plugin-host: it %s\n", why);
		return EX_CONFIG;
	}
	talk_ready(talk);
	while (next_job(talk, &job))
		run_job(object, talk, &job);
	return EX_OK;
}

/* --- Start --- */

static void parse_arguments(struct arguments *args, int argc, char **argv)
{
	enum { CHECK = 256, CONFIG };
	static const struct option options[] = {
		{ "check", no_argument, NULL, CHECK }, { "config", required_argument, NULL, CONFIG },
		{ "version", no_argument, NULL, 'V' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "Vh", options, NULL)) != -1) {
		switch (option) {
		case CHECK:
			args->check = true;
			break;
		case CONFIG:
			args->config = optarg;
			break;
		case 'V':
			printf("leat-plugin-host %s, plugin ABI %d\n", LEAT_VERSION, LEAT_PLUGIN_ABI);
			exit(EX_OK);
		case 'h':
			fputs(usage, stdout);
			exit(EX_OK);
		default:
			fputs("Try `leat-plugin-host --help`.\n", stderr);
			exit(EX_USAGE);
		}
	}
	if (optind + 1 != argc) {
		fputs("leat-plugin-host: wants one FILE\nTry `leat-plugin-host --help`.\n", stderr);
		exit(EX_USAGE);
	}
	args->file = argv[optind];
}

/* The pipes become ours alone, before any code of the plugin runs: its stdin is empty, and its stdout is its stderr. */
static bool take_pipes(int *in, int *out)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	*in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	*out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return nothing >= 0 && *in >= 0 && *out >= 0 && dup2(nothing, STDIN_FILENO) == STDIN_FILENO &&
	       dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO;
}

static void handle_signals(void)
{
	struct sigaction action = { .sa_handler = on_sigterm, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int load_and_serve(const struct arguments *args, struct talk *talk)
{
	struct plugin_object object;
	char why[PLUGIN_WHY_MAX];
	int status = EX_OK;

	if (!plugin_object_load(&object, args->file, why)) {
		dprintf(args->check ? talk->out : STDERR_FILENO, "%s\n", why);
		return EX_CONFIG;
	}
	if (!args->check)
		status = serve(&object, args->config, talk);
	plugin_object_close(&object);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments args = { .config = "" };
	struct talk *talk;
	int in, out, status;

	parse_arguments(&args, argc, argv);
	talk = malloc(sizeof(*talk));
	if (!talk || !take_pipes(&in, &out) || !talk_open(talk, in, out)) {
		perror("leat-plugin-host: cannot start");
		return EX_OSERR;
	}
	/* A line of the plugin's is one of the log when it is whole. */
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	handle_signals();
	status = load_and_serve(&args, talk);
	talk_close(talk);
	free(talk);
	return status;
}
