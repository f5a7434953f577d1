#include "hand.h"

#include "admit.h"
#include "batch.h"
#include "run.h"
#include "semaphores.h"

/* How long a turn is. */
#define TURN_NS (1 * MILLISECONDS)

/* Runs the hand's item, if that is worth it. True: it is to be seen; false: somebody else has answered it. */
static bool do_item(struct job *hand, bool may_block, moment *now)
{
	enum code why = run_why_not(hand, *now);
	bool seen;

	if (why != CODE_OK) {
		batch_end_waiting(hand, why, *now);
		return true;
	}
	batch_start(hand, may_block, *now);
	run_kind(hand);
	*now = moment_now();
	seen = batch_end_running(hand, *now);
	job_log_ended(hand, *now);
	return seen;
}

/* Permits come first, so that an item waits for them as those do that no hand has taken yet. If they are not to be had, the context has
 * ended, and run_why_not() says so. */
static bool do_next_with_permits(struct job *hand, moment *now)
{
	bool held, taken, seen = false;

	if (!batch_has_more(hand->batch))
		return false;
	held = semaphores_take(hand);
	*now = moment_now();
	taken = batch_take(hand);
	if (taken)
		seen = do_item(hand, true, now);
	/* Permits and place are free before anybody can read the answer. */
	if (held)
		semaphores_give_back(hand->type);
	if (seen)
		batch_publish(hand);
	return taken;
}

/* False: there was none left. */
static bool do_next(struct job *hand, bool may_block, moment *now)
{
	if (hand->type->uses_count > 0)
		return do_next_with_permits(hand, now);
	if (!batch_take(hand))
		return false;
	if (do_item(hand, may_block, now))
		batch_publish(hand);
	return true;
}

/* What has ended is not kept back by what may be long. */
static void pass_gate(struct job *hand)
{
	if (!gate_is_shut(hand->type->gate))
		return;
	batch_ring(hand->batch);
	gate_pass(hand->type->gate, hand->ctx, FOREVER);
}

/* False: there are no items left. Ends early when the batch is full. */
static bool take_turn(struct job *hand, bool may_block)
{
	moment now = moment_now(), until = moment_add(now, TURN_NS);
	bool more;

	do {
		pass_gate(hand);
		more = do_next(hand, may_block, &now);
		if (may_block)
			batch_ring(hand->batch);
	} while (more && now < until && !batch_is_full(hand->batch));
	batch_ring(hand->batch);
	return more;
}

static bool others_wait(const struct type *type)
{
	return chan_len(pool_chan(type->pool)) > 0;
}

void hand_run(struct job *hand)
{
	/* For a permit any kind may wait. */
	bool may_block = run_may_block(hand->type) || hand->type->uses_count > 0;

	while (!batch_hold(hand)) {
		if (!take_turn(hand, may_block)) {
			batch_free_hand(hand);
			return;
		}
		if (others_wait(hand->type) && admit_again(hand))
			return;
	}
}
