/* What the commands that run jobs have in common. */
#ifndef LEAT_RUN_H
#define LEAT_RUN_H

#include "ask.h"
#include "bytes.h"
#include "command.h"

#include <stdint.h>

/* What --deadline, --arg and --id say, or a complaint. `*deadline` is in milliseconds, 0: none. */
enum status check_deadline(const char *text, int64_t *deadline) must_check;
enum status check_args(const struct invocation *) must_check;

enum status check_id(const char *id) must_check;

/* Writes the one output that the answer is: its bytes, or with --json an object. */
enum status print_output(const struct invocation *, struct answer *) must_check;
/* Refuses --stream with --json. */
enum status check_form(const struct invocation *) must_check;

/* Words of a request. */
void add_number(struct bytes *request, const char *option, int64_t number);
void add_deadline(struct bytes *request, int64_t deadline);
void add_args(struct bytes *request, const struct invocation *);

/* How long to wait for the answer, in nanoseconds. */
int64_t patience_for(int64_t deadline);

#endif
