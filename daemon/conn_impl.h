/* What conn.c, intake.c and exchange.c share. */
#ifndef LEAT_CONN_IMPL_H
#define LEAT_CONN_IMPL_H

#include "conn.h"
#include "exchange.h"
#include "http.h"
#include "loop_impl.h"
#include "out.h"
#include "resp.h"
#include "share.h"

#include <event2/event.h>
#include <event2/event_struct.h>

enum protocol { PROTOCOL_UNDECIDED, PROTOCOL_HTTP, PROTOCOL_LINE };

/* What the descriptor is waited for. */
enum interest {
	INTEREST_READ = 1,
	INTEREST_WRITE = 2,
	INTEREST_CLOSE = 4,     /* HTTP, not read from: a client that closes cancels */
	INTEREST_HANGUP = 8,    /* line protocol, not read from: a client that is gone altogether cancels */
};

/* How far a request that has not come whole has come. */
enum phase { PHASE_NONE, PHASE_LINE, PHASE_BODY };

struct conn {
	struct loop *loop;
	struct conn *next, *prev;       /* of loop->conns */
	struct conn *touched_next;
	bool touched;
	int fd;
	uint64_t number;
	struct peer peer;

	struct tls *tls;                /* NULL: it is not encrypted */
	moment handshake_until;         /* 0: TLS has come to be, or there is none */
	const struct token *who;        /* who is known to speak, of loop->access; NULL: nobody yet, or HTTP, which says it in each request */
	enum protocol protocol;
	int version;                    /* of the line protocol */
	union {
		struct http_parser http;
		struct resp_parser resp;
	} parser;
	struct buf in;                  /* a request that has not come whole, and what follows it */
	size_t want;                    /* how long `in` has to become; 0: not known, or it holds a whole request */
	bool starved;                   /* the request that is being read is thrown away: there was no memory for it */
	struct type *starved_type;      /* what it asks for, if that is known */
	enum phase phase;
	moment phase_began;
	size_t phase_bytes;             /* that have come since */
	bool continued;                 /* 100 Continue was sent for it */
	bool head_taken;                /* its head has said who asks, and its body may come */
	struct stream_in *body;         /* the request that is being read was dispatched, and this is done with its body; NULL: none */

	struct exchange *first, **last; /* the line of answers */
	size_t exchanges;
	size_t kept_bytes;              /* that answers take which wait for their turn, but for those of jobs */
	size_t held;                    /* bytes of the memory budget that its buffers are paid for with */
	bool served;                    /* a request has come */
	struct ctx *ctx;                /* parent of its jobs'; NULL until there is one */
	struct out out;

	const char *surplus;            /* why there is no place for it; NULL: there is */
	bool eof;                       /* the client sends no more */
	bool no_more;                   /* no further request is taken; closes when all is answered and sent */
	bool broken;                    /* closes at once */
	bool lingering;                 /* all is sent; reads on, so that closing does not destroy what is under way */

	unsigned interest;              /* enum interest */
	struct event read_event;
	struct event *write_event;      /* NULL until it is needed, which most never do */
	struct wheel_timer timer;       /* fires no later than conn_due() */
	moment idle_since;
	moment write_until;             /* more of what waits has to be fetched by then; 0: nothing waits */
	moment finish_by;               /* closes then, whatever is left */
};

/* Who speaks from now on; NULL: nobody known, who may send little. */
void conn_set_who(struct conn *, const struct token *);

/* Closes at once, with RST: the client is to see that what it got is not all. */
void conn_reset(struct conn *);

/* The client sends no more. */
void conn_on_eof(struct conn *);

#endif
