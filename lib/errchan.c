#include "errchan.h"
#include "chan.h"
#include "lock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct errchan {
	shim_u32 refs;
	struct chan *notes;
	shim_u64 dropped;

	struct lock lock;          /* guards the rest */
	struct error_note first;   /* if `any` */
	bool any;
};

struct errchan *errchan_new(size_t capacity)
{
	struct errchan *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	shim_init(&e->refs, 1);
	e->notes = chan_new(sizeof(struct error_note), capacity);
	if (e->notes)
		return e;
	free(e);
	return NULL;
}

struct errchan *errchan_ref(struct errchan *e)
{
	shim_add(&e->refs, 1, relaxed);
	return e;
}

void errchan_unref(struct errchan *e)
{
	if (!e || shim_sub(&e->refs, 1, acq_rel) != 1)
		return;
	chan_unref(e->notes);
	free(e);
}

static void remember_first(struct errchan *e, const struct error_note *note)
{
	lock_acquire(&e->lock);
	if (!e->any)
		e->first = *note;
	e->any = true;
	lock_release(&e->lock);
}

bool errchan_report(struct errchan *e, int64_t code, const char *format, ...)
{
	struct error_note note = { .when = moment_now(), .code = code };
	va_list args;

	va_start(args, format);
	vsnprintf(note.text, sizeof(note.text), format, args);
	va_end(args);
	remember_first(e, &note);
	if (chan_try_send(e->notes, &note) == CHAN_OK)
		return true;
	shim_add(&e->dropped, 1, relaxed);
	return false;
}

void errchan_close(struct errchan *e)
{
	chan_close(e->notes);
}

struct chan *errchan_chan(struct errchan *e)
{
	return e->notes;
}

bool errchan_first(struct errchan *e, struct error_note *note)
{
	bool any;

	lock_acquire(&e->lock);
	any = e->any;
	if (any)
		*note = e->first;
	lock_release(&e->lock);
	return any;
}

uint64_t errchan_dropped(const struct errchan *e)
{
	return shim_load(&e->dropped, relaxed);
}
