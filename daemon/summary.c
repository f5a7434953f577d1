#include "summary.h"

#include "leatd.h"
#include "log.h"
#include "loop_impl.h"

#define EVERY_NS (1 * SECONDS)

/* Of all types together, since the last time. */
static void sum_refused(const struct catalogue *c, uint64_t sums[REFUSALS])
{
	memset(sums, 0, REFUSALS * sizeof(*sums));
	for (size_t i = 0; i < c->type_count; i++) {
		struct books *books = c->types[i]->books;
		struct books_copy copy = books_read(books);

		for (size_t j = 0; j < REFUSALS; j++) {
			sums[j] += copy.refused[j] - books->told[j];
			books->told[j] = copy.refused[j];
		}
	}
}

static void tell(const struct catalogue *c)
{
	struct log_field fields[REFUSALS + 2];
	uint64_t sums[REFUSALS], total = 0;
	size_t n = 1;

	sum_refused(c, sums);
	for (size_t i = 0; i < REFUSALS; i++) {
		total += sums[i];
		if (sums[i] > 0)
			fields[n++] = log_number(refusal_name((enum refusal)i), (int64_t)sums[i]);
	}
	fields[0] = log_number("jobs", (int64_t)total);
	fields[n] = (struct log_field){ 0 };
	if (total > 0)
		log_put(c->leatd->log, LOG_LEVEL_INFO, "refused", fields);
}

static void on_time(struct wheel_timer *timer)
{
	struct loop *loop = container_of(timer, struct loop, summary.timer);

	tell(loop->catalogue);
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
