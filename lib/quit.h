/* The quit channel with a handshake: "stop" and "I have cleaned up", each with a word if wanted. Between one worker and those who
 * may ask it to stop.
 *
 *	worker:  select { CHAN_SEND_CASE(out, &line), CHAN_RECV_CASE(quit_chan(quit), &word) };
 *	         case 1: clean up; quit_done(quit, &last_word); quit_unref(quit);
 *	asker:   quit_ask(quit, &word, &last_word, ctx, deadline);
 *
 * In Go's textbook form both sides share one unbuffered channel: then an asker waits for ever for a worker that has ended by
 * itself, and a worker cannot end when the asker has stopped waiting. Neither happens here, as long as the worker says
 * quit_done() however it ends. A worker that blocks on anything without also selecting on quit_chan() does not hear.
 * To stop many workers at once, without words: a ctx and a waitgroup. Refcounted. */
#ifndef LEAT_QUIT_H
#define LEAT_QUIT_H

#include "chan.h"

struct quit;

/* `word_size`: of what is said in both directions, copied whole; 0: nothing is, and the words are NULL. The caller owns one
 * reference. NULL: no memory. */
struct quit *quit_new(size_t word_size) must_check;
struct quit *quit_ref(struct quit *);
void quit_unref(struct quit *);

/* For the worker. The channel on which it is asked, borrowed: to select on and to receive from. */
struct chan *quit_chan(struct quit *);

/* For the worker: it has cleaned up. Once, the last thing it does, also when nobody has asked. Never blocks. */
void quit_done(struct quit *, const void *word);

/* Asks the worker to stop, if nobody has yet, and waits until it has cleaned up. CHAN_OK: it has, and *last_word (may be NULL) is its
 * word. CHAN_CLOSED: it has, but another asker got its word; *last_word is zeroed. CHAN_WOULD_BLOCK (NOW), CHAN_TIMED_OUT,
 * CHAN_CANCELED, CHAN_DEADLINE: it was asked, and has not yet; may be called again. A ctx that has ended asks nothing. Any thread but
 * the worker's. */
enum chan_status quit_ask(struct quit *, const void *word, void *last_word, struct ctx *, moment deadline);

#endif
