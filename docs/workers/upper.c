/* A worker of leatd in C: its jobs are answered in capitals. See ../worker-protocol.md.
 *
 *	cc -O2 -o upper upper.c
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* A word, and bytes after it. */
static void answer(const char *word, const char *bytes, size_t len)
{
	printf("%s %zu\n", word, len);
	fwrite(bytes, 1, len, stdout);
	fflush(stdout);
}

static void work(size_t len)
{
	static const char message[] = "no memory for the payload";
	char *payload = malloc(len + 1);

	if (!payload || fread(payload, 1, len, stdin) != len) {
		answer("FAIL", message, sizeof(message) - 1);
		exit(1);
	}
	for (size_t i = 0; i < len; i++)
		payload[i] = (char)toupper((unsigned char)payload[i]);
	answer("DONE", payload, len);
	free(payload);
}

int main(void)
{
	char line[512];
	size_t len;

	puts("READY");
	fflush(stdout);
	/* JOB id left_ms length, and words that may come to mean something. */
	while (fgets(line, sizeof(line), stdin) && sscanf(line, "JOB %*s %*s %zu", &len) == 1)
		work(len);
	return 0;
}
