/*
 * tick.c
 *		What a database's worker does each time it wakes.
 *
 * In the order of urgency:
 *
 *	1. sessions that wait are woken for what has become due by time;
 *	2. LISTENers are told of queues in which something has become available, one
 *	   commit for many, at most a hundred times a second;
 *	   what is published is fanned out, and what is to be delivered is;
 *	3. rolled-back receives are counted where that decides their fate, redrives
 *	   go on, counts are set right (each interval, or when a session asks);
 *	4. totals are kept (each ten seconds);
 *	5. all queues are walked for what has expired or was received too often, in
 *	   slices, so that a tick stays short and a large backlog takes no more
 *	   than a small part of the time.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/async.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "base/shared.h"
#include "base/waiting.h"
#include "delivery/http.h"
#include "delivery/lanes.h"
#include "queue/channel.h"
#include "queue/definition.h"
#include "store/count.h"
#include "topic/topic_totals.h"
#include "worker/round.h"
#include "worker/step.h"
#include "worker/tick.h"

/* LISTENers are told at most so often */
#define NOTIFY_PAUSE_MS		10

/* notes of rolled-back receives are looked at at most so often */
#define NOTES_PAUSE_MS		20

/* totals are kept so often */
#define FOLD_MS				10000

/* a slice of a pass over all queues takes so long, */
#define SLICE_MS			100

/* and a pass no more than this part of the time, and begins no sooner than */
#define PASS_SHARE			20
#define PASS_PAUSE_MS		5000

typedef struct TickTimes
{
	TimestampTz notified_at;
	TimestampTz notes_at;
	TimestampTz urgent_at;
	TimestampTz folded_at;
	TimestampTz pass_began_at;
	TimestampTz next_pass_at;
	bool		in_pass;
} TickTimes;

static TickTimes times;
static SpreadPass pass;

/* ---- waking and telling ---- */

/* The slots of this database whose queues somebody is to be told of. */
static List *
take_notifications(void)
{
	List	   *numbers = NIL;
	QueueSlot  *slot;

	for (int i = 0; (slot = slot_next_here(&i)) != NULL;)
	{
		if (pg_atomic_read_u32(&slot->notify) != 0 &&
			pg_atomic_exchange_u32(&slot->notify, 0) != 0)
			numbers = lappend_int(numbers, slot->number);
	}
	return numbers;
}

static void
tell_listeners(void)
{
	List	   *numbers = take_notifications();
	ListCell   *cell;

	if (numbers == NIL)
		return;
	step_begin();
	foreach(cell, numbers)
	{
		QueueDefinition definition;
		char		channel[NAMEDATALEN];

		if (!definition_lookup_number(lfirst_int(cell), &definition))
			continue;
		if (definition.purpose != PURPOSE_QUEUE)
			lane_note(definition.number, definition.purpose);
		else if (definition.notify)
		{
			channel_name(definition.name, channel);
			Async_Notify(channel, definition.name);
		}
	}
	step_commit();
}

/* Wakes for what is due; returns when something is due next. */
static TimestampTz
wake_due(TimestampTz now)
{
	TimestampTz next = DT_NOEND;
	QueueSlot  *slot;

	for (int i = 0; (slot = slot_next_here(&i)) != NULL;)
	{
		/* without a lock: a time that is missed is met a tick later */
		TimestampTz due = Min(slot->held_due, slot->parked_due);

		if (due <= now)
		{
			if (slot->told_due < due || slot->waiter_count > 0)
				pg_atomic_write_u32(&slot->notify, 1);
			slot->told_due = due;
			waiting_wake_due(slot, slot->number, now);
		}
		else
			next = Min(next, due);
	}
	return next;
}

/* ---- topics ---- */

/* Fans out and delivers; true if there is more to be done at once. */
static bool
do_deliveries(void)
{
	bool		more = false;

	if (http_pump())
	{
		step_begin();
		if (http_settle(step_end))
			lanes_unblock();
		step_commit();
	}
	if (lanes_next() <= GetCurrentTimestamp())
	{
		step_begin();
		more = lanes_round(step_end);
		step_commit();
	}
	return more;
}

/* ---- a tick ---- */

static bool
is_time(TimestampTz *last, TimestampTz now, long milliseconds)
{
	if (now - *last < milliseconds * INT64CONST(1000) && now >= *last)
		return false;
	*last = now;
	return true;
}

static void
do_urgent(TimestampTz now)
{
	bool		fold = is_time(&times.folded_at, now, FOLD_MS);

	step_begin();
	round_urgent(step_end, fold);
	if (fold)
		topic_totals_fold();
	step_commit();
}

static void
do_redrives(void)
{
	step_begin();
	if (round_redrive(step_end))
		times.urgent_at = 0;	/* go on at once */
	step_commit();
}

static void
go_on_with_pass(void)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		ended;

	if (!times.in_pass)
	{
		times.in_pass = true;
		times.pass_began_at = now;
	}
	step_begin();
	ended = round_spread(&pass, step_end, SLICE_MS);
	step_commit();
	if (ended)
	{
		now = GetCurrentTimestamp();
		times.in_pass = false;
		times.next_pass_at = now +
			Max((now - times.pass_began_at) * PASS_SHARE,
				PASS_PAUSE_MS * INT64CONST(1000));
	}
}

static void
make_context(void)
{
	if (pass.context != NULL)
		return;
	pass.context = AllocSetContextCreate(TopMemoryContext, "decouple pass",
										 ALLOCSET_DEFAULT_SIZES);
}

/*
 * The pass goes on with the next queue, so that one that always fails does
 * not keep the others from their upkeep.
 */
void
worker_tick_failed(void)
{
	round_skip(&pass);
	lanes_failed();
}

/* Is there a slot of this database that somebody shall be told of, or tends? */
static void
look_for_news(bool *notifications, bool *notes)
{
	QueueSlot  *slot;

	*notifications = *notes = false;
	for (int i = 0; (slot = slot_next_here(&i)) != NULL;)
	{
		*notifications |= pg_atomic_read_u32(&slot->notify) != 0;
		*notes |= pg_atomic_read_u32(&slot->attend) != 0;
	}
}

/*
 * Messages wait, and so do sessions: a wake-up was lost with a session that
 * ended, or they are held.  One session looks.
 */
static void
wake_idle(TimestampTz now)
{
	QueueSlot  *slot;

	for (int i = 0; (slot = slot_next_here(&i)) != NULL;)
	{
		QueueCounts counts;
		int32		number = slot->number;

		if (!count_read(number, now, &counts) || counts.visible == 0)
			continue;
		lane_note_again(number);
		if (slot->waiter_count == 0 || !slot_lock(slot, number, LW_EXCLUSIVE))
			continue;
		waiting_wake(slot, 1);
		slot_unlock(slot);
	}
}

long
worker_tick(void)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz next;
	long		pause = decouple_upkeep_interval;
	bool		notifications;
	bool		notes;
	bool		more;

	make_context();
	steps_begin();
	next = wake_due(decouple_now());
	look_for_news(&notifications, &notes);
	if (notifications && is_time(&times.notified_at, now, NOTIFY_PAUSE_MS))
		tell_listeners();
	if (is_time(&times.urgent_at, now, pause))
	{
		wake_idle(decouple_now());
		lanes_note_untold();
		do_urgent(now);
		do_redrives();
	}
	else if (notes && is_time(&times.notes_at, now, NOTES_PAUSE_MS))
		do_urgent(now);
	more = do_deliveries();
	if (times.in_pass || times.next_pass_at <= now)
		go_on_with_pass();

	if (times.in_pass || more)
		return 1;
	now = GetCurrentTimestamp();
	next = Min(next, lanes_next());
	if (next != DT_NOEND)
		pause = Min(pause, TimestampDifferenceMilliseconds(now, next) + 1);
	look_for_news(&notifications, &notes);
	if (notifications)
		pause = Min(pause, NOTIFY_PAUSE_MS);
	return notes ? Min(pause, NOTES_PAUSE_MS) : pause;
}
