/* How a channel is to be: for chan_new_with() of chan.h. */
#ifndef LEAT_CHAN_OPTIONS_H
#define LEAT_CHAN_OPTIONS_H

#include <stddef.h>

/* Promises of the program; breaking them is undefined. At most one thread sends, or receives, at a time. */
enum { CHAN_SINGLE_PRODUCER = 1, CHAN_SINGLE_CONSUMER = 2 };

struct chan_options {
	size_t elem_size;                       /* bytes; 0 is allowed */
	size_t capacity;                        /* exact; 0: rendezvous */
	/* An element lies aligned as its size allows, to 16 bytes at most. */
	void (*drop)(void *elem, void *arg);    /* called once for each element left at the last chan_unref(); may be NULL */
	void *drop_arg;
	unsigned flags;
};

#endif
