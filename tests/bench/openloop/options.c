#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"openloop --server HOST:PORT (--rate RATES | --source ADDRESS@RATES... | --closed) [OPTION]...\n"
	"\n"
	"Sends jobs to leatd, or to a server that speaks its HTTP, when they are due, not when the last one was answered: arrivals are\n"
	"Poisson, and a latency counts from the moment at which the request was due. A connection has one request under way at a\n"
	"time; when none is free another is opened.\n"
	"\n"
	"  --server HOST:PORT      an IPv4 address\n"
	"  --protocol http|resp    http\n"
	"  --job NAME              echo\n"
	"  --payload TEXT          hello\n"
	"  --nothing               instead of a job: PING, or GET /healthz, which cost what any request does\n"
	"  --rate RATES            RATE[:SECONDS],... requests a second; several are phases, one after the other\n"
	"  --source ADDRESS@RATES  a client of its own: its own address, rates, connections and figures. May repeat\n"
	"  --seconds S             of a phase that does not say: 5\n"
	"  --warm-up S             what is due in the first S seconds does not count: 0\n"
	"  --deadline MS           what is done later is late: 5000\n"
	"  --connections N         opened ahead, for each source: 64\n"
	"  --max-connections N     for each source; a request without a connection is an error: 10000\n"
	"  --closed                the other kind: all connections send as soon as they are answered\n"
	"  --pipeline N            with --closed: so many requests under way on each connection: 1\n"
	"  --seed N                the same seed makes the same arrivals: 1\n"
	"  --max-lag MS            void if 1 % of the requests are sent later than they were due by more than this: 1\n"
	"  --windows               also a line for each 100 ms\n"
	"  --help\n"
	"\n"
	"Prints lines of logfmt. `total`: offered = ok + late + refused + timeout + error + unanswered, of those\n"
	"that were due in the time that counts; goodput is what was done in time within it, whenever it was due. `latency of=`: accepted\n"
	"is all that was not refused; service is how long they ran, by the server's word; busy is the sum of that, wasted what of it was\n"
	"not done in time. `lag`: how late this program was itself.\n"
	"\n"
	"Ends 0; 3 if its own lag makes the figures void; 1 if there is no server; 64 if it does not understand its arguments.\n";

printf_like(1, 2) static void bad(const char *format, ...)
{
	va_list args;

	fputs("openloop: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("; see --help\n", stderr);
	exit(64);
}

static double number(const char *option, const char *text, double min, double max)
{
	char *end;
	double x = strtod(text, &end);

	if (end == text || *end || !(x >= min && x <= max))
		bad("--%s: '%s' is not a number from %g to %g", option, text, min, max);
	return x;
}

static void read_server(struct options *o)
{
	char host[64];
	const char *colon = strrchr(o->server, ':');

	if (!colon || (size_t)(colon - o->server) >= sizeof(host))
		bad("--server: '%s' is not HOST:PORT", o->server);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - o->server), o->server);
	o->address.sin_family = AF_INET;
	o->address.sin_port = htons((uint16_t)number("server", colon + 1, 1, 65535));
	if (inet_pton(AF_INET, host, &o->address.sin_addr) != 1)
		bad("--server: '%s' is not an IPv4 address", host);
}

static void add_source(struct options *o, const char *name, const char *rates)
{
	if (o->source_count == OPTIONS_SOURCES)
		bad("more than %d sources", OPTIONS_SOURCES);
	o->sources[o->source_count].name = name;
	if (!arrivals_parse(&o->sources[o->source_count].arrivals, rates, o->seconds))
		bad("'%s' is not RATE[:SECONDS],... in at most %d phases", rates, ARRIVALS_PHASES);
	o->source_count++;
}

static void add_address(struct options *o, char *text)
{
	char *at = strchr(text, '@');

	if (!at)
		bad("--source: '%s' is not ADDRESS@RATES", text);
	*at = 0;
	if (o->source_count < OPTIONS_SOURCES && inet_pton(AF_INET, text, &o->sources[o->source_count].from) != 1)
		bad("--source: '%s' is not an IPv4 address", text);
	add_source(o, text, at + 1);
}

struct options options_read(int argc, char **argv)
{
	enum { SERVER, PROTOCOL, JOB, PAYLOAD, NOTHING, RATE, SOURCE, LENGTH, WARM_UP, DEADLINE, CONNECTIONS, MAX_CONNECTIONS, CLOSED, PIPELINE, SEED, MAX_LAG,
		WINDOWS, HELP };
	static const struct option names[] = {
		{ "server", required_argument, NULL, SERVER },
		{ "protocol", required_argument, NULL, PROTOCOL },
		{ "job", required_argument, NULL, JOB },
		{ "payload", required_argument, NULL, PAYLOAD },
		{ "nothing", no_argument, NULL, NOTHING },
		{ "rate", required_argument, NULL, RATE },
		{ "source", required_argument, NULL, SOURCE },
		{ "seconds", required_argument, NULL, LENGTH },
		{ "warm-up", required_argument, NULL, WARM_UP },
		{ "deadline", required_argument, NULL, DEADLINE },
		{ "connections", required_argument, NULL, CONNECTIONS },
		{ "max-connections", required_argument, NULL, MAX_CONNECTIONS },
		{ "closed", no_argument, NULL, CLOSED },
		{ "pipeline", required_argument, NULL, PIPELINE },
		{ "seed", required_argument, NULL, SEED },
		{ "max-lag", required_argument, NULL, MAX_LAG },
		{ "windows", no_argument, NULL, WINDOWS },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = {
		.is_http = true, .job = "echo", .payload = "hello", .seconds = 5, .deadline_ns = 5 * SECONDS, .max_lag_ns = MILLISECONDS,
		.connections = 64, .max_connections = 10000, .pipeline = 1, .seed = 1,
	};
	const char *rates = NULL;
	char *sources[OPTIONS_SOURCES];
	unsigned source_count = 0;
	int which, index;

	while ((which = getopt_long(argc, argv, "", names, &index)) >= 0) {
		const char *name = which == '?' ? NULL : names[index].name;

		switch (which) {
		case SERVER: o.server = optarg; break;
		case PROTOCOL:
			if (strcmp(optarg, "http") != 0 && strcmp(optarg, "resp") != 0)
				bad("--protocol: '%s' is neither http nor resp", optarg);
			o.is_http = strcmp(optarg, "http") == 0;
			break;
		case JOB: o.job = optarg; break;
		case PAYLOAD: o.payload = optarg; break;
		case NOTHING: o.asks_nothing = true; break;
		case RATE: rates = optarg; break;
		case SOURCE:
			if (source_count == OPTIONS_SOURCES)
				bad("more than %d sources", OPTIONS_SOURCES);
			sources[source_count++] = optarg;
			break;
		case LENGTH: o.seconds = number(name, optarg, 0.01, 3600); break;
		case WARM_UP: o.warm_up = number(name, optarg, 0, 3600); break;
		case DEADLINE: o.deadline_ns = (int64_t)(number(name, optarg, 1, 1e7) * 1e6); break;
		case CONNECTIONS: o.connections = (unsigned)number(name, optarg, 0, 60000); break;
		case MAX_CONNECTIONS: o.max_connections = (unsigned)number(name, optarg, 1, 60000); break;
		case CLOSED: o.is_closed = true; break;
		case PIPELINE: o.pipeline = (unsigned)number(name, optarg, 1, OPTIONS_PIPELINE); break;
		case SEED: o.seed = (uint64_t)number(name, optarg, 0, 1e15); break;
		case MAX_LAG: o.max_lag_ns = (int64_t)(number(name, optarg, 0.001, 1e6) * 1e6); break;
		case WINDOWS: o.shows_windows = true; break;
		case HELP: fputs(help, stdout); exit(0);
		default: bad("that is not an option");
		}
	}
	if (optind < argc)
		bad("'%s' is not an option", argv[optind]);
	if (!o.server)
		bad("which --server?");
	read_server(&o);
	if ((rates != NULL) + (source_count > 0) + o.is_closed != 1)
		bad("one of --rate, --source and --closed");
	if (o.pipeline > 1 && !o.is_closed)
		bad("--pipeline goes with --closed: otherwise answers would wait for each other");
	if (source_count == 0)
		add_source(&o, "any", rates ? rates : "0");
	for (unsigned i = 0; i < source_count; i++)
		add_address(&o, sources[i]);
	return o;
}
