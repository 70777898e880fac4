/*
 * definition.h
 *		What a queue is: its options, its table, its owner.
 *
 * The row of decouple.queue_definitions, cached per backend.  The entry is
 * dropped by relcache invalidation of the queue's table: create, alter and
 * drop send one, and whoever locks the table processes it.
 */
#ifndef DECOUPLE_DEFINITION_H
#define DECOUPLE_DEFINITION_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

#include "base/names.h"
#include "base/version.h"

typedef enum RetryBackoff
{
	BACKOFF_NONE,
	BACKOFF_LINEAR,
	BACKOFF_EXPONENTIAL
} RetryBackoff;

/* among which messages of a FIFO queue a deduplication id is one */
typedef enum DeduplicationScope
{
	SCOPE_QUEUE,
	SCOPE_MESSAGE_GROUP
} DeduplicationScope;

/*
 * What a queue is for.  Those of a topic are made, used and dropped by it
 * alone: their names have a colon, which no name has that a user can write.
 */
typedef enum QueuePurpose
{
	PURPOSE_QUEUE,				/* somebody's queue */
	PURPOSE_PUBLICATIONS,		/* a topic's: what was published */
	PURPOSE_DELIVERIES			/* a subscription's: what is to be delivered */
} QueuePurpose;

/* what the name of a topic's publications begins with, and the longest */
#define PUBLICATIONS_PREFIX		"topic:"
#define DEFINITION_NAME_MAX		(6 + TOPIC_NAME_MAX)

typedef struct QueueDefinition
{
	char		name[DEFINITION_NAME_MAX + 1];	/* hash key */
	bool		valid;			/* cleared by invalidation */
	int32		number;			/* never used again */
	Oid			table;			/* decouple.q_<number> */
	Oid			order_index;	/* its primary key, on (id) */
	Oid			group_index;	/* of a FIFO queue, on (group_id, id) */
	Oid			owner;
	int64		visibility_timeout; /* microseconds, as all times here */
	int64		delay;
	int64		retention;		/* 0 keeps for ever */
	int64		wait_time;
	int64		retry_delay;
	int64		retry_max_delay;	/* 0: no limit but the range's */
	RetryBackoff retry_backoff;
	int32		max_message_size;
	int32		max_receive_count;	/* 0: no dead-letter queue */
	char		dead_letter_queue[QUEUE_NAME_MAX + 1];	/* "": none */
	bool		fifo;
	bool		content_based_deduplication;
	DeduplicationScope deduplication_scope;
	int64		deduplication_window;
	bool		notify;
	QueuePurpose purpose;
} QueueDefinition;

extern void definition_init(void);

/* for messages: queue "orders", topic "prices"; and what alters it */
extern char *definition_title(const QueueDefinition *definition);
extern const char *definition_alter_call(const QueueDefinition *definition);

/* the word for it in decouple.queue_definitions */
extern const char *purpose_name(QueuePurpose purpose);

/*
 * Finds a queue, locks its table and opens it.  "name" is a datum of type
 * decouple.queue.  *definition is a copy, which cannot change under the
 * caller.  The table's shape has been verified.
 *
 * Errors: QU001 where there is no such queue, 55000 where its table is
 * missing or was altered.
 */
extern Relation queue_open(Datum name, LOCKMODE lockmode,
						   QueueDefinition *definition);

/* the same by C string; NULL instead of QU001/55000 where missing_ok */
extern Relation queue_open_name(const char *name, LOCKMODE lockmode,
								bool missing_ok, QueueDefinition *definition);

/* reads a definition without locking the queue's table; false: no such queue */
extern bool definition_lookup(const char *name, QueueDefinition *definition);
extern bool definition_lookup_number(int32 number,
									 QueueDefinition *definition);

/* is there one of this number, perhaps of a transaction that is not over? */
extern bool definition_is_coming(int32 number);

/* the same for a datum of type decouple.queue; QU001 where there is none */
extern void definition_find(Datum name, QueueDefinition *definition);

/* raises QU001 */
extern void definition_missing(const char *name) NEVER_RETURNS;

/* the names of all queues, palloc'ed strings, sorted */
extern List *definition_names(void);

#endif							/* DECOUPLE_DEFINITION_H */
