/* Select with a time-out: for each receive, and for the whole conversation. After Pike, "Go Concurrency Patterns". */
#include "boring.h"

/* Says three lines, and then nothing more. */
static bool fall_silent(void *elem, struct ctx *ctx, void *arg)
{
	int *said = arg;

	if (*said == 3)
		chan_recv(NULL, NULL, ctx, FOREVER);
	*(struct line *)elem = line_of("Joe %d", (*said)++);
	return true;
}

static void per_receive(struct ctx *ctx)
{
	int said = 0;
	struct generator_options options = { .out = { .elem_size = sizeof(struct line) }, .next = fall_silent, .arg = &said };
	struct chan *c = must(generator_start(&options, ctx));
	struct line line;
	bool talking = true;

	while (talking) {
		struct chan *timeout = must(chan_after(moment_in(50 * MILLISECONDS)));
		struct chan_case cases[] = { CHAN_RECV_CASE(c, &line), CHAN_RECV_CASE(timeout, NULL) };

		talking = chan_select(cases, 2, NULL, FOREVER, NULL) == 0;
		puts(talking ? line.text : "You're too slow.");
		chan_unref(timeout);
	}
	ctx_cancel(ctx);
	while (chan_recv(c, NULL, NULL, FOREVER) == CHAN_OK)
		;
	chan_unref(c);
}

static void whole_conversation(void)
{
	struct chan *c = boring("Ann", -1, NULL);
	struct chan *timeout = must(chan_after(moment_in(20 * MILLISECONDS)));
	struct line line;
	struct chan_case cases[] = { CHAN_RECV_CASE(c, &line), CHAN_RECV_CASE(timeout, NULL) };

	while (chan_select(cases, 2, NULL, FOREVER, NULL) == 0)
		puts(line.text);
	puts("You talk too much.");
	chan_close(c);
	chan_unref(c);
	chan_unref(timeout);
}

/* The same without channels made of time: every call takes a deadline, and it is absolute. */
static void by_deadline(void)
{
	struct chan *c = boring("Bob", -1, NULL);
	moment until = moment_in(20 * MILLISECONDS);
	struct line line;

	while (!moment_reached(until) && chan_recv(c, &line, NULL, until) == CHAN_OK)
		puts(line.text);
	puts("You talk too much, too.");
	chan_close(c);
	chan_unref(c);
}

int main(void)
{
	struct ctx *ctx = must(ctx_with_cancel(NULL));

	per_receive(ctx);
	whole_conversation();
	by_deadline();
	ctx_unref(ctx);
	return 0;
}
