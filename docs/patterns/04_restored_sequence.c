/* Fan-in with restored sequence. First as in Pike's talk, where each message carries a channel on which its speaker waits for its
 * turn. Then without making anybody wait: a place in a line is taken for each result, and the line is received in order. */
#include "line.h"

#include "../../lib/crew.h"
#include "../../lib/ordered.h"
#include "../../lib/pool.h"
#include "../../lib/turn.h"

struct message {
	struct turn turn;
	struct line line;
};

/* --- Taking turns --- */

static void speak(size_t index, void *arg)
{
	struct message message;
	int said = 0;

	do {
		nap(NULL);
		message.line = line_of("%s %d", index == 0 ? "Joe" : "Ann", said++);
	} while (turn_say(arg, &message, NULL, FOREVER) == CHAN_OK);
}

static void no_more(void *arg)
{
	chan_unref(arg);
}

static void take_turns(void)
{
	struct chan *c = must(chan_new(sizeof(struct message), 0));
	struct crew_order speakers = { .name = "speaker", .count = 2, .run = speak, .over = no_more, .arg = chan_ref(c) };

	if (!crew_start(&speakers))
		must(NULL);
	for (int i = 0; i < 5; i++) {
		struct message first, second;

		chan_recv(c, &first, NULL, FOREVER);
		puts(first.line.text);
		chan_recv(c, &second, NULL, FOREVER);
		puts(second.line.text);
		turn_give(&first.turn);
		turn_give(&second.turn);
	}
	puts("You're both boring; I'm leaving.");
	chan_close(c);
	chan_unref(c);
}

/* --- A line of places --- */

struct request {
	struct chan *place;
	int number;
};

static void answer(void *elem, unused_arg void *arg)
{
	struct request *request = elem;
	struct line line = line_of("answer %d", request->number);

	nap(NULL);
	chan_send(request->place, &line, NULL, NOW);
	chan_unref(request->place);
}

static void stand_in_line(void)
{
	struct chan_options results = { .elem_size = sizeof(struct line), .capacity = 8 };
	struct pool_options runners = { .elem_size = sizeof(struct request), .capacity = 8, .max_threads = 4, .run = answer };
	struct ordered *answers = must(ordered_new(&results));
	struct pool *pool = must(pool_start(&runners));
	struct line line;

	for (int i = 0; i < 8; i++) {
		struct request request = { must(ordered_place(answers, NULL, FOREVER, NULL)), i };

		if (pool_try_submit(pool, &request) != CHAN_OK)
			must(NULL);
	}
	ordered_close(answers);
	while (ordered_recv(answers, &line, NULL, FOREVER) == CHAN_OK)
		puts(line.text);
	pool_stop(pool, NULL, FOREVER);
	pool_unref(pool);
	ordered_unref(answers);
}

int main(void)
{
	take_turns();
	stand_in_line();
	return 0;
}
