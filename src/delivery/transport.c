/*
 * transport.c
 *		The ways to deliver: one row of a table for each protocol.
 */
#include "postgres.h"

#include "delivery/transport.h"

/*
 * A function's call is a transaction of its own: its locks are not held longer.
 * And it may take its time, which others shall not wait for.
 */
static const Transport transports[PROTOCOLS] = {
	[PROTOCOL_QUEUE] = {to_queue, 100, false},
	[PROTOCOL_FUNCTION] = {to_function, 1, true},
	[PROTOCOL_NOTIFY] = {to_notify, 100, false},
	[PROTOCOL_HTTP] = {NULL, 0, false},
	[PROTOCOL_HTTPS] = {NULL, 0, false},
};

const Transport *
transport_of(Protocol protocol)
{
	return &transports[protocol];
}
