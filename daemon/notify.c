#include "notify.h"

#include "leatd.h"
#include "type.h"

#include <stdio.h>
#include <systemd/sd-daemon.h>

#define EVERY_NS (1 * SECONDS)

/* How long stopping may take until it says again that it goes on. */
#define EXTEND_NS (15 * SECONDS)

struct totals {
	unsigned long long running, waiting, refused;
};

static struct totals sum(const struct leatd *leatd)
{
	struct totals totals = { 0 };

	for (size_t i = 0; i < leatd->catalogue->type_count; i++) {
		struct books_copy books = books_read(leatd->catalogue->types[i]->books);

		totals.running += books.running;
		totals.waiting += books.waiting;
		for (size_t j = 0; j < REFUSALS; j++)
			totals.refused += books.refused[j];
	}
	return totals;
}

static long long seconds_until(moment when)
{
	int64_t left = when - moment_now();

	return left > 0 ? (left + SECONDS - 1) / SECONDS : 0;
}

static void write_line(char room[NOTIFY_LINE_MAX], const struct notify *n, const struct leatd *leatd)
{
	struct totals t = sum(leatd);

	if (n->drain_until == 0)
		snprintf(room, NOTIFY_LINE_MAX, "%s%s%llu jobs running, %llu waiting, %llu refused.", n->fault, *n->fault ? " " : "", t.running,
			 t.waiting, t.refused);
	else if (n->drain_until == FOREVER)
		snprintf(room, NOTIFY_LINE_MAX, "Cancelling: %llu jobs running, %llu waiting.", t.running, t.waiting);
	else
		snprintf(room, NOTIFY_LINE_MAX, "Draining: %llu jobs running, %llu waiting, cancelled in %lld s.", t.running, t.waiting,
			 seconds_until(n->drain_until));
}

/* With its line, which systemd then has. */
static void tell(struct notify *n, const struct leatd *leatd, const char *state)
{
	write_line(n->said, n, leatd);
	sd_notifyf(0, "%s\nSTATUS=%s", state, n->said);
}

void notify_ready(struct notify *n, const struct leatd *leatd)
{
	tell(n, leatd, "READY=1");
}

void notify_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(moment_now() / MICROSECONDS));
}

void notify_reloaded(struct notify *n, const struct leatd *leatd, const char *fault)
{
	snprintf(n->fault, sizeof(n->fault), "%s", fault ? fault : "");
	tell(n, leatd, "READY=1");
}

void notify_stopping(struct notify *n, const struct leatd *leatd, moment until)
{
	n->drain_until = until;
	tell(n, leatd, "STOPPING=1");
}

static void extend(int64_t ns)
{
	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%lld", (long long)(ns / MICROSECONDS));
}

static int64_t longer_grace(int64_t longest, const struct type *type)
{
	return type->workers && type->config->grace > longest ? type->config->grace : longest;
}

/* How long it may take until the workers of all types have ended, which are told at the same time: one grace until SIGTERM, and another. */
static int64_t time_of_workers(const struct leatd *leatd)
{
	const struct catalogue *catalogue = leatd->catalogue;
	int64_t longest = 0;

	for (size_t i = 0; i < catalogue->type_count; i++)
		longest = longer_grace(longest, catalogue->types[i]);
	for (const struct type *type = leatd->retired; type; type = type->next)
		longest = longer_grace(longest, type);
	return 2 * longest;
}

void notify_last_answers(const struct leatd *leatd, moment until)
{
	sd_notify(0, "STATUS=All jobs are over, sending the last answers.");
	extend(seconds_until(until) * SECONDS + time_of_workers(leatd) + EXTEND_NS);
}

void notify_look(struct notify *n, const struct leatd *leatd)
{
	moment now = moment_now();
	char line[NOTIFY_LINE_MAX];

	if (now < n->next)
		return;
	n->next = moment_add(now, EVERY_NS);
	write_line(line, n, leatd);
	if (strcmp(line, n->said) != 0) {
		memcpy(n->said, line, sizeof(line));
		sd_notifyf(0, "STATUS=%s", line);
	}
	if (n->drain_until != 0)
		extend(EXTEND_NS);
}
