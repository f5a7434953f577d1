#include "json.h"

#include <stdint.h>

/* The length of the character in UTF-8 that `text` begins with, or 0 if it is none (RFC 3629: neither overlong nor a surrogate). */
static size_t utf8_length(const unsigned char *text, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = text[0] < 0x80 ? 1 : text[0] >> 5 == 6 ? 2 : text[0] >> 4 == 14 ? 3 : text[0] >> 3 == 30 ? 4 : 0;

	if (n <= 1)
		return n;
	if (n > len)
		return 0;

	uint32_t point = text[0] & (0x7fU >> n);

	for (size_t i = 1; i < n; i++) {
		if (text[i] >> 6 != 2)
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	return point < least[n] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? 0 : n;
}

static void ascii(struct bytes *out, unsigned char c)
{
	if (c == '"' || c == '\\')
		bytes_addf(out, "\\%c", c);
	else if (c < ' ' || c == 0x7f)
		bytes_addf(out, "\\u%04x", c);
	else
		bytes_add(out, &c, 1);
}

void json_string(struct bytes *out, const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text, *end = at + len;

	bytes_add(out, "\"", 1);
	while (at < end) {
		size_t n = utf8_length(at, (size_t)(end - at));

		if (n == 0)
			bytes_add(out, "\xef\xbf\xbd", 3);
		else if (n == 1)
			ascii(out, *at);
		else
			bytes_add(out, at, n);
		at += n ? n : 1;
	}
	bytes_add(out, "\"", 1);
}
