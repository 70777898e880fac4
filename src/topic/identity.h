/*
 * identity.h
 *		Which database this is: what ids and names of messages are made of.
 *
 * A database gets a UUID of its own with its first topic.  With it is kept which
 * cluster and which database that was.  A restored dump, or a copy made with
 * CREATE DATABASE ... TEMPLATE, has the row of another database: it pushes nothing
 * out until it is told to (decouple.adopt_deliveries()), so that a clone does not
 * send to production's subscribers.  A file copy of a whole cluster cannot be
 * told from the cluster itself: set decouple.delivery = off there.
 */
#ifndef DECOUPLE_IDENTITY_H
#define DECOUPLE_IDENTITY_H

#include "postgres.h"

#include "utils/uuid.h"

/* makes it where there is none */
extern void identity_ensure(void);

/* is this the database that the identity was made for, or adopted by? */
extern bool identity_is_ours(void);

/* the UUID of a message, text of 36 characters and its end */
#define MESSAGE_UUID_LENGTH		37
extern void identity_message_uuid(int64 message_id, char *text);

/* arn:decouple:<database>:<topic>; palloc'd */
extern char *identity_topic_arn(const char *topic_name);

#endif							/* DECOUPLE_IDENTITY_H */
