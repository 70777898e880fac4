/*
 * subscription.h
 *		What a subscription is: a row, and a queue of deliveries that wait.
 *
 * That queue belongs to the role that subscribed, so the subscription does.  A
 * queue subscription's deliveries go to its queue in the fan-out itself, and
 * wait only where that cannot be.
 */
#ifndef DECOUPLE_SUBSCRIPTION_H
#define DECOUPLE_SUBSCRIPTION_H

#include "postgres.h"

#include "access/htup.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

#include "topic/delivery_policy.h"
#include "topic/fields.h"
#include "topic/filter.h"
#include "topic/protocol.h"
#include "topic/topic.h"

/* the fields of a subscription's row, in this order in subscription_fields[] */
typedef enum SubscriptionField
{
	SUBSCRIPTION_FILTER_POLICY,
	SUBSCRIPTION_FILTER_POLICY_SCOPE,
	SUBSCRIPTION_RAW_DELIVERY,
	SUBSCRIPTION_DELIVERY_POLICY,
	SUBSCRIPTION_DEAD_LETTER_QUEUE,
	SUBSCRIPTION_SECRET,
	SUBSCRIPTION_HEADERS,
	SUBSCRIPTION_CONTENT_TYPE,
	SUBSCRIPTION_CA,
	SUBSCRIPTION_TIME_LIMIT,
	SUBSCRIPTION_FIELDS
} SubscriptionField;

extern const Field subscription_fields[SUBSCRIPTION_FIELDS];

/* the columns of decouple.subscription_definitions beside the fields */
#define SUBSCRIPTION_ID					1
#define SUBSCRIPTION_TOPIC_NUMBER		2
#define SUBSCRIPTION_QUEUE_NUMBER		3
#define SUBSCRIPTION_PROTOCOL			4
#define SUBSCRIPTION_ENDPOINT			5
#define SUBSCRIPTION_CONFIRMED			16
#define SUBSCRIPTION_PAUSED				17
#define SUBSCRIPTION_TOKEN				18
#define SUBSCRIPTION_TOKEN_UNTIL		19
#define SUBSCRIPTION_UNSUBSCRIBE_TOKEN	20
#define SUBSCRIPTION_CREATED_AT			21
#define SUBSCRIPTION_ALTERED_AT			22
#define SUBSCRIPTION_COLUMNS			22

typedef struct Subscription
{
	int64		id;
	int32		topic_number;
	int32		queue_number;	/* of the deliveries */
	Protocol	protocol;
	char	   *endpoint;
	bool		confirmed;
	bool		paused;
	char	   *token;			/* that confirms it, or NULL */
	char	   *unsubscribe_token;
	FieldValue	fields[SUBSCRIPTION_FIELDS];
} Subscription;

#define subscription_field(subscription, field) \
	(&(subscription)->fields[SUBSCRIPTION_ ## field])

extern Relation subscriptions_open(LOCKMODE lockmode);

/* the row of one, a copy, or NULL */
extern HeapTuple subscription_row(Relation subscriptions, int64 id);

/* what a row says, in the current memory context */
extern Subscription *subscription_from_row(HeapTuple tuple, TupleDesc descriptor);

/* all of a topic, by their ids; one by its id, or NULL; by its queue, or NULL */
extern List *subscriptions_of_topic(int32 topic_number);
extern Subscription *subscription_find(int64 id);
extern Subscription *subscription_of_queue(int32 queue_number);

/* the name of its queue of deliveries; palloc'd */
extern char *subscription_queue_name(int64 id, bool fifo);

/* drops a subscription's row and queue; those of a topic */
extern void subscription_drop(Relation subscriptions, HeapTuple tuple);
extern void subscriptions_drop(int32 topic_number);

/* holds deliveries back, or goes on with them */
extern void subscription_set_paused(Relation subscriptions, HeapTuple tuple,
									bool paused);

/* fan-outs that have read the topic's subscriptions shall read them again */
extern void subscriptions_changed(int32 topic_number);

/* changes columns of a row, and tells so */
extern void subscription_update(Relation subscriptions, HeapTuple old,
								Datum *values, bool *nulls, bool *replaces);

/* how long an attempt may take, microseconds */
extern int64 subscription_time_limit(const Subscription *subscription);

#endif							/* DECOUPLE_SUBSCRIPTION_H */
