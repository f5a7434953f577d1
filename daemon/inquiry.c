#include "inquiry.h"

#include "conn_impl.h"
#include "leatd.h"
#include "pipe.h"

#include <stdlib.h>

enum { FIRST_JOBS = 64 };

/* The jobs of one loop, or of all. Charged to max_memory, since anybody may ask at any time. */
struct jobs {
	struct leatd *leatd;
	struct inquiry_job *at;
	size_t count, room;
	uint64_t more;
	bool no_memory;
};

/* Travels from loop to loop and back. */
struct question {
	enum inquiry_kind kind;
	size_t asker;                   /* index of the loop that asks */
	uint64_t number;                /* of the inquiry in that loop */
	struct jobs jobs;
	bool cancelled;
	bool answered;                  /* INQUIRY_RELOAD: `reload` is main's answer */
	struct inquiry_reload reload;
	char id[JOB_ID_MAX + 1];
};

/* In the line of the loop that asks; the first one is under way. */
struct inquiry {
	struct inquiry *next;
	struct exchange *exchange;      /* NULL: the client has gone */
	void (*answer)(struct exchange *, const struct inquiry_result *);
	size_t unanswered;              /* questions that have not come back */
	struct question all;            /* what is asked, and all that was answered */
};

/* --- Jobs --- */

static void jobs_free(struct jobs *jobs)
{
	if (jobs->room)
		leatd_discharge(jobs->leatd, jobs->room * sizeof(*jobs->at));
	free(jobs->at);
	jobs->at = NULL;
	jobs->count = jobs->room = 0;
}

static bool jobs_grow(struct jobs *jobs)
{
	size_t room = jobs->room ? 2 * jobs->room : FIRST_JOBS;
	struct inquiry_job *at;

	if (!leatd_charge(jobs->leatd, (room - jobs->room) * sizeof(*at)))
		return false;
	at = realloc(jobs->at, room * sizeof(*at));
	if (!at) {
		leatd_discharge(jobs->leatd, (room - jobs->room) * sizeof(*at));
		return false;
	}
	jobs->at = at;
	jobs->room = room;
	return true;
}

static void jobs_add(struct jobs *jobs, const struct inquiry_job *job)
{
	if (jobs->count == INQUIRY_JOBS_MAX)
		jobs->more++;
	else if (jobs->count == jobs->room && !jobs_grow(jobs))
		jobs->no_memory = true;
	else
		jobs->at[jobs->count++] = *job;
}

static int older(const void *a, const void *b)
{
	moment x = ((const struct inquiry_job *)a)->arrived, y = ((const struct inquiry_job *)b)->arrived;

	return (x > y) - (x < y);
}

/* --- Answering for one's own connections --- */

static void list_job(struct jobs *jobs, const struct job *job, const struct peer *peer)
{
	struct inquiry_job seen = { .arrived = job->arrived, .deadline = job->deadline, .peer = *peer,
				    .running = shim_load(&job->state, relaxed) == JOB_RUNNING };

	memcpy(seen.id, job->id, sizeof(seen.id));
	memcpy(seen.job, job->type->name.at, job->type->name.len);
	jobs_add(jobs, &seen);
}

static void add_job(void *jobs, const struct inquiry_job *job)
{
	jobs_add(jobs, job);
}

static bool list(struct exchange *ex, void *jobs)
{
	struct inquiry_job like = { .peer = ex->peer };

	if (ex->unit)
		ex->unit->class->list(ex->unit, &like, add_job, jobs);
	else
		list_job(jobs, ex->job, &ex->peer);
	if (ex->job && ex->job->pipe)
		pipe_list(ex->job->pipe, &like, add_job, jobs);
	return true;
}

static bool cancel(struct exchange *ex, void *arg)
{
	struct question *q = arg;

	/* An id that a client chose may be one that leatd made up for another: then both are meant. */
	if (ex->unit)
		q->cancelled |= ex->unit->class->cancel(ex->unit, q->id);
	else if (strcmp(ex->job->id, q->id) == 0 || (ex->job->pipe && pipe_has(ex->job->pipe, q->id)))
		q->cancelled |= exchange_cancel(ex);
	return true;
}

static void answer_question(struct loop *loop, struct question *q)
{
	switch (q->kind) {
	case INQUIRY_JOBS:
		exchanges_each(loop, list, &q->jobs);
		break;
	case INQUIRY_CANCEL:
		exchanges_each(loop, cancel, q);
		break;
	case INQUIRY_RELOAD:
		break;
	}
}

/* --- Asking --- */

static struct question *question_copy(const struct question *from)
{
	struct question *q = malloc(sizeof(*q));

	if (q)
		*q = *from;
	return q;
}

void inquiry_reload_free(struct inquiry_reload *reload)
{
	buf_free(&reload->words);
	buf_free(&reload->at_restart);
}

static void question_free(struct question *q)
{
	jobs_free(&q->jobs);
	inquiry_reload_free(&q->reload);
	free(q);
}

static void send_to(struct chan *to, struct inquiry *inquiry)
{
	struct question *q = question_copy(&inquiry->all);

	if (q && chan_try_send(to, &q) == CHAN_OK) {
		inquiry->unanswered++;
		return;
	}
	free(q);
	inquiry->all.jobs.no_memory = true;
}

static void ask_main(struct loop *loop, struct inquiry *inquiry)
{
	inquiry->all.number = ++loop->inquiry_number;
	if (!loop->stopping)
		send_to(loop->leatd->reloads, inquiry);
}

/* The others first, who do it meanwhile. */
static void ask_all(struct loop *loop, struct inquiry *inquiry)
{
	inquiry->all.number = ++loop->inquiry_number;
	for (size_t i = 0; i < loop->mail_count && !loop->stopping; i++) {
		if (i != loop->index)
			send_to(loop->mails[i], inquiry);
	}
	answer_question(loop, &inquiry->all);
}

static void ask(struct loop *loop, struct inquiry *inquiry)
{
	if (inquiry->all.kind == INQUIRY_RELOAD)
		ask_main(loop, inquiry);
	else
		ask_all(loop, inquiry);
}

static void gather(struct question *all, struct question *q)
{
	for (size_t i = 0; i < q->jobs.count; i++)
		jobs_add(&all->jobs, &q->jobs.at[i]);
	all->jobs.more += q->jobs.more;
	all->jobs.no_memory |= q->jobs.no_memory;
	all->cancelled |= q->cancelled;
	if (q->answered) {
		all->answered = true;
		all->reload = q->reload;
		q->reload = (struct inquiry_reload){ 0 };
	}
}

/* All have answered, or are not waited for any more. */
static void finish(struct loop *loop)
{
	struct inquiry *inquiry = loop->inquiries;
	struct jobs *jobs = &inquiry->all.jobs;

	loop->inquiries = inquiry->next;
	if (inquiry->exchange) {
		if (jobs->count)
			qsort(jobs->at, jobs->count, sizeof(*jobs->at), older);
		inquiry->exchange->inquiry = NULL;
		inquiry->answer(inquiry->exchange, &(struct inquiry_result){
			.now = loop->now, .jobs = jobs->at, .count = jobs->count, .more = jobs->more,
			.cancelled = inquiry->all.cancelled, .no_memory = jobs->no_memory,
			.reload = inquiry->all.answered ? &inquiry->all.reload : NULL,
		});
	}
	jobs_free(jobs);
	inquiry_reload_free(&inquiry->all.reload);
	free(inquiry);
}

/* Asks the first in line, and those behind it as long as they are answered at once. */
static void go_on(struct loop *loop)
{
	while (loop->inquiries) {
		/* A client that has gone while it waited for its turn wants nothing cancelled either. */
		if (loop->inquiries->exchange)
			ask(loop, loop->inquiries);
		if (loop->inquiries->unanswered > 0)
			return;
		finish(loop);
	}
}

static struct inquiry *inquiry_new(struct loop *loop, enum inquiry_kind kind, void (*answer)(struct exchange *, const struct inquiry_result *))
{
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (!inquiry)
		return NULL;
	inquiry->answer = answer;
	inquiry->all.kind = kind;
	inquiry->all.asker = loop->index;
	inquiry->all.jobs.leatd = loop->leatd;
	return inquiry;
}

/* At the end of the line. */
static void enter(struct loop *loop, struct inquiry *inquiry)
{
	struct inquiry **last = &loop->inquiries;

	while (*last)
		last = &(*last)->next;
	*last = inquiry;
	if (loop->inquiries == inquiry)
		go_on(loop);
}

void inquiry_start(struct exchange *ex, enum inquiry_kind kind, struct slice id,
		   void (*answer)(struct exchange *, const struct inquiry_result *))
{
	struct loop *loop = ex->conn->loop;
	struct inquiry *inquiry = inquiry_new(loop, kind, answer);

	if (!inquiry || !(inquiry->exchange = exchange_later(ex, inquiry))) {
		free(inquiry);
		ex->conn->broken = true;
		return;
	}
	memcpy(inquiry->all.id, id.at, id.len < JOB_ID_MAX ? id.len : JOB_ID_MAX);
	enter(loop, inquiry);
}

bool inquiry_follow(struct exchange *ex, enum inquiry_kind kind, void (*answer)(struct exchange *, const struct inquiry_result *))
{
	struct loop *loop = ex->conn->loop;
	struct inquiry *inquiry = inquiry_new(loop, kind, answer);

	if (!inquiry)
		return false;
	inquiry->exchange = ex;
	ex->inquiry = inquiry;
	enter(loop, inquiry);
	return true;
}

void inquiry_forget(struct inquiry *inquiry)
{
	inquiry->exchange = NULL;
}

void inquiry_mail(struct loop *loop, struct question *q)
{
	struct inquiry *asked = loop->inquiries;

	if (q->asker != loop->index) {
		answer_question(loop, q);
		if (chan_try_send(loop->mails[q->asker], &q) != CHAN_OK)
			question_free(q);
		return;
	}
	/* Of another number: it was not waited for any more. */
	if (asked && asked->all.number == q->number) {
		gather(&asked->all, q);
		if (--asked->unanswered == 0) {
			finish(loop);
			go_on(loop);
		}
	}
	question_free(q);
}

void inquiries_finish(struct loop *loop)
{
	/* Those that come from now on are not sent to anybody: loop->stopping. */
	if (loop->inquiries) {
		finish(loop);
		go_on(loop);
	}
}

struct chan *inquiry_mail_new(size_t loops)
{
	/* One question of each loop, and the answers to one of ours. */
	return chan_new(sizeof(struct question *), 2 * loops + 1);
}

void inquiry_answer_reload(struct question *q, struct chan *const *mails, struct inquiry_reload *reload)
{
	q->answered = true;
	q->reload = *reload;
	*reload = (struct inquiry_reload){ 0 };
	if (chan_try_send(mails[q->asker], &q) != CHAN_OK)
		question_free(q);
}


void inquiry_mail_free(struct chan *mail)
{
	struct question *q;

	while (mail && chan_try_recv(mail, &q) == CHAN_OK)
		question_free(q);
	chan_unref(mail);
}
