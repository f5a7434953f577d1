/* Where a server is: `HOST:PORT`, `[v6]:PORT`, `unix:/PATH`, or `tls:HOST:PORT`. */
#ifndef LEAT_ADDRESS_H
#define LEAT_ADDRESS_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct address {
	const char *text;               /* as written; borrowed */
	char host[256];                 /* without brackets; empty for a unix socket */
	char port[8];                   /* decimal, 1 to 65535 */
	bool tls;
	struct sockaddr_un socket;      /* for a unix socket */
};

/* Takes `text` apart without asking anybody. Returns NULL, or what is wrong with it (static). */
const char *address_parse(struct address *, const char *text) must_check;

#endif
