#include "worker_errors.h"

#include "leatd.h"
#include "log.h"
#include "program.h"
#include "type.h"

#include <errno.h>
#include <unistd.h>

enum { READS_MAX = 32 };

void worker_errors_init(struct worker_errors *e, struct type *type, int *fd)
{
	*e = (struct worker_errors){ .type = type, .fd = fd };
}

static void end_line(struct worker_errors *e)
{
	if (e->line_len == 0)
		return;
	memcpy(e->last, e->line, e->line_len);
	e->last[e->line_len] = '\0';
	log_info(e->type->leatd->log, "worker", log_text("job", e->type->name), log_text("id", slice_of(e->id)),
		 log_text("error", slice_of(e->last)));
	e->line_len = 0;
}

/* False: there was nothing. */
static bool read_some(struct worker_errors *e)
{
	char room[4096];
	ssize_t n = *e->fd >= 0 ? read(*e->fd, room, sizeof(room)) : -1;

	if (n == 0)
		program_close_fd(e->fd);
	for (ssize_t i = 0; i < n; i++) {
		if (room[i] == '\n')
			end_line(e);
		else if (e->line_len < sizeof(e->line) - 1)
			e->line[e->line_len++] = room[i];
	}
	return n > 0;
}

/* No more than a pipe holds, or one that never stops would keep us. */
static void read_all(struct worker_errors *e)
{
	for (int i = 0; i < READS_MAX && read_some(e); i++)
		;
}

int worker_errors_fd(struct worker_errors *e)
{
	int fd;

	lock_acquire(&e->lock);
	fd = *e->fd;
	lock_release(&e->lock);
	return fd;
}

bool worker_errors_read(struct worker_errors *e)
{
	bool any;

	lock_acquire(&e->lock);
	any = read_some(e);
	lock_release(&e->lock);
	return any;
}

void worker_errors_begin(struct worker_errors *e, const char *id, bool is_ready)
{
	lock_acquire(&e->lock);
	if (is_ready)
		read_all(e);
	end_line(e);
	memcpy(e->id, id, strlen(id) + 1);
	e->last[0] = '\0';
	lock_release(&e->lock);
}

void worker_errors_last(struct worker_errors *e, char last[sizeof(((struct job *)0)->last_error)])
{
	lock_acquire(&e->lock);
	read_all(e);
	end_line(e);
	memcpy(last, e->last, sizeof(e->last));
	lock_release(&e->lock);
}
