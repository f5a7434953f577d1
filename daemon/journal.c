#include "journal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* systemd says which file it has connected to stderr, so that one can tell whether it still is. */
bool journal_has_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

int journal_open(void)
{
	static const struct sockaddr_un journal = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&journal, sizeof(journal)) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

size_t journal_add(char *entry, size_t used, size_t room, const char *key, struct slice text)
{
	int n = snprintf(entry + used, room - used, "%s=%.*s\n", key, (int)text.len, text.at);

	return (size_t)n < room - used ? used + (size_t)n : used;
}

void journal_key(const char *key, char room[JOURNAL_KEY_MAX])
{
	bool is_trace = strcmp(key, "trace_id") == 0 || strcmp(key, "span_id") == 0;

	snprintf(room, JOURNAL_KEY_MAX, "%s%s", is_trace ? "" : "LEAT_", key);
	for (char *c = room; *c; c++)
		*c = (char)toupper((unsigned char)*c);
}
