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
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "queue/attempt.h"
#include "queue/call.h"
#include "queue/dead_letter.h"
#include "queue/deliverable.h"
#include "queue/memory.h"
#include "queue/totals.h"
#include "queue/upkeep.h"
#include "store/count.h"

/* a step ends after so many writes, or so many rows read */
#define STEP_WRITES		1000
#define STEP_ROWS		100000

/* a note of rolled-back receives that nobody needs at once is kept so long */
#define NOTE_KEPT		(10 * USECS_PER_SEC)

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

/* Forgets what a FIFO queue need not remember; true if that is all. */
static bool
forget_old(Step *step, QueueCall *call, TimestampTz now)
{
	const QueueDefinition *definition = &call->definition;

	if (step->writes < STEP_WRITES)
		step->writes += memory_forget_old(&deduplication_memory,
										  definition->number,
										  now - definition->deduplication_window,
										  STEP_WRITES - step->writes);
	if (step->writes < STEP_WRITES)
		step->writes += memory_forget_old(&attempt_memory, definition->number,
										  now - ATTEMPT_KEPT,
										  STEP_WRITES - step->writes);
	return step->writes < STEP_WRITES;
}

bool
upkeep_step(const char *queue_name, UpkeepPass *pass)
{
	Step		step = {0};
	QueueCall	call;
	StoreScan	scan;
	TimestampTz now = decouple_now();
	bool		ended;

	if (!call_open_quietly(&call, queue_name))
		return false;
	if (!pass->due_done)
	{
		scan_begin_due(&scan, &call.store, DT_NOBEGIN, 0, now);
		pass->due_done = tidy(&step, &call, &scan, pass, now);
	}
	scan_begin_free(&scan, &call.store, pass->after_id);
	ended = tidy(&step, &call, &scan, pass, now);
	if (call.definition.fifo)
		ended = forget_old(&step, &call, now) && ended;
	dead_letter_close(&step.letters);
	call_close(&call);
	return !(ended && pass->due_done);
}

/* ---- rolled-back receives ---- */

/* Is it the worker who has to count them, or the next who receives it? */
static bool
is_for_worker(const QueueCall *call, const MessageRow *row, int32 attempts,
			  TimestampTz failed_at, TimestampTz now)
{
	const QueueDefinition *definition = &call->definition;

	return definition->retry_delay > 0 ||
		(definition->max_receive_count > 0 &&
		 row_receives_here(row) + attempts >= definition->max_receive_count) ||
		failed_at + NOTE_KEPT <= now;
}

/* The noted message, in one of its places.  True if it was there. */
static bool
count_noted(Clearing *clearing, QueueCall *call, ReceiptPlace place, int64 id,
			int32 attempts, TimestampTz failed_at, TimestampTz now)
{
	StoreScan	scan;
	VersionStanding standing;
	bool		seen = false;

	scan_begin_range(&scan, &call->store, place, id, id);
	while (scan_step(&scan, &standing))
	{
		seen = true;
		if (standing != VERSION_FREE)
			continue;			/* whoever holds it counts, or notes again */
		scan_read(&scan);
		/* received again already, before the note was there: leave it alone */
		if (row_visible_at(&scan.row) > now)
			continue;
		if (is_for_worker(call, &scan.row, attempts, failed_at, now) &&
			count_attempts(clearing, call, &scan, now, true) == NOT_CLEARED)
			store_return_attempts(&scan);
	}
	scan_end(&scan);
	return seen;
}

bool
upkeep_attempts(const char *queue_name)
{
	Clearing	clearing = {0};
	QueueCall	call;
	TimestampTz now = decouple_now();
	TimestampTz failed_at;
	int32		attempts;
	int64		id = 0;

	if (!call_open_quietly(&call, queue_name))
		return false;
	if (call.store.slot != NULL)
		pg_atomic_write_u32(&call.store.slot->attend, 0);
	while (clearing.cleared < STEP_WRITES &&
		   (id = attempts_next(call.store.slot, call.definition.number, id,
							   &attempts, &failed_at)) != 0)
	{
		if (!count_noted(&clearing, &call, RECEIPT_IN_QUEUE, id, attempts,
						 failed_at, now) &&
			!count_noted(&clearing, &call, RECEIPT_IN_PARKED, id, attempts,
						 failed_at, now))
			(void) attempts_take(call.store.slot, call.definition.number, id,
								 &failed_at);	/* it is gone */
		CHECK_FOR_INTERRUPTS();
	}
	dead_letter_close(&clearing.letters);
	call_close(&call);
	return clearing.cleared >= STEP_WRITES;
}

/* ---- counts ---- */

bool
upkeep_wants_recount(QueueSlot *slot)
{
	return recount_need(slot, slot->number, GetCurrentTimestamp()) !=
		RECOUNT_NOTHING;
}

void
upkeep_counts(const char *queue_name, bool fold)
{
	QueueCall	call;
	TimestampTz now = GetCurrentTimestamp();

	if (!call_open_quietly(&call, queue_name))
		return;
	totals_load(call.definition.number);
	if (call.store.slot != NULL)
		(void) recount(&call.store,
					   recount_need(call.store.slot, call.definition.number, now),
					   now);
	if (fold)
		totals_fold(call.definition.number);
	call_close(&call);
}

/* ---- parked messages of queues that are no more ---- */

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
