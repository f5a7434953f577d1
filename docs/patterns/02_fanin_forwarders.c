/* Fan-in: whoever is ready speaks, each through a forwarder of its own. After Pike, "Go Concurrency Patterns". */
#include "boring.h"

#include "../../lib/fanin.h"

int main(void)
{
	struct chan *speakers[] = { boring("Joe", 5, NULL), boring("Ann", 5, NULL) };
	struct chan_options lines = { .elem_size = sizeof(struct line) };
	struct chan *c = must(fanin_forward(speakers, 2, &lines, NULL));
	struct line line;

	for (int i = 0; i < 10; i++) {
		chan_recv(c, &line, NULL, FOREVER);
		puts(line.text);
	}
	puts("You're both boring; I'm leaving.");
	chan_unref(c);
	chan_unref(speakers[0]);
	chan_unref(speakers[1]);
	return 0;
}
