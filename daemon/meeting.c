#include "meeting.h"

#include "admit.h"
#include "job.h"
#include "leatd.h"
#include "run.h"
#include "semaphores.h"
#include "../lib/gate.h"
#include "../lib/lock.h"
#include "../lib/semaphore.h"

#include <stdlib.h>

enum { NEEDS_MAX = PIPE_STAGES_MAX * USES_MAX };

/* Of one semaphore. */
struct need {
	struct named_semaphore *of;
	size_t permits;
};

struct meeting {
	shim_u32 references;
	/* Set once. */
	struct gate *all_here;
	size_t count;
	struct job *jobs[PIPE_STAGES_MAX];      /* in the order of their types; each lives as long as its runner, or its caller, needs it */
	size_t need_count;
	struct need needs[NEEDS_MAX];           /* in the order of the semaphores */

	struct lock lock;               /* guards what follows */
	size_t entered, arrived, left;
	bool closed;
	bool held;                      /* the permits are */
};

/* --- Its parts --- */

/* Behind those of the same type, which is where it stands in the pipe. */
static void add_job(struct meeting *m, struct job *job)
{
	size_t at = m->count++;

	for (; at > 0 && m->jobs[at - 1]->type > job->type; at--)
		m->jobs[at] = m->jobs[at - 1];
	m->jobs[at] = job;
}

static void add_need(struct meeting *m, struct named_semaphore *of)
{
	size_t at = 0;

	/* As semaphores_take() does it. */
	while (at < m->need_count && strcmp(m->needs[at].of->config->name, of->config->name) < 0)
		at++;
	if (at < m->need_count && m->needs[at].of == of) {
		m->needs[at].permits++;
		return;
	}
	memmove(&m->needs[at + 1], &m->needs[at], (m->need_count - at) * sizeof(m->needs[0]));
	m->needs[at] = (struct need){ of, 1 };
	m->need_count++;
}

static void add(struct meeting *m, struct job *job)
{
	add_job(m, job);
	for (size_t i = 0; i < job->type->uses_count; i++)
		add_need(m, job->type->uses[i]);
	job->meeting = m;
}

static void meeting_free(struct meeting *m)
{
	gate_unref(m->all_here);
	free(m);
}

bool meeting_call(struct job *const *jobs, size_t count)
{
	struct meeting *m = calloc(1, sizeof(*m));

	if (!m)
		return false;
	m->all_here = gate_new();
	if (!m->all_here || gate_shut(m->all_here) != CHAN_OK) {
		meeting_free(m);
		return false;
	}
	shim_init(&m->references, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		add(m, jobs[i]);
	return true;
}

void meeting_unref(struct meeting *m)
{
	if (m && shim_sub(&m->references, 1, acq_rel) == 1)
		meeting_free(m);
}

/* --- Coming --- */

void meeting_enter_alone(struct job *job)
{
	struct answer refusal;

	job->entered = true;
	if (admit_enter(job->type, job, &refusal))
		return;
	(void)!job_claim(job, JOB_ENDED);
	job->answer = refusal;
	job->outcome = OUTCOME_failed;
	run_go_home(job);
}

/* All of the next type. */
static void enter_next_locked(struct meeting *m)
{
	struct type *type = m->jobs[m->entered]->type;

	lock_acquire(&type->entry);
	while (m->entered < m->count && m->jobs[m->entered]->type == type)
		meeting_enter_alone(m->jobs[m->entered++]);
	lock_release(&type->entry);
}

void meeting_begin(struct meeting *m)
{
	lock_acquire(&m->lock);
	enter_next_locked(m);
	lock_release(&m->lock);
}

void meeting_close(struct meeting *m)
{
	lock_acquire(&m->lock);
	m->closed = true;
	lock_release(&m->lock);
}

/* True: it was the last of all. */
static bool arrive(struct meeting *m)
{
	bool last;

	lock_acquire(&m->lock);
	m->arrived++;
	last = m->arrived == m->count;
	if (m->arrived == m->entered && !last && !m->closed)
		enter_next_locked(m);
	lock_release(&m->lock);
	return last;
}

/* --- Permits --- */

static void give_back(struct meeting *m, size_t n)
{
	while (n-- > 0)
		(void)semaphore_release(m->needs[n].of->semaphore, m->needs[n].permits);
}

/* False: the context has ended, and none is held. */
static bool take_permits(struct meeting *m, struct ctx *ctx)
{
	for (size_t i = 0; i < m->need_count; i++) {
		if (semaphore_acquire(m->needs[i].of->semaphore, m->needs[i].permits, ctx, FOREVER) == CHAN_OK)
			continue;
		give_back(m, i);
		return false;
	}
	return true;
}

/* --- On a runner --- */

void meeting_join(struct job *job)
{
	struct meeting *m = job->meeting;

	if (!arrive(m)) {
		gate_pass(m->all_here, job->ctx, FOREVER);
		return;
	}
	if (!take_permits(m, job->ctx))
		return;
	lock_acquire(&m->lock);
	m->held = true;
	lock_release(&m->lock);
	gate_open(m->all_here);
}

void meeting_leave(struct job *job)
{
	struct meeting *m = job->meeting;
	bool last;

	lock_acquire(&m->lock);
	last = ++m->left == m->count && m->held;
	lock_release(&m->lock);
	if (last)
		give_back(m, m->need_count);
}
