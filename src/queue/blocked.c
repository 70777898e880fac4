/*
 * blocked.c
 *		blocked_groups_of: which groups of a FIFO queue wait for a message.
 *
 * A walk over the index of groups with one snapshot: it takes as long as the
 * queue, and is for people who look.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "base/settings.h"
#include "base/texts.h"
#include "queue/call.h"
#include "store/journal.h"

PG_FUNCTION_INFO_V1(decouple_blocked_groups_of);

/* the columns of blocked_groups_of */
enum BlockedColumn
{
	BLOCKED_GROUP_ID,
	BLOCKED_BY,
	BLOCKED_REASON,
	BLOCKED_SINCE,
	BLOCKED_UNTIL,
	BLOCKED_WAITING,
	BLOCKED_COLUMNS
};

/* the group that the walk is in */
typedef struct BlockedGroup
{
	text	   *group_id;		/* NULL before the first */
	bool		blocked;
	int64		waiting;		/* visible messages behind the one that blocks */
	Datum		values[BLOCKED_COLUMNS];
	bool		nulls[BLOCKED_COLUMNS];
} BlockedGroup;

static void
show(const BlockedGroup *group, ReturnSetInfo *rsinfo)
{
	Datum		values[BLOCKED_COLUMNS];
	bool		nulls[BLOCKED_COLUMNS];

	if (!group->blocked || group->waiting == 0)
		return;
	memcpy(values, group->values, sizeof(values));
	memcpy(nulls, group->nulls, sizeof(nulls));
	values[BLOCKED_GROUP_ID] = PointerGetDatum(group->group_id);
	values[BLOCKED_WAITING] = Int64GetDatum(group->waiting);
	nulls[BLOCKED_GROUP_ID] = nulls[BLOCKED_WAITING] = false;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Does an open transaction hold the version that the snapshot sees? */
static bool
is_held(StoreScan *scan)
{
	SnapshotData dirty;

	InitDirtySnapshot(dirty);
	return !table_tuple_satisfies_snapshot(scan->table->heap, scan->slot,
										   &dirty) ||
		TransactionIdIsValid(dirty.xmax);
}

/* The message blocks its group, unless it is free and visible. */
static void
look_for_block(BlockedGroup *group, StoreScan *scan, TimestampTz now)
{
	const MessageRow *row = &scan->row;
	bool		held = is_held(scan);

	if (!held && row_visible_at(row) <= now)
		return;
	group->blocked = true;
	group->values[BLOCKED_BY] = ROW_VALUE(row, MESSAGE_ID);
	group->values[BLOCKED_REASON] =
		CStringGetTextDatum(held ? "open transaction" : "in flight");
	group->nulls[BLOCKED_BY] = group->nulls[BLOCKED_REASON] = false;
	/* a lease does not tell when it began: the message's first receive does */
	group->nulls[BLOCKED_SINCE] = ROW_IS_NULL(row, MESSAGE_FIRST_RECEIVED_AT);
	group->values[BLOCKED_SINCE] = ROW_VALUE(row, MESSAGE_FIRST_RECEIVED_AT);
	group->nulls[BLOCKED_UNTIL] = held;
	group->values[BLOCKED_UNTIL] = TimestampTzGetDatum(row_visible_at(row));
}

static void
walk(StoreScan *scan, const QueueCall *call, TimestampTz now,
	 ReturnSetInfo *rsinfo)
{
	BlockedGroup group = {0};

	while (scan_next_alive(scan, call->definition.retention, now))
	{
		Datum		group_id = ROW_VALUE(&scan->row, MESSAGE_GROUP_ID);

		if (ROW_IS_NULL(&scan->row, MESSAGE_GROUP_ID) ||
			is_delayed(row_standing(&scan->row), now))
			continue;
		if (group.group_id == NULL ||
			!texts_equal(group.group_id, DatumGetTextPP(group_id)))
		{
			show(&group, rsinfo);
			group.group_id = DatumGetTextPCopy(group_id);
			group.blocked = false;
			group.waiting = 0;
		}
		if (!group.blocked)
			look_for_block(&group, scan, now);
		else if (row_visible_at(&scan->row) <= now)
			group.waiting++;
	}
	show(&group, rsinfo);
}

/*
 * blocked_groups_of(queue_name queue) -> setof (group_id, blocked_by, reason,
 *		since, until, waiting)
 */
Datum
decouple_blocked_groups_of(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	QueueCall	call;
	StoreScan	scan;
	Snapshot	snapshot;

	argument_required(fcinfo, 0, "queue_name");
	InitMaterializedSRF(fcinfo, 0);
	call_open_to_read(&call, PG_GETARG_DATUM(0), "get");
	if (call.definition.fifo)
	{
		snapshot = scan_snapshot();
		scan_begin_groups(&scan, &call.store, snapshot, NULL);
		walk(&scan, &call, decouple_now(), rsinfo);
		scan_end(&scan);
		UnregisterSnapshot(snapshot);
	}
	call_close(&call);
	return (Datum) 0;
}
