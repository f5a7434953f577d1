#include "address.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char unix_prefix[] = "unix:";
static const char tls_prefix[] = "tls:";

static const char *parse_unix(struct address *a, const char *path)
{
	if (path[0] != '/')
		return "the path of a unix socket has to begin with '/'";
	if (strlen(path) >= sizeof(a->socket.sun_path))
		return "the path of a unix socket has at most 107 bytes";
	a->socket.sun_family = AF_UNIX;
	memcpy(a->socket.sun_path, path, strlen(path) + 1);
	return NULL;
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	int port = atoi(text);

	return digits > 0 && digits <= 5 && !text[digits] && port >= 1 && port <= 65535;
}

/* HOST:PORT and [v6]:PORT, from the host on: how long it is is known, brackets are off. */
static const char *set_host(struct address *a, const char *host, size_t len, const char *port)
{
	if (len == 0)
		return "the host is missing";
	if (len >= sizeof(a->host))
		return "the name of the host is too long";
	if (!is_port(port))
		return "the port has to be a number from 1 to 65535";
	memcpy(a->host, host, len);
	memcpy(a->port, port, strlen(port) + 1);
	return NULL;
}

const char *address_parse(struct address *a, const char *text)
{
	*a = (struct address){ .text = text };
	if (strncmp(text, unix_prefix, strlen(unix_prefix)) == 0)
		return parse_unix(a, text + strlen(unix_prefix));

	if (strncmp(text, tls_prefix, strlen(tls_prefix)) == 0) {
		a->tls = true;
		text += strlen(tls_prefix);
	}
	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (!end || end[1] != ':')
			return "an IPv6 address is written [ADDRESS]:PORT";
		return set_host(a, text + 1, (size_t)(end - text - 1), end + 2);
	}

	const char *colon = strrchr(text, ':');

	if (!colon)
		return "it has to be HOST:PORT, [v6]:PORT, unix:/PATH or tls:HOST:PORT";
	if (colon != strchr(text, ':'))
		return "an IPv6 address is written [ADDRESS]:PORT";
	return set_host(a, text, (size_t)(colon - text), colon + 1);
}
