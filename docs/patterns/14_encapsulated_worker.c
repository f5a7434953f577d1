/* The encapsulated worker: the function makes its channels, owns them and returns them, so none of them can be nil. After
 * Cox-Buday, "Concurrency in Go", the channel's owner. */
#include "line.h"

#include "../../lib/encapsulated.h"

/* The sum is touched by this thread only, so it needs no lock. */
static void add_up(struct chan *in, struct chan *out, struct ctx *ctx, unused_arg void *arg)
{
	int n, sum = 0;

	while (chan_recv(in, &n, ctx, FOREVER) == CHAN_OK) {
		sum += n;
		if (chan_send(out, &sum, ctx, FOREVER) != CHAN_OK)
			break;
	}
}

static struct encapsulated *adder_start(void)
{
	struct encapsulated_options options = {
		.in = { .elem_size = sizeof(int) }, .out = { .elem_size = sizeof(int), .capacity = 5 }, .run = add_up, .name = "adder",
	};

	return must(encapsulated_start(&options, NULL));
}

int main(void)
{
	struct encapsulated *adder = adder_start();
	int sum;

	for (int i = 1; i <= 5; i++)
		chan_send(encapsulated_in(adder), &i, NULL, FOREVER);
	/* It does what it was given, and closes its output. */
	encapsulated_stop(adder, NULL, FOREVER);
	while (chan_recv(encapsulated_out(adder), &sum, NULL, FOREVER) == CHAN_OK)
		printf("Received: %d\n", sum);
	printf("Done receiving!\n");
	encapsulated_unref(adder);
	return 0;
}
