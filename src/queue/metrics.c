/*
 * metrics.c
 *		queue_measures: how many messages wait, are in flight, are delayed,
 *		and what was done so far.
 *
 * With shared memory the numbers are counters, and a row costs the same
 * whatever the queue's backlog.  Without, or for a session whose clock is
 * shifted, a scan of both places with one snapshot counts: exact, and as long
 * as the queue.  A queue that was not recounted since the server's start is
 * scanned too, if it is small, or if whoever asks cannot do with an estimate.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "storage/bufmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/settings.h"
#include "queue/call.h"
#include "queue/metrics.h"
#include "queue/totals.h"
#include "store/count.h"
#include "store/oldest.h"

PG_FUNCTION_INFO_V1(decouple_queue_measures);

/* the columns of queue_measures */
enum MeasureColumn
{
	MEASURE_VISIBLE,
	MEASURE_IN_FLIGHT,
	MEASURE_DELAYED,
	MEASURE_OLDEST_AGE,
	MEASURE_FIRST_TOTAL,		/* in the order of QueueTotal */
	MEASURE_WAITERS = MEASURE_FIRST_TOTAL + QUEUE_TOTALS,
	MEASURE_BYTES,
	MEASURE_EXACT,
	MEASURE_COLUMNS
};

/* a queue of so many pages is scanned rather than shown with wrong counts */
#define SMALL_PAGES		100

/* Counts one place into the measures. */
static void
measure_place(QueueCall *call, ReceiptPlace place, Snapshot snapshot,
			  TimestampTz now, QueueCounts *counts, TimestampTz *oldest)
{
	StoreScan	scan;

	scan_begin_snapshot(&scan, &call->store, place, snapshot);
	while (scan_next_alive(&scan, call->definition.retention, now))
	{
		MessageRow *row = &scan.row;
		TimestampTz sent = DatumGetTimestampTz(ROW_VALUE(row, MESSAGE_SENT_AT));

		if (row_visible_at(row) <= now)
			counts->visible++;
		else if (!ROW_IS_NULL(row, MESSAGE_FENCE))
			counts->in_flight++;
		else
			counts->delayed++;
		*oldest = Min(*oldest, sent);
	}
	scan_end(&scan);
}

static void
measure_by_scan(QueueCall *call, TimestampTz now, QueueCounts *counts,
				TimestampTz *oldest)
{
	Snapshot	snapshot = scan_snapshot();

	counts->visible = counts->in_flight = counts->delayed = 0;
	*oldest = DT_NOEND;
	measure_place(call, RECEIPT_IN_QUEUE, snapshot, now, counts, oldest);
	measure_place(call, RECEIPT_IN_PARKED, snapshot, now, counts, oldest);
	UnregisterSnapshot(snapshot);
	counts->exact = true;
}

bool
queue_measure(QueueCall *call, MeasureNeed need, QueueCounts *counts,
			  TimestampTz *oldest)
{
	int32		number = call->definition.number;
	TimestampTz now = decouple_now();
	bool		known;

	totals_load(number);
	known = count_read(number, now, counts);
	if (!known || decouple_clock_is_shifted() ||
		(!counts->exact &&
		 (need == COUNT_EXACTLY ||
		  RelationGetNumberOfBlocks(call->store.queue.heap) <= SMALL_PAGES)))
		measure_by_scan(call, now, counts, oldest);
	else
		*oldest = store_oldest(&call->store);
	return known;
}

/*
 * queue_measures(queue_name queue) -> record
 *
 * What is behind the view queue_metrics.
 */
Datum
decouple_queue_measures(PG_FUNCTION_ARGS)
{
	QueueCall	call;
	TupleDesc	descriptor;
	Datum		values[MEASURE_COLUMNS];
	bool		nulls[MEASURE_COLUMNS] = {false};
	QueueCounts counts;
	TimestampTz oldest;
	bool		known;

	argument_required(fcinfo, 0, "queue_name");
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	call_open_to_read(&call, PG_GETARG_DATUM(0), "get");
	known = queue_measure(&call, COUNT_QUICKLY, &counts, &oldest);

	values[MEASURE_VISIBLE] = Int64GetDatum(counts.visible);
	values[MEASURE_IN_FLIGHT] = Int64GetDatum(counts.in_flight);
	values[MEASURE_DELAYED] = Int64GetDatum(counts.delayed);
	nulls[MEASURE_OLDEST_AGE] = oldest == DT_NOEND;
	if (!nulls[MEASURE_OLDEST_AGE])
		values[MEASURE_OLDEST_AGE] =
			DirectFunctionCall2(timestamp_mi,
								TimestampTzGetDatum(decouple_now()),
								TimestampTzGetDatum(oldest));
	for (int i = 0; i < QUEUE_TOTALS; i++)
	{
		nulls[MEASURE_FIRST_TOTAL + i] = !known;
		values[MEASURE_FIRST_TOTAL + i] = known ?
			Int64GetDatum(counts.totals[i]) : (Datum) 0;
	}
	nulls[MEASURE_WAITERS] = !known;
	values[MEASURE_WAITERS] = known ? Int32GetDatum(counts.waiters) : (Datum) 0;
	values[MEASURE_BYTES] =
		DirectFunctionCall1(pg_total_relation_size,
							ObjectIdGetDatum(call.definition.table));
	values[MEASURE_EXACT] = BoolGetDatum(counts.exact);
	call_close(&call);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor),
													  values, nulls)));
}
