/*
 * topic.h
 *		What a topic is: a queue of publications, and a row of its own.
 *
 * A publication is a message in that queue until the worker has fanned it out;
 * so a publish is a send, with all that holds for one.  Whether the topic is FIFO,
 * how it deduplicates and how large a message may be are the queue's options.
 * The queue is found by the topic's name and needs no look at the topic's row.
 */
#ifndef DECOUPLE_TOPIC_H
#define DECOUPLE_TOPIC_H

#include "postgres.h"

#include "access/htup.h"
#include "utils/rel.h"

#include "queue/call.h"
#include "topic/fields.h"

/* the fields of a topic's row, in this order in topic_fields[] */
typedef enum TopicField
{
	TOPIC_DISPLAY_NAME,
	TOPIC_DELIVERY_POLICY,
	TOPIC_SIGNATURE_VERSION,
	TOPIC_HTTPS_ONLY,
	TOPIC_SUCCESS_SAMPLE_RATE,
	TOPIC_FIELDS
} TopicField;

extern const Field topic_fields[TOPIC_FIELDS];

/* the columns of decouple.topic_definitions beside the fields */
#define TOPIC_NUMBER		1
#define TOPIC_NAME			2
#define TOPIC_CREATED_AT	8
#define TOPIC_ALTERED_AT	9
#define TOPIC_COLUMNS		9

/* of a topic's row what deliveries need */
typedef struct TopicDefinition
{
	int32		number;
	char		name[TOPIC_NAME_MAX + 1];
	bool		fifo;
	FieldValue	fields[TOPIC_FIELDS];
} TopicDefinition;

/* the name of a topic's queue */
extern char *topic_queue_name(const char *topic_name);

/* raises QU003 */
extern void topic_missing(const char *topic_name) NEVER_RETURNS;

/*
 * Opens a topic's queue to write.  "name" is a datum of type decouple.topic.
 * Errors: 25006, QU003, 55000, 42501.
 */
extern void topic_open(QueueCall *call, Datum name, const char *action,
					   const char *call_name);

/*
 * Finds a topic without opening it, and asks the policy; locks its name against
 * others who change the topic or its subscriptions, until the transaction ends.
 */
extern void topic_lock(Datum name, const char *action, const char *call_name,
					   QueueDefinition *publications);

/* the lock alone, also if nobody has it; and the lock with a look, without the policy */
extern void topic_lock_name(const char *topic_name);
extern bool topic_try_lock_name(const char *topic_name);
extern void topic_lock_unasked(Datum name, QueueDefinition *publications);

/*
 * What a FIFO topic's row always has, publish() sees to that; but the owner of a
 * table of publications or deliveries can write rows by hand.
 */
extern void topic_row_complete(MessageRow *row);

/* a publication's subject: 22023 */
extern void subject_check(text *subject);

/* its row, opened table to read or write; NULL where it is gone */
extern Relation topics_open(LOCKMODE lockmode);
extern HeapTuple topic_row(Relation topics, int32 number);

/* removes its row, if it is there */
extern void topic_forget(int32 number);

/* false where it is gone */
extern bool topic_find(int32 number, TopicDefinition *topic);

#endif							/* DECOUPLE_TOPIC_H */
