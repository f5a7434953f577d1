/* What the command line and the environment say of the server to ask. */
#ifndef LEAT_SERVER_H
#define LEAT_SERVER_H

struct server {
	const char *address;            /* as in address.h */
	const char *token_file;         /* NULL: no token is sent */
	const char *ca_file;            /* whose certificates are believed; NULL: what the machine believes */
};

#endif
