#include "share.h"

#include "../lib/lock.h"

#include <stdlib.h>
#include <string.h>

/* How long a want is remembered after the wait is over: long enough for one that comes ten times a second. */
#define REMEMBER_NS (100 * MILLISECONDS)
/* Who was told to come again after more than this may not come at all. */
#define COMES_MOST_NS (10 * SECONDS)

/* Names it in a list; 0: the end. The entries are numbered from 1. */
typedef uint32_t entry_number;

struct share_entry {
	struct peer_host who;
	entry_number next;              /* in its bucket, or of the unused ones */
	uint32_t held, waiting;
};

/* A peer waits, here or at home, until then. */
struct want {
	struct peer_host who;
	moment until;
};

struct share {
	size_t most;            /* a peer's part; set once, like the sizes */
	size_t entry_count, bucket_mask;
	struct lock lock;       /* guards the rest */
	entry_number unused;
	entry_number *buckets;
	struct share_entry *entries;
	struct want wants[2];           /* those of two peers that last longest: one of them is of another, whoever asks */
};

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

static entry_number *bucket_of(struct share *share, const struct peer_host *who)
{
	return &share->buckets[peer_host_hash(who) & share->bucket_mask];
}

/* What points to the peer's entry, or the end of its bucket. */
static entry_number *find_locked(struct share *share, const struct peer_host *who)
{
	entry_number *at = bucket_of(share, who);

	while (*at && !peer_host_is(&share->entries[*at - 1].who, who))
		at = &share->entries[*at - 1].next;
	return at;
}

static struct share_entry *add_locked(struct share *share, entry_number *at, const struct peer_host *who)
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
	*entry = (struct share_entry){ .who = *who };
	return entry;
}

static void want_locked(struct share *share, const struct peer_host *who, moment until)
{
	struct want *want = &share->wants[0], *other = &share->wants[1];

	/* Its own, or else the shorter one. */
	if (peer_host_is(&other->who, who) || (!peer_host_is(&want->who, who) && other->until < want->until))
		want = other;
	if (until > want->until)
		*want = (struct want){ *who, until };
}

static bool others_want_locked(const struct share *share, const struct peer_host *who, moment now)
{
	for (size_t i = 0; i < countof(share->wants); i++) {
		if (share->wants[i].until > now && !peer_host_is(&share->wants[i].who, who))
			return true;
	}
	return false;
}

static bool may_take_locked(const struct share *share, const struct peer_host *who, const struct share_entry *entry, uint32_t n,
			    const struct share_scene *s)
{
	uint32_t held = entry ? entry->held : 0, waiting = entry ? entry->waiting : 0;

	return held + n <= share->most || s->is_free || (s->waiting <= waiting && !others_want_locked(share, who, s->now));
}

struct share_entry *share_take(struct share *share, const struct peer *peer, uint32_t n, const struct share_scene *scene)
{
	const struct peer_host who = peer_host(peer);
	struct share_entry *entry;
	entry_number *at;

	lock_acquire(&share->lock);
	at = find_locked(share, &who);
	entry = *at ? &share->entries[*at - 1] : NULL;
	if (!may_take_locked(share, &who, entry, n, scene))
		entry = NULL;
	else if (!entry)
		entry = add_locked(share, at, &who);
	if (entry) {
		entry->held += n;
		entry->waiting += n;
		if (!scene->is_free)
			want_locked(share, &who, moment_add(scene->now, scene->wait + REMEMBER_NS));
	}
	lock_release(&share->lock);
	return entry;
}

void share_refused(struct share *share, const struct peer *peer, moment now, int64_t comes_in)
{
	const struct peer_host who = peer_host(peer);

	lock_acquire(&share->lock);
	want_locked(share, &who, moment_add(now, (comes_in < COMES_MOST_NS ? comes_in : COMES_MOST_NS) + REMEMBER_NS));
	lock_release(&share->lock);
}

void share_started(struct share *share, struct share_entry *entry)
{
	lock_acquire(&share->lock);
	entry->waiting--;
	lock_release(&share->lock);
}

void share_give_back(struct share *share, struct share_entry *entry, uint32_t n, bool started)
{
	entry_number *at;

	lock_acquire(&share->lock);
	entry->held -= n;
	entry->waiting -= started ? 0 : n;
	if (entry->held == 0) {
		at = find_locked(share, &entry->who);
		*at = entry->next;
		entry->next = share->unused;
		share->unused = (entry_number)(entry - share->entries) + 1;
	}
	lock_release(&share->lock);
}
