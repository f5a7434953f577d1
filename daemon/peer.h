/* Who a connection comes from, as small as it can be kept: every connection has one. */
#ifndef LEAT_PEER_H
#define LEAT_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct peer {
	sa_family_t family;             /* AF_INET, AF_INET6; anything else is a unix socket's, whose clients have no address */
	in_port_t port;                 /* as on the wire */
	union {
		struct in_addr v4;
		struct in6_addr v6;
		uid_t uid;              /* of a unix socket's client */
	} address;
};

/* From what accept() has said, and of a unix socket the kernel about its other end. Who comes from an IPv4 address is AF_INET also where
 * the socket speaks IPv6. */
struct peer peer_of(int fd, const struct sockaddr_storage *from);

/* A peer without its port: all connections of a client have the same one. Of a unix socket it is the user. */
struct peer_host {
	uint64_t family, high, low;
};
struct peer_host peer_host(const struct peer *);
bool peer_host_is(const struct peer_host *, const struct peer_host *);
uint64_t peer_host_hash(const struct peer_host *);

/* `127.0.0.1:40123`, `[::1]:40123` or `unix`. */
enum { PEER_TEXT_MAX = INET6_ADDRSTRLEN + 8 };
void peer_text(const struct peer *, char room[PEER_TEXT_MAX]);

#endif
