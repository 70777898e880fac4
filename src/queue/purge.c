/*
 * purge.c
 *		purge: a queue is emptied.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/snapmgr.h"

#include "base/arguments.h"
#include "queue/call.h"
#include "queue/memory.h"

PG_FUNCTION_INFO_V1(decouple_purge);

static int64
purge_place(QueueCall *call, ReceiptPlace place, Snapshot snapshot)
{
	StoreScan	scan;
	int64		purged = 0;

	scan_begin_snapshot(&scan, &call->store, place, snapshot);
	while (scan_next(&scan))
	{
		if (store_remove_newest(&scan, TOTAL_DELETED))
			purged++;
	}
	scan_end(&scan);
	return purged;
}

/*
 * purge(queue_name queue) -> bigint
 *
 * What was committed when it began, and this transaction's own, goes in its
 * newest version; what open transactions hold stays.
 */
Datum
decouple_purge(PG_FUNCTION_ARGS)
{
	QueueCall	call;
	Snapshot	snapshot;
	int64		purged;

	argument_required(fcinfo, 0, "queue_name");
	call_open(&call, PG_GETARG_DATUM(0), "purge", "purge()");
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	purged = purge_place(&call, RECEIPT_IN_QUEUE, snapshot) +
		purge_place(&call, RECEIPT_IN_PARKED, snapshot);
	UnregisterSnapshot(snapshot);
	/* sqs: PurgeQueue forgets deduplication ids too */
	if (call.definition.fifo)
		memory_forget(&deduplication_memory, call.definition.number);
	call_close(&call);
	PG_RETURN_INT64(purged);
}
