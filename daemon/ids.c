#include "ids.h"

#include "../lib/lock.h"

#include <stdint.h>
#include <stdlib.h>

enum { BUCKETS = 1024 };

struct id_claim {
	struct id_claim *next, **link;  /* link: what points to this one */
	struct bucket *bucket;
	size_t len;
	char id[];
};

struct bucket {
	struct lock lock;
	struct id_claim *first;
};

struct ids {
	struct bucket buckets[BUCKETS];
};

struct ids *ids_new(void)
{
	return calloc(1, sizeof(struct ids));
}

void ids_free(struct ids *ids)
{
	free(ids);
}

/* FNV-1a: Fowler, Noll, Vo. */
static struct bucket *bucket_of(struct ids *ids, struct slice id)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < id.len; i++)
		hash = (hash ^ (unsigned char)id.at[i]) * UINT64_C(0x100000001b3);
	return &ids->buckets[hash % BUCKETS];
}

/* False: it is there already. */
static bool insert(struct bucket *bucket, struct id_claim *claim)
{
	bool there = false;

	lock_acquire(&bucket->lock);
	for (const struct id_claim *c = bucket->first; c && !there; c = c->next)
		there = slice_is((struct slice){ c->id, c->len }, (struct slice){ claim->id, claim->len });
	if (!there) {
		claim->next = bucket->first;
		claim->link = &bucket->first;
		if (claim->next)
			claim->next->link = &claim->next;
		bucket->first = claim;
	}
	lock_release(&bucket->lock);
	return !there;
}

struct id_claim *ids_claim(struct ids *ids, struct slice id, bool *memory)
{
	struct id_claim *claim = malloc(sizeof(*claim) + id.len);

	*memory = claim == NULL;
	if (!claim)
		return NULL;
	claim->bucket = bucket_of(ids, id);
	claim->len = id.len;
	memcpy(claim->id, id.at, id.len);
	if (insert(claim->bucket, claim))
		return claim;
	free(claim);
	return NULL;
}

void ids_release(struct id_claim *claim)
{
	if (!claim)
		return;
	lock_acquire(&claim->bucket->lock);
	*claim->link = claim->next;
	if (claim->next)
		claim->next->link = claim->link;
	lock_release(&claim->bucket->lock);
	free(claim);
}
