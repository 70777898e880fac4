/*
 * metrics.c
 *		queue_measures: how many messages wait, are in flight, are delayed.
 *
 * It counts by a scan of both places with one snapshot: exact, and as long
 * as the queue.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/settings.h"
#include "queue/call.h"

PG_FUNCTION_INFO_V1(decouple_queue_measures);

/* the columns of queue_measures */
enum MeasureColumn
{
	MEASURE_VISIBLE,
	MEASURE_IN_FLIGHT,
	MEASURE_DELAYED,
	MEASURE_OLDEST_AGE,
	MEASURE_BYTES,
	MEASURE_COLUMNS
};

/* Counts one place into the measures. */
static void
measure_place(QueueCall *call, ReceiptPlace place, Snapshot snapshot,
			  TimestampTz now, int64 *counts, TimestampTz *oldest)
{
	StoreScan	scan;

	scan_begin_snapshot(&scan, &call->store, place, snapshot);
	while (scan_next_alive(&scan, call->definition.retention, now))
	{
		MessageRow *row = &scan.row;
		TimestampTz sent = DatumGetTimestampTz(ROW_VALUE(row, MESSAGE_SENT_AT));

		if (row_visible_at(row) <= now)
			counts[MEASURE_VISIBLE]++;
		else if (!ROW_IS_NULL(row, MESSAGE_FENCE))
			counts[MEASURE_IN_FLIGHT]++;
		else
			counts[MEASURE_DELAYED]++;
		*oldest = Min(*oldest, sent);
	}
	scan_end(&scan);
}

/*
 * queue_measures(queue_name queue) -> record
 *
 * The scan behind the view queue_metrics.
 */
Datum
decouple_queue_measures(PG_FUNCTION_ARGS)
{
	QueueCall	call;
	Snapshot	snapshot;
	TupleDesc	descriptor;
	Datum		values[MEASURE_COLUMNS];
	bool		nulls[MEASURE_COLUMNS] = {false};
	int64		counts[MEASURE_COLUMNS] = {0};
	TimestampTz now = decouple_now();
	TimestampTz oldest = DT_NOEND;

	argument_required(fcinfo, 0, "queue_name");
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	call_open_to_read(&call, PG_GETARG_DATUM(0), "get");
	snapshot = scan_snapshot();
	measure_place(&call, RECEIPT_IN_QUEUE, snapshot, now, counts, &oldest);
	measure_place(&call, RECEIPT_IN_PARKED, snapshot, now, counts, &oldest);
	UnregisterSnapshot(snapshot);

	for (int i = MEASURE_VISIBLE; i <= MEASURE_DELAYED; i++)
		values[i] = Int64GetDatum(counts[i]);
	nulls[MEASURE_OLDEST_AGE] = oldest == DT_NOEND;
	if (!nulls[MEASURE_OLDEST_AGE])
		values[MEASURE_OLDEST_AGE] =
			DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(now),
								TimestampTzGetDatum(oldest));
	values[MEASURE_BYTES] =
		DirectFunctionCall1(pg_total_relation_size,
							ObjectIdGetDatum(call.definition.table));
	call_close(&call);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor),
													  values, nulls)));
}
