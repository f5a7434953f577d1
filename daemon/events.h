/* The state of leatd as it changes (GET /v1/events): Server-Sent Events (WHATWG HTML, 9.2), once a second a whole snapshot as JSON.
 *
 *     id: 1
 *     data: {"server":{...},"jobs":[...],"stats":[...],"latency":[...],"semaphores":[...],"ps":[...]}
 *
 * `ps` is there for those who have the right `ops`. The last event of a stream that leatd ends has the name `end` and says why: it is
 * stopping, or the tokens were read again. The next stream begins with a snapshot too, so nothing is to be caught up with (Last-Event-ID).
 *
 * A stream is an answer in parts without an end. It never has more than one event to send: while the client does not read, no further one is
 * made, and at write_timeout it is cut off. While memory is short it goes on, since that is when people look; so little does not count. At most
 * `event_streams` at a time. On the loop's thread. */
#ifndef LEAT_EVENTS_H
#define LEAT_EVENTS_H

#include "../lib/compiler.h"

struct exchange;

/* Answers with a stream, or says why not. */
void events_answer(struct exchange *);

#endif
