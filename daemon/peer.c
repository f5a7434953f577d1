#include "peer.h"

#include <arpa/inet.h>
#include <stdio.h>

static uid_t user_of(int fd)
{
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 ? who.uid : (uid_t)-1;
}

struct peer peer_of(int fd, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	if (from->ss_family == AF_INET)
		return (struct peer){ .family = AF_INET, .port = v4->sin_port, .address.v4 = v4->sin_addr };
	if (from->ss_family == AF_INET6)
		return (struct peer){ .family = AF_INET6, .port = v6->sin6_port, .address.v6 = v6->sin6_addr };
	return (struct peer){ .family = AF_UNIX, .address.uid = user_of(fd) };
}

void peer_text(const struct peer *peer, char room[PEER_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN];

	if (peer->family != AF_INET && peer->family != AF_INET6)
		snprintf(room, PEER_TEXT_MAX, "unix");
	else if (!inet_ntop(peer->family, &peer->address, host, sizeof(host)))
		snprintf(room, PEER_TEXT_MAX, "?");
	else
		snprintf(room, PEER_TEXT_MAX, peer->family == AF_INET ? "%s:%u" : "[%s]:%u", host, (unsigned)ntohs(peer->port));
}
