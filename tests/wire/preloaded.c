#include "preloaded.h"

#include "wire.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static struct failing *map_page(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct failing *page;

	ck_assert(fd >= 0);
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert(page != MAP_FAILED);
	close(fd);
	return page;
}

static const char *library(void)
{
	const char *slash = strrchr(leatd_path(), '/');

	return scratchf("%.*s/failing.so", slash ? (int)(slash - leatd_path()) : 1, slash ? leatd_path() : ".");
}

const char *const *preloaded(struct failing **page, const char *more)
{
	char zeros[sizeof(struct failing)] = { 0 };
	const char *path = new_file_of(zeros, sizeof(zeros)), **environment = scratch(4 * sizeof(*environment));

	*page = map_page(path);
	environment[0] = scratchf("LD_PRELOAD=%s", realpath(library(), NULL));
	environment[1] = scratchf("FAILING_FILE=%s", path);
	environment[2] = more;
	return environment;
}
