/* What `leat top` looks like: on a screen, as a table, as JSON. No I/O. */
#ifndef LEAT_TOP_VIEW_H
#define LEAT_TOP_VIEW_H

#include "bytes.h"
#include "sample.h"

enum top_sort { SORT_NAME, SORT_RATE, SORT_RUNNING, SORT_WAITING, SORT_REFUSED, SORTS };

struct top_view {
	const struct sample *now;
	const struct sample *last;      /* the one before: what rates are of. May be `now`: then they are 0 */
	const struct sample *oldest;    /* what percentiles are since */
	const char *server;             /* its address */
	enum top_sort sort;
	bool in_jobs;                   /* the selection is among the jobs in flight, not among the types */
	const char *type, *id;          /* selected */
	const char *note;               /* a line for people; empty: the keys */
	bool bad_note;
	size_t rows, columns;
	bool colours;
};

/* The types of the newest sample as they are sorted; the caller frees it. */
const struct sample_type **top_order(const struct top_view *);

/* All of a screen, from its first line on. */
void top_screen(struct bytes *out, const struct top_view *);
/* A line about the server, a head, and a line for each type. */
void top_table(struct bytes *out, const struct top_view *);
/* The same as one line of JSON. */
void top_json(struct bytes *out, const struct top_view *);

#endif
