#include "json_string.h"

#include "buf.h"

static void skip(struct slice *s, size_t n)
{
	s->at += n;
	s->len -= n;
}

/* Four digits behind `\u`, which are taken off. -1: they are not there. */
static int take_unit(struct slice *from)
{
	int unit = 0;

	if (from->len < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		int digit = hex_digit(from->at[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	skip(from, 4);
	return unit;
}

static bool is_high(int unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(int unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* The character behind `\u`, of one unit or two. -1: it is none. */
static int32_t take_character(struct slice *from)
{
	int high = take_unit(from), low;

	if (high < 0 || is_low(high))
		return -1;
	if (!is_high(high))
		return high;
	if (from->len < 2 || from->at[0] != '\\' || from->at[1] != 'u')
		return -1;
	skip(from, 2);
	low = take_unit(from);
	return low >= 0 && is_low(low) ? 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) : -1;
}

static char tail_byte(int32_t c, int shift)
{
	return (char)(0x80 | (c >> shift & 0x3f));
}

static void put_utf8(char **to, int32_t c)
{
	char *at = *to;

	if (c < 0x80) {
		*at++ = (char)c;
	} else if (c < 0x800) {
		*at++ = (char)(0xc0 | c >> 6);
		*at++ = tail_byte(c, 0);
	} else if (c < 0x10000) {
		*at++ = (char)(0xe0 | c >> 12);
		*at++ = tail_byte(c, 6);
		*at++ = tail_byte(c, 0);
	} else {
		*at++ = (char)(0xf0 | c >> 18);
		*at++ = tail_byte(c, 12);
		*at++ = tail_byte(c, 6);
		*at++ = tail_byte(c, 0);
	}
	*to = at;
}

/* Behind a backslash. */
static const char *take_escape(struct slice *from, char **to)
{
	static const char letters[128] = {
		['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
	};
	unsigned char letter = from->len > 0 ? (unsigned char)*from->at : 0;
	int32_t c;

	if (from->len == 0)
		return "the string has no end";
	skip(from, 1);
	if (letter == 'u') {
		c = take_character(from);
		if (c < 0)
			return "\\u is not followed by the four digits of a character";
		put_utf8(to, c);
		return NULL;
	}
	if (letter >= sizeof(letters) || !letters[letter])
		return "there is no such escape";
	*(*to)++ = letters[letter];
	return NULL;
}

/* A character that stands for itself. */
static const char *take_plain(struct slice *from, char **to)
{
	size_t n = utf8_length((const unsigned char *)from->at, from->len);

	if ((unsigned char)*from->at < 0x80)
		n = (unsigned char)*from->at >= 0x20;
	if (n == 0)
		return (unsigned char)*from->at < 0x20 ? "a control character that is not escaped" : "bytes that are not UTF-8";
	memmove(*to, from->at, n);
	*to += n;
	skip(from, n);
	return NULL;
}

const char *json_string_decode(struct slice *from, char **to)
{
	const char *wrong = NULL;

	if (from->len == 0 || *from->at != '"')
		return "it does not begin with a quote";
	skip(from, 1);
	while (!wrong && from->len > 0 && *from->at != '"') {
		if (*from->at == '\\') {
			skip(from, 1);
			wrong = take_escape(from, to);
		} else {
			wrong = take_plain(from, to);
		}
	}
	if (wrong || from->len == 0)
		return wrong ? wrong : "the string has no end";
	skip(from, 1);
	return NULL;
}
