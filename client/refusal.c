#include "refusal.h"

#include <stdbool.h>
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
