#include "address.h"

#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>

static const char *parse_unix(struct listen_address *a, struct slice path)
{
	struct sockaddr_un *un = (void *)&a->socket;

	if (path.len == 0 || path.at[0] != '/')
		return "unix: wants an absolute path";
	if (path.len >= sizeof(un->sun_path))
		return "the path of a unix socket has at most 107 characters";
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path.at, path.len);
	un->sun_path[path.len] = '\0';
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
	return NULL;
}

void address_unmap(struct sockaddr_storage *socket)
{
	const struct sockaddr_in6 *in6 = (const void *)socket;
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (socket->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return;
	in.sin_port = in6->sin6_port;
	memcpy(&in.sin_addr, &in6->sin6_addr.s6_addr[12], sizeof(in.sin_addr));
	memcpy(socket, &in, sizeof(in));
}

static const char *parse_v6(struct listen_address *a, const char *host, uint16_t port)
{
	struct sockaddr_in6 *in6 = (void *)&a->socket;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	a->len = sizeof(*in6);
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		return "not an IPv6 address within the brackets";
	return IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? "an IPv4 address is written as one, without brackets" : NULL;
}

static const char *parse_v4(struct listen_address *a, const char *host, uint16_t port)
{
	struct sockaddr_in *in = (void *)&a->socket;

	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (strcmp(host, "*") == 0)
		host = "0.0.0.0";
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	a->len = sizeof(*in);
	return inet_pton(AF_INET, host, &in->sin_addr) == 1 ? NULL : "the host is not an IPv4 address, localhost, * or [v6]";
}

static const char *parse_tcp(struct listen_address *a, struct slice text)
{
	const char *colon = text.len ? memrchr(text.at, ':', text.len) : NULL;
	uint64_t port;
	char host[64];
	size_t host_len;

	if (!colon)
		return "wants HOST:PORT, [v6]:PORT, unix:/PATH or tls:HOST:PORT";
	if (!text_count((struct slice){ colon + 1, text.len - (size_t)(colon + 1 - text.at) }, &port) || port > 65535)
		return "the port is not a whole number from 0 to 65535";
	host_len = (size_t)(colon - text.at);
	if (host_len >= sizeof(host))
		return "the host has too many characters";
	memcpy(host, text.at, host_len);
	host[host_len] = '\0';
	if (host[0] != '[')
		return parse_v4(a, host, (uint16_t)port);
	if (host[host_len - 1] != ']')
		return "wants a ] before the port";
	host[host_len - 1] = '\0';
	return parse_v6(a, host + 1, (uint16_t)port);
}

static bool begins(struct slice text, struct slice prefix)
{
	return text.len >= prefix.len && memcmp(text.at, prefix.at, prefix.len) == 0;
}

const char *listen_address_parse(struct listen_address *a, struct slice text)
{
	memset(a, 0, sizeof(*a));
	if (begins(text, SLICE("unix:")))
		return parse_unix(a, (struct slice){ text.at + 5, text.len - 5 });
	if (!begins(text, SLICE("tls:")))
		return parse_tcp(a, text);
	a->tls = true;
	return parse_tcp(a, (struct slice){ text.at + 4, text.len - 4 });
}

bool listen_address_is_local(const struct listen_address *a)
{
	const struct sockaddr_in *in = (const void *)&a->socket;
	const struct sockaddr_in6 *in6 = (const void *)&a->socket;

	switch (a->socket.ss_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	default:
		return false;
	}
}

void listen_address_text(const struct listen_address *a, char room[LISTEN_ADDRESS_TEXT_MAX])
{
	const struct sockaddr_in *in = (const void *)&a->socket;
	const struct sockaddr_in6 *in6 = (const void *)&a->socket;
	const struct sockaddr_un *un = (const void *)&a->socket;
	char host[INET6_ADDRSTRLEN] = "";
	const char *tls = a->tls ? "tls:" : "";

	switch (a->socket.ss_family) {
	case AF_UNIX:
		snprintf(room, LISTEN_ADDRESS_TEXT_MAX, "unix:%s", a->len > offsetof(struct sockaddr_un, sun_path) ? un->sun_path : "");
		break;
	case AF_INET:
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(room, LISTEN_ADDRESS_TEXT_MAX, "%s%s:%u", tls, host, ntohs(in->sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(room, LISTEN_ADDRESS_TEXT_MAX, "%s[%s]:%u", tls, host, ntohs(in6->sin6_port));
		break;
	default:
		snprintf(room, LISTEN_ADDRESS_TEXT_MAX, "family %d", a->socket.ss_family);
	}
}
