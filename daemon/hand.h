/* A runner's turn with a hand of a batch (batch.h): it does one item after the other, until about a millisecond is over or there are none
 * left. If others wait for a runner of this type, it then goes to the end of their line. An item that takes longer is a turn by itself.
 * While too much of the batch's results has not been taken, it leaves the runner and lies in the batch, until the loop sends it again.
 * On a runner's thread. */
#ifndef LEAT_HAND_H
#define LEAT_HAND_H

struct job;

/* Takes the hand over. */
void hand_run(struct job *hand);

#endif
