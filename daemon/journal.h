/* The journal of systemd, by its native protocol and without ever blocking, which sd_journal_send(3) may: the entry as fields, a datagram.
 * For the log's thread. */
#ifndef LEAT_JOURNAL_H
#define LEAT_JOURNAL_H

#include "slice.h"
#include "../lib/compiler.h"

/* Whether systemd has connected stderr to the journal: then it reads fields, too. */
bool journal_has_stderr(void);

/* A non-blocking socket to it, or -errno. */
must_check int journal_open(void);

/* Adds a field to an entry: `KEY=text\n`. The text must be of one line. Returns the new length; a field for which there is no room is
 * left out. */
size_t journal_add(char *entry, size_t used, size_t room, const char *key, struct slice text);

/* The name that a field of the log has in the journal: LEAT_ and capitals. Those of a trace are as OpenTelemetry calls them. */
enum { JOURNAL_KEY_MAX = 48 };
void journal_key(const char *key, char room[JOURNAL_KEY_MAX]);

#endif
