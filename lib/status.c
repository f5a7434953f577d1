#include "status.h"

const char *chan_status_name(enum chan_status status)
{
	switch (status) {
	case CHAN_OK: return "CHAN_OK";
	case CHAN_CLOSED: return "CHAN_CLOSED";
	case CHAN_WOULD_BLOCK: return "CHAN_WOULD_BLOCK";
	case CHAN_TIMED_OUT: return "CHAN_TIMED_OUT";
	case CHAN_CANCELED: return "CHAN_CANCELED";
	case CHAN_DEADLINE: return "CHAN_DEADLINE";
	case CHAN_NOMEM: return "CHAN_NOMEM";
	case CHAN_INVALID: return "CHAN_INVALID";
	}
	return "?";
}
