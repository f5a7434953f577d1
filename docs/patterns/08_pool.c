/* Pooling: employees range over one channel of papers until it is closed. After Kennedy, Ardan Labs' gotraining. */
#include "line.h"

#include "../../lib/pool.h"
#include "../../lib/shim.h"

struct office {
	shim_u32 employees;
};

static void read_paper(void *elem, void *arg)
{
	static _Thread_local uint32_t badge;
	struct office *office = arg;
	struct line *paper = elem;

	if (badge == 0)
		badge = shim_add(&office->employees, 1, relaxed) + 1;
	printf("employee %u : recv'd signal : %s\n", badge, paper->text);
	nap(NULL);
}

int main(void)
{
	struct office office = { 0 };
	struct pool *pool = must(pool_start(&(struct pool_options){
		.elem_size = sizeof(struct line), .capacity = 10, .max_threads = 2, .run = read_paper, .arg = &office }));

	for (int work = 0; work < 10; work++) {
		struct line paper = line_of("paper %d", work);

		if (pool_try_submit(pool, &paper) == CHAN_OK)
			printf("manager : sent signal : %d\n", work);
	}
	printf("manager : sent shutdown signal\n");
	if (pool_stop(pool, NULL, FOREVER) == CHAN_OK)
		printf("manager : all employees have gone\n");
	pool_unref(pool);
	return 0;
}
