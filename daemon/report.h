/* What leatd tells of itself: the same facts as RESP records, JSON, the text of INFO, and Prometheus metrics. Pure functions. */
#ifndef LEAT_REPORT_H
#define LEAT_REPORT_H

#include "buf.h"

struct inquiry_result;
struct catalogue;
struct type;

struct report_field {
	const char *name;
	const char *text;       /* NULL: the number counts; borrowed */
	int64_t number;
};

enum { REPORT_FIELDS_MAX = 32 };

struct report_record {
	struct report_field fields[REPORT_FIELDS_MAX];
	size_t count;
	char room[64];          /* for a text that is made here */
};

/* A type with its limits; the books of a type. */
void report_job(const struct type *, struct report_record *);
void report_stats(const struct type *, struct report_record *);

/* An array of objects, one for each type. */
void report_json(const struct catalogue *, void (*fill)(const struct type *, struct report_record *), struct buf *);

/* The jobs in flight: record `i` of report_inquiry_records(). If there were more jobs than an answer has, the last record has one
 * field, `more`. */
size_t report_inquiry_records(const struct inquiry_result *);
void report_inquiry(const struct inquiry_result *, size_t i, struct report_record *);
void report_inquiry_json(const struct inquiry_result *, struct buf *);

/* All that a status page shows, as one JSON object in one line. `jobs` NULL: without those in flight; there are SNAPSHOT_JOBS_MAX of them at
 * most, the oldest, and `in_flight` counts all. */
enum { SNAPSHOT_JOBS_MAX = 100 };
void report_snapshot(const struct catalogue *, const struct inquiry_result *jobs, struct buf *);

/* Sections server, clients, memory, stats, jobs, latency, semaphores, each once however often it is wanted; none, `all`, `everything` and
 * `default` are all of them; an unknown one is empty. */
void report_info(const struct catalogue *, size_t n, const struct slice *sections, struct buf *);

/* Prometheus text format 0.0.4. */
void report_metrics(const struct catalogue *, struct buf *);

#endif
