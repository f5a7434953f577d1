/* The answer to one HTTP request, as its bytes come. No I/O. The body is handed on in pieces and forgotten, so memory does not grow with it. */
#ifndef LEAT_HTTP_H
#define LEAT_HTTP_H

#include "bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum http_state {
	HTTP_STATUS_LINE, HTTP_HEADERS, HTTP_LENGTH, HTTP_UNTIL_CLOSE, HTTP_CHUNK_SIZE, HTTP_CHUNK, HTTP_CHUNK_END, HTTP_TRAILERS
};

/* Start with zeros; release with http_reader_free(). */
struct http_reader {
	int status;                     /* 0: not known yet */
	struct bytes outcome, error;    /* Leat-Outcome and Leat-Error, of the head or of the trailer */

	/* Private to http.c. */
	enum http_state state;
	struct bytes line;              /* the present one, as far as it has come */
	bool chunked;
	uint64_t left;                  /* of the body or of the chunk */
};

enum http_status { HTTP_MORE, HTTP_BODY, HTTP_DONE, HTTP_BAD };

/* Looks at `len` bytes, and uses the first *used of them, of which with HTTP_BODY the last *body are of the body. HTTP_MORE: all are used.
 * HTTP_BAD: *why says what is wrong (static). */
enum http_status http_read(struct http_reader *, const char *bytes, size_t len, size_t *used, size_t *body, const char **why) must_check;

/* The last byte of a body with a length has been handed on. */
bool http_is_whole(const struct http_reader *);
/* The server has closed: whether that is the end of the answer. */
bool http_ends_with_close(const struct http_reader *);

void http_reader_free(struct http_reader *);

#endif
