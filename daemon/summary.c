#include "summary.h"

#include "leatd.h"
#include "log.h"
#include "loop_impl.h"

#define EVERY_NS (1 * SECONDS)

/* Of all types together. */
static void sum_refused(const struct leatd *leatd, uint64_t sums[REFUSALS])
{
	memset(sums, 0, REFUSALS * sizeof(*sums));
	for (size_t i = 0; i < leatd->type_count; i++) {
		struct books_copy books = books_read(&leatd->types[i].books);

		for (size_t j = 0; j < REFUSALS; j++)
			sums[j] += books.refused[j];
	}
}

static void tell(struct leatd *leatd)
{
	struct log_field fields[REFUSALS + 2];
	uint64_t sums[REFUSALS], total = 0;
	size_t n = 1;

	sum_refused(leatd, sums);
	for (size_t i = 0; i < REFUSALS; i++) {
		uint64_t since = sums[i] - leatd->refusals_told[i];

		leatd->refusals_told[i] = sums[i];
		total += since;
		if (since > 0)
			fields[n++] = log_number(refusal_name((enum refusal)i), (int64_t)since);
	}
	fields[0] = log_number("jobs", (int64_t)total);
	fields[n] = (struct log_field){ 0 };
	if (total > 0)
		log_put(leatd->log, LOG_LEVEL_INFO, "refused", fields);
}

static void on_time(struct wheel_timer *timer)
{
	struct loop *loop = container_of(timer, struct loop, summary.timer);

	tell(loop->leatd);
	/* Only now may another loop begin. */
	shim_store(&loop->leatd->summary_due, 0, release);
}

void summary_refused(struct loop *loop)
{
	struct leatd *leatd = loop->leatd;
	uint64_t no = 0;

	if (shim_load(&leatd->summary_due, relaxed) || !shim_cas(&leatd->summary_due, &no, 1, acquire))
		return;
	loop->summary.timer.fire = on_time;
	wheel_set(&loop->wheel, &loop->summary.timer, moment_add(loop->now, EVERY_NS));
}

void summary_stop(struct loop *loop)
{
	if (!loop->summary.timer.next)
		return;
	wheel_remove(&loop->summary.timer);
	on_time(&loop->summary.timer);
}
