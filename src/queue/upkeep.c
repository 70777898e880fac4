/*
 * upkeep.c
 *		What a queue needs done for it: retention and dead letters.
 *
 * A pass walks the queue once and removes what has expired (in flight too, as
 * SQS does) and moves what is visible and was received too often.  It goes in
 * steps, each a short transaction where the caller commits between them; a
 * crash costs the step that was under way.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "queue/call.h"
#include "queue/dead_letter.h"
#include "queue/upkeep.h"

/* a step ends after so many writes, or so many rows read */
#define STEP_WRITES		1000
#define STEP_ROWS		100000

typedef struct Step
{
	int			writes;
	int			rows;
	DeadLetters letters;
} Step;

static bool
step_is_full(const Step *step)
{
	return step->writes >= STEP_WRITES || step->rows >= STEP_ROWS;
}

/* Walks one scan; true if it came to its end. */
static bool
tidy(Step *step, QueueCall *call, StoreScan *scan, UpkeepPass *pass,
	 TimestampTz now)
{
	bool		ended = false;

	while (!step_is_full(step))
	{
		MessageRow *row = &scan->row;
		int64		id;

		if (!scan_next(scan))
		{
			ended = true;
			break;
		}
		step->rows++;
		id = ROW_ID(row);
		if (row_has_expired(row, call->definition.retention, now))
		{
			if (store_remove(scan, TOTAL_EXPIRED))
				step->writes++;
		}
		else if (row_visible_at(row) <= now &&
				 is_exhausted(&call->definition, row))
		{
			if (dead_letter_move(&step->letters, call, scan, now))
				step->writes++;
		}
		if (scan->table->place == RECEIPT_IN_QUEUE)
			pass->after_id = id;
	}
	scan_end(scan);
	return ended;
}

bool
upkeep_step(const char *queue_name, UpkeepPass *pass)
{
	Step		step = {0};
	QueueCall	call;
	StoreScan	scan;
	Relation	heap;
	TimestampTz now = decouple_now();
	bool		ended;

	if (!definition_lookup(queue_name, &call.definition) ||
		!OidIsValid(call.definition.table) ||
		!ConditionalLockRelationOid(call.definition.table, RowExclusiveLock))
		return false;
	heap = queue_open_name(queue_name, RowExclusiveLock, true,
						   &call.definition);
	if (heap == NULL)
		return false;
	store_open(&call.store, heap, call.definition.order_index,
			   call.definition.number, RowExclusiveLock);

	if (!pass->due_done)
	{
		scan_begin_due(&scan, &call.store, DT_NOBEGIN, 0, now);
		pass->due_done = tidy(&step, &call, &scan, pass, now);
	}
	scan_begin_free(&scan, &call.store, pass->after_id);
	ended = tidy(&step, &call, &scan, pass, now);
	dead_letter_close(&step.letters);
	call_close(&call);
	return !(ended && pass->due_done);
}

bool
upkeep_parked_step(int32 *after)
{
	int			writes = 0;
	int32		number;

	while ((number = store_next_parked(*after)) != 0)
	{
		QueueDefinition definition;
		Store		store;
		StoreScan	scan;
		Snapshot	snapshot;

		/* looked up after the row was seen: a queue is older than its rows */
		if (!definition_lookup_number(number, &definition))
		{
			store_open_parked(&store, number, RowExclusiveLock);
			snapshot = RegisterSnapshot(GetLatestSnapshot());
			scan_begin_snapshot(&scan, &store, RECEIPT_IN_PARKED, snapshot);
			while (writes < STEP_WRITES && scan_next(&scan))
			{
				if (store_remove(&scan, QUEUE_TOTALS))
					writes++;
			}
			scan_end(&scan);
			UnregisterSnapshot(snapshot);
			store_close(&store, false);
			if (writes >= STEP_WRITES)
				return true;
		}
		*after = number;
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}
