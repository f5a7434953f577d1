/* Taking turns: the wait channel, by which a fan-in gets its sequence back. Each message carries a private channel on which its
 * sender waits; the receiver takes one message of each, puts them in order, and then tells each sender to go on. So nobody is
 * more than one message ahead of what the receiver has used.
 *
 *	struct message { struct turn turn; char text[64]; };      the turn comes first
 *	sender:    turn_say(out, &message, ctx, FOREVER);         waits until it is its turn again
 *	receiver:  chan_recv(out, &message, ...); ... turn_give(&message.turn);
 *
 * A receiver that forgets a turn, or throws a message away without giving it, leaves its sender waiting until the
 * ctx or the deadline; letting the channel go does not help, as those who wait hold it. One that waits for a second message
 * of a sender before it has given the first its turn waits for ever. A turn given to a sender that has gone is lost without harm.
 * For results that come out of order see ordered.h (threads) and reorder.h (an event loop), which make nobody wait.
 *
 * After Pike, "Go Concurrency Patterns" (2012), "Restoring sequencing". */
#ifndef LEAT_TURN_H
#define LEAT_TURN_H

#include "chan.h"

struct turn {
	struct chan *wait;   /* closed by the receiver; the message holds one reference */
};

/* Sends `message`, which begins with a struct turn that is filled in here, and waits for its turn. CHAN_OK: go on. Otherwise as
 * for chan_send() and chan_recv(); the message was not sent, and is still the caller's, if its turn's `wait` is NULL. CHAN_NOMEM:
 * not sent. Any thread. */
enum chan_status turn_say(struct chan *out, void *message, struct ctx *, moment deadline);

/* Lets the sender of this message go on; exactly once for each message. Never blocks. Any thread. */
void turn_give(struct turn *);

/* A drop function for channels of messages that own nothing but their turn. */
void turn_drop(void *message, void *unused);

#endif
