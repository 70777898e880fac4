/*
 * await.c
 *		await and await_any: wait for a message without holding a snapshot.
 *
 * A receive that waits holds its statement's snapshot, and so keeps vacuum
 * from removing what died since.  These are procedures: they commit what
 * precedes them, and each look is a short transaction of its own, so that
 * between two looks the session holds nothing at all.
 *
 * Each call of ours that returns true has seen a message; whether it is still
 * there when the caller receives is another matter.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/settings.h"
#include "queue/call.h"
#include "queue/deliverable.h"
#include "queue/wait.h"

PG_FUNCTION_INFO_V1(decouple_await);
PG_FUNCTION_INFO_V1(decouple_await_any);

#define OF_QUEUE	INT64CONST(-1)

static void
require_no_transaction_block(FunctionCallInfo fcinfo, const char *call_name)
{
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s cannot run inside a transaction block", call_name),
				 errhint("Call it on its own, or wait with decouple.receive().")));
	PreventCommandIfReadOnly(call_name);
}

/* Is there a message that a receive would get? */
static bool
look_at(Datum queue_name, Wait *wait)
{
	QueueCall	call;
	Visit		visit;
	Clearing	clearing = {0};
	bool		found;

	call_open(&call, queue_name, "receive", "await()");
	wait_saw(wait, &call.definition);
	visit_begin(&visit, &call.store, decouple_now(), VISIT_TO_RECEIVE);
	found = next_deliverable(&clearing, &call, &visit);
	visit_end(&visit);
	dead_letter_close(&clearing.letters);
	call_close(&call);
	return found;
}

/* A look at all queues, in a transaction of its own. */
static bool
look(const Datum *queue_names, int count, Wait *wait)
{
	bool		found = false;

	PushActiveSnapshot(GetTransactionSnapshot());
	for (int i = 0; i < count && !found; i++)
		found = look_at(queue_names[i], wait);
	PopActiveSnapshot();
	return found;
}

static bool
await(const Datum *queue_names, int count, int64 wait_time)
{
	Wait		wait;
	bool		found;

	SPI_connect_ext(SPI_OPT_NONATOMIC);
	SPI_commit();
	wait_begin(&wait, count);
	found = look(queue_names, count, &wait);
	if (wait_time == OF_QUEUE)
		wait_time = Min(wait.wait_time,
						(int64) decouple_max_wait_time * 1000);
	while (!found)
	{
		/* whoever commits from here on wakes us */
		wait_join(&wait);
		found = look(queue_names, count, &wait);
		if (found)
			break;
		/* gives back locks and snapshots; the lists are not left */
		SPI_commit();
		if (!wait_sleep(&wait, wait_time))
			break;
	}
	wait_end(&wait);
	SPI_finish();
	EnsurePortalSnapshotExists();
	return found;
}

/* The row of the one INOUT argument. */
static Datum
result_row(FunctionCallInfo fcinfo, bool available)
{
	TupleDesc	descriptor;
	Datum		value = BoolGetDatum(available);
	bool		isnull = false;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor),
											 &value, &isnull));
}

static int64
wait_time_argument(FunctionCallInfo fcinfo)
{
	return argument_interval(fcinfo, 1, "wait_time", 0,
							 (int64) decouple_max_wait_time * 1000, OF_QUEUE);
}

/*
 * await(queue_name queue, wait_time interval, INOUT available bool)
 */
Datum
decouple_await(PG_FUNCTION_ARGS)
{
	Datum		queue_name;
	int64		wait_time;

	argument_required(fcinfo, 0, "queue_name");
	wait_time = wait_time_argument(fcinfo);
	require_no_transaction_block(fcinfo, "await()");
	queue_name = PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0)));
	return result_row(fcinfo, await(&queue_name, 1, wait_time));
}

/*
 * await_any(queue_names queue[], wait_time interval, INOUT available bool)
 */
Datum
decouple_await_any(PG_FUNCTION_ARGS)
{
	Datum	   *queue_names;
	int64		wait_time;
	int			count;

	argument_required(fcinfo, 0, "queue_names");
	count = argument_array(fcinfo, 0, "queue_names", &queue_names);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("queue_names must not be empty"),
				 errhint("Name at least one queue.")));
	wait_time = wait_time_argument(fcinfo);
	require_no_transaction_block(fcinfo, "await_any()");
	return result_row(fcinfo, await(queue_names, count, wait_time));
}
