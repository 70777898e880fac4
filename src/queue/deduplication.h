/*
 * deduplication.h
 *		What a FIFO queue remembers of the deduplication ids that it got.
 *
 * One row of decouple.deduplications for each message that was sent, with the
 * time of its send; it counts for the queue's deduplication_window from then
 * on, whatever becomes of the message, and is not renewed by duplicates
 * (sqs: using-messagededuplicationid-property; reference 1.6).  Rows come and
 * go with their transactions: what is rolled back frees its id.
 *
 * Of two who send the same id at once one waits for the other's end.  So that
 * neither overlooks the other, each looks and inserts under a short lock on a
 * stripe of the ids, which is not held while waiting.  With scope
 * message_group the lock on the group is enough.
 */
#ifndef DECOUPLE_DEDUPLICATION_H
#define DECOUPLE_DEDUPLICATION_H

#include "queue/definition.h"
#include "queue/memory.h"

typedef struct Deduplication
{
	const QueueDefinition *definition;
	TimestampTz now;
	Memory		memory;
} Deduplication;

/* the groups of what is sent are locked already */
extern void deduplication_begin(Deduplication *deduplication,
								const QueueDefinition *definition,
								TimestampTz now);

/*
 * Remembers the id of a message; 0, or the message id of the first one where
 * this is a duplicate.
 */
extern int64 deduplication_enter(Deduplication *deduplication,
								 const text *deduplication_id,
								 const text *group_id, int64 message_id);
extern void deduplication_end(Deduplication *deduplication);

/* the id that a body stands for: its SHA-256 in hexadecimal */
extern text *deduplication_id_of_body(const text *body);

#endif							/* DECOUPLE_DEDUPLICATION_H */
