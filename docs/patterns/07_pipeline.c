/* The pipeline: numbers are squared, and squared again; and the first error ends all of it. After Ajmani, "Go Concurrency
 * Patterns: Pipelines and cancellation". */
#include "line.h"

#include "../../lib/generator.h"
#include "../../lib/pipeline.h"

#include <errno.h>

struct range {
	int next, last;
};

static bool next_of(void *elem, unused_arg struct ctx *ctx, void *arg)
{
	struct range *range = arg;

	*(int *)elem = range->next++;
	return *(int *)elem <= range->last;
}

static bool square(struct stage *stage, void *elem, unused_arg void *arg)
{
	int n = *(int *)elem;

	if (n > 46340)
		return stage_fail(stage, EDOM, "%d is too large", n);
	return stage_emit(stage, &(int){ n * n });
}

static void squares_of_squares(int first, int last)
{
	struct range *range = must(malloc(sizeof(*range)));
	/* The pipeline closes its source when it ends early, so only the generator knows when it needs its range no more. */
	struct generator_options numbers = { .out = { .elem_size = sizeof(int) }, .next = next_of, .end = free, .arg = range };
	struct pipeline_stage stages[] = {
		{ .out = { .elem_size = sizeof(int) }, .run = square, .name = "square" },
		{ .out = { .elem_size = sizeof(int) }, .run = square, .name = "square again" },
	};
	struct chan *source;
	struct pipeline *p;
	struct error_note error;
	int n;

	*range = (struct range){ first, last };
	source = must(generator_start(&numbers, NULL));
	p = must(pipeline_start(source, stages, 2, NULL));
	chan_unref(source);
	while (chan_recv(pipeline_out(p), &n, NULL, FOREVER) == CHAN_OK)
		printf("%d\n", n);
	if (errchan_first(pipeline_errors(p), &error))
		printf("error: %s\n", error.text);
	pipeline_wait(p, NULL, FOREVER);
	pipeline_unref(p);
}

int main(void)
{
	squares_of_squares(2, 3);
	squares_of_squares(216, 1000000);
	return 0;
}
