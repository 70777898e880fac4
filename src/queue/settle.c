/*
 * settle.c
 *		delete, change_visibility, nack and their batches: what the holder of
 *		a receipt decides.
 *
 * A receipt is good until its message is received again, deleted,
 * dead-lettered or redriven.  A visibility timeout that merely passed does
 * not end it.  One that is stale, foreign or made up changes nothing and
 * gives false: like SQS, and unlike some of its emulators, a slow consumer
 * cannot delete what another one is working on.
 */
#include "postgres.h"

#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "base/settings.h"
#include "base/version.h"
#include "queue/call.h"
#include "queue/retry.h"

PG_FUNCTION_INFO_V1(decouple_delete);
PG_FUNCTION_INFO_V1(decouple_delete_batch);
PG_FUNCTION_INFO_V1(decouple_change_visibility);
PG_FUNCTION_INFO_V1(decouple_change_visibility_batch);
PG_FUNCTION_INFO_V1(decouple_nack);

#define BY_POLICY		INT64CONST(-1)

/* how much of nack's reason is kept, in bytes */
#define REASON_MAX		8192

/* how a message is given back */
typedef struct GiveBack
{
	const QueueDefinition *definition;
	TimestampTz now;
	int64		delay;			/* or BY_POLICY */
	text	   *reason;			/* or NULL: last_error stays */
} GiveBack;

/*
 * delete(queue_name queue, receipt receipt) -> boolean
 */
Datum
decouple_delete(PG_FUNCTION_ARGS)
{
	QueueCall	call;
	bool		deleted;

	argument_required(fcinfo, 0, "queue_name");
	argument_required(fcinfo, 1, "receipt");
	call_open(&call, PG_GETARG_DATUM(0), "delete", "delete()");
	deleted = store_settle(&call.store, PG_GETARG_RECEIPT_P(1),
						   decouple_now(), NULL, NULL);
	call_close(&call);
	PG_RETURN_BOOL(deleted);
}

/* Settles each receipt; those that were good are the function's result. */
static Datum
settle_batch(FunctionCallInfo fcinfo, const char *action,
			 const char *call_name, RowEdit edit, GiveBack *give_back)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	QueueCall	call;
	Datum	   *receipts;
	int			count;
	TimestampTz now = decouple_now();

	argument_required(fcinfo, 0, "queue_name");
	argument_required(fcinfo, 1, "receipts");
	count = argument_array(fcinfo, 1, "receipts", &receipts);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	call_open(&call, PG_GETARG_DATUM(0), action, call_name);
	for (int i = 0; i < count; i++)
	{
		bool		isnull = false;

		if (store_settle(&call.store, DatumGetReceiptP(receipts[i]), now,
						 edit, give_back))
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
								 &receipts[i], &isnull);
	}
	call_close(&call);
	return (Datum) 0;
}

/*
 * delete_batch(queue_name queue, receipts receipt[]) -> SETOF receipt
 */
Datum
decouple_delete_batch(PG_FUNCTION_ARGS)
{
	return settle_batch(fcinfo, "delete", "delete_batch()", NULL, NULL);
}

/* The edit of change_visibility and nack. */
static void
edit_give_back(MessageRow *row, void *argument)
{
	GiveBack   *give_back = argument;
	int64		delay = give_back->delay == BY_POLICY ?
		retry_delay(give_back->definition, row_receives_here(row)) :
		give_back->delay;

	row_set(row, MESSAGE_VISIBLE_AT,
			TimestampTzGetDatum(give_back->now + delay));
	if (give_back->reason != NULL)
		row_set(row, MESSAGE_LAST_ERROR, PointerGetDatum(give_back->reason));
}

/*
 * change_visibility(queue_name queue, receipt receipt,
 *		visibility_timeout interval) -> boolean
 */
Datum
decouple_change_visibility(PG_FUNCTION_ARGS)
{
	QueueCall	call;
	GiveBack	give_back = {0};
	bool		changed;

	argument_required(fcinfo, 0, "queue_name");
	argument_required(fcinfo, 1, "receipt");
	argument_required(fcinfo, 2, "visibility_timeout");
	give_back.delay = argument_interval(fcinfo, 2, "visibility_timeout",
										0, USECS_PER_LEASE_MAX, 0);
	give_back.now = decouple_now();
	call_open(&call, PG_GETARG_DATUM(0), "change_visibility",
			  "change_visibility()");
	changed = store_settle(&call.store, PG_GETARG_RECEIPT_P(1), give_back.now,
						   edit_give_back, &give_back);
	call_close(&call);
	PG_RETURN_BOOL(changed);
}

/*
 * change_visibility_batch(queue_name queue, receipts receipt[],
 *		visibility_timeout interval) -> SETOF receipt
 */
Datum
decouple_change_visibility_batch(PG_FUNCTION_ARGS)
{
	GiveBack	give_back = {0};

	argument_required(fcinfo, 2, "visibility_timeout");
	give_back.delay = argument_interval(fcinfo, 2, "visibility_timeout",
										0, USECS_PER_LEASE_MAX, 0);
	give_back.now = decouple_now();
	return settle_batch(fcinfo, "change_visibility",
						"change_visibility_batch()",
						edit_give_back, &give_back);
}

/* The reason, cut to what is kept. */
static text *
kept_reason(text *reason)
{
	int			length = VARSIZE_ANY_EXHDR(reason);

	if (length <= REASON_MAX)
		return reason;
	length = pg_mbcliplen(VARDATA_ANY(reason), length, REASON_MAX);
	return cstring_to_text_with_len(VARDATA_ANY(reason), length);
}

/*
 * nack(queue_name queue, receipt receipt, retry_after interval, reason text)
 *		-> boolean
 */
Datum
decouple_nack(PG_FUNCTION_ARGS)
{
	QueueCall	call;
	GiveBack	give_back = {0};
	bool		given_back;

	argument_required(fcinfo, 0, "queue_name");
	argument_required(fcinfo, 1, "receipt");
	give_back.delay = argument_interval(fcinfo, 2, "retry_after",
										0, USECS_PER_LEASE_MAX, BY_POLICY);
	if (!PG_ARGISNULL(3))
		give_back.reason = kept_reason(PG_GETARG_TEXT_PP(3));
	give_back.now = decouple_now();
	call_open(&call, PG_GETARG_DATUM(0), "change_visibility", "nack()");
	give_back.definition = &call.definition;
	given_back = store_settle(&call.store, PG_GETARG_RECEIPT_P(1),
							  give_back.now, edit_give_back, &give_back);
	call_close(&call);
	PG_RETURN_BOOL(given_back);
}
