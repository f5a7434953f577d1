/* What a call of the channel layer says. Never errno. */
#ifndef LEAT_STATUS_H
#define LEAT_STATUS_H

enum chan_status {
	CHAN_OK,           /* done; the only success, and the only one that moves ownership of an element */
	CHAN_CLOSED,       /* the channel is closed. Sending: the element was not taken. Receiving: nothing is left */
	CHAN_WOULD_BLOCK,  /* not now, and the call was told not to wait */
	CHAN_TIMED_OUT,    /* the call's own deadline passed */
	CHAN_CANCELED,     /* its ctx was cancelled */
	CHAN_DEADLINE,     /* the deadline of its ctx passed */
	CHAN_NOMEM,
	CHAN_INVALID,      /* a mistake in the program: a wrong element size, closing nil, too many permits */
};

/* "CHAN_OK" and so on; "?" for what is no status. Static. */
const char *chan_status_name(enum chan_status);

#endif
