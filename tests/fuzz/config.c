/* config.c and what it checks with: a file, in front of which lines `-o SECTION.KEY=VALUE` may stand. What is taken can be printed, read back,
 * and printed as the same; what is not is told in lines that can be read. */
#include "fuzz.h"

#include "../../daemon/config.h"

#include <sys/mman.h>
#include <unistd.h>

enum { OVERRIDES_MAX = 8 };

/* A file of these bytes; where it is goes to `path`. The caller closes it. */
static int new_file(struct slice text, char path[64])
{
	int fd = memfd_create("leatd.ini", MFD_CLOEXEC);

	insist(fd >= 0 && pwrite(fd, text.at, text.len, 0) == (ssize_t)text.len);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static struct config *load(struct slice text, char *const *overrides, size_t count)
{
	struct buf errors = { 0 };
	char path[64];
	int fd = new_file(text, path);
	struct config *config = config_load(path, (const char *const *)overrides, count, &errors);

	close(fd);
	if (config)
		insist(errors.len == 0);
	else
		insist_readable(&errors);
	if (!config && !overrides)
		fprintf(stderr, "%.*s", (int)errors.len, errors.at);
	buf_free(&errors);
	return config;
}

static void check_printed(const struct config *config)
{
	struct buf once = { 0 }, again = { 0 };
	struct config *same;

	config_print(config, &once);
	insist(!once.failed);
	same = load(buf_slice(&once), NULL, 0);
	insist(same);
	config_print(same, &again);
	insist_same("read back it prints", buf_slice(&again), buf_slice(&once));
	insist(same->job_count == config->job_count && same->semaphore_count == config->semaphore_count);
	config_free(same);
	buf_free(&once);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice input = { (const char *)bytes, len };
	char *overrides[OVERRIDES_MAX];
	size_t count = 0;
	struct config *config;

	while (count < OVERRIDES_MAX && input.len > 3 && memcmp(input.at, "-o ", 3) == 0) {
		struct slice line = fuzz_line(&input);

		overrides[count++] = fuzz_text((struct slice){ line.at + 3, line.len - 3 });
	}
	config = load(input, overrides, count);
	if (config)
		check_printed(config);
	config_free(config);
	while (count > 0)
		free(overrides[--count]);
	return 0;
}
