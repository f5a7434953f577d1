#include "json.h"

#include <stdbool.h>
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

static bool is_utf8(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text, *end = at + len;
	size_t n = 1;

	for (; at < end && n > 0; at += n)
		n = utf8_length(at, (size_t)(end - at));
	return n > 0;
}

static void base64(struct bytes *out, const char *bytes, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *at = (const unsigned char *)bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t three = (uint32_t)at[i] << 16 | (uint32_t)(left > 1 ? at[i + 1] : 0) << 8 | (left > 2 ? at[i + 2] : 0);
		char four[] = { digits[three >> 18], digits[three >> 12 & 63], left > 1 ? digits[three >> 6 & 63] : '=',
				left > 2 ? digits[three & 63] : '=' };

		bytes_add(out, four, sizeof(four));
	}
}

void json_output(struct bytes *out, const char *bytes, size_t len)
{
	if (is_utf8(bytes, len)) {
		bytes_addf(out, "\"output\":");
		json_string(out, bytes, len);
		return;
	}
	bytes_addf(out, "\"output_base64\":\"");
	base64(out, bytes, len);
	bytes_add(out, "\"", 1);
}
