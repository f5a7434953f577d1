/* Small fast random numbers for fair choices; each thread has its own. Not for secrets. */
#ifndef LEAT_RANDOM_H
#define LEAT_RANDOM_H

#include <stdint.h>

/* Uniform in [0, n), n > 0. Any thread. */
uint32_t random_below(uint32_t n);

/* Makes this thread's numbers repeatable. */
void random_seed(uint64_t seed);

#endif
