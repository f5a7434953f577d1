/* Listening sockets: opening them, and accepting from them.
 *
 * A TCP address gets a socket for each loop (SO_REUSEPORT), so the kernel spreads the connections; unix sockets, and those that
 * systemd hands over, are shared by all loops. */
#ifndef LEAT_LISTEN_H
#define LEAT_LISTEN_H

#include "address.h"
#include "config.h"

struct leatd;

/* Every socket leatd listens on. */
struct listen_sockets {
	int *fds;               /* owned; loop_count for each address, the same one several times when it is shared */
	char (*texts)[LISTEN_ADDRESS_TEXT_MAX];         /* of each address, with the port that was picked */
	bool *tls;              /* of each address: whether it speaks TLS */
	size_t address_count, loop_count;
	bool handed_over;       /* by systemd */
};

/* Opens what the configuration says, or takes what systemd has handed over. 0, or -errno with a sentence in `why`;
 * -ENOKEY: what systemd has handed over may not be served, as the configuration is. */
must_check int listen_open(struct listen_sockets *, const struct config *, size_t loop_count, char *why, size_t why_len);

/* Connections that may be open at a time, with those that are let in to be told that there are too many. */
size_t listen_most_connections(const struct leatd *);

/* Closes them all, and removes the files of unix sockets that leatd made. */
void listen_close(struct listen_sockets *);

/* The sockets of one loop: address_count of them, into `room`. */
void listen_of_loop(const struct listen_sockets *, size_t loop, int *room);

#endif
