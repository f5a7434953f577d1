#include "refusal.h"

#include "json.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct refusal {
	const char *code;
	enum status status;
	const char *advice;             /* NULL: the server's own words are enough */
} refusals[] = {
	{ "BUSY", STATUS_BUSY, "try again later" },
	{ "DRAINING", STATUS_BUSY, "try again when it is back" },
	{ "TIMEOUT", STATUS_TIMEOUT, "--deadline gives it longer, up to the job's max_deadline" },
	{ "FAILED", STATUS_FAILED, NULL },
	{ "KILLED", STATUS_FAILED, NULL },
	{ "CANCELED", STATUS_FAILED, NULL },
	{ "NOJOB", STATUS_FAILED, "`leat jobs` lists what there is" },
	{ "TOOBIG", STATUS_FAILED, NULL },
	{ "NOAUTH", STATUS_NO_RIGHT, NULL },
	{ "ERR", STATUS_PROTOCOL, NULL },
};

static const struct refusal unknown = { "", STATUS_PROTOCOL, "leatd has no such error; is it leatd that listens there?" };

static const struct refusal *find(const char *line, size_t len)
{
	for (size_t i = 0; i < countof(refusals); i++) {
		size_t n = strlen(refusals[i].code);

		if (len >= n && memcmp(line, refusals[i].code, n) == 0 && (len == n || line[n] == ' '))
			return &refusals[i];
	}
	return &unknown;
}

enum status refusal_status(const char *line, size_t len)
{
	return find(line, len)->status;
}

enum status refusal_explain(const char *line, size_t len)
{
	const struct refusal *r = find(line, len);

	complain("%.*s%s%s", (int)len, line, r->advice ? "; " : "", r->advice ? r->advice : "");
	return r->status;
}

/* --- As JSON --- */

/* ` key=value` or ` key="some words"`; false: something else stands there. */
struct fact {
	const char *key, *value;
	size_t key_len, value_len;
};

static bool take_fact(const char **at, const char *end, struct fact *f)
{
	const char *from = *at, *stop;
	bool quoted;

	if (from == end || *from != ' ')
		return false;
	f->key = from + 1;
	for (stop = f->key; stop < end && (*stop == '_' || (*stop >= 'a' && *stop <= 'z')); stop++)
		;
	f->key_len = (size_t)(stop - f->key);
	if (f->key_len == 0 || stop == end || *stop != '=')
		return false;
	quoted = stop + 1 < end && stop[1] == '"';
	f->value = stop + 1 + quoted;
	stop = memchr(f->value, quoted ? '"' : ' ', (size_t)(end - f->value));
	if (quoted && !stop)
		return false;
	stop = stop ? stop : end;
	f->value_len = (size_t)(stop - f->value);
	*at = stop + quoted;
	return true;
}

/* Where the facts begin, of which there may be none: behind the words, up to the end. */
static const char *facts_of(const char *words, const char *end)
{
	for (const char *from = words; from < end; from++) {
		const char *at = from;
		struct fact f;

		while (take_fact(&at, end, &f))
			;
		if (at == end)
			return from;
	}
	return end;
}

static void add_value(struct bytes *out, const struct fact *f)
{
	size_t sign = f->value_len > 1 && f->value[0] == '-', digits = f->value_len - sign;
	bool number = digits > 0 && digits < 16 && (f->value[sign] != '0' || digits == 1);

	for (size_t i = sign; i < f->value_len; i++)
		number &= f->value[i] >= '0' && f->value[i] <= '9';
	if (number)
		bytes_add(out, f->value, f->value_len);
	else
		json_string(out, f->value, f->value_len);
}

void refusal_object(struct bytes *out, const char *line, size_t len)
{
	const char *end = line + len, *blank = memchr(line, ' ', len), *code_end = blank ? blank : end;
	const char *words = blank ? blank + 1 : end, *at = facts_of(code_end, end);
	struct fact f;

	bytes_addf(out, "{\"code\":");
	json_string(out, line, (size_t)(code_end - line));
	bytes_addf(out, ",\"detail\":");
	json_string(out, words, at > words ? (size_t)(at - words) : 0);
	while (take_fact(&at, end, &f)) {
		bytes_addf(out, ",\"%.*s\":", (int)f.key_len, f.key);
		add_value(out, &f);
	}
	bytes_addf(out, "}");
}

static const char *own_code(enum status status)
{
	return status == STATUS_NO_SERVER ? "NOSERVER" : status == STATUS_PROTOCOL ? "PROTOCOL" : status == STATUS_FAILED ? "FAILED" : "USAGE";
}

enum status refusal_own(struct bytes *error, enum status status, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	complain("%s", line);
	if (error) {
		bytes_addf(error, "{\"code\":\"%s\",\"detail\":", own_code(status));
		json_string(error, line, strlen(line));
		bytes_addf(error, "}");
	}
	return status;
}
