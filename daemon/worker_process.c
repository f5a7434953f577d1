#include "worker_process.h"

#include "cgroup.h"
#include "cmdline.h"
#include "environment.h"
#include "keeper.h"
#include "leatd.h"
#include "log.h"
#include "type.h"
#include "../lib/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

int worker_process_init(struct worker_process *p, struct type *type)
{
	*p = (struct worker_process){ .type = type, .next = FOREVER };
	program_init(&p->program, &type->leatd->trees);
	p->orders = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return p->orders < 0 ? -errno : program_open(&p->program);
}

void worker_process_free(struct worker_process *p)
{
	program_close(&p->program);
	program_close_fd(&p->orders);
}

void worker_process_order(struct worker_process *p, enum worker_order order)
{
	uint32_t was = shim_load(&p->order, relaxed);
	uint64_t one = 1;

	while (was < (uint32_t)order && !shim_cas(&p->order, &was, (uint32_t)order, acq_rel))
		;
	if (was < (uint32_t)order)
		(void)!write(p->orders, &one, sizeof(one));
}

/* --- In the keeper --- */

static void kill_now(struct worker_process *p)
{
	p->obeyed = WORKER_ORDER_KILL;
	p->program.tree.spares = false;
	p->next = program_kill(&p->program);
}

static void terminate(struct worker_process *p, moment kill_at)
{
	p->obeyed = WORKER_ORDER_TERMINATE;
	p->program.tree.spares = true;
	tree_terminate(&p->program.tree);
	p->next = kill_at;
}

static void obey(struct worker_process *p)
{
	uint32_t order = shim_load(&p->order, acquire);
	uint64_t heard;

	(void)!read(p->orders, &heard, sizeof(heard));
	if (order <= p->obeyed)
		return;
	if (order == WORKER_ORDER_END) {
		p->obeyed = order;
		p->next = moment_in(p->type->config->grace);
	} else if (order == WORKER_ORDER_TERMINATE) {
		terminate(p, FOREVER);
	} else {
		kill_now(p);
	}
}

/* The time of a step has come. */
static void go_on(struct worker_process *p)
{
	if (p->obeyed == WORKER_ORDER_END)
		terminate(p, moment_in(p->type->config->grace));
	else
		kill_now(p);
}

enum { WAIT_CHILD, WAIT_LEAF, WAIT_LEATD, WAIT_ORDERS, WAITS };

static void wait_for_events(struct worker_process *p, struct pollfd polls[WAITS])
{
	const struct tree *tree = &p->program.tree;
	int64_t left = p->next == FOREVER ? FOREVER : p->next - moment_now();
	struct timespec timeout = { .tv_sec = left / SECONDS, .tv_nsec = left % SECONDS };

	if (left < 0)
		timeout = (struct timespec){ 0 };
	polls[WAIT_CHILD] = (struct pollfd){ tree->trees->child_ended, POLLIN, 0 };
	polls[WAIT_LEAF] = (struct pollfd){ tree->leaf && tree->childless ? tree->leaf->events : -1, POLLPRI, 0 };
	polls[WAIT_LEATD] = (struct pollfd){ tree->trees->leatd, POLLIN, 0 };
	polls[WAIT_ORDERS] = (struct pollfd){ p->orders, POLLIN, 0 };
	if (ppoll(polls, WAITS, left == FOREVER ? NULL : &timeout, NULL) < 0)
		memset(polls, 0, WAITS * sizeof(*polls));
}

/* A child of the keeper has ended, or its leaf is said to be empty. */
static bool is_over(struct worker_process *p, bool child_ended)
{
	struct tree *tree = &p->program.tree;
	struct signalfd_siginfo heard;
	bool gone, had_ended = tree->first_ended;

	if (child_ended)
		(void)!read(tree->trees->child_ended, &heard, sizeof(heard));
	gone = tree_is_gone(tree);
	if (tree->first_ended && !had_ended)
		p->by_itself = p->obeyed == WORKER_ORDER_NONE;
	/* What a worker leaves does not outlive it, but for those who were told to end and still have time. And once it is being killed,
	 * those who have lost their parent now are the keeper's, and not dead yet. */
	if (!gone && child_ended && tree->first_ended && p->obeyed != WORKER_ORDER_TERMINATE) {
		p->program.look_in = 0;
		p->obeyed = WORKER_ORDER_KILL;
		p->next = NOW;
	}
	return gone;
}

static void attend(struct worker_process *p)
{
	struct pollfd polls[WAITS];

	do {
		if (moment_reached(p->next))
			go_on(p);
		wait_for_events(p, polls);
		if (polls[WAIT_LEATD].revents)
			program_die_with_leatd(&p->program);
		if (polls[WAIT_ORDERS].revents)
			obey(p);
	} while ((!polls[WAIT_CHILD].revents && !polls[WAIT_LEAF].revents) || !is_over(p, polls[WAIT_CHILD].revents));
}

struct life {
	struct worker_process *process;
	char **envp;
};

static void run_in_keeper(void *arg)
{
	const struct life *life = arg;
	struct worker_process *p = life->process;
	int r = program_start(&p->program, p->type, p->type->config->cmdline->argv, life->envp, &p->what);

	if (r < 0)
		p->error = -r;
	else
		attend(p);
}

/* --- Outside of it --- */

/* Only somebody with leatd's own rights can have done that. */
static void bury_without_keeper(struct worker_process *p)
{
	program_kill_without_keeper(&p->program);
	p->what = "its keeper was killed";
	log_error(p->type->leatd->log, "the keeper of a worker was killed", log_text("job", p->type->name));
}

static void start_and_attend(struct worker_process *p)
{
	struct environment env;
	autofree char **envp = environment_make(&env, p->type->config, NULL);
	struct life life = { p, envp };
	int r = envp ? program_take_leaf(&p->program, p->type) : -ENOMEM;

	p->what = "making a cgroup";
	if (r == 0) {
		p->what = "making a process";
		r = keeper_run(run_in_keeper, &life);
	}
	if (r == -ECHILD)
		bury_without_keeper(p);
	if (r < 0)
		p->error = -r;
	program_give_leaf(&p->program, p->type);
}

void worker_process_live(struct worker_process *p)
{
	/* It was given up before it was its turn. */
	if (shim_load(&p->order, acquire) != WORKER_ORDER_KILL)
		start_and_attend(p);
}
