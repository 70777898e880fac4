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
	text	   *deduplication_id;	/* or NULL */
	/* of a publication: */
	text	   *subject;		/* or NULL */
	text	   *structure;		/* or NULL */
} Draft;

/* a jsonb value's text, as a body */
extern text *body_from_jsonb(Jsonb *json);

/* arrays that go with bodies; NULL: not given */
typedef struct DraftArrays
{
	Datum	   *attributes;
	Datum	   *group_ids;
	Datum	   *deduplication_ids;
	Datum	   *subjects;
} DraftArrays;

extern Draft *drafts_from_arrays(const Datum *bodies, const DraftArrays *arrays,
								 int64 delay, int count);

/* the current user's name, which a message carries as its sender */
extern Datum message_sender(void);

/*
 * Checks a draft against its queue.  On a FIFO queue it gets the deduplication
 * id of its body where it has none of its own and the queue is such.
 *
 * Errors: 22023 for an empty body, a bad attribute, group or deduplication id,
 * or a delay on a FIFO queue; 54000 for a message that is too large; QU006 for
 * what only a FIFO queue has, or what it lacks.
 */
extern void draft_check(Draft *draft, const QueueDefinition *definition);

/*
 * Makes the row that the store inserts of a draft that was checked.  The row
 * points into the draft.
 */
extern void draft_to_row(const Draft *draft, const QueueDefinition *definition,
						 int64 id, Datum sender, TimestampTz now,
						 MessageRow *row);

/* the size of a row that was made: body and attributes as limits count them */
extern int64 message_size(const MessageRow *row);

/* the elements of send_messages' array; returns how many */
extern int	drafts_from_json(Jsonb *messages, Draft **drafts);

#endif							/* DECOUPLE_DRAFT_H */
