/*
 * wait.c
 *		A call that waits for messages of some queues.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "base/database.h"
#include "base/settings.h"
#include "base/waiting.h"
#include "queue/wait.h"

/* how often who waits looks by itself where nobody can wake it */
#define POLL_FIRST_MS	1
#define POLL_LAST_MS	100

/* at most so long without a look at whether the worker is still there */
#define WORKER_CHECK_MS		5000

void
wait_begin(Wait *wait, int queue_count)
{
	memset(wait, 0, sizeof(*wait));
	wait->start = GetCurrentTimestamp();
	wait->room = queue_count;
	wait->numbers = palloc(sizeof(int32) * queue_count);
	wait->pause = POLL_FIRST_MS;
}

void
wait_saw(Wait *wait, const QueueDefinition *definition)
{
	for (int i = 0; i < wait->seen; i++)
	{
		if (wait->numbers[i] == definition->number)
			return;
	}
	wait->wait_time = Max(wait->wait_time, definition->wait_time);
	/* one that was dropped and made anew meanwhile takes another's place */
	wait->numbers[Min(wait->seen, wait->room - 1)] = definition->number;
	wait->seen = Min(wait->seen + 1, wait->room);
}

void
wait_join(Wait *wait)
{
	wait->joined = true;
	for (int i = 0; i < wait->seen; i++)
	{
		if (!waiting_join(wait->numbers[i]))
			wait->joined = false;
	}
}

/*
 * Sleeps for a while; true when a look is worth it.  Who is on all lists of a
 * database with a worker is woken when there is something; else it polls.
 */
static bool
sleep_once(Wait *wait, long left)
{
	bool		poll = !wait->joined || !database_has_worker();
	long		pause = poll ? wait->pause : WORKER_CHECK_MS;

	if (poll)
		wait->pause = Min(wait->pause * 2, POLL_LAST_MS);
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 Min(pause, left), PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	return poll || waiting_woken();
}

bool
wait_sleep(Wait *wait, int64 wait_time)
{
	TimestampTz deadline = wait->start + wait_time;

	waiting_looked();
	CHECK_FOR_INTERRUPTS();
	for (;;)
	{
		long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
														   deadline);

		if (left <= 0)
			return false;
		if (waiting_woken() || sleep_once(wait, left))
			return true;
	}
}

/* What became due at the same time as what we got is the next one's. */
void
wait_end(Wait *wait)
{
	TimestampTz now = decouple_now();

	waiting_leave();
	for (int i = 0; i < wait->seen; i++)
		waiting_wake_due(slot_find(wait->numbers[i]), wait->numbers[i],
						 now);
	pfree(wait->numbers);
}
