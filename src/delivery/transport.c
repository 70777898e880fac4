/*
 * transport.c
 *		The ways to deliver: one row of a table for each protocol.
 */
#include "postgres.h"

#include "delivery/transport.h"

/* a function's call is a transaction of its own: its locks are not held longer */
static const Transport transports[PROTOCOLS] = {
	[PROTOCOL_QUEUE] = {to_queue, 100},
	[PROTOCOL_FUNCTION] = {to_function, 1},
	[PROTOCOL_NOTIFY] = {to_notify, 100},
	[PROTOCOL_HTTP] = {NULL, 0},
	[PROTOCOL_HTTPS] = {NULL, 0},
};

const Transport *
transport_of(Protocol protocol)
{
	return &transports[protocol];
}
