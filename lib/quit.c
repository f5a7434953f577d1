#include "quit.h"
#include "shim.h"

#include <stdlib.h>

struct quit {
	shim_u32 refs;
	struct chan *asked, *done;   /* room for one word each, so that nobody waits to say it */
};

struct quit *quit_new(size_t word_size)
{
	struct quit *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	shim_init(&q->refs, 1);
	q->asked = chan_new(word_size, 1);
	q->done = chan_new(word_size, 1);
	if (q->asked && q->done)
		return q;
	quit_unref(q);
	return NULL;
}

struct quit *quit_ref(struct quit *q)
{
	shim_add(&q->refs, 1, relaxed);
	return q;
}

void quit_unref(struct quit *q)
{
	if (!q || shim_sub(&q->refs, 1, acq_rel) != 1)
		return;
	chan_unref(q->asked);
	chan_unref(q->done);
	free(q);
}

struct chan *quit_chan(struct quit *q)
{
	return q->asked;
}

void quit_done(struct quit *q, const void *word)
{
	chan_close(q->asked);
	chan_try_send(q->done, word);
	chan_close(q->done);
}

enum chan_status quit_ask(struct quit *q, const void *word, void *last_word, struct ctx *ctx, moment deadline)
{
	enum chan_status status = ctx_error(ctx);

	if (status != CHAN_OK)
		return status;
	/* Full: it was asked before. Closed: it needs no asking. */
	chan_try_send(q->asked, word);
	return chan_recv(q->done, last_word, ctx, deadline);
}
