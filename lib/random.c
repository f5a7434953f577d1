#include "random.h"
#include "moment.h"

static _Thread_local uint64_t state;

/* splitmix64 (Steele, Lea, Flood 2014): every seed is a good one, 0 too. */
static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void random_seed(uint64_t seed)
{
	state = seed ? seed : 1;
}

/* Lemire 2019: the high half of the product, without those low halves that would be one too many. */
uint32_t random_below(uint32_t n)
{
	uint64_t product;

	/* The address differs from thread to thread, the clock from run to run. */
	if (state == 0)
		random_seed((uint64_t)(uintptr_t)&state ^ (uint64_t)moment_now());
	do {
		product = (next() >> 32) * n;
	} while ((uint32_t)product < n && (uint32_t)product < -n % n);
	return (uint32_t)(product >> 32);
}
