#include "text.h"

#include <stdio.h>

#define MS INT64_C(1000000)

/* Reads the leading digits; `*rest` is what follows them. */
static bool leading_digits(struct slice text, uint64_t *out, struct slice *rest)
{
	uint64_t value = 0;
	size_t i = 0;

	for (; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text.at[i] - '0'), &value))
			return false;
	}
	*out = value;
	*rest = (struct slice){ text.at + i, text.len - i };
	return i > 0;
}

bool text_count(struct slice text, uint64_t *out)
{
	uint64_t value;
	struct slice rest;

	if (!leading_digits(text, &value, &rest) || rest.len > 0)
		return false;
	*out = value;
	return true;
}

struct unit {
	struct slice name;
	uint64_t factor;
};

/* Largest first, so that writing a number finds its shortest form. */
static const struct unit size_units[] = {
	{ SLICE("G"), 1 << 30 }, { SLICE("M"), 1 << 20 }, { SLICE("K"), 1 << 10 }, { SLICE(""), 1 },
};
static const struct unit duration_units[] = {
	{ SLICE("h"), 3600 * 1000 }, { SLICE("m"), 60 * 1000 }, { SLICE("s"), 1000 }, { SLICE("ms"), 1 }, { SLICE(""), 1 },
};

static bool with_unit(struct slice text, const struct unit *units, size_t n, uint64_t *out)
{
	uint64_t value;
	struct slice rest;

	if (!leading_digits(text, &value, &rest))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (slice_is_nocase(rest, units[i].name))
			return !__builtin_mul_overflow(value, units[i].factor, out);
	}
	return false;
}

bool text_size(struct slice text, uint64_t *out)
{
	uint64_t value;

	if (!with_unit(text, size_units, countof(size_units), &value))
		return false;
	*out = value;
	return true;
}

bool text_duration(struct slice text, int64_t *out_ns)
{
	uint64_t ms;

	if (!with_unit(text, duration_units, countof(duration_units), &ms) || ms > INT64_MAX / MS)
		return false;
	*out_ns = (int64_t)ms * MS;
	return true;
}

static void shortest(uint64_t value, const struct unit *units, char room[TEXT_NUMBER_MAX])
{
	while (units->factor > 1 && (value == 0 || value % units->factor != 0))
		units++;
	snprintf(room, TEXT_NUMBER_MAX, "%llu%s", (unsigned long long)(value / units->factor), units->name.at);
}

void text_from_size(uint64_t bytes, char room[TEXT_NUMBER_MAX])
{
	shortest(bytes, size_units, room);
}

void text_from_duration(int64_t ns, char room[TEXT_NUMBER_MAX])
{
	if (ns == 0)
		snprintf(room, TEXT_NUMBER_MAX, "0");
	else
		shortest((uint64_t)(ns / MS), duration_units, room);
}

bool text_is_name(struct slice text, size_t max)
{
	if (text.len == 0 || text.len > max)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '_' || c == '-'))
			return false;
	}
	return true;
}

size_t text_distance(struct slice a, struct slice b)
{
	enum { LONGEST = 64 };
	size_t row[LONGEST + 1];

	if (a.len > LONGEST)
		a.len = LONGEST;
	if (b.len > LONGEST)
		b.len = LONGEST;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t replaced = diagonal + (a.at[i - 1] != b.at[j - 1]);
			size_t shifted = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);

			diagonal = row[j];
			row[j] = replaced < shifted ? replaced : shifted;
		}
	}
	return row[b.len];
}

const char *text_nearest(struct slice text, const char *(*name_of)(size_t i, const void *arg), size_t n, const void *arg)
{
	const char *nearest = NULL;
	size_t least = text.len / 3 + 2;        /* further away it is another word, not a slip */

	for (size_t i = 0; i < n; i++) {
		const char *name = name_of(i, arg);
		size_t distance = text_distance(text, slice_of(name));

		if (distance < least) {
			least = distance;
			nearest = name;
		}
	}
	return nearest;
}

void text_printable(struct slice text, char *room, size_t room_len)
{
	size_t used = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';

		/* Room for the longest of: one escape, the dots, the end. */
		if (used + 4 + 4 > room_len) {
			used += (size_t)snprintf(room + used, room_len - used, "...");
			break;
		}
		if (plain)
			room[used++] = (char)c;
		else
			used += (size_t)snprintf(room + used, room_len - used, "\\x%02x", c);
	}
	room[used < room_len ? used : room_len - 1] = '\0';
}
