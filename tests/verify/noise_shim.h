/* The shim of the noise: before each operation of lib/ on a word or a futex, the thread may pause, yield, nap or, seldom,
 * stall for 20 ms: also between the claim of a place and its publishing. LEAT_NOISE=N in the environment makes it N times as
 * loud; 0 is silence. */
#ifndef LEAT_VERIFY_NOISE_SHIM_H
#define LEAT_VERIFY_NOISE_SHIM_H

void noise_point(void);

#define SHIM_POINT() noise_point()

#endif
