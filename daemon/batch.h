/* A batch: many payloads of one job type that are admitted as one unit; what MAP asks for.
 *
 * It is not as many jobs. It has one, the whole, with the id, the deadline, the context and the charge, which never runs; and an item for
 * each payload, which is counted in the books as a job is. Items are done by hands: a few small jobs that lie in the type's channel like any
 * other, and of which each does one item after the other (hand.h). So there are never more items running than hands, which is the width.
 *
 * Hands take items by counting `next` up. Who may end an item is decided by its state, as with a job: a hand claims it to run it, its
 * loop claims it to give it up, or to part from a run that does not come back. An item that is over is put into `order`, from which the loop
 * takes it, and the loop is told by the whole's going home, once for all that has ended by then (`rung`).
 *
 * Results that the connection does not take, because its client does not read or because an earlier one is to go first, may hold only so
 * many bytes: then no item is begun, and hands leave their runners to others and lie in the batch until enough of that has been taken. It goes
 * on in any case, for items are begun in order: the one that is to be written next has been begun before any whose result waits for it.
 *
 * The loop and each hand have a reference on the whole, and so has its way home. */
#ifndef LEAT_BATCH_H
#define LEAT_BATCH_H

#include "job.h"
#include "../lib/lock.h"

enum {
	BATCH_ITEMS_MAX = 10000,
	BATCH_ID_MAX = JOB_ID_MAX - 5,          /* the id of an item is that of the batch, a dot, and its index */
};

struct batch_item {
	struct slice payload;
	shim_u32 state;                 /* enum job_state */

	/* Set by whoever has claimed it, before it is in `order`; of an abandoned one nothing but `started` may be looked at. */
	enum code code;
	moment started, ended;          /* started: 0 if it never ran */
	struct slice output;            /* CODE_OK; otherwise the error as bytes, or nothing, and then the code says it all */
	char *owned;                    /* holds the output; NULL: that is borrowed from the payload */
	size_t charged;                 /* bytes of the memory budget for it */

	/* Guarded by the lock of the batch. */
	struct ctx *ctx;                /* of its run, if it can be cancelled by itself */
	bool cancelled;

	bool over;                      /* the loop's: it has come out of `order` */
};

struct batch {
	/* Set once. */
	struct job *whole;              /* which owns the batch */
	size_t count, quorum;           /* quorum: when so many have succeeded no more are begun */
	size_t hands;                   /* how many at most */
	uint64_t most_unread;           /* bytes: over it nothing is begun */
	bool http;                      /* how errors become bytes: an object of JSON, else a whole error of the line protocol */

	/* Anyone's. */
	shim_u64 next;                  /* the index of the next item */
	shim_u64 succeeded;
	shim_u64 ended;                 /* places of `order` that are given */
	shim_u64 unread;                /* bytes of the results that have not been taken */
	shim_u32 rung;                  /* the whole is on its way home, or need not go any more */

	struct lock lock;               /* guards these, and what is said above */
	size_t hands_out;
	bool given_up;
	struct job *held;               /* hands that lie here */
	uint64_t held_items;            /* that the books have as held back, since there are such hands */

	/* The loop's. */
	size_t seen;                    /* of `order` */
	size_t succeeded_seen;
	size_t abandoned;
	moment abandoned_at;

	shim_u32 *order;                /* indices from 1, in the order in which they ended; 0: not yet */
	struct batch_item items[];
};

/* What it is made from; everything is copied. */
struct batch_order {
	const struct slice *payloads;
	size_t count, bytes;            /* bytes: of all payloads */
	uint64_t width;                 /* as the client wants it; 0: not limited */
	size_t quorum;
	size_t hands;                   /* request.c's: how many there are to be at most */
	bool http;
};

/* What a batch is charged with beside its whole. */
size_t batch_size(size_t count, size_t payload_bytes, size_t hands);

/* Gives the whole its items. The charge, batch_size(), has been made, and becomes the whole's. NULL: no memory, and the charge is still the
 * caller's. */
must_check struct batch *batch_new(struct job *whole, const struct batch_order *);
/* With the whole; no hand is out any more. */
void batch_free(struct batch *);

/* A hand, with a reference on the whole. NULL: no memory. */
must_check struct job *batch_new_hand(struct batch *);
void batch_free_hand(struct job *hand);

/* Whether there may be something left for a hand to begin. */
bool batch_has_more(const struct batch *);

/* The id of an item. */
void batch_item_id(const struct batch *, const struct batch_item *, char id[JOB_ID_MAX + 1]);

/* --- For hand.c, on a runner's thread --- */

/* Whether too much of its results has not been taken. */
static inline bool batch_is_full(const struct batch *b)
{
	return shim_load(&b->unread, relaxed) > b->most_unread;
}

/* True: it is full, and the hand is the batch's until it is let go. */
must_check bool batch_hold(struct job *hand);
/* Claims the next item for the hand, which becomes the job of that item. False: there is none left. */
must_check bool batch_take(struct job *hand);
/* The hand's item is not worth to be begun, or it begins: with a context of its own, if it may be long. */
void batch_end_waiting(struct job *hand, enum code, moment now);
void batch_start(struct job *hand, bool with_ctx, moment now);
/* The run is over, and the hand has its answer; the place is free when this returns. False: it was abandoned. */
must_check bool batch_end_running(struct job *hand, moment now);
/* The item of the hand can be seen by the loop, which batch_ring() tells. */
void batch_publish(struct job *hand);
void batch_ring(struct batch *);

/* --- For its loop --- */

/* The whole has come home: what ends from now on rings again. */
void batch_hush(struct batch *);
/* No hand rings any more. False: one has just done so, and the whole is yet to come home, for the last time. */
must_check bool batch_silence(struct batch *);
/* The next item that is over, in the order in which they ended; NULL: none for now. */
struct batch_item *batch_next_over(struct batch *);

/* Ends all that wait; `code` is CODE_TIMEOUT or CODE_CANCELED. */
void batch_give_up(struct batch *, enum code, moment now);
/* All of it is over: nothing is left for its hands, which may lie in the channel for long. */
void batch_close(struct batch *);
/* Cancels one item. False: it is over. */
bool batch_cancel_item(struct batch *, struct batch_item *, moment now);
/* Does not wait any longer for those that run. False: one of them has not quite begun or ended. */
bool batch_abandon(struct batch *, moment now);

/* The answer of an item that is over, without success, and has no bytes of its own. `detail` is room for its words. */
struct answer batch_item_answer(const struct batch *, const struct batch_item *, char *detail, size_t detail_len);

/* The hands that are held, once half of what they are held for has been taken: the first, and the others behind its `next`; or NULL. */
must_check struct job *batch_let_go(struct batch *);
/* It could not go, and is held on. */
void batch_hold_on(struct job *hand);

/* Its result has been taken. */
void batch_taken(struct batch *, struct batch_item *);
/* Its output is not needed any more. */
void batch_forget_output(struct batch *, struct batch_item *);

#endif
