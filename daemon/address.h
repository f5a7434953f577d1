/* Where to listen: `HOST:PORT`, `[v6]:PORT`, `unix:/PATH`, `tls:HOST:PORT`. Hosts are numbers, `localhost`, or `*` for every address. */
#ifndef LEAT_DAEMON_ADDRESS_H
#define LEAT_DAEMON_ADDRESS_H

#include "slice.h"
#include "../lib/compiler.h"

#include <sys/socket.h>

struct listen_address {
	struct sockaddr_storage socket;
	socklen_t len;
	bool tls;
};

/* Returns NULL, or what is wrong with the text (static). Asks no name server. */
must_check const char *listen_address_parse(struct listen_address *, struct slice text);

/* An IPv4 address as a socket that speaks IPv6 too has it (`::ffff:127.0.0.1`, RFC 4291 2.5.5.2) becomes the IPv4 address that it is. */
void address_unmap(struct sockaddr_storage *);

/* Only programs of this machine can reach it: a unix socket, 127.0.0.0/8, ::1. */
bool listen_address_is_local(const struct listen_address *);

/* The address as it would be written in `listen`. */
enum { LISTEN_ADDRESS_TEXT_MAX = 128 };
void listen_address_text(const struct listen_address *, char room[LISTEN_ADDRESS_TEXT_MAX]);

#endif
