/*
 * draft.h
 *		A message before it is sent: what the caller gave.
 */
#ifndef DECOUPLE_DRAFT_H
#define DECOUPLE_DRAFT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

#include "queue/definition.h"
#include "store/store.h"

#define DELAY_OF_QUEUE	INT64CONST(-1)
#define NEVER_EXPIRES	INT64CONST(-1)

typedef struct Draft
{
	text	   *body;
	int64		delay;			/* microseconds, or DELAY_OF_QUEUE */
	int64		expires_in;		/* microseconds, or NEVER_EXPIRES */
	Jsonb	   *attributes;		/* or NULL */
	text	   *group_id;		/* or NULL */
	bool		has_deduplication_id;
} Draft;

/* the current user's name, which a message carries as its sender */
extern Datum message_sender(void);

/* checks body, attributes and size against the queue; 22023, 54000 */
extern void draft_check(const Draft *draft, const QueueDefinition *definition);

/*
 * Checks a draft against its queue and makes the row that the store inserts,
 * with the next message id.  The row points into the draft.
 *
 * Errors: 22023 for an empty body or a bad attribute or group id, 54000 for
 * a message that is too large, QU006 for what only a FIFO queue has.
 */
extern void draft_to_row(const Draft *draft, const QueueDefinition *definition,
						 Datum sender, TimestampTz now, MessageRow *row);

/* the elements of send_messages' array; returns how many */
extern int	drafts_from_json(Jsonb *messages, Draft **drafts);

#endif							/* DECOUPLE_DRAFT_H */
