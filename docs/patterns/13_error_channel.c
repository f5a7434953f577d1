/* The non-blocking, buffered error channel: tasks report what went wrong and end, whether or not anybody reads it. */
#include "line.h"

#include "../../lib/crew.h"
#include "../../lib/errchan.h"

#include <errno.h>

enum { TASKS = 6, ROOM = 2 };

struct work {
	struct errchan *errors;
	struct waitgroup *running;
};

static void task(size_t index, void *arg)
{
	struct work *work = arg;

	nap(NULL);
	if (index % 2)
		errchan_report(work->errors, EIO, "a task failed");
}

static void over(void *arg)
{
	struct work *work = arg;

	errchan_close(work->errors);
	waitgroup_done(work->running);
}

int main(void)
{
	struct work work = { must(errchan_new(ROOM)), must(waitgroup_new()) };
	struct error_note error;

	waitgroup_add(work.running, 1);
	if (!crew_start(&(struct crew_order){ .name = "task", .count = TASKS, .run = task, .over = over, .arg = &work }))
		must(NULL);
	/* Three have failed, and none of them has waited for us. */
	waitgroup_wait(work.running, NULL, FOREVER);
	printf("all %d tasks have ended\n", TASKS);
	while (chan_recv(errchan_chan(work.errors), &error, NULL, FOREVER) == CHAN_OK)
		printf("error : %s\n", error.text);
	printf("%llu dropped\n", (unsigned long long)errchan_dropped(work.errors));
	errchan_unref(work.errors);
	waitgroup_unref(work.running);
	return 0;
}
