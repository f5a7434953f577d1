/* Somebody who says "Joe 0", "Joe 1" and so on: the generator of 01_generator.c, for the examples after it. */
#ifndef BORING_H
#define BORING_H

#include "line.h"

#include "../../lib/generator.h"

struct speaker {
	const char *name;
	int said, most;
};

static inline bool boring_next(void *elem, struct ctx *ctx, void *arg)
{
	struct speaker *speaker = arg;

	if (speaker->said == speaker->most)
		return false;
	nap(ctx);
	*(struct line *)elem = line_of("%s %d", speaker->name, speaker->said++);
	return true;
}

/* Says so many lines, a millisecond apart at most, and ends; -1: goes on until the channel is closed, or the ctx ends. */
static inline struct chan *boring(const char *name, int most, struct ctx *ctx)
{
	struct speaker *speaker = must(malloc(sizeof(*speaker)));

	*speaker = (struct speaker){ name, 0, most };
	return must(generator_start(&(struct generator_options){
		.out = { .elem_size = sizeof(struct line) }, .next = boring_next, .end = free, .arg = speaker, .name = name }, ctx));
}

#endif
