/*
 * protocol.h
 *		How a subscription is delivered: one row of a table for each way.
 */
#ifndef DECOUPLE_PROTOCOL_H
#define DECOUPLE_PROTOCOL_H

#include "postgres.h"

typedef enum Protocol
{
	PROTOCOL_QUEUE,
	PROTOCOL_FUNCTION,
	PROTOCOL_NOTIFY,
	PROTOCOL_HTTP,
	PROTOCOL_HTTPS,
	PROTOCOLS					/* how many, last */
} Protocol;

/* the longest endpoint, bytes */
#define ENDPOINT_MAX	2048

/* 22023 where there is no such protocol, 0A000 where it is not to be had */
extern Protocol protocol_by_name(const char *name);

/* one that a row has; ours alone write there */
extern Protocol protocol_of_row(const char *name);
extern const char *protocol_name(Protocol protocol);

/* its key in a message of structure json (sns: Publish, MessageStructure) */
extern const char *protocol_message_key(Protocol protocol);

/* is it sent by decouple-egress? */
extern bool protocol_is_http(Protocol protocol);

/*
 * Checks an endpoint with the caller's rights and returns it in the form that
 * is stored.  22023 for a bad form, QU001 for a queue that is not there, 42501
 * for what the caller may not use.
 */
extern char *protocol_check_endpoint(Protocol protocol, const char *endpoint,
									 const char *topic_name, bool https_only);

#endif							/* DECOUPLE_PROTOCOL_H */
