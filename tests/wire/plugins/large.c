/* Writes its payload, and blanks behind it: as many bytes in all as its configuration says. */
#include <leat_plugin.h>

#include <stdio.h>
#include <stdlib.h>

struct state {
	size_t bytes;
};

static int open_state(const char *config, void **state, char *why, size_t why_size)
{
	struct state *made = malloc(sizeof(*made));

	if (!made) {
		snprintf(why, why_size, "no memory");
		return -1;
	}
	made->bytes = strtoul(config, NULL, 10);
	*state = made;
	return 0;
}

static int run(struct leat_call *call)
{
	static const char blanks[] = "                                                                                                    ";
	size_t left = ((const struct state *)call->state)->bytes - call->payload_len;

	if (!leat_write(call, call->payload, call->payload_len))
		return 1;
	for (size_t n; left > 0; left -= n) {
		n = left < sizeof(blanks) - 1 ? left : sizeof(blanks) - 1;
		if (!leat_write(call, blanks, n))
			return 1;
	}
	return 0;
}

LEAT_PLUGIN(.name = "large", .open = open_state, .run = run, .close = free);
