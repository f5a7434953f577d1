/* A connection: reads requests, hands them over, sends the answers, notices that the client has gone. Its first bytes decide which
 * protocol it speaks for its whole life. On the thread of the loop that accepted it. */
#ifndef LEAT_CONN_H
#define LEAT_CONN_H

#include "../lib/moment.h"

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct loop;
struct peer;

/* Takes the descriptor, and calls listeners_forget() when it closes. `number`: of this connection in the process. `surplus`: why
 * there is no place for it (static), so that its first request is answered BUSY; NULL: there is. False: no memory, or none in the budget, and the descriptor and the count are still the caller's. */
bool conn_open(struct loop *, int fd, const struct peer *, uint64_t number, const char *surplus, bool tls);

/* Has something to send or to go on with: looked after when the loop leaves its present callback. */
void conn_touch(struct conn *);

/* Looks after all touched connections. */
void conns_flush(struct loop *);
/* Those that had used up their turn get another; false if there were none. */
bool conns_resume(struct loop *);
/* The loop has new tokens: who has none any more is nobody. The old ones are still there. */
void conns_renew(struct loop *);
/* Cancels every job of every connection. */
void conns_cancel(struct loop *);
/* Closes every connection: those with nothing to send at once, the others when it is sent, or at `until`. */
void conns_finish(struct loop *, moment until);

#endif
