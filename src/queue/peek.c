/*
 * peek.c
 *		peek: looking at messages without receiving them.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/snapmgr.h"

#include "base/arguments.h"
#include "base/settings.h"
#include "queue/call.h"

PG_FUNCTION_INFO_V1(decouple_peek);

#define PEEK_DEFAULT	10
#define PEEK_MAX		10000

/*
 * peek(queue_name queue, max_messages int) -> SETOF message
 *
 * Merges the two places by id: the oldest come first, in whatever state.
 */
Datum
decouple_peek(PG_FUNCTION_ARGS)
{
	QueueCall	call;
	MessageResult result;
	StoreScan	scans[2];
	bool		more[2];
	Snapshot	snapshot;
	TimestampTz now = decouple_now();
	int32		wanted;

	argument_required(fcinfo, 0, "queue_name");
	wanted = argument_int(fcinfo, 1, "max_messages", 1, PEEK_MAX, PEEK_DEFAULT);
	message_result_begin(&result, fcinfo);
	call_open_to_read(&call, PG_GETARG_DATUM(0), "receive");
	snapshot = scan_snapshot();
	scan_begin_snapshot(&scans[0], &call.store, RECEIPT_IN_QUEUE, snapshot);
	scan_begin_snapshot(&scans[1], &call.store, RECEIPT_IN_PARKED, snapshot);
	for (int i = 0; i < 2; i++)
		more[i] = scan_next_alive(&scans[i], call.definition.retention, now);

	while (wanted-- > 0 && (more[0] || more[1]))
	{
		int			i = !more[0] ||
			(more[1] && ROW_ID(&scans[1].row) < ROW_ID(&scans[0].row));

		message_result_add(&result, &call, &scans[i].row, NULL);
		more[i] = scan_next_alive(&scans[i], call.definition.retention, now);
	}
	scan_end(&scans[0]);
	scan_end(&scans[1]);
	UnregisterSnapshot(snapshot);
	call_close(&call);
	return (Datum) 0;
}
