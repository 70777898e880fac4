/*
 * deliverable.c
 *		The next message of a queue that may be delivered.
 *
 * Clearing is bounded for each call, so that one unlucky receiver does not
 * pay for a whole backlog: upkeep does the rest.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "queue/deliverable.h"
#include "queue/retry.h"

/* how many messages one call clears out of its way */
#define CLEARED_MAX			1000

static void
cleared_one(Clearing *clearing)
{
	clearing->cleared++;
	clearing->wrote = true;
}

/*
 * Moves an exhausted message.  *deliver tells if it is to be delivered on,
 * which is so where there is no usable dead-letter queue.
 */
static bool
move_exhausted(Clearing *clearing, QueueCall *call, StoreScan *scan,
			   TimestampTz now, bool *deliver)
{
	*deliver = false;
	if (clearing->cleared >= CLEARED_MAX)
		return false;
	if (dead_letter_move(&clearing->letters, call, scan, now))
	{
		cleared_one(clearing);
		return true;
	}
	*deliver = !clearing->letters.usable;
	return false;
}

Cleared
count_attempts(Clearing *clearing, QueueCall *call, StoreScan *scan,
			   TimestampTz now, bool write_always)
{
	TimestampTz failed_at;
	TimestampTz until;
	bool		deliver;

	if (store_take_attempts(scan, &failed_at) == 0)
		return NOT_CLEARED;
	if (is_exhausted(&call->definition, &scan->row))
	{
		if (move_exhausted(clearing, call, scan, now, &deliver))
			return CLEARED_AWAY;
		if (!deliver)
		{
			store_return_attempts(scan);
			return NOT_CLEARED;
		}
	}
	until = failed_at + retry_delay(&call->definition,
									row_receives_here(&scan->row));
	if (until <= now && !write_always)
		return NOT_CLEARED;
	if (!store_hide(scan, now, Max(until, row_visible_at(&scan->row))))
	{
		store_return_attempts(scan);
		return NOT_CLEARED;
	}
	cleared_one(clearing);
	return CLEARED_PUT_OFF;
}

/* Is the row to be delivered?  If not *cleared tells what became of it. */
static bool
is_deliverable(Clearing *clearing, QueueCall *call, StoreScan *scan,
			   TimestampTz now, Cleared *cleared)
{
	bool		deliver = true;

	*cleared = NOT_CLEARED;
	if (row_has_expired(&scan->row, call->definition.retention, now))
	{
		if (clearing->cleared < CLEARED_MAX &&
			store_remove(scan, TOTAL_EXPIRED))
		{
			cleared_one(clearing);
			*cleared = CLEARED_AWAY;
		}
		return false;
	}
	*cleared = count_attempts(clearing, call, scan, now, false);
	if (*cleared != NOT_CLEARED)
		return false;
	if (is_exhausted(&call->definition, &scan->row) &&
		move_exhausted(clearing, call, scan, now, &deliver))
		*cleared = CLEARED_AWAY;
	return deliver;
}

bool
next_deliverable(Clearing *clearing, QueueCall *call, Visit *visit)
{
	while (visit_next(visit))
	{
		Cleared		cleared;

		if (is_deliverable(clearing, call, visit->current, visit->now, &cleared))
			return true;
		if (cleared == CLEARED_AWAY)
			visit_took(visit);
		else if (cleared == CLEARED_PUT_OFF)
			visit_hid(visit);
	}
	return false;
}
