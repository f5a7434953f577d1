/* A plugin to copy: the payload in capitals. `cc -shared -fPIC -o upper.so upper.c` */
#include <leat_plugin.h>

#include <ctype.h>

enum { PIECE = 4096 };

static bool write_upper(struct leat_call *call, const char *bytes, size_t len)
{
	char piece[PIECE];

	for (size_t i = 0; i < len; i++)
		piece[i] = (char)toupper((unsigned char)bytes[i]);
	return leat_write(call, piece, len);
}

static int run(struct leat_call *call)
{
	if (call->payload_len == 0)
		return leat_fail(call, "there is nothing to write in capitals");
	for (size_t at = 0; at < call->payload_len; at += PIECE) {
		size_t left = call->payload_len - at;

		if (leat_cancelled(call) || !write_upper(call, call->payload + at, left < PIECE ? left : PIECE))
			return -1;
	}
	return 0;
}

LEAT_PLUGIN(.name = "upper", .run = run);
