/* What systemd hears of leatd (sd_notify(3)), and shows in `systemctl status`: that it is ready, that it reads its files again, that it
 * stops and how long that may take, and a line that says what it is doing. Without systemd all of this does nothing. On main's thread. */
#ifndef LEAT_NOTIFY_H
#define LEAT_NOTIFY_H

#include "../lib/moment.h"

struct leatd;

enum { NOTIFY_LINE_MAX = 256 };

struct notify {
	char said[NOTIFY_LINE_MAX];     /* the line that systemd has */
	char fault[NOTIFY_LINE_MAX / 2];        /* why the files that were read again are not in force, or empty */
	moment next;            /* when to look whether there is another line */
	moment drain_until;     /* when what drains is cancelled; 0: it does not drain */
};

void notify_ready(struct notify *, const struct leatd *);

/* Around reading files again. `fault`: nothing was changed, and why; it stays in the line until the next time. NULL: it went well. */
void notify_reloading(void);
void notify_reloaded(struct notify *, const struct leatd *, const char *fault);

/* leatd drains until then; FOREVER: what is left is being cancelled. */
void notify_stopping(struct notify *, const struct leatd *, moment until);
/* All jobs are over; connections may take until then to fetch their answers, and then the workers end. */
void notify_last_answers(const struct leatd *, moment until);

/* If it is time (once a second): renews the line when it is another one than before, and while leatd drains asks for more time. */
void notify_look(struct notify *, const struct leatd *);

#endif
