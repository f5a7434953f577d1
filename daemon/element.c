#include "element.h"

#include "resp.h"

/* Of the output, at a time. A multiple of three, so that Base64 can go on behind a piece. */
enum { PIECE_BYTES = 12 * 1024 };

static bool is_utf8(struct slice text)
{
	const unsigned char *at = (const unsigned char *)text.at;

	for (size_t i = 0; i < text.len;) {
		size_t n = at[i] < 0x80 ? 1 : utf8_length(at + i, text.len - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

static void add_escape(struct buf *to, unsigned char c)
{
	static const char letters[0x20] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
	static const char hex[] = "0123456789abcdef";

	if (c >= 0x20)
		buf_add(to, (char[]){ '\\', (char)c }, 2);
	else if (letters[c])
		buf_add(to, (char[]){ '\\', letters[c] }, 2);
	else
		buf_add(to, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
}

/* Of a text that is UTF-8 as a whole, so that a piece may end within a character. */
static void add_text(struct buf *to, struct slice piece)
{
	size_t plain = 0;

	for (size_t i = 0; i < piece.len; i++) {
		if (is_plain((unsigned char)piece.at[i]))
			continue;
		buf_add(to, piece.at + plain, i - plain);
		add_escape(to, (unsigned char)piece.at[i]);
		plain = i + 1;
	}
	buf_add(to, piece.at + plain, piece.len - plain);
}

/* Three bytes, or what is left, become four characters. */
static void put_base64(char *to, const unsigned char *from, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = (uint32_t)from[0] << 16 | (n > 1 ? (uint32_t)from[1] << 8 : 0) | (n > 2 ? from[2] : 0U);

	to[0] = digits[bits >> 18];
	to[1] = digits[bits >> 12 & 63];
	to[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
	to[3] = n > 2 ? digits[bits & 63] : '=';
}

static void add_base64(struct buf *to, struct slice piece)
{
	const unsigned char *from = (const unsigned char *)piece.at;
	char *room = buf_reserve(to, (piece.len + 2) / 3 * 4);

	if (!room)
		return;
	for (size_t i = 0; i < piece.len; i += 3, room += 4)
		put_base64(room, from + i, piece.len - i < 3 ? piece.len - i : 3);
	to->len += (piece.len + 2) / 3 * 4;
}

static void add_index(struct buf *to, size_t index)
{
	buf_add_slice(to, SLICE("{\"index\":"));
	buf_add_uint(to, index);
}

void element_begin_output(struct element *e, struct buf *to, bool http, size_t index, struct slice output)
{
	*e = (struct element){ .add = buf_add_slice, .left = output, .tail = SLICE("\r\n") };
	if (!http) {
		resp_add_bulk_head(to, output.len);
		return;
	}
	add_index(to, index);
	if (is_utf8(output)) {
		e->add = add_text;
		buf_add_slice(to, SLICE(",\"output\":\""));
	} else {
		e->add = add_base64;
		buf_add_slice(to, SLICE(",\"output_base64\":\""));
	}
	e->tail = SLICE("\"}\n");
}

void element_begin_error(struct element *e, struct buf *to, bool http, size_t index, struct slice error)
{
	*e = (struct element){ .add = buf_add_slice, .left = error, .tail = SLICE("") };
	if (!http)
		return;
	add_index(to, index);
	buf_add_slice(to, SLICE(",\"error\":"));
	e->tail = SLICE("}\n");
}

bool element_write(struct element *e, struct buf *to)
{
	size_t n = e->left.len < PIECE_BYTES ? e->left.len : PIECE_BYTES;

	if (n > 0)
		e->add(to, (struct slice){ e->left.at, n });
	e->left.at += n;
	e->left.len -= n;
	if (e->left.len > 0)
		return false;
	buf_add_slice(to, e->tail);
	return true;
}
