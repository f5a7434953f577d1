/* Fan-out: every employee at once, and a place for the paper of each, so that none waits for the manager. After Kennedy, Ardan
 * Labs' gotraining. */
#include "line.h"

#include "../../lib/fanout.h"

static void write_paper(size_t employee, unused_arg const void *piece, void *result, struct ctx *ctx, unused_arg void *arg)
{
	nap(ctx);
	*(struct line *)result = line_of("paper %zu", employee);
	printf("employee : sends signal : %zu\n", employee);
}

int main(void)
{
	enum { EMPLOYEES = 20 };
	struct fanout_options options = { .result = { .elem_size = sizeof(struct line) }, .run = write_paper };
	struct chan *papers = must(fanout_start(&options, NULL, EMPLOYEES, NULL));
	struct line paper;
	int employees = EMPLOYEES;

	while (chan_recv(papers, &paper, NULL, FOREVER) == CHAN_OK) {
		employees--;
		puts(paper.text);
		printf("manager : recv'd signal : %d\n", employees);
	}
	chan_unref(papers);
	return 0;
}
