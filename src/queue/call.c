/*
 * call.c
 *		One call on a queue: found, allowed, opened; and closed again.
 *
 * Every call of the API on an existing queue comes through here, so no one
 * can forget the policy.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/database.h"
#include "queue/call.h"
#include "security/policy.h"

/* the columns of decouple.message, in order */
enum MessageColumn
{
	RESULT_MESSAGE_ID,
	RESULT_RECEIPT,
	RESULT_BODY,
	RESULT_ATTRIBUTES,
	RESULT_GROUP_ID,
	RESULT_DEDUPLICATION_ID,
	RESULT_SEQUENCE_NUMBER,
	RESULT_RECEIVE_COUNT,
	RESULT_SENT_AT,
	RESULT_FIRST_RECEIVED_AT,
	RESULT_VISIBLE_AT,
	RESULT_SENDER,
	RESULT_DEAD_LETTER_SOURCE,
	RESULT_QUEUE,
	RESULT_EXPIRES_AT,
	RESULT_LAST_ERROR,
	RESULT_ORIGINAL_ID,
	RESULT_COLUMNS
};

/* which column of a stored row each of them shows; 0: none */
static const int shown_column[RESULT_COLUMNS] = {
	[RESULT_MESSAGE_ID] = MESSAGE_ID,
	[RESULT_BODY] = MESSAGE_BODY,
	[RESULT_ATTRIBUTES] = MESSAGE_ATTRIBUTES,
	[RESULT_GROUP_ID] = MESSAGE_GROUP_ID,
	[RESULT_DEDUPLICATION_ID] = MESSAGE_DEDUPLICATION_ID,
	[RESULT_SENT_AT] = MESSAGE_SENT_AT,
	[RESULT_FIRST_RECEIVED_AT] = MESSAGE_FIRST_RECEIVED_AT,
	[RESULT_SENDER] = MESSAGE_SENDER,
	[RESULT_DEAD_LETTER_SOURCE] = MESSAGE_DEAD_LETTER_SOURCE,
	[RESULT_EXPIRES_AT] = MESSAGE_EXPIRES_AT,
	[RESULT_LAST_ERROR] = MESSAGE_LAST_ERROR,
	[RESULT_ORIGINAL_ID] = MESSAGE_ORIGINAL_ID,
};

static void
open_with(QueueCall *call, Datum name, const char *action, LOCKMODE lockmode)
{
	Relation	heap = queue_open(name, lockmode, &call->definition);

	database_ask();
	policy_check(call->definition.owner, call->definition.name, action);
	store_open(&call->store, heap, call->definition.order_index,
			   call->definition.group_index, call->definition.number, lockmode);
}

void
call_open(QueueCall *call, Datum name, const char *action,
		  const char *call_name)
{
	PreventCommandIfReadOnly(call_name);
	PreventCommandIfParallelMode(call_name);
	open_with(call, name, action, RowExclusiveLock);
}

void
call_open_to_read(QueueCall *call, Datum name, const char *action)
{
	open_with(call, name, action, AccessShareLock);
}

static bool
open_if_fit(QueueCall *call, const char *name, LOCKMODE lockmode)
{
	Relation	heap = queue_open_name(name, lockmode, true, &call->definition);

	if (heap == NULL)
		return false;
	store_open(&call->store, heap, call->definition.order_index,
			   call->definition.group_index, call->definition.number, lockmode);
	return true;
}

bool
call_open_if_fit(QueueCall *call, const char *name)
{
	return open_if_fit(call, name, RowExclusiveLock);
}

bool
call_open_quietly(QueueCall *call, const char *name)
{
	return definition_lookup(name, &call->definition) &&
		OidIsValid(call->definition.table) &&
		ConditionalLockRelationOid(call->definition.table, RowExclusiveLock) &&
		call_open_if_fit(call, name);
}

bool
call_open_to_see(QueueCall *call, const char *name)
{
	return open_if_fit(call, name, AccessShareLock);
}

void
call_close(QueueCall *call)
{
	store_close(&call->store, false);
}

void
call_release(QueueCall *call)
{
	store_close(&call->store, true);
}

void
message_result_begin(MessageResult *result, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	result->store = rsinfo->setResult;
	result->descriptor = rsinfo->setDesc;
	result->no_attributes = DirectFunctionCall1(jsonb_in,
												CStringGetDatum("{}"));
	result->row_context = AllocSetContextCreate(CurrentMemoryContext,
												"decouple message",
												ALLOCSET_DEFAULT_SIZES);
}

void
message_result_add(MessageResult *result, const QueueCall *call,
				   MessageRow *row,
				   const Receipt *receipt)
{
	Datum		values[RESULT_COLUMNS];
	bool		nulls[RESULT_COLUMNS];
	MemoryContext before = MemoryContextSwitchTo(result->row_context);

	/* the message may be deleted, and its table vacuumed, before it is read */
	row_detach(row);
	for (int i = 0; i < RESULT_COLUMNS; i++)
	{
		nulls[i] = shown_column[i] == 0 || ROW_IS_NULL(row, shown_column[i]);
		values[i] = nulls[i] ? (Datum) 0 : ROW_VALUE(row, shown_column[i]);
	}
	if (receipt != NULL)
	{
		nulls[RESULT_RECEIPT] = false;
		values[RESULT_RECEIPT] = ReceiptPGetDatum(receipt);
	}
	if (nulls[RESULT_ATTRIBUTES])
	{
		nulls[RESULT_ATTRIBUTES] = false;
		values[RESULT_ATTRIBUTES] = result->no_attributes;
	}
	if (call->definition.fifo)
	{
		/* ids of a group are in the order of its messages */
		nulls[RESULT_SEQUENCE_NUMBER] = false;
		values[RESULT_SEQUENCE_NUMBER] = ROW_VALUE(row, MESSAGE_ID);
	}
	nulls[RESULT_RECEIVE_COUNT] = nulls[RESULT_VISIBLE_AT] = false;
	values[RESULT_RECEIVE_COUNT] = Int32GetDatum(row_receive_count(row));
	values[RESULT_VISIBLE_AT] = TimestampTzGetDatum(row_visible_at(row));
	nulls[RESULT_QUEUE] = false;
	values[RESULT_QUEUE] = CStringGetTextDatum(call->definition.name);

	tuplestore_putvalues(result->store, result->descriptor, values, nulls);
	MemoryContextSwitchTo(before);
	MemoryContextReset(result->row_context);
}
