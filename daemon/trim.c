#include "trim.h"

#include "leatd.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

enum {
	/* Freed memory that is not worth going for. */
	SLACK_BYTES = 4 * 1024 * 1024,
	LARGE_BYTES = 256 * 1024,
	KEEP_BYTES = 1024 * 1024,
	ARENAS_MAX = 4,
};

void trim_init(struct trim *t)
{
	*t = (struct trim){ 0 };
	/* Set, they stay: by itself malloc would learn from the first large buffer to keep such for later, and have as many arenas as
	 * threads ever allocated at the same time. */
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
	mallopt(M_ARENA_MAX, ARENAS_MAX);
}

/* 0: not known. */
static size_t resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*u %llu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t unaccounted_bytes(const struct leatd *leatd)
{
	size_t resident = resident_bytes(), accounted = (size_t)shim_load(&leatd->memory_bytes, relaxed);

	/* Accounted is what may be used, and pages that were not touched yet are not resident. */
	return resident > accounted ? resident - accounted : 0;
}

bool trim_look(struct trim *t, const struct leatd *leatd)
{
	moment now = moment_now();
	size_t bytes;
	bool much;

	if (now < t->next)
		return false;
	t->next = moment_add(now, 1 * SECONDS);
	bytes = unaccounted_bytes(leatd);
	if (t->base_bytes == 0 || bytes < t->base_bytes)
		t->base_bytes = bytes;
	much = bytes > t->base_bytes + SLACK_BYTES;
	/* What the loops keep lies between what can go. */
	t->asked = much && !t->asked;
	if (much && !t->asked) {
		malloc_trim(0);
		/* What is left now would be left again. */
		t->base_bytes = unaccounted_bytes(leatd);
	}
	return t->asked;
}
