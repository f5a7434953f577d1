/* The quit channel with a handshake: "Bye!", and "See you!" when it has cleaned up. After Pike, "Go Concurrency Patterns". */
#include "line.h"

#include "../../lib/crew.h"
#include "../../lib/quit.h"

struct joe {
	struct chan *out;
	struct quit *quit;
};

static void speak(unused_arg size_t index, void *arg)
{
	struct joe *joe = arg;
	struct line line, word;
	struct chan_case cases[] = { CHAN_SEND_CASE(joe->out, &line), CHAN_RECV_CASE(quit_chan(joe->quit), &word) };
	int said = 0;

	do {
		nap(NULL);
		line = line_of("Joe %d", said++);
	} while (chan_select(cases, 2, NULL, FOREVER, NULL) == 0);
	puts("Joe cleans up.");
	word = line_of("See you!");
	quit_done(joe->quit, &word);
}

static void gone(void *arg)
{
	struct joe *joe = arg;

	chan_unref(joe->out);
	quit_unref(joe->quit);
	free(joe);
}

static struct chan *boring(struct quit *quit)
{
	struct joe *joe = must(malloc(sizeof(*joe)));
	struct chan *c = must(chan_new(sizeof(struct line), 0));

	*joe = (struct joe){ chan_ref(c), quit_ref(quit) };
	if (!crew_start(&(struct crew_order){ .name = "Joe", .count = 1, .run = speak, .over = gone, .arg = joe }))
		must(NULL);
	return c;
}

int main(void)
{
	struct quit *quit = must(quit_new(sizeof(struct line)));
	struct chan *c = boring(quit);
	struct line line, bye = line_of("Bye!");

	for (int i = 0; i < 4; i++) {
		chan_recv(c, &line, NULL, FOREVER);
		puts(line.text);
	}
	quit_ask(quit, &bye, &line, NULL, FOREVER);
	printf("Joe says: \"%s\"\n", line.text);
	quit_unref(quit);
	chan_unref(c);
	return 0;
}
