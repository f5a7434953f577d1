/* The fastest worker there can be: its jobs are answered with their payload. One read and one write a job, as long as it is small.
 *
 *	cc -O2 -o echo echo.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM_BYTES = 64 * 1024, LINE_MAX_BYTES = 512 };

static char room[ROOM_BYTES];
static size_t len;                      /* of what has come and is not dealt with */

static void write_all(const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t written = write(1, bytes, n);

		if (written <= 0)
			exit(1);
		bytes += written;
		n -= (size_t)written;
	}
}

/* False: leatd has closed our stdin. */
static int read_more(void)
{
	ssize_t n = read(0, room + len, sizeof(room) - len);

	if (n <= 0)
		return 0;
	len += (size_t)n;
	return 1;
}

static void drop(size_t n)
{
	len -= n;
	memmove(room, room + n, len);
}

/* The number after the third blank. */
static size_t payload_length(const char *line)
{
	for (int blanks = 0; blanks < 3; line++)
		blanks += *line == ' ';
	return strtoul(line, NULL, 10);
}

/* Goes on with a payload that did not come in one piece. */
static void copy_rest(size_t left)
{
	while (left > 0 && (len > 0 || read_more())) {
		size_t n = left < len ? left : len;

		write_all(room, n);
		drop(n);
		left -= n;
	}
}

/* The line is whole, and at the start of the room. */
static void work(size_t line_len)
{
	char answer[LINE_MAX_BYTES + ROOM_BYTES];
	size_t payload = payload_length(room), here;
	int head = snprintf(answer, LINE_MAX_BYTES, "DONE %zu\n", payload);

	drop(line_len);
	here = payload < len ? payload : len;
	memcpy(answer + head, room, here);
	drop(here);
	write_all(answer, (size_t)head + here);
	copy_rest(payload - here);
}

int main(void)
{
	const char *end;

	write_all("READY\n", 6);
	while (read_more()) {
		while ((end = memchr(room, '\n', len)))
			work((size_t)(end - room) + 1);
	}
	return 0;
}
