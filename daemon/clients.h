/* How many connections each client has, for `client_connections`. A client is a peer without its port; all of a unix socket's clients of one
 * user are one. There is an entry for each client that has a connection, all of them made at the start: counting allocates nothing.
 * Any thread; a short lock, twice in the life of a connection. */
#ifndef LEAT_CLIENTS_H
#define LEAT_CLIENTS_H

#include "peer.h"
#include "../lib/compiler.h"

#include <stddef.h>
#include <stdint.h>

struct clients;

/* For so many clients at a time. NULL: no memory. */
must_check struct clients *clients_new(size_t most);
void clients_free(struct clients *);

/* One more connection of this client: how many it has now. UINT64_MAX, and it does not count: there are too many clients. */
must_check uint64_t clients_add(struct clients *, const struct peer *);
/* One that was counted has closed. */
void clients_remove(struct clients *, const struct peer *);

#endif
