#include "standard.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

enum status standard_read(struct bytes *payload)
{
	while (payload->len <= PAYLOAD_MAX) {
		ssize_t n = read(STDIN_FILENO, bytes_reserve(payload, READ_BYTES), READ_BYTES);

		if (n == 0)
			return STATUS_DONE;
		if (n > 0) {
			payload->len += (size_t)n;
		} else if (errno != EINTR) {
			complain("cannot read the payload from stdin: %s", strerror(errno));
			return STATUS_IO;
		}
	}
	complain("the payload on stdin is over 64 MiB, the most that a request may carry; cut it into several jobs");
	return STATUS_FAILED;
}

enum status standard_write(const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, at, len);

		if (n < 0 && errno != EINTR) {
			complain("cannot write to stdout: %s", strerror(errno));
			return STATUS_IO;
		}
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return STATUS_DONE;
}
