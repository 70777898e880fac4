/*
 * send.c
 *		send, send_batch, send_messages: new messages.
 *
 * A send checks its arguments, opens the queue and inserts; others see the
 * messages when the transaction commits.  On a standard queue it takes no lock
 * but those of an INSERT, so two senders never wait for each other.
 *
 * On a FIFO queue senders of one group, or of one deduplication id, wait for
 * each other until commit: a message id is drawn under the lock of its group, so
 * ids of a group are in the order of commits.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/settings.h"
#include "base/version.h"
#include "queue/attributes.h"
#include "queue/call.h"
#include "queue/deduplication.h"
#include "queue/draft.h"
#include "queue/send.h"
#include "store/group.h"

PG_FUNCTION_INFO_V1(decouple_send);
PG_FUNCTION_INFO_V1(decouple_send_jsonb);
PG_FUNCTION_INFO_V1(decouple_send_batch);
PG_FUNCTION_INFO_V1(decouple_send_messages);

/* the arguments of send, by number */
enum
{
	SEND_QUEUE_NAME,
	SEND_BODY,
	SEND_DELAY,
	SEND_ATTRIBUTES,
	SEND_GROUP_ID,
	SEND_DEDUPLICATION_ID,
	SEND_EXPIRES_IN
};

/* the arguments of send_batch, by number */
enum
{
	BATCH_QUEUE_NAME,
	BATCH_BODIES,
	BATCH_DELAY,
	BATCH_ATTRIBUTES,
	BATCH_GROUP_IDS,
	BATCH_DEDUPLICATION_IDS
};

/* Locks the groups of drafts that were checked. */
static void
lock_groups(QueueCall *call, const Draft *drafts, int count)
{
	Datum	   *group_ids = palloc(sizeof(Datum) * count);

	for (int i = 0; i < count; i++)
		group_ids[i] = PointerGetDatum(drafts[i].group_id);
	group_lock(&call->store, group_ids, count);
	pfree(group_ids);
}

/*
 * Makes rows of drafts, except for those that are duplicates, and notes the id
 * of each, which of a duplicate is that of the first.  Returns how many rows.
 */
static int
make_rows(QueueCall *call, const Draft *drafts, int count, TimestampTz now,
		  MessageRow *rows, int64 *ids)
{
	const QueueDefinition *definition = &call->definition;
	Datum		sender = message_sender();
	Deduplication memory;
	int			made = 0;

	if (definition->fifo)
		deduplication_begin(&memory, definition, now);
	for (int i = 0; i < count; i++)
	{
		int64		first = 0;

		ids[i] = store_next_id();
		if (definition->fifo)
			first = deduplication_enter(&memory, drafts[i].deduplication_id,
										drafts[i].group_id, ids[i]);
		if (first != 0)
			ids[i] = first;
		else
			draft_to_row(&drafts[i], definition, ids[i], sender, now,
						 &rows[made++]);
	}
	if (definition->fifo)
		deduplication_end(&memory);
	return made;
}

void
send_drafts(QueueCall *call, Draft *drafts, int count, MessageRow *rows,
			int64 *ids)
{
	TimestampTz now;
	int			made;

	for (int i = 0; i < count; i++)
		draft_check(&drafts[i], &call->definition);
	if (call->definition.fifo && count > 0)
		lock_groups(call, drafts, count);
	now = decouple_now();
	made = make_rows(call, drafts, count, now, rows, ids);
	if (made > 0)
		store_insert(&call->store, rows, made, now, TOTAL_SENT);
}

static int64
send_one(FunctionCallInfo fcinfo, text *body)
{
	Draft		draft = {.delay = DELAY_OF_QUEUE, .expires_in = NEVER_EXPIRES};
	QueueCall	call;
	MessageRow	row;
	int64		id;

	draft.body = body;
	draft.delay = argument_interval(fcinfo, SEND_DELAY, "delay",
									0, USECS_PER_LEASE_MAX, DELAY_OF_QUEUE);
	draft.expires_in = argument_interval(fcinfo, SEND_EXPIRES_IN, "expires_in",
										 0, USECS_PER_RETENTION_MAX,
										 NEVER_EXPIRES);
	if (!PG_ARGISNULL(SEND_ATTRIBUTES))
		draft.attributes = PG_GETARG_JSONB_P(SEND_ATTRIBUTES);
	if (!PG_ARGISNULL(SEND_GROUP_ID))
		draft.group_id = PG_GETARG_TEXT_PP(SEND_GROUP_ID);
	if (!PG_ARGISNULL(SEND_DEDUPLICATION_ID))
		draft.deduplication_id = PG_GETARG_TEXT_PP(SEND_DEDUPLICATION_ID);

	call_open(&call, PG_GETARG_DATUM(SEND_QUEUE_NAME), "send", "send()");
	send_drafts(&call, &draft, 1, &row, &id);
	call_close(&call);
	return id;
}

/*
 * send(queue_name queue, body text, delay interval, attributes jsonb,
 *		group_id text, deduplication_id text, expires_in interval) -> bigint
 *
 * Also the form for json, whose datums are those of text.
 */
Datum
decouple_send(PG_FUNCTION_ARGS)
{
	argument_required(fcinfo, SEND_QUEUE_NAME, "queue_name");
	argument_required(fcinfo, SEND_BODY, "body");
	PG_RETURN_INT64(send_one(fcinfo, PG_GETARG_TEXT_PP(SEND_BODY)));
}

Datum
decouple_send_jsonb(PG_FUNCTION_ARGS)
{
	argument_required(fcinfo, SEND_QUEUE_NAME, "queue_name");
	argument_required(fcinfo, SEND_BODY, "body");
	PG_RETURN_INT64(send_one(fcinfo,
							 body_from_jsonb(PG_GETARG_JSONB_P(SEND_BODY))));
}

void
send_and_return(FunctionCallInfo fcinfo, QueueCall *call, Draft *drafts,
				int count)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MessageRow *rows = MemoryContextAllocHuge(CurrentMemoryContext,
											  sizeof(MessageRow) * Max(count, 1));
	int64	   *ids = palloc(sizeof(int64) * Max(count, 1));

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	send_drafts(call, drafts, count, rows, ids);
	call_close(call);

	for (int i = 0; i < count; i++)
	{
		Datum		id = Int64GetDatum(ids[i]);
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &id, &isnull);
	}
	pfree(rows);
	pfree(ids);
}

/*
 * send_batch(queue_name queue, bodies text[], delay interval,
 *		attributes jsonb[], group_ids text[], deduplication_ids text[])
 *		-> SETOF bigint
 */
Datum
decouple_send_batch(PG_FUNCTION_ARGS)
{
	Datum	   *bodies;
	DraftArrays arrays = {0};
	Draft	   *drafts;
	QueueCall	call;
	int64		delay;
	int			count;

	argument_required(fcinfo, BATCH_QUEUE_NAME, "queue_name");
	argument_required(fcinfo, BATCH_BODIES, "bodies");
	count = argument_array(fcinfo, BATCH_BODIES, "bodies", &bodies);
	delay = argument_interval(fcinfo, BATCH_DELAY, "delay",
							  0, USECS_PER_LEASE_MAX, DELAY_OF_QUEUE);
	arrays.attributes = argument_array_beside(fcinfo, BATCH_ATTRIBUTES,
											  "attributes", "bodies", count);
	arrays.group_ids = argument_array_beside(fcinfo, BATCH_GROUP_IDS,
											 "group_ids", "bodies", count);
	arrays.deduplication_ids = argument_array_beside(fcinfo, BATCH_DEDUPLICATION_IDS,
													 "deduplication_ids",
													 "bodies", count);
	drafts = drafts_from_arrays(bodies, &arrays, delay, count);
	call_open(&call, PG_GETARG_DATUM(BATCH_QUEUE_NAME), "send", "send_batch()");
	send_and_return(fcinfo, &call, drafts, count);
	return (Datum) 0;
}

/*
 * send_messages(queue_name queue, messages jsonb) -> SETOF bigint
 */
Datum
decouple_send_messages(PG_FUNCTION_ARGS)
{
	Draft	   *drafts;
	QueueCall	call;
	int			count;

	argument_required(fcinfo, 0, "queue_name");
	argument_required(fcinfo, 1, "messages");
	count = drafts_from_json(PG_GETARG_JSONB_P(1), &drafts);
	call_open(&call, PG_GETARG_DATUM(0), "send", "send_messages()");
	send_and_return(fcinfo, &call, drafts, count);
	return (Datum) 0;
}
