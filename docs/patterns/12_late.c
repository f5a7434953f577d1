/* Cancellation: the manager walks away at the deadline, and the late paper falls into a slot, where it is dropped; so the employee
 * can end. After Kennedy, Ardan Labs' gotraining. */
#include "line.h"

#include "../../lib/late.h"

struct office {
	struct chan *bell;        /* rings when the paper may be handed in */
	struct waitgroup *papers; /* that were neither taken nor dropped */
};

static void write_paper(void *input, void *result, unused_arg struct ctx *ctx, void *arg)
{
	struct office *office = arg;

	/* A good employee would look at the ctx. This one has never heard of it. */
	chan_recv(office->bell, NULL, NULL, FOREVER);
	*(struct line *)result = line_of("paper %d", *(int *)input);
}

static void drop_paper(void *elem, void *arg)
{
	struct line *paper = elem;
	struct office *office = arg;

	printf("dropped : %s\n", paper->text);
	waitgroup_done(office->papers);
}

static void ask(struct office *office, int number, moment deadline)
{
	struct late_options work = {
		.input_size = sizeof(int), .run = write_paper, .arg = office,
		.result = { .elem_size = sizeof(struct line), .drop = drop_paper, .drop_arg = office },
	};
	struct line paper;

	waitgroup_add(office->papers, 1);
	if (late_call(&work, &number, &paper, NULL, deadline) == CHAN_OK) {
		printf("work complete : %s\n", paper.text);
		waitgroup_done(office->papers);
	} else {
		printf("work cancelled\n");
	}
}

int main(void)
{
	struct office office = { must(chan_new(0, 1)), must(waitgroup_new()) };

	chan_send(office.bell, NULL, NULL, FOREVER);
	ask(&office, 1, FOREVER);
	ask(&office, 2, moment_in(10 * MILLISECONDS));
	chan_send(office.bell, NULL, NULL, FOREVER);
	waitgroup_wait(office.papers, NULL, FOREVER);
	printf("nothing is left behind\n");
	chan_unref(office.bell);
	waitgroup_unref(office.papers);
	return 0;
}
