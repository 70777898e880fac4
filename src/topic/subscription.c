/*
 * subscription.c
 *		What a subscription is: a row, and a queue of deliveries that wait.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/catalog.h"
#include "base/rows.h"
#include "base/version.h"
#include "queue/definition_rows.h"
#include "queue/table.h"
#include "topic/subscription.h"

/* sns: an HTTP endpoint has 15 seconds; a function gets as long */
#define TIME_LIMIT		(15 * USECS_PER_SEC)

/* numbers of arguments are those of subscribe; alter_subscription has one less */
const Field subscription_fields[SUBSCRIPTION_FIELDS] = {
	[SUBSCRIPTION_FILTER_POLICY] = {"filter_policy", JSONBOID, 3, 6, NULL},
	[SUBSCRIPTION_FILTER_POLICY_SCOPE] = {"filter_policy_scope", TEXTOID, 4, 7, "MessageAttributes"},
	[SUBSCRIPTION_RAW_DELIVERY] = {"raw_delivery", BOOLOID, 5, 8, "false"},
	[SUBSCRIPTION_DELIVERY_POLICY] = {"delivery_policy", JSONBOID, 6, 9, NULL},
	[SUBSCRIPTION_DEAD_LETTER_QUEUE] = {"dead_letter_queue", FIELD_QUEUE, 7, 10, NULL},
	[SUBSCRIPTION_SECRET] = {"secret", TEXTOID, 8, 11, NULL},
	[SUBSCRIPTION_HEADERS] = {"headers", JSONBOID, 9, 12, NULL},
	[SUBSCRIPTION_CONTENT_TYPE] = {"content_type", TEXTOID, 10, 13, NULL},
	[SUBSCRIPTION_CA] = {"ca", TEXTOID, 11, 14, NULL},
	[SUBSCRIPTION_TIME_LIMIT] = {"time_limit", INTERVALOID, 12, 15, NULL},
};

Relation
subscriptions_open(LOCKMODE lockmode)
{
	return table_open(catalog_object(CATALOG_SUBSCRIPTION_DEFINITIONS), lockmode);
}

HeapTuple
subscription_row(Relation subscriptions, int64 id)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	return rows_find(subscriptions,
					 catalog_object(CATALOG_SUBSCRIPTION_DEFINITIONS_ID), &key);
}

/* The rows of a topic's subscriptions, copies. */
static List *
rows_of_topic(Relation subscriptions, int32 topic_number)
{
	List	   *tuples = NIL;
	ScanKeyData key;
	RowScan		rows;
	HeapTuple	tuple;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(topic_number));
	rows_begin_index(&rows, subscriptions,
					 catalog_object(CATALOG_SUBSCRIPTION_DEFINITIONS_TOPIC), &key);
	while ((tuple = rows_next(&rows)) != NULL)
		tuples = lappend(tuples, tuple);
	rows_end(&rows);
	return tuples;
}

Subscription *
subscription_from_row(HeapTuple tuple, TupleDesc descriptor)
{
	Subscription *subscription = palloc0(sizeof(Subscription));
	Datum		values[SUBSCRIPTION_COLUMNS];
	bool		nulls[SUBSCRIPTION_COLUMNS];

	heap_deform_tuple(tuple, descriptor, values, nulls);
	subscription->id = DatumGetInt64(values[SUBSCRIPTION_ID - 1]);
	subscription->topic_number =
		DatumGetInt32(values[SUBSCRIPTION_TOPIC_NUMBER - 1]);
	subscription->queue_number =
		DatumGetInt32(values[SUBSCRIPTION_QUEUE_NUMBER - 1]);
	subscription->protocol =
		protocol_of_row(TextDatumGetCString(values[SUBSCRIPTION_PROTOCOL - 1]));
	subscription->endpoint =
		TextDatumGetCString(values[SUBSCRIPTION_ENDPOINT - 1]);
	subscription->confirmed = DatumGetBool(values[SUBSCRIPTION_CONFIRMED - 1]);
	subscription->paused = DatumGetBool(values[SUBSCRIPTION_PAUSED - 1]);
	if (!nulls[SUBSCRIPTION_TOKEN - 1])
		subscription->token = TextDatumGetCString(values[SUBSCRIPTION_TOKEN - 1]);
	subscription->unsubscribe_token =
		TextDatumGetCString(values[SUBSCRIPTION_UNSUBSCRIBE_TOKEN - 1]);
	fields_from_row(tuple, descriptor, subscription_fields,
					SUBSCRIPTION_FIELDS, subscription->fields);
	return subscription;
}

static int
compare_ids(const ListCell *a, const ListCell *b)
{
	int64		left = ((Subscription *) lfirst(a))->id;
	int64		right = ((Subscription *) lfirst(b))->id;

	return (left > right) - (left < right);
}

List *
subscriptions_of_topic(int32 topic_number)
{
	Relation	rel = subscriptions_open(AccessShareLock);
	List	   *subscriptions = NIL;
	ListCell   *cell;

	foreach(cell, rows_of_topic(rel, topic_number))
		subscriptions = lappend(subscriptions,
								subscription_from_row(lfirst(cell),
													  RelationGetDescr(rel)));
	table_close(rel, AccessShareLock);
	list_sort(subscriptions, compare_ids);
	return subscriptions;
}

Subscription *
subscription_find(int64 id)
{
	Relation	rel = subscriptions_open(AccessShareLock);
	HeapTuple	tuple = subscription_row(rel, id);
	Subscription *subscription = tuple == NULL ? NULL :
		subscription_from_row(tuple, RelationGetDescr(rel));

	table_close(rel, AccessShareLock);
	return subscription;
}

Subscription *
subscription_of_queue(int32 queue_number)
{
	Relation	rel = subscriptions_open(AccessShareLock);
	Subscription *subscription = NULL;
	ScanKeyData key;
	HeapTuple	tuple;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(queue_number));
	tuple = rows_find(rel, catalog_object(CATALOG_SUBSCRIPTION_DEFINITIONS_QUEUE),
					  &key);
	if (tuple != NULL)
		subscription = subscription_from_row(tuple, RelationGetDescr(rel));
	table_close(rel, AccessShareLock);
	return subscription;
}

char *
subscription_queue_name(int64 id, bool fifo)
{
	return psprintf("subscription:" INT64_FORMAT "%s", id, fifo ? ".fifo" : "");
}

void
subscriptions_changed(int32 topic_number)
{
	Oid			table = queue_table_find(topic_number);

	if (OidIsValid(table))
		CacheInvalidateRelcacheByRelid(table);
}

void
subscription_drop(Relation subscriptions, HeapTuple tuple)
{
	Subscription *subscription =
		subscription_from_row(tuple, RelationGetDescr(subscriptions));
	Relation	definitions = definitions_open();
	QueueDefinition definition;

	/* the queue first: the row can go with it (an event trigger) */
	if (definition_lookup_number(subscription->queue_number, &definition))
		definitions_drop(definitions, &definition);
	table_close(definitions, NoLock);
	tuple = subscription_row(subscriptions, subscription->id);
	if (tuple != NULL)
	{
		CatalogTupleDelete(subscriptions, &tuple->t_self);
		CommandCounterIncrement();
	}
	subscriptions_changed(subscription->topic_number);
}

void
subscriptions_drop(int32 topic_number)
{
	Relation	rel = subscriptions_open(RowExclusiveLock);
	ListCell   *cell;

	foreach(cell, rows_of_topic(rel, topic_number))
		subscription_drop(rel, lfirst(cell));
	table_close(rel, NoLock);
}

void
subscription_update(Relation subscriptions, HeapTuple old, Datum *values,
					bool *nulls, bool *replaces)
{
	TupleDesc	descriptor = RelationGetDescr(subscriptions);
	bool		isnull;

	values[SUBSCRIPTION_ALTERED_AT - 1] =
		TimestampTzGetDatum(GetCurrentTimestamp());
	replaces[SUBSCRIPTION_ALTERED_AT - 1] = true;
	CatalogTupleUpdate(subscriptions, &old->t_self,
					   heap_modify_tuple(old, descriptor, values, nulls, replaces));
	CommandCounterIncrement();
	subscriptions_changed(DatumGetInt32(heap_getattr(old, SUBSCRIPTION_TOPIC_NUMBER,
											 descriptor, &isnull)));
}

void
subscription_set_paused(Relation subscriptions, HeapTuple tuple, bool paused)
{
	Datum		values[SUBSCRIPTION_COLUMNS] = {0};
	bool		nulls[SUBSCRIPTION_COLUMNS] = {false};
	bool		replaces[SUBSCRIPTION_COLUMNS] = {false};

	values[SUBSCRIPTION_PAUSED - 1] = BoolGetDatum(paused);
	replaces[SUBSCRIPTION_PAUSED - 1] = true;
	subscription_update(subscriptions, tuple, values, nulls, replaces);
}

int64
subscription_time_limit(const Subscription *subscription)
{
	const FieldValue *limit = subscription_field(subscription, TIME_LIMIT);

	return limit->isnull ? TIME_LIMIT :
		interval_in_range(DatumGetIntervalP(limit->value), "time_limit",
						  USECS_PER_SEC / 10, 10 * USECS_PER_MINUTE);
}
