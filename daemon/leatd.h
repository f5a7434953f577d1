/* What the threads of the daemon share. Set up by main before any other thread starts; after that only the fields marked so change.
 * What is served is not here but in the catalogue that each loop holds. */
#ifndef LEAT_LEATD_H
#define LEAT_LEATD_H

#include "catalogue.h"
#include "config.h"
#include "tree.h"
#include "type.h"
#include "../lib/shim.h"

#include <sys/resource.h>

struct clients;
struct ids;
struct log;
struct page;

/* Why a request was turned away for who asks, or from where. */
enum denial {
	DENIED_TOKEN,                   /* none, or a wrong one */
	DENIED_RIGHT,
	DENIED_ORIGIN,                  /* a browser's page that may not ask */
	DENIED_HOST,                    /* it names another server */
	DENIALS
};

struct leatd {
	struct log *log;
	struct ids *ids;
	struct clients *clients;        /* NULL: their connections are not counted */
	int64_t started_unix;           /* seconds since 1970 */
	uint64_t id_seed;               /* first half of the ids this process gives */
	struct trees trees;             /* what commands are killed with */
	struct rlimit descriptors;      /* the limit leatd was started with, which commands get */
	uint64_t max_connections;       /* as at the start; there may be fewer since */
	struct page *page;              /* the status page */
	char **hosts;                   /* what a Host header may say besides server_names, ended by NULL */
	struct chan *reloads;           /* of struct question *: clients that ask for a reload; main answers */

	/* Main's alone. */
	struct catalogue *catalogue;    /* the one in force; a reference */
	struct type *retired;           /* types of catalogues before it that are not over */

	/* These change; any thread. */
	shim_i64 finish_by;             /* moment until which last answers may be fetched; set before the loops are told to quit */
	shim_u64 summary_due;           /* 1: a loop has taken it upon itself to write the next summary of refusals */
	shim_u64 drain_asked;           /* 1: leatd_drain() */
	shim_u64 draining;              /* 1: SIGTERM has come, nothing new is taken */
	shim_u64 cancelling;            /* 1: drain_timeout has passed, no job is started any more */
	shim_u64 connections;
	shim_u64 event_streams;
	shim_u64 accepted;
	shim_u64 turned_away;           /* of those: there were too many, or no memory for one */
	shim_u64 ids_given;
	shim_u64 denied[DENIALS];       /* requests that were */
	shim_u64 max_memory;            /* as the configuration says */
	shim_u64 job_streams;           /* of jobs that wait or run; see job.c */
	shim_u64 memory_bytes;          /* payloads, results and buffers that are held */
	shim_u64 starved;               /* requests that were refused for want of memory before they had come whole */
};

/* Charges `bytes` to the budget, or refuses (false) when it would go over max_memory. */
bool leatd_charge(struct leatd *, size_t bytes);
/* The same with another limit; see purse.h. */
bool leatd_charge_within(struct leatd *, size_t bytes, uint64_t limit);
void leatd_discharge(struct leatd *, size_t bytes);

/* Stops as at SIGTERM. The second time it does nothing: it does not hurry the first. Any thread; returns at once. */
void leatd_drain(struct leatd *);

#endif
