#include "clients.h"

#include "../lib/lock.h"

#include <stdlib.h>

/* Names it in the list of all; 0: the end. The clients are numbered from 1. */
typedef uint32_t client_number;

struct client {
	struct peer_host host;
	client_number next;             /* in its bucket, or of the unused ones */
	uint32_t connections;
};

struct clients {
	size_t bucket_mask;             /* set once */
	struct lock lock;               /* guards the rest */
	size_t untouched;               /* of the list's end, which never were used */
	client_number unused;
	client_number *buckets;
	struct client *list;
};

struct clients *clients_new(size_t most)
{
	struct clients *c = calloc(1, sizeof(*c));
	size_t buckets = 16;

	if (!c)
		return NULL;
	while (buckets < most)
		buckets *= 2;
	c->bucket_mask = buckets - 1;
	c->untouched = most;
	c->buckets = calloc(buckets, sizeof(*c->buckets));
	c->list = calloc(most, sizeof(*c->list));
	if (c->buckets && c->list)
		return c;
	clients_free(c);
	return NULL;
}

void clients_free(struct clients *c)
{
	if (!c)
		return;
	free(c->buckets);
	free(c->list);
	free(c);
}

/* What points to the client, or the end of its bucket. */
static client_number *find_locked(struct clients *c, const struct peer_host *host)
{
	client_number *at = &c->buckets[peer_host_hash(host) & c->bucket_mask];

	while (*at && !peer_host_is(&c->list[*at - 1].host, host))
		at = &c->list[*at - 1].next;
	return at;
}

static bool add_locked(struct clients *c, client_number *at, const struct peer_host *host)
{
	if (!c->unused) {
		if (c->untouched == 0)
			return false;
		c->unused = (client_number)c->untouched--;
	}
	*at = c->unused;
	c->unused = c->list[*at - 1].next;
	c->list[*at - 1] = (struct client){ .host = *host };
	return true;
}

uint64_t clients_add(struct clients *c, const struct peer *peer)
{
	const struct peer_host host = peer_host(peer);
	uint64_t connections = UINT64_MAX;
	client_number *at;

	lock_acquire(&c->lock);
	at = find_locked(c, &host);
	if (*at || add_locked(c, at, &host))
		connections = ++c->list[*at - 1].connections;
	lock_release(&c->lock);
	return connections;
}

void clients_remove(struct clients *c, const struct peer *peer)
{
	const struct peer_host host = peer_host(peer);
	client_number *at, number;

	lock_acquire(&c->lock);
	at = find_locked(c, &host);
	number = *at;
	if (--c->list[number - 1].connections == 0) {
		*at = c->list[number - 1].next;
		c->list[number - 1].next = c->unused;
		c->unused = number;
	}
	lock_release(&c->lock);
}
