/* The generator: a function that starts a producer and returns its channel. After Pike, "Go Concurrency Patterns". */
#include "line.h"

#include "../../lib/generator.h"

struct speaker {
	const char *message;
	int said;
};

static bool say(void *elem, struct ctx *ctx, void *arg)
{
	struct speaker *speaker = arg;

	nap(ctx);
	*(struct line *)elem = line_of("%s %d", speaker->message, speaker->said++);
	return true;
}

static struct chan *boring(struct speaker *speaker, struct ctx *ctx)
{
	struct generator_options options = { .out = { .elem_size = sizeof(struct line) }, .next = say, .arg = speaker };

	return must(generator_start(&options, ctx));
}

/* Ends the speaker, and waits until it has gone: from then on what it used is ours again. */
static void leave(struct chan *c, struct ctx *ctx)
{
	ctx_cancel(ctx);
	while (chan_recv(c, NULL, NULL, FOREVER) == CHAN_OK)
		;
	chan_unref(c);
}

static void one_speaker(struct ctx *ctx)
{
	struct speaker speaker = { "boring!", 0 };
	struct chan *c = boring(&speaker, ctx);
	struct line line;

	for (int i = 0; i < 5; i++) {
		chan_recv(c, &line, NULL, FOREVER);
		printf("You say: \"%s\"\n", line.text);
	}
	printf("You're boring; I'm leaving.\n");
	leave(c, ctx);
}

/* The channel is a handle on a service: there may be several. */
static void two_speakers(struct ctx *ctx)
{
	struct speaker speakers[] = { { "Joe", 0 }, { "Ann", 0 } };
	struct chan *joe = boring(&speakers[0], ctx), *ann = boring(&speakers[1], ctx);
	struct line line;

	for (int i = 0; i < 5; i++) {
		chan_recv(joe, &line, NULL, FOREVER);
		puts(line.text);
		chan_recv(ann, &line, NULL, FOREVER);
		puts(line.text);
	}
	printf("You're both boring; I'm leaving.\n");
	leave(joe, ctx);
	leave(ann, ctx);
}

int main(void)
{
	struct ctx *first = must(ctx_with_cancel(NULL)), *second = must(ctx_with_cancel(NULL));

	one_speaker(first);
	two_speakers(second);
	ctx_unref(first);
	ctx_unref(second);
	return 0;
}
