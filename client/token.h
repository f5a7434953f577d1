/* The token that says who we are: a file of one line. */
#ifndef LEAT_TOKEN_H
#define LEAT_TOKEN_H

#include "bytes.h"
#include "exit.h"

/* Adds the command that sends it. Complains if the file is not one of a token. */
enum status token_add(struct bytes *request, const char *file) must_check;
/* The same with the header of HTTP that sends it. */
enum status token_add_header(struct bytes *request, const char *file) must_check;

#endif
