#include "share.h"

#include "../lib/lock.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Names it in a list; 0: the end. The entries are numbered from 1. */
typedef uint32_t entry_number;

struct share_entry {
	struct peer peer;
	entry_number next;              /* in its bucket, or of the unused ones */
	uint32_t held, waiting;
};

struct share {
	size_t most;            /* a peer's part; set once, like the sizes */
	size_t entry_count, bucket_mask;
	struct lock lock;       /* guards the rest */
	entry_number unused;
	entry_number *buckets;
	struct share_entry *entries;
};

struct peer peer_of(int fd)
{
	struct sockaddr_storage address = { 0 };
	const struct sockaddr_in *v4 = (const void *)&address;
	const struct sockaddr_in6 *v6 = (const void *)&address;
	socklen_t len = sizeof(address);
	struct ucred who = { 0 };
	struct peer peer;

	(void)getpeername(fd, (struct sockaddr *)&address, &len);
	peer = (struct peer){ .family = address.ss_family };
	if (address.ss_family == AF_INET) {
		peer.low = v4->sin_addr.s_addr;
	} else if (address.ss_family == AF_INET6) {
		memcpy(&peer.high, &v6->sin6_addr, 8);
		memcpy(&peer.low, (const char *)&v6->sin6_addr + 8, 8);
	} else {
		len = sizeof(who);
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0)
			peer.low = who.uid;
	}
	return peer;
}

struct share *share_new(size_t places, unsigned percent)
{
	struct share *share = calloc(1, sizeof(*share));
	size_t buckets = 16;

	if (!share)
		return NULL;
	while (buckets < places)
		buckets *= 2;
	share->most = places * percent / 100 > 0 ? places * percent / 100 : 1;
	share->entry_count = places;
	share->bucket_mask = buckets - 1;
	share->buckets = calloc(buckets, sizeof(*share->buckets));
	share->entries = calloc(places, sizeof(*share->entries));
	if (share->buckets && share->entries)
		return share;
	share_free(share);
	return NULL;
}

void share_free(struct share *share)
{
	if (!share)
		return;
	free(share->buckets);
	free(share->entries);
	free(share);
}

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static entry_number *bucket_of(struct share *share, const struct peer *peer)
{
	return &share->buckets[mix(peer->family ^ mix(peer->high ^ mix(peer->low))) & share->bucket_mask];
}

/* What points to the peer's entry, or the end of its bucket. */
static entry_number *find_locked(struct share *share, const struct peer *peer)
{
	entry_number *at = bucket_of(share, peer);

	while (*at && memcmp(&share->entries[*at - 1].peer, peer, sizeof(*peer)) != 0)
		at = &share->entries[*at - 1].next;
	return at;
}

static struct share_entry *add_locked(struct share *share, entry_number *at, const struct peer *peer)
{
	struct share_entry *entry;

	if (!share->unused) {
		/* Those that were never used come one by one, so that their memory is not touched before. */
		if (share->entry_count == 0)
			return NULL;
		share->unused = (entry_number)share->entry_count--;
	}
	*at = share->unused;
	entry = &share->entries[*at - 1];
	share->unused = entry->next;
	*entry = (struct share_entry){ .peer = *peer };
	return entry;
}

struct share_entry *share_take(struct share *share, const struct peer *peer, uint64_t waiting)
{
	struct share_entry *entry;
	entry_number *at;

	lock_acquire(&share->lock);
	at = find_locked(share, peer);
	entry = *at ? &share->entries[*at - 1] : NULL;
	if (entry && entry->held >= share->most && waiting > entry->waiting)
		entry = NULL;
	else if (!entry)
		entry = add_locked(share, at, peer);
	if (entry) {
		entry->held++;
		entry->waiting++;
	}
	lock_release(&share->lock);
	return entry;
}

void share_started(struct share *share, struct share_entry *entry)
{
	lock_acquire(&share->lock);
	entry->waiting--;
	lock_release(&share->lock);
}

void share_give_back(struct share *share, struct share_entry *entry, bool started)
{
	entry_number *at;

	lock_acquire(&share->lock);
	entry->held--;
	entry->waiting -= started ? 0 : 1;
	if (entry->held == 0) {
		at = find_locked(share, &entry->peer);
		*at = entry->next;
		entry->next = share->unused;
		share->unused = (entry_number)(entry - share->entries) + 1;
	}
	lock_release(&share->lock);
}
