/* Who a connection comes from, as small as it can be kept: every connection has one. */
#ifndef LEAT_PEER_H
#define LEAT_PEER_H

#include <netinet/in.h>
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

/* From what accept() has said, and of a unix socket the kernel about its other end. */
struct peer peer_of(int fd, const struct sockaddr_storage *from);

/* `127.0.0.1:40123`, `[::1]:40123` or `unix`. */
enum { PEER_TEXT_MAX = INET6_ADDRSTRLEN + 8 };
void peer_text(const struct peer *, char room[PEER_TEXT_MAX]);

#endif
