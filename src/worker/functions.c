/*
 * functions.c
 *		Calls the functions of subscriptions in a process of their own.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/database.h"
#include "base/settings.h"
#include "base/shared.h"
#include "delivery/lanes.h"
#include "topic/topic_totals.h"
#include "worker/functions.h"
#include "worker/step.h"
#include "worker/tick.h"

/* totals are kept so often */
#define FOLD_MS		10000

/* without work for so long, the process is given back */
#define IDLE_MS		60000

static TimestampTz folded_at = 0;
static TimestampTz worked_at = 0;	/* by decouple's clock */

bool
functions_hand_over(int32 queue_number)
{
	QueueSlot  *slot = slot_find(queue_number);

	if (slot == NULL)
		return false;
	/* before it is asked, and seen by all before that: see is_done() */
	(void) pg_atomic_exchange_u32(&slot->call, 1);
	return database_ask_functions();
}

/* Notes the lanes that were handed over; false where there were none. */
static bool
take_over(void)
{
	QueueSlot  *slot;
	bool		any = false;

	for (int i = 0; (slot = slot_next_here(&i)) != NULL;)
	{
		int32		number = slot->number;

		if (pg_atomic_read_u32(&slot->call) == 0 ||
			pg_atomic_exchange_u32(&slot->call, 0) == 0)
			continue;
		lane_note(number, PURPOSE_DELIVERIES);
		any = true;
	}
	return any;
}

static void
fold_totals(void)
{
	step_begin();
	topic_totals_fold();
	step_commit();
	folded_at = GetCurrentTimestamp();
}

/* Was there nothing for long?  Then nobody counts on this process any more. */
static bool
is_done(void)
{
	if (lanes_next() != DT_NOEND ||
		!TimestampDifferenceExceeds(worked_at, decouple_now(), IDLE_MS))
		return false;
	fold_totals();
	/*
	 * Who hands over raises the slot's flag, then asks.  So either the flag is
	 * seen here, or the launcher is asked after we have said that it need not.
	 */
	database_ask_no_more();
	if (!take_over())
		return true;
	(void) database_ask_functions();
	return false;
}

long
functions_tick(void)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz next;
	bool		more = false;

	steps_begin();
	if (take_over() || worked_at == 0)
		worked_at = decouple_now();
	if (lanes_next() <= now)
	{
		step_begin();
		more = lanes_round(step_end);
		step_commit();
		worked_at = decouple_now();
	}
	if (TimestampDifferenceExceeds(folded_at, now, FOLD_MS))
		fold_totals();
	if (more)
		return 1;
	if (is_done())
		return WORKER_DONE;
	next = lanes_next();
	if (next == DT_NOEND)
		return decouple_upkeep_interval;
	return Min(decouple_upkeep_interval,
			   TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next) + 1);
}
