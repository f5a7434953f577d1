/* A client's connection, and the conversation on it: what is said, and what is heard for it. Every wait ends after half a minute, with
 * the test. */
#ifndef LEAT_TALK_H
#define LEAT_TALK_H

#include "../../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct server;

struct client {
	int fd;                 /* -1: hung up */
	char *in;               /* what has come */
	size_t len, cap;
	size_t at;              /* ... and was heard up to here */
	bool over;              /* the server sends no more */
	const char *said;       /* the last thing said, for the messages */
	struct client *next;
};

struct client *dial(const struct server *);
struct client *dial_unix(const struct server *);

/* Says it all. What comes in meanwhile is kept. */
void say(struct client *, const char *text);
void sayf(struct client *, const char *format, ...) printf_like(2, 3);
void say_bytes(struct client *, const void *bytes, size_t len);

/* Whether the server has read all that was said. Only of a dial_unix(), whose kernel tells. */
bool is_read(const struct client *);

/* Waits for exactly this. */
#define hear(c, text) hear_bytes(c, text, strlen(text))
#define hear_bytes(c, bytes, len) hear_at(c, bytes, len, HERE)
/* Waits for a line, without its CR LF, that matches an extended regular expression; returns it. */
#define hear_match(c, pattern) hear_match_at(c, pattern, HERE)
/* Waits for the end: the server has closed, and said nothing more. */
#define hear_end(c) hear_end_at(c, HERE)

#define HERE_TEXT(line) #line
#define HERE_LINE(line) HERE_TEXT(line)
#define HERE __FILE__ ":" HERE_LINE(__LINE__)
void hear_at(struct client *, const void *bytes, size_t len, const char *here);
const char *hear_match_at(struct client *, const char *pattern, const char *here);
void hear_end_at(struct client *, const char *here);

/* Waits for a whole answer of the line protocol, and returns its bytes; a NUL follows them. */
char *hear_reply(struct client *);
/* Waits until the server has closed, and returns what was not heard yet. */
char *hear_rest(struct client *, size_t *len);

/* Whether anything has come that was not heard yet. Does not wait. */
bool can_hear(struct client *);
/* Whether the server has closed. Does not wait. */
bool is_over(struct client *);

/* Waits for more bytes; false: there will be none. */
bool hear_more(struct client *);

/* FIN: says that no more will be said, and goes on hearing. */
void end_saying(struct client *);
/* Closes, as a program does that ends. */
void hang_up(struct client *);
/* Closes with RST. */
void reset(struct client *);

/* All of this test's. */
void clients_hang_up(void);

#endif
