#include "buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST = 512 };

void buf_free(struct buf *b)
{
	if (!b->borrowed)
		free(b->at);
	*b = (struct buf){ 0 };
}

static char *grow(struct buf *b, size_t more)
{
	size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
	size_t need;
	char *at = NULL;

	if (b->failed)
		return NULL;
	if (!__builtin_add_overflow(b->len, more, &need)) {
		while (cap < need && cap <= SIZE_MAX / 2)
			cap *= 2;
		if (cap >= need)
			at = realloc(b->borrowed ? NULL : b->at, cap);
	}
	if (!at) {
		b->failed = true;
		return NULL;
	}
	if (b->borrowed)
		memcpy(at, b->at, b->len);
	b->borrowed = false;
	b->at = at;
	b->cap = cap;
	return at + b->len;
}

char *buf_reserve(struct buf *b, size_t more)
{
	if (likely(b->cap - b->len >= more && b->at && !b->failed))
		return b->at + b->len;
	return grow(b, more);
}

bool buf_resize(struct buf *b, size_t cap)
{
	char *at = realloc(b->at, cap ? cap : 1);

	if (!at)
		return false;
	b->at = at;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *to = len ? buf_reserve(b, len) : NULL;

	if (!to)
		return;
	memcpy(to, bytes, len);
	b->len += len;
}

void buf_add_slice(struct buf *b, struct slice s)
{
	buf_add(b, s.at, s.len);
}

void buf_add_char(struct buf *b, char c)
{
	char *to = buf_reserve(b, 1);

	if (!to)
		return;
	*to = c;
	b->len++;
}

/* Two digits at a time: a division is the slow part. */
static const char pairs[] =
	"00010203040506070809" "10111213141516171819" "20212223242526272829" "30313233343536373839" "40414243444546474849"
	"50515253545556575859" "60616263646566676869" "70717273747576777879" "80818283848586878889" "90919293949596979899";

char *format_uint(char *to, uint64_t n)
{
	char digits[FORMAT_UINT_MAX];
	char *first = digits + sizeof(digits);
	size_t len;

	while (n >= 100) {
		first -= 2;
		memcpy(first, pairs + n % 100 * 2, 2);
		n /= 100;
	}
	if (n >= 10) {
		first -= 2;
		memcpy(first, pairs + n * 2, 2);
	} else {
		*--first = (char)('0' + n);
	}
	len = (size_t)(digits + sizeof(digits) - first);
	memcpy(to, first, len);
	return to + len;
}

void buf_add_uint(struct buf *b, uint64_t n)
{
	char *to = buf_reserve(b, FORMAT_UINT_MAX);

	if (to)
		b->len += (size_t)(format_uint(to, n) - to);
}

void buf_add_int(struct buf *b, int64_t n)
{
	if (n < 0)
		buf_add_char(b, '-');
	buf_add_uint(b, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void buf_addf(struct buf *b, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len < 0) {
		b->failed = true;
	} else {
		/* The NUL that vsnprintf() adds needs a place, but is not part of the text. */
		char *to = buf_reserve(b, (size_t)len + 1);

		if (to) {
			vsnprintf(to, (size_t)len + 1, format, again);
			b->len += (size_t)len;
		}
	}
	va_end(again);
	va_end(args);
}

/* What is not allowed differs from the rest in the range of its second byte. */
size_t utf8_length(const unsigned char *at, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t need;

	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	need = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	if (len < need || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++) {
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	}
	return need;
}

static void add_json_escape(struct buf *b, unsigned char c)
{
	static const char short_form[0x80] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\',
	};
	static const char hex[] = "0123456789abcdef";

	if (c >= 0x80) {
		buf_add(b, "\xef\xbf\xbd", 3);
	} else if (short_form[c]) {
		buf_add(b, (char[]){ '\\', short_form[c] }, 2);
	} else {
		buf_add(b, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
	}
}

void buf_add_json(struct buf *b, struct slice text)
{
	const unsigned char *at = (const unsigned char *)text.at;
	size_t plain = 0;       /* where the run that needs no escape begins */

	buf_add_char(b, '"');
	for (size_t i = 0; i < text.len;) {
		size_t n = at[i] >= 0x80 ? utf8_length(at + i, text.len - i)
					 : at[i] >= 0x20 && at[i] != '"' && at[i] != '\\';

		if (n > 0) {
			i += n;
			continue;
		}
		buf_add(b, at + plain, i - plain);
		add_json_escape(b, at[i]);
		plain = ++i;
	}
	if (text.len > 0)
		buf_add(b, at + plain, text.len - plain);
	buf_add_char(b, '"');
}
