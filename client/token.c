#include "token.h"

#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { TOKEN_MAX = 512 };

static bool is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len > 0 && len <= TOKEN_MAX;
}

enum { ROOM = TOKEN_MAX + 3 };

static enum status read_token(const char *file, char text[ROOM], size_t *token_len)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, ROOM);
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (n < 0) {
		complain("cannot read the token file %s: %s", file, strerror(error));
		return STATUS_USAGE;
	}

	size_t len = (size_t)n;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (!is_token(text, len)) {
		complain("the token file %s does not hold a token: one line of visible ASCII characters, at most 512", file);
		return STATUS_USAGE;
	}
	*token_len = len;
	return STATUS_DONE;
}

enum status token_add(struct bytes *request, const char *file)
{
	char text[ROOM];
	size_t len;
	enum status status = read_token(file, text, &len);

	if (status != STATUS_DONE)
		return status;
	request_begin(request, 2);
	request_text(request, "AUTH");
	request_word(request, text, len);
	explicit_bzero(text, sizeof(text));
	return STATUS_DONE;
}

enum status token_add_header(struct bytes *request, const char *file)
{
	char text[ROOM];
	size_t len;
	enum status status = read_token(file, text, &len);

	if (status != STATUS_DONE)
		return status;
	bytes_addf(request, "Authorization: Bearer %.*s\r\n", (int)len, text);
	explicit_bzero(text, sizeof(text));
	return STATUS_DONE;
}
