/* The terminal as a screen: an alternate one without echo, so that what was on it comes back at the end. Signals that stop the program or
 * say that the window has another size come as keys. Those that end it (SIGINT, SIGTERM, SIGHUP, SIGQUIT) put everything back and end it
 * with status 0 then and there, whatever it waits for.
 * One at a time. */
#ifndef LEAT_SCREEN_H
#define LEAT_SCREEN_H

#include "bytes.h"

#include "../lib/moment.h"

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct screen {
	struct termios before;          /* what the terminal was like */
	int signals;                    /* descriptor */
	size_t rows, columns;
	bool colours;                   /* unless NO_COLOR says no */
};

enum key {
	KEY_NONE = 256,                 /* the time has passed */
	KEY_UP, KEY_DOWN, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME, KEY_END,
	KEY_REDRAW,                     /* it has another size, or comes back from having been stopped */
	KEY_QUIT,                       /* the terminal has gone */
};

/* Whether stdin and stdout are a terminal that can be one. */
bool screen_is_possible(void);
/* Whether stdout wants colours: it is a terminal, and NO_COLOR is not set. */
bool screen_has_colours(void);

/* False: the terminal does not let itself be set. */
bool screen_open(struct screen *) must_check;
/* Puts everything back. exit() does it, too, for a screen that is open. */
void screen_close(struct screen *);

/* Shows a frame. False: the terminal has gone. */
bool screen_show(const struct screen *, const struct bytes *frame) must_check;

/* Waits for a key: a character, or an enum key. */
int screen_key(struct screen *, moment until) must_check;

#endif
