#include "secret.h"

#include "../lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char credential_prefix[] = "credential:";

char *secret_path(const char *value, char why[SECRET_WHY_MAX])
{
	size_t prefix = strlen(credential_prefix);
	const char *folder = getenv("CREDENTIALS_DIRECTORY"), *name = value + prefix;
	char *path;

	if (strncmp(value, credential_prefix, prefix) != 0) {
		path = strdup(value);
	} else if (*name == '\0' || strchr(name, '/') || *name == '.') {
		snprintf(why, SECRET_WHY_MAX, "is not credential:NAME");
		return NULL;
	} else if (!folder || !*folder) {
		snprintf(why, SECRET_WHY_MAX, "is handed over by systemd only: LoadCredential=%.100s:FILE in the unit", name);
		return NULL;
	} else if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
	}
	if (!path)
		snprintf(why, SECRET_WHY_MAX, "%s", strerror(ENOMEM));
	return path;
}

/* systemd gives us its credentials by an access list, which shows as the rights of the group; the folder keeps all others out. */
static bool is_credential(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t len = folder ? strlen(folder) : 0;

	return len > 0 && strncmp(path, folder, len) == 0 && path[len] == '/' && !strstr(path + len, "..");
}

static bool is_kept_secret(const struct stat *st, const char *path, enum secret_readers readers, char why[SECRET_WHY_MAX])
{
	mode_t others = readers == SECRET_GROUP || is_credential(path) ? 0007 : 0077;

	if (st->st_uid != geteuid() && st->st_uid != 0)
		snprintf(why, SECRET_WHY_MAX, "belongs to user %u, who could change it: chown it to root or to the user of leatd", (unsigned)st->st_uid);
	else if (st->st_mode & (others | 0022))
		snprintf(why, SECRET_WHY_MAX, "has mode %04o, so others may read or change it: chmod %s it", (unsigned)(st->st_mode & 07777),
			 readers == SECRET_GROUP ? "0640" : "0600");
	else
		return true;
	return false;
}

/* The bytes, as many as st_size says, or what there is. */
static char *read_whole(int fd, size_t size, size_t *len)
{
	char *bytes = malloc(size + 1);

	*len = 0;
	while (bytes && *len < size) {
		ssize_t n = read(fd, bytes + *len, size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			secret_free(bytes, *len);
			return NULL;
		}
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	if (bytes)
		bytes[*len] = '\0';
	return bytes;
}

char *secret_read(const char *path, enum secret_readers readers, size_t max, size_t *len, char why[SECRET_WHY_MAX])
{
	/* A FIFO must not make us wait. */
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	char *bytes;

	if (fd < 0 || fstat(fd, &st) < 0) {
		snprintf(why, SECRET_WHY_MAX, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)max) {
		snprintf(why, SECRET_WHY_MAX, "is not a file of at most %zu bytes", max);
		return NULL;
	}
	if (!is_kept_secret(&st, path, readers, why))
		return NULL;
	bytes = read_whole(fd, (size_t)st.st_size, len);
	if (!bytes)
		snprintf(why, SECRET_WHY_MAX, "cannot be read: %s", strerror(errno));
	return bytes;
}

void secret_free(char *bytes, size_t len)
{
	if (!bytes)
		return;
	explicit_bzero(bytes, len);
	free(bytes);
}
