/* Fan-out with a semaphore: all pieces are given out, but no more than two employees are at work at once. After Kennedy, Ardan
 * Labs' gotraining. */
#include "line.h"

#include "../../lib/fanout.h"
#include "../../lib/shim.h"

struct office {
	shim_u32 at_work, most;
};

static void write_paper(size_t employee, unused_arg const void *piece, void *result, struct ctx *ctx, void *arg)
{
	struct office *office = arg;
	uint32_t now = shim_add(&office->at_work, 1, seq_cst) + 1, most = shim_load(&office->most, relaxed);

	while (now > most && !shim_cas(&office->most, &most, now, relaxed))
		;
	nap(ctx);
	*(struct line *)result = line_of("paper %zu", employee);
	printf("employee : sends signal : %zu\n", employee);
	shim_sub(&office->at_work, 1, seq_cst);
}

int main(void)
{
	enum { EMPLOYEES = 20, DESKS = 2 };
	struct office office = { 0 };
	struct semaphore *desks = must(semaphore_new(DESKS));
	struct fanout_options options = {
		.result = { .elem_size = sizeof(struct line) }, .run = write_paper, .arg = &office, .limit = desks,
	};
	struct chan *papers = must(fanout_start(&options, NULL, EMPLOYEES, NULL));
	struct line paper;
	int employees = EMPLOYEES;

	while (chan_recv(papers, &paper, NULL, FOREVER) == CHAN_OK)
		printf("manager : recv'd signal : %d\n", --employees);
	if (shim_load(&office.most, relaxed) <= DESKS)
		printf("never more than %d at work\n", DESKS);
	chan_unref(papers);
	semaphore_unref(desks);
	return 0;
}
