#include "turn.h"

enum chan_status turn_say(struct chan *out, void *message, struct ctx *ctx, moment deadline)
{
	struct turn *turn = message;
	struct chan *wait = chan_new(0, 0);
	enum chan_status status;

	turn->wait = NULL;
	if (!wait)
		return CHAN_NOMEM;
	turn->wait = chan_ref(wait);
	status = chan_send(out, message, ctx, deadline);
	if (status != CHAN_OK) {
		chan_unref(wait);
		turn->wait = NULL;
	} else {
		/* Closing is how the turn is given: it cannot block, whether or not we still wait. */
		status = chan_recv(wait, NULL, ctx, deadline);
		if (status == CHAN_CLOSED)
			status = CHAN_OK;
	}
	chan_unref(wait);
	return status;
}

void turn_give(struct turn *turn)
{
	chan_close(turn->wait);
	chan_unref(turn->wait);
	turn->wait = NULL;
}

void turn_drop(void *message, unused_arg void *unused)
{
	turn_give(message);
}
