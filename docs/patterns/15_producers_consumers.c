/* Producers and consumers, one or several of each, over one channel. The last producer closes it; the consumers range over it. */
#include "line.h"

#include "../../lib/crew.h"
#include "../../lib/shim.h"

enum { EACH = 100 };

struct market {
	struct chan *goods;           /* of int */
	struct waitgroup *consumers;
	shim_u64 received, sum;
	shim_u32 disorders;           /* goods that came after later ones: only looked at when there is one of both */
};

static void produce(size_t index, void *arg)
{
	struct market *m = arg;

	for (int i = 0; i < EACH; i++)
		chan_send(m->goods, &(int){ (int)index * EACH + i }, NULL, FOREVER);
}

static void all_produced(void *arg)
{
	struct market *m = arg;

	chan_close(m->goods);
	waitgroup_done(m->consumers);
}

static void consume(unused_arg size_t index, void *arg)
{
	struct market *m = arg;
	int n, last = -1;

	while (chan_recv(m->goods, &n, NULL, FOREVER) == CHAN_OK) {
		shim_add(&m->received, 1, relaxed);
		shim_add(&m->sum, (uint64_t)n, relaxed);
		if (n < last)
			shim_add(&m->disorders, 1, relaxed);
		last = n;
	}
}

static void all_consumed(void *arg)
{
	struct market *m = arg;

	waitgroup_done(m->consumers);
}

static void trade(size_t producers, size_t consumers)
{
	struct market m = { .goods = must(chan_new(sizeof(int), 8)), .consumers = must(waitgroup_new()) };
	struct crew_order makers = { .name = "producer", .count = producers, .run = produce, .over = all_produced, .arg = &m };
	struct crew_order takers = { .name = "consumer", .count = consumers, .run = consume, .over = all_consumed, .arg = &m };

	waitgroup_add(m.consumers, 2);
	if (!crew_start(&takers) || !crew_start(&makers))
		must(NULL);
	waitgroup_wait(m.consumers, NULL, FOREVER);
	printf("%zu:%zu %zu sent, %llu received, sum %llu%s\n", producers, consumers, producers * EACH,
	       (unsigned long long)shim_load(&m.received, relaxed), (unsigned long long)shim_load(&m.sum, relaxed),
	       producers == 1 && consumers == 1 && shim_load(&m.disorders, relaxed) == 0 ? ", in order" : "");
	chan_unref(m.goods);
	waitgroup_unref(m.consumers);
}

int main(void)
{
	trade(1, 1);
	trade(1, 3);
	trade(3, 1);
	trade(3, 4);
	return 0;
}
