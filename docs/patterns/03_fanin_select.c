/* Fan-in with one select: by one thread for all inputs, and by the consumer itself, without any. After Pike, "Go Concurrency
 * Patterns". */
#include "boring.h"

#include "../../lib/fanin.h"

static void with_one_thread(void)
{
	struct chan *speakers[] = { boring("Joe", 5, NULL), boring("Ann", 5, NULL) };
	struct chan_options lines = { .elem_size = sizeof(struct line) };
	struct chan *c = must(fanin_select(speakers, 2, &lines, NULL));
	struct line line;

	for (int i = 0; i < 10; i++) {
		chan_recv(c, &line, NULL, FOREVER);
		puts(line.text);
	}
	chan_unref(c);
	chan_unref(speakers[0]);
	chan_unref(speakers[1]);
}

static void without_a_thread(void)
{
	struct chan *bob = boring("Bob", 5, NULL), *eve = boring("Eve", 5, NULL);
	struct line line;
	struct chan_case inputs[] = { CHAN_RECV_CASE(bob, &line), CHAN_RECV_CASE(eve, &line) };

	/* Until both are closed. */
	while (fanin_next(inputs, 2, NULL, FOREVER, NULL) >= 0)
		puts(line.text);
	chan_unref(bob);
	chan_unref(eve);
}

int main(void)
{
	with_one_thread();
	without_a_thread();
	puts("You're all boring; I'm leaving.");
	return 0;
}
