/* The worker protocol (docs/worker-protocol.md) from the side of a worker: jobs from leatd on one descriptor, what is said of them on
 * another. A small job is one read and one write. One thread. There is nobody to tell of an error of leatd's or of a lost pipe: then
 * the process ends. */
#ifndef LEAT_PLUGIN_HOST_TALK_H
#define LEAT_PLUGIN_HOST_TALK_H

#include "../../lib/compiler.h"
#include "../../lib/moment.h"
#include "../../lib/patience.h"

#include <stdbool.h>
#include <stddef.h>

enum { TALK_HEAD_MAX = 32, TALK_OUT_BYTES = 64 * 1024, TALK_WORD_MAX = 64 };

struct talk {
	int in, out;
	char *read;             /* what has come, with room for all of the job that is at work */
	size_t read_cap, from, to;
	struct patience patience;       /* with the next job */
	size_t gathered;        /* bytes of the output that wait in `room`, behind the place for their head */
	moment said;            /* when leatd last heard of us in this job */
	char room[TALK_HEAD_MAX + TALK_OUT_BYTES];
};

struct talk_job {
	char id[TALK_WORD_MAX + 1];
	char traceparent[TALK_WORD_MAX + 1];    /* or "" */
	moment end_by;
	const char *payload;    /* until the next talk_job() */
	size_t payload_len;
};

/* False: no memory. */
must_check bool talk_open(struct talk *, int in, int out);
void talk_close(struct talk *);

void talk_ready(struct talk *);

/* Waits for the next job. False: there will be none. */
must_check bool talk_job(struct talk *, struct talk_job *);

/* A part of the output: gathered, and sent when there is enough of it; talk_flush() sends what there is. */
void talk_part(struct talk *, const void *bytes, size_t len);
void talk_flush(struct talk *);

/* Lets leatd know that the job is still at work, if it has not heard of it for a while. */
void talk_beat(struct talk *, moment now);

/* The end of a job: done, with what is gathered as the last part, or failed. */
void talk_done(struct talk *);
void talk_fail(struct talk *, const char *words);

#endif
