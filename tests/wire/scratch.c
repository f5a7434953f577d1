#include "scratch.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct piece {
	struct piece *next;
	alignas(max_align_t) char bytes[];
};

/* Reachable from here, so that what is never freed is not taken for lost. */
static struct piece *pieces;
static char root[64];
static pid_t owner;

static int remove_one(const char *path, unused_arg const struct stat *st, unused_arg int type, unused_arg struct FTW *ftw)
{
	return remove(path);
}

static void remove_root(void)
{
	if (getpid() == owner)
		nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *make_folder(char *pattern)
{
	if (!mkdtemp(pattern) || chmod(pattern, 0755) < 0)
		ck_abort_msg("cannot make a folder %s", pattern);
	return pattern;
}

void scratch_open(void)
{
	strcpy(root, "/tmp/leat-wire-XXXXXX");
	make_folder(root);
	owner = getpid();
	atexit(remove_root);
}

void *scratch(size_t bytes)
{
	struct piece *piece = calloc(1, sizeof(*piece) + bytes);

	if (!piece)
		ck_abort_msg("no memory");
	piece->next = pieces;
	pieces = piece;
	return piece->bytes;
}

char *scratchf(const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	text = scratch((size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

const char *new_folder(void)
{
	return make_folder(scratchf("%s/XXXXXX", root));
}

const char *new_file_of(const void *bytes, size_t len)
{
	char *path = scratchf("%s/XXXXXX", root);
	int fd = mkstemp(path);

	if (fd < 0 || fchmod(fd, 0755) < 0 || write(fd, bytes, len) != (ssize_t)len)
		ck_abort_msg("cannot write %s", path);
	close(fd);
	return path;
}

const char *new_file(const char *text)
{
	return new_file_of(text, strlen(text));
}

void *random_bytes(size_t len, unsigned seed)
{
	unsigned char *bytes = scratch(len);

	for (size_t i = 0; i < len; i++) {
		/* Knuth's MMIX would do as well: the high bits of any such sequence are random enough. */
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(seed >> 24);
	}
	return bytes;
}

const char *new_random_file(size_t len)
{
	return new_file_of(random_bytes(len, 1), len);
}

char *read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t cap = 65536, used = 0;
	char *text = malloc(cap), *kept;
	ssize_t n;

	if (fd < 0 || !text)
		ck_abort_msg("cannot read %s", path);
	while ((n = read(fd, text + used, cap - used - 1)) > 0) {
		used += (size_t)n;
		if (used == cap - 1 && !(text = realloc(text, cap *= 2)))
			ck_abort_msg("no memory");
	}
	close(fd);
	kept = scratch(used + 1);
	memcpy(kept, text, used);
	free(text);
	if (len)
		*len = used;
	return kept;
}
