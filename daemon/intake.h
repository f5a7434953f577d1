/* How a connection takes requests in: what it reads is parsed, dispatched, or refused for want of memory; what is left of it waits, and is
 * paid for out of the loop's purse. The other half of conn.c, which has the descriptor, its sending and its time limits. On the
 * thread of the loop. */
#ifndef LEAT_INTAKE_H
#define LEAT_INTAKE_H

#include <stdbool.h>

struct conn;

/* Reads once, and takes the requests that have come whole. */
void intake_read(struct conn *);

/* Whether it takes requests at present: not while answers pile up, or too many are at work. */
bool intake_is_open(const struct conn *);
/* Whether it holds requests that were read but not looked at yet; and takes them, when there was no place, or time, for them before. */
bool intake_has_requests(const struct conn *);
void intake_take_waiting(struct conn *);

/* The request that is being read has not come whole in time: answers so, and closes. */
void intake_late(struct conn *);

/* Pays for what its buffers have become, or breaks the connection. */
void intake_account(struct conn *);
/* Notes how far the request that is being read has come, which is what its time limit counts from. */
void intake_set_phase(struct conn *);
/* Of the line protocol: how much a client may send depends on whether it is known who it is. */
void intake_limit_line(struct conn *);

#endif
