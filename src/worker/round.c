/*
 * round.c
 *		Upkeep in steps: what is urgent, what can be spread over time, and all.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/shared.h"
#include "delivery/delivery_log.h"
#include "delivery/lanes.h"
#include "queue/definition.h"
#include "queue/redrive.h"
#include "queue/totals.h"
#include "topic/confirmation.h"
#include "topic/topic_totals.h"
#include "worker/round.h"

/* a redrive moves so many messages in a step, and in a round */
#define REDRIVE_STEP	1000
#define REDRIVE_ROUND	100000

bool
round_redrive(EndStep end_step)
{
	ListCell   *cell;
	bool		more = false;

	foreach(cell, redrive_running())
	{
		int			budget = REDRIVE_ROUND;

		while (redrive_step(*(int64 *) lfirst(cell), REDRIVE_STEP))
		{
			end_step();
			budget -= REDRIVE_STEP;
			if (budget <= 0)
			{
				more = true;
				break;
			}
		}
		end_step();
	}
	return more;
}

static void
tidy_leftovers(EndStep end_step)
{
	int32		after = 0;

	while (upkeep_parked_step(&after))
		end_step();
	totals_forget();
	end_step();
}

/* Subscriptions that nobody confirmed, and old records. */
static void
tidy_topics(EndStep end_step)
{
	(void) confirmation_expire();
	end_step();
	while (delivery_log_trim())
		end_step();
	end_step();
}

void
round_all(EndStep end_step, bool outside)
{
	ListCell   *cell;

	foreach(cell, definition_names())
	{
		UpkeepPass	pass = {0};

		while (upkeep_attempts(lfirst(cell)))
			end_step();
		while (upkeep_step(lfirst(cell), &pass))
			end_step();
		end_step();
		upkeep_counts(lfirst(cell), true);
		end_step();
	}
	(void) round_redrive(end_step);
	lanes_all(end_step, outside);
	topic_totals_fold();
	end_step();
	tidy_topics(end_step);
	tidy_leftovers(end_step);
}

/* The queues of this database that have a slot, and something to be done. */
static List *
slots_with_work(bool fold)
{
	List	   *numbers = NIL;
	QueueSlot  *slot;

	if (shared == NULL)
		return NIL;
	/* a look without locks: each step looks again */
	for (int i = 0; (slot = slot_next_here(&i)) != NULL;)
	{
		if (fold || slot->note_count > 0 || upkeep_wants_recount(slot))
			numbers = lappend_int(numbers, slot->number);
	}
	return numbers;
}

static void
free_slot(int32 number)
{
	QueueSlot  *slot = slot_find(number);

	if (slot != NULL)
		slot_free(slot, MyDatabaseId, number);
}

void
round_urgent(EndStep end_step, bool fold)
{
	ListCell   *cell;

	foreach(cell, slots_with_work(fold))
	{
		QueueDefinition definition;

		if (!definition_lookup_number(lfirst_int(cell), &definition))
		{
			/* a slot is older than the commit that makes its queue */
			if (!definition_is_coming(lfirst_int(cell)))
				free_slot(lfirst_int(cell));
			continue;
		}
		while (upkeep_attempts(definition.name))
			end_step();
		end_step();
		upkeep_counts(definition.name, fold);
		end_step();
	}
}

void
round_skip(SpreadPass *pass)
{
	if (pass->queues != NIL)
		pass->queues = list_delete_first(pass->queues);
	memset(&pass->queue_pass, 0, sizeof(pass->queue_pass));
}

/* A queue of a topic's may have work that nobody told of. */
static void
note_lane(const char *queue_name)
{
	QueueDefinition definition;

	if (definition_lookup(queue_name, &definition) &&
		definition.purpose != PURPOSE_QUEUE)
		lane_note(definition.number, definition.purpose);
}

bool
round_spread(SpreadPass *pass, EndStep end_step, long milliseconds)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												  milliseconds);

	if (pass->queues == NIL)
	{
		MemoryContext before;

		MemoryContextReset(pass->context);
		before = MemoryContextSwitchTo(pass->context);
		pass->queues = definition_names();
		memset(&pass->queue_pass, 0, sizeof(pass->queue_pass));
		MemoryContextSwitchTo(before);
	}
	while (pass->queues != NIL && GetCurrentTimestamp() < end)
	{
		if (pass->queue_pass.after_id == 0)
			note_lane(linitial(pass->queues));
		if (!upkeep_step(linitial(pass->queues), &pass->queue_pass))
			round_skip(pass);
		end_step();
	}
	if (pass->queues != NIL)
		return false;
	tidy_topics(end_step);
	tidy_leftovers(end_step);
	return true;
}
