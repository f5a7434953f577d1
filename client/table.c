#include "table.h"

#include "json.h"
#include "exit.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = 2 };

struct column {
	const struct reply *name;
	size_t width;                   /* characters of its longest cell, the name included */
	bool numeric;                   /* all cells are numbers */
};

struct columns {
	struct column *at;
	size_t count;
};

static bool is_map(const struct reply *map)
{
	if (map->kind != REPLY_ARRAY || map->count % 2)
		return false;
	for (size_t i = 0; i < map->count; i++)
		if (map->items[i].kind == REPLY_ARRAY || (i % 2 == 0 && map->items[i].kind == REPLY_NULL))
			return false;
	return true;
}

bool table_is_list(const struct reply *list)
{
	if (list->kind != REPLY_ARRAY)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (!is_map(&list->items[i]))
			return false;
	return true;
}

/* A null has an empty cell. */
static size_t cell_len(const struct reply *cell)
{
	return cell->kind == REPLY_NULL ? 0 : cell->len;
}

static size_t cell_width(const struct reply *cell)
{
	size_t width = 0;

	/* The bytes that continue a character in UTF-8 take no room. */
	for (size_t i = 0; i < cell_len(cell); i++)
		width += ((unsigned char)cell->text[i] & 0xc0) != 0x80;
	return width;
}

static void cell_text(struct bytes *out, const struct reply *cell)
{
	for (size_t i = 0; i < cell_len(cell); i++) {
		char c = cell->text[i];
		bool control = (unsigned char)c < ' ' || c == 0x7f;

		bytes_add(out, control ? "?" : &c, 1);
	}
}

static void spaces(struct bytes *out, size_t n)
{
	bytes_addf(out, "%*s", (int)n, "");
}

static bool is_number(const struct reply *cell)
{
	size_t digits = 0;

	if (cell->kind == REPLY_INT || cell->kind == REPLY_NULL)
		return true;
	while (digits < cell_len(cell) && strchr("0123456789.-", cell->text[digits]) && cell->text[digits])
		digits++;
	return digits > 0 && digits == cell->len;
}

static bool same(const struct reply *a, const struct reply *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static struct column *column_of(struct columns *columns, const struct reply *name)
{
	for (size_t i = 0; i < columns->count; i++)
		if (same(columns->at[i].name, name))
			return &columns->at[i];
	return NULL;
}

static const struct reply *value_of(const struct reply *map, const struct reply *name)
{
	for (size_t i = 0; i < map->count; i += 2)
		if (same(&map->items[i], name))
			return &map->items[i + 1];
	return NULL;
}

static struct column *column_add(struct columns *columns, const struct reply *name)
{
	struct column *column = &columns->at[columns->count++];

	*column = (struct column){ name, cell_width(name), true };
	return column;
}

static void measure(struct columns *columns, const struct reply *map)
{
	for (size_t i = 0; i < map->count; i += 2) {
		struct column *column = column_of(columns, &map->items[i]);
		const struct reply *value = &map->items[i + 1];

		if (!column)
			column = column_add(columns, &map->items[i]);
		if (cell_width(value) > column->width)
			column->width = cell_width(value);
		column->numeric = column->numeric && is_number(value);
	}
}

/* One line: the names of the columns, or their values in `map`. */
static void line(struct bytes *out, const struct columns *columns, const struct reply *map)
{
	static const struct reply none = { .kind = REPLY_NULL };

	for (size_t i = 0; i < columns->count; i++) {
		const struct column *column = &columns->at[i];
		const struct reply *cell = map ? value_of(map, column->name) : column->name;

		if (!cell)
			cell = &none;

		size_t pad = column->width - cell_width(cell);

		if (i > 0)
			spaces(out, GAP);
		if (column->numeric)
			spaces(out, pad);
		cell_text(out, cell);
		if (!column->numeric)
			spaces(out, pad);
	}
	while (out->len > 0 && out->at[out->len - 1] == ' ')
		out->len--;
	bytes_add(out, "\n", 1);
}

void table_fields(struct bytes *out, const struct reply *map)
{
	size_t width = 0;

	for (size_t i = 0; i < map->count; i += 2)
		if (cell_width(&map->items[i]) > width)
			width = cell_width(&map->items[i]);
	for (size_t i = 0; i < map->count; i += 2) {
		cell_text(out, &map->items[i]);
		spaces(out, width - cell_width(&map->items[i]) + GAP);
		cell_text(out, &map->items[i + 1]);
		bytes_add(out, "\n", 1);
	}
}

static struct columns columns_of(const struct reply *list)
{
	struct columns columns = { 0 };
	size_t fields = 0;

	for (size_t i = 0; i < list->count; i++)
		fields += list->items[i].count / 2;
	columns.at = calloc(fields + 1, sizeof(*columns.at));
	if (!columns.at)
		out_of_memory();
	for (size_t i = 0; i < list->count; i++)
		measure(&columns, &list->items[i]);
	return columns;
}

void table_text(struct bytes *out, const struct reply *list)
{
	struct columns columns = columns_of(list);

	if (columns.count > 0)
		line(out, &columns, NULL);
	for (size_t i = 0; i < list->count; i++)
		line(out, &columns, &list->items[i]);
	free(columns.at);
}

static void json_value(struct bytes *out, const struct reply *value)
{
	if (value->kind == REPLY_NULL)
		bytes_addf(out, "null");
	else if (value->kind == REPLY_INT)
		bytes_addf(out, "%lld", (long long)value->integer);
	else
		json_string(out, value->text, value->len);
}

static void json_map(struct bytes *out, const struct reply *map)
{
	for (size_t i = 0; i < map->count; i += 2) {
		bytes_addf(out, i ? "," : "{");
		json_string(out, map->items[i].text, map->items[i].len);
		bytes_addf(out, ":");
		json_value(out, &map->items[i + 1]);
	}
	bytes_addf(out, map->count ? "}" : "{}");
}

void table_json(struct bytes *out, const struct reply *list)
{
	bytes_addf(out, "[");
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			bytes_addf(out, ",");
		json_map(out, &list->items[i]);
	}
	bytes_addf(out, "]\n");
}
