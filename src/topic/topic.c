/*
 * topic.c
 *		What a topic is: a queue of publications, and a row of its own.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "base/catalog.h"
#include "base/database.h"
#include "base/errors.h"
#include "base/rows.h"
#include "base/version.h"
#include "queue/definition_rows.h"
#include "security/policy.h"
#include "topic/topic.h"

/* numbers of arguments are those of create_topic and alter_topic */
const Field topic_fields[TOPIC_FIELDS] = {
	[TOPIC_DISPLAY_NAME] = {"display_name", TEXTOID, 1, 3, NULL},
	[TOPIC_DELIVERY_POLICY] = {"delivery_policy", JSONBOID, 4, 4, NULL},
	[TOPIC_SIGNATURE_VERSION] = {"signature_version", INT4OID, 5, 5, NULL},
	[TOPIC_HTTPS_ONLY] = {"https_only", BOOLOID, 6, 6, "false"},
	[TOPIC_SUCCESS_SAMPLE_RATE] = {"success_sample_rate", INT4OID, 10, 7, "0"},
};

char *
topic_queue_name(const char *topic_name)
{
	return psprintf(PUBLICATIONS_PREFIX "%s", topic_name);
}

void
topic_missing(const char *topic_name)
{
	ereport(ERROR,
			(errcode(ERRCODE_TOPIC_NOT_FOUND),
			 errmsg("topic \"%s\" does not exist", topic_name),
			 errhint("Create it with decouple.create_topic('%s').", topic_name)));
	pg_unreachable();
}

void
topic_open(QueueCall *call, Datum name, const char *action,
		   const char *call_name)
{
	char		queue_name[DEFINITION_NAME_MAX + 1] = PUBLICATIONS_PREFIX;
	char	   *topic_name = queue_name + strlen(PUBLICATIONS_PREFIX);

	PreventCommandIfReadOnly(call_name);
	PreventCommandIfParallelMode(call_name);
	text_to_cstring_buffer(DatumGetTextPP(name), topic_name,
						   TOPIC_NAME_MAX + 1);
	if (!call_open_if_fit(call, queue_name))
	{
		if (!definition_lookup(queue_name, &call->definition))
			topic_missing(topic_name);
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the table of topic \"%s\" is missing or was altered",
						topic_name),
				 errhint("If a restore is under way wait for its end; else undo that, or drop the topic with decouple.drop_topic().")));
	}
	database_ask();
	policy_check_topic(call->definition.owner, topic_name, action);
}

void
topic_lock(Datum name, const char *action, const char *call_name,
		   QueueDefinition *publications)
{
	PreventCommandIfReadOnly(call_name);
	PreventCommandIfParallelMode(call_name);
	topic_lock_unasked(name, publications);
	policy_check_topic(publications->owner, TextDatumGetCString(name), action);
}

void
topic_lock_name(const char *topic_name)
{
	definitions_lock_name(topic_queue_name(topic_name));
}

bool
topic_try_lock_name(const char *topic_name)
{
	return definitions_try_lock_name(topic_queue_name(topic_name));
}

void
topic_lock_unasked(Datum name, QueueDefinition *publications)
{
	char	   *topic_name = TextDatumGetCString(name);
	char	   *queue_name = topic_queue_name(topic_name);

	definitions_lock_name(queue_name);
	if (!definition_lookup(queue_name, publications))
		topic_missing(topic_name);
}

void
topic_row_complete(MessageRow *row)
{
	if (ROW_IS_NULL(row, MESSAGE_GROUP_ID))
		row_set(row, MESSAGE_GROUP_ID, CStringGetTextDatum("none"));
	if (ROW_IS_NULL(row, MESSAGE_DEDUPLICATION_ID))
		row_set(row, MESSAGE_DEDUPLICATION_ID,
				CStringGetTextDatum(psprintf(INT64_FORMAT, ROW_ID(row))));
}

Relation
topics_open(LOCKMODE lockmode)
{
	return table_open(catalog_object(CATALOG_TOPIC_DEFINITIONS), lockmode);
}

HeapTuple
topic_row(Relation topics, int32 number)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(number));
	return rows_find(topics, catalog_object(CATALOG_TOPIC_DEFINITIONS_NUMBER),
					 &key);
}

bool
topic_find(int32 number, TopicDefinition *topic)
{
	Relation	topics = topics_open(AccessShareLock);
	HeapTuple	tuple = topic_row(topics, number);
	bool		isnull;

	if (tuple != NULL)
	{
		topic->number = number;
		text_to_cstring_buffer(DatumGetTextPP(heap_getattr(tuple, TOPIC_NAME,
														   RelationGetDescr(topics),
														   &isnull)),
							   topic->name, sizeof(topic->name));
		topic->fifo = name_is_fifo(topic->name);
		fields_from_row(tuple, RelationGetDescr(topics), topic_fields,
						TOPIC_FIELDS, topic->fields);
	}
	table_close(topics, AccessShareLock);
	return tuple != NULL;
}

void
topic_forget(int32 number)
{
	Relation	topics = topics_open(RowExclusiveLock);
	HeapTuple	tuple = topic_row(topics, number);

	if (tuple != NULL)
	{
		CatalogTupleDelete(topics, &tuple->t_self);
		CommandCounterIncrement();
	}
	table_close(topics, NoLock);
}
