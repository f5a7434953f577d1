#include "peer.h"

#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static uid_t user_of(int fd)
{
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 ? who.uid : (uid_t)-1;
}

struct peer peer_of(int fd, const struct sockaddr_storage *from)
{
	struct sockaddr_storage plain = *from;
	const struct sockaddr_in *v4 = (const void *)&plain;
	const struct sockaddr_in6 *v6 = (const void *)&plain;

	address_unmap(&plain);
	if (plain.ss_family == AF_INET)
		return (struct peer){ .family = AF_INET, .port = v4->sin_port, .address.v4 = v4->sin_addr };
	if (plain.ss_family == AF_INET6)
		return (struct peer){ .family = AF_INET6, .port = v6->sin6_port, .address.v6 = v6->sin6_addr };
	return (struct peer){ .family = AF_UNIX, .address.uid = user_of(fd) };
}

struct peer_host peer_host(const struct peer *peer)
{
	struct peer_host host = { .family = peer->family };

	if (peer->family == AF_INET)
		host.low = peer->address.v4.s_addr;
	else if (peer->family == AF_INET6)
		memcpy(&host.high, &peer->address.v6, sizeof(peer->address.v6));
	else
		host.low = peer->address.uid;
	return host;
}

bool peer_host_is(const struct peer_host *a, const struct peer_host *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t peer_host_hash(const struct peer_host *host)
{
	return mix(host->family ^ mix(host->high ^ mix(host->low)));
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
