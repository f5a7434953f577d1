#include "tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void count_reason(struct tally *t, enum reply_kind kind, const char *reason, uint64_t count)
{
	struct reason_count *r = t->reasons;

	if (count == 0)
		return;
	while (r < t->reasons + TALLY_REASONS - 1 && r->count > 0 && (r->kind != kind || strcmp(r->reason, reason) != 0))
		r++;
	if (r->count == 0) {
		r->kind = kind;
		snprintf(r->reason, sizeof(r->reason), "%s", reason);
	}
	r->count += count;
}

static void count_work(struct tally *t, const struct reply *reply, bool was_good)
{
	if (reply->run_ns < 0)
		return;
	t->busy_ns += reply->run_ns;
	if (was_good)
		histogram_add(&t->service, reply->run_ns);
	else
		t->wasted_ns += reply->run_ns;
}

void tally_answer(struct tally *t, const struct reply *reply, int64_t latency_ns, bool in_time)
{
	switch (reply->kind) {
	case REPLY_OK:
		if (in_time)
			t->ok++;
		else
			t->late++;
		break;
	case REPLY_REFUSED:
		t->refused++;
		break;
	case REPLY_TIMEOUT:
		t->timeout++;
		break;
	case REPLY_ERROR:
	case REPLY_KINDS:
		t->error++;
		break;
	}
	histogram_add(reply->kind == REPLY_REFUSED ? &t->refusals : &t->accepted, latency_ns);
	count_work(t, reply, reply->kind == REPLY_OK && in_time);
	if (reply->kind != REPLY_OK)
		count_reason(t, reply->kind, reply->reason, 1);
}

void tally_error(struct tally *t, const char *reason)
{
	t->error++;
	count_reason(t, REPLY_ERROR, reason, 1);
}

void tally_merge(struct tally *into, const struct tally *from)
{
	into->offered += from->offered;
	into->ok += from->ok;
	into->done += from->done;
	into->late += from->late;
	into->refused += from->refused;
	into->timeout += from->timeout;
	into->error += from->error;
	into->unanswered += from->unanswered;
	into->busy_ns += from->busy_ns;
	into->wasted_ns += from->wasted_ns;
	histogram_merge(&into->accepted, &from->accepted);
	histogram_merge(&into->refusals, &from->refusals);
	histogram_merge(&into->service, &from->service);
	for (const struct reason_count *r = from->reasons; r < from->reasons + TALLY_REASONS; r++)
		count_reason(into, r->kind, r->reason, r->count);
}

static double us(int64_t ns)
{
	return (double)ns / 1e3;
}

void histogram_print(const struct histogram *h, const char *what, const char *source)
{
	printf("latency of=%s source=%s count=%" PRIu64 " p50_us=%.0f p90_us=%.0f p99_us=%.0f p999_us=%.0f max_us=%.0f\n", what, source, h->count,
		us(histogram_at(h, .5)), us(histogram_at(h, .9)), us(histogram_at(h, .99)), us(histogram_at(h, .999)), us(h->max));
}

void tally_print(const struct tally *t, const char *source, double seconds)
{
	printf("total source=%s seconds=%.3f offered=%" PRIu64 " ok=%" PRIu64 " late=%" PRIu64 " refused=%" PRIu64 " timeout=%" PRIu64
		" error=%" PRIu64 " unanswered=%" PRIu64 " offered_rate=%.1f goodput=%.1f busy_ms=%.1f wasted_ms=%.1f\n",
		source, seconds, t->offered, t->ok, t->late, t->refused, t->timeout, t->error, t->unanswered, (double)t->offered / seconds,
		(double)t->done / seconds, (double)t->busy_ns / 1e6, (double)t->wasted_ns / 1e6);
	histogram_print(&t->accepted, "accepted", source);
	histogram_print(&t->refusals, "refused", source);
	histogram_print(&t->service, "service", source);
	for (const struct reason_count *r = t->reasons; r < t->reasons + TALLY_REASONS && r->count > 0; r++)
		printf("reason source=%s kind=%s reason=%s count=%" PRIu64 "\n", source, reply_kind_name(r->kind), r->reason[0] ? r->reason : "none",
			r->count);
}
