#include "reply.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *reply_kind_name(enum reply_kind kind)
{
	switch (kind) {
	case REPLY_OK:
		return "ok";
	case REPLY_REFUSED:
		return "refused";
	case REPLY_TIMEOUT:
		return "timeout";
	case REPLY_ERROR:
		return "error";
	case REPLY_KINDS:
		break;
	}
	abort();
}

/* Takes the word at `at`, which may be NULL. */
static void set_reason(struct reply *reply, const char *at)
{
	size_t n = 0;

	while (at && n < sizeof(reply->reason) - 1 && (isalnum((unsigned char)at[n]) || at[n] == '_')) {
		reply->reason[n] = at[n];
		n++;
	}
	reply->reason[n] = 0;
}

/* What follows `name` in the text from `text` to `end`. */
static const char *after(const char *text, const char *end, const char *name)
{
	const char *at = memmem(text, (size_t)(end - text), name, strlen(name));

	return at ? at + strlen(name) : NULL;
}

static void read_run_time(const char *head, const char *end, struct reply *reply)
{
	const char *timing = after(head, end, "\r\nServer-Timing: "), *run;

	reply->run_ns = -1;
	run = timing ? strstr(timing, "run;dur=") : NULL;
	if (run && run < strstr(timing, "\r\n"))
		reply->run_ns = (int64_t)(strtod(run + strlen("run;dur="), NULL) * 1e6);
}

static void judge_status(int status, const char *body, const char *end, struct reply *reply)
{
	switch (status) {
	case 200:
		reply->kind = REPLY_OK;
		set_reason(reply, NULL);
		break;
	case 503:
		reply->kind = REPLY_REFUSED;
		set_reason(reply, after(body, end, "\"reason\":\""));
		break;
	case 504:
		reply->kind = REPLY_TIMEOUT;
		set_reason(reply, after(body, end, "\"state\":\""));
		break;
	default:
		reply->kind = REPLY_ERROR;
		set_reason(reply, after(body, end, "\"code\":\""));
		break;
	}
}

ssize_t reply_http(const char *bytes, size_t size, struct reply *reply)
{
	const char *body = after(bytes, bytes + size, "\r\n\r\n"), *length, *end;
	unsigned long body_size;

	if (!body)
		return 0;
	if (strncmp(bytes, "HTTP/1.1 ", 9) != 0)
		return -1;
	length = after(bytes, body, "\r\nContent-Length: ");
	if (!length || !isdigit((unsigned char)*length))
		return -1;
	body_size = strtoul(length, NULL, 10);
	if (body_size > size - (size_t)(body - bytes))
		return 0;
	end = body + body_size;
	read_run_time(bytes, body, reply);
	judge_status(atoi(bytes + 9), body, end, reply);
	return end - bytes;
}

static void judge_error(const char *line, const char *end, struct reply *reply)
{
	if (strncmp(line, "BUSY ", 5) == 0) {
		reply->kind = REPLY_REFUSED;
		set_reason(reply, after(line, end, " reason="));
	} else if (strncmp(line, "DRAINING", 8) == 0) {
		reply->kind = REPLY_REFUSED;
		set_reason(reply, "draining");
	} else if (strncmp(line, "TIMEOUT ", 8) == 0) {
		reply->kind = REPLY_TIMEOUT;
		set_reason(reply, after(line, end, " state="));
	} else {
		reply->kind = REPLY_ERROR;
		set_reason(reply, line);
	}
}

ssize_t reply_resp(const char *bytes, size_t size, struct reply *reply)
{
	const char *line_end = after(bytes, bytes + size, "\r\n");
	size_t whole;

	if (!line_end)
		return 0;
	whole = (size_t)(line_end - bytes);
	reply->kind = REPLY_OK;
	reply->run_ns = -1;
	set_reason(reply, NULL);
	switch (bytes[0]) {
	case '+':
		return (ssize_t)whole;
	case '-':
		judge_error(bytes + 1, line_end, reply);
		return (ssize_t)whole;
	case '$':
		if (!isdigit((unsigned char)bytes[1]))
			return -1;
		whole += strtoul(bytes + 1, NULL, 10) + 2;
		return whole <= size ? (ssize_t)whole : 0;
	default:
		return -1;
	}
}
