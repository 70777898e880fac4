/*
 * oldest.c
 *		When was the oldest message of a queue sent?
 */
#include "postgres.h"

#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "store/head.h"
#include "store/table.h"

#include "store/oldest.h"

/* how many rows of one place are looked at */
#define ROWS_LOOKED_AT	1000

/* Ends the scan; the time of the first row that it gives. */
static TimestampTz
first_sent(StoreScan *scan, int64 last_id)
{
	TimestampTz sent = DT_NOEND;
	VersionStanding standing;
	bool		isnull;
	int			i = 0;

	while (scan_step(scan, &standing))
	{
		if (slot_message_id(scan->slot) > last_id)
			break;
		if (standing == VERSION_FREE || ++i == ROWS_LOOKED_AT)
		{
			sent = DatumGetTimestampTz(slot_getattr(scan->slot,
													MESSAGE_SENT_AT, &isnull));
			break;
		}
	}
	scan_end(scan);
	return sent;
}

/* What the bound has passed: the ranges with the lowest ids first. */
static TimestampTz
oldest_held(Store *store, Snapshot snapshot)
{
	HeadView	view;
	TimestampTz sent = DT_NOEND;
	StoreScan	scan;

	head_view(slot_of_queue(store->queue_number), store->queue_number,
			  DT_NOEND, false, &view);
	for (int i = 0; i < view.look_count && sent == DT_NOEND; i++)
	{
		scan_begin_snapshot_after(&scan, store, snapshot,
								  view.looks[i].first - 1);
		sent = first_sent(&scan, view.looks[i].last);
	}
	if (sent == DT_NOEND)
	{
		scan_begin_snapshot_after(&scan, store, snapshot, view.bound);
		sent = first_sent(&scan, PG_INT64_MAX);
	}
	return sent;
}

TimestampTz
store_oldest(Store *store)
{
	Snapshot	snapshot = scan_snapshot();
	TimestampTz oldest = oldest_held(store, snapshot);
	TimestampTz parked;
	StoreScan	scan;

	scan_begin_snapshot(&scan, store, RECEIPT_IN_PARKED, snapshot);
	parked = first_sent(&scan, PG_INT64_MAX);
	UnregisterSnapshot(snapshot);
	return Min(oldest, parked);
}
