/* The command line of the load generator. */
#ifndef OPENLOOP_OPTIONS_H
#define OPENLOOP_OPTIONS_H

#include "arrivals.h"
#include "reply.h"

#include <netinet/in.h>

enum { OPTIONS_SOURCES = 64, OPTIONS_PIPELINE = 128 };

struct options {
	const char *server;
	struct sockaddr_in address;
	bool is_http;
	const char *job, *payload;
	bool asks_nothing; /* no job: what any request costs */
	struct {
		const char *name; /* its address, or `any` */
		struct in_addr from;
		struct arrivals arrivals;
	} sources[OPTIONS_SOURCES];
	unsigned source_count;
	double seconds, warm_up;
	int64_t deadline_ns, max_lag_ns;
	unsigned connections, max_connections; /* of each source */
	bool is_closed;
	unsigned pipeline;
	uint64_t seed;
	bool shows_windows;
};

/* Writes to stderr and ends with 64 when it cannot be understood; ends with 0 after --help. */
struct options options_read(int argc, char **argv);

#endif
