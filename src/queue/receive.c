/*
 * receive.c
 *		receive and receive_any: take messages that nobody else holds.
 *
 * One round looks first at what is due in the parked table, then at the
 * queue's own table in the order of ids, and claims what is visible.  On its
 * way it removes what has expired and moves what was received too often, a
 * bounded number of each call, so that one unlucky receiver does not pay for
 * a whole backlog: maintain() does the rest.
 *
 * Waiting polls: first after a millisecond, then ever more slowly up to a
 * tenth of a second.  Between two rounds that wrote nothing the call holds no
 * lock on the queue, so that a drop does not wait for those who wait for
 * messages.  It does hold its statement's snapshot.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/settings.h"
#include "queue/call.h"
#include "queue/dead_letter.h"

PG_FUNCTION_INFO_V1(decouple_receive);
PG_FUNCTION_INFO_V1(decouple_receive_any);

#define MESSAGES_MAX		10000

/* how many expired or exhausted messages one call clears out of its way */
#define CLEARED_MAX			1000

#define POLL_FIRST_MS		1
#define POLL_LAST_MS		100

#define OF_QUEUE			INT64CONST(-1)

/* the arguments of receive, by number; receive_any has the first four */
enum
{
	RECEIVE_QUEUE_NAME,
	RECEIVE_MAX_MESSAGES,
	RECEIVE_VISIBILITY_TIMEOUT,
	RECEIVE_WAIT_TIME,
	RECEIVE_ATTEMPT_ID
};

/* what one call of receive is about */
typedef struct Receiving
{
	MessageResult result;
	int64		visibility_timeout; /* or OF_QUEUE */
	int64		wait_time;		/* or OF_QUEUE */
	int			wanted;			/* how many messages are still missing */
	bool		wrote;
	DeadLetters letters;
	int			cleared;
} Receiving;

/* Is the row to be delivered?  Clears it away where it is not. */
static bool
is_deliverable(Receiving *receiving, QueueCall *call, StoreScan *scan,
			   TimestampTz now)
{
	if (row_has_expired(&scan->row, call->definition.retention, now))
	{
		if (receiving->cleared < CLEARED_MAX && store_remove(scan))
		{
			receiving->cleared++;
			receiving->wrote = true;
		}
		return false;
	}
	if (is_exhausted(&call->definition, &scan->row))
	{
		if (receiving->cleared >= CLEARED_MAX)
			return false;
		if (dead_letter_move(&receiving->letters, call, scan, now))
		{
			receiving->cleared++;
			receiving->wrote = true;
			return false;
		}
		/* without a usable dead-letter queue it is delivered on */
		return !receiving->letters.usable;
	}
	return true;
}

static void
claim_from(Receiving *receiving, QueueCall *call, StoreScan *scan,
		   TimestampTz now)
{
	TimestampTz until = now + (receiving->visibility_timeout == OF_QUEUE ?
							   call->definition.visibility_timeout :
							   receiving->visibility_timeout);

	while (receiving->wanted > 0 && scan_next(scan))
	{
		Receipt		receipt;

		if (row_visible_at(&scan->row) > now)
			continue;
		if (!is_deliverable(receiving, call, scan, now))
			continue;
		if (!store_claim(scan, now, until, &receipt))
			continue;			/* somebody else was faster */
		receiving->wrote = true;
		receiving->wanted--;
		message_result_add(&receiving->result, call, &scan->row,
						   &receipt);
	}
	scan_end(scan);
}

/* One round over one queue.  Returns the queue's own wait time. */
static int64
receive_round(Receiving *receiving, Datum queue_name)
{
	QueueCall	call;
	StoreScan	scan;
	TimestampTz now;

	call_open(&call, queue_name, "receive", "receive()");
	now = decouple_now();
	scan_begin_due(&scan, &call.store, now);
	claim_from(receiving, &call, &scan, now);
	if (receiving->wanted > 0)
	{
		scan_begin_free(&scan, &call.store, 0);
		claim_from(receiving, &call, &scan, now);
	}
	dead_letter_close(&receiving->letters);
	if (receiving->wrote)
		call_close(&call);
	else
		call_release(&call);
	return call.definition.wait_time;
}

/* Sleeps until the next round; false if there is no time left for one. */
static bool
wait_for_next_round(TimestampTz deadline, long *pause)
{
	long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
													   deadline);

	if (left <= 0)
		return false;
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 Min(*pause, left), PG_WAIT_EXTENSION);
	CHECK_FOR_INTERRUPTS();
	*pause = Min(*pause * 2, POLL_LAST_MS);
	return true;
}

static void
receive_and_wait(Receiving *receiving, const Datum *queue_names, int count)
{
	TimestampTz start = GetCurrentTimestamp();
	int			wanted = receiving->wanted;
	long		pause = POLL_FIRST_MS;
	int64		wait_time;

	do
	{
		wait_time = 0;
		receiving->cleared = 0;
		for (int i = 0; i < count && receiving->wanted > 0; i++)
		{
			int64		own = receive_round(receiving, queue_names[i]);

			wait_time = Max(wait_time, own);
		}
		if (receiving->wait_time != OF_QUEUE)
			wait_time = receiving->wait_time;
		else if (IsolationUsesXactSnapshot())
			wait_time = 0;		/* nothing new can come into its sight */
		else
			wait_time = Min(wait_time,
							(int64) decouple_max_wait_time * 1000);
	} while (receiving->wanted == wanted && wait_time > 0 &&
			 wait_for_next_round(start + wait_time, &pause));
}

static void
read_arguments(FunctionCallInfo fcinfo, Receiving *receiving)
{
	memset(receiving, 0, sizeof(*receiving));
	receiving->wanted = argument_int(fcinfo, RECEIVE_MAX_MESSAGES,
									 "max_messages", 1, MESSAGES_MAX, 1);
	receiving->visibility_timeout =
		argument_interval(fcinfo, RECEIVE_VISIBILITY_TIMEOUT,
						  "visibility_timeout", 0, USECS_PER_LEASE_MAX,
						  OF_QUEUE);
	receiving->wait_time =
		argument_interval(fcinfo, RECEIVE_WAIT_TIME, "wait_time", 0,
						  (int64) decouple_max_wait_time * 1000, OF_QUEUE);
	if (receiving->wait_time > 0 && IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("cannot wait for messages at this isolation level"),
				 errdetail("The transaction's snapshot would not see them."),
				 errhint("Use READ COMMITTED, or a wait_time of 0.")));
}

/*
 * receive(queue_name queue, max_messages int, visibility_timeout interval,
 *		wait_time interval, attempt_id text) -> SETOF message
 */
Datum
decouple_receive(PG_FUNCTION_ARGS)
{
	Receiving	receiving;
	Datum		queue_name;

	argument_required(fcinfo, RECEIVE_QUEUE_NAME, "queue_name");
	queue_name = PG_GETARG_DATUM(RECEIVE_QUEUE_NAME);
	read_arguments(fcinfo, &receiving);
	message_result_begin(&receiving.result, fcinfo);
	if (!PG_ARGISNULL(RECEIVE_ATTEMPT_ID))
		ereport(ERROR,
				(errcode(ERRCODE_FIFO_ATTRIBUTE),
				 errmsg("a standard queue takes no attempt_id"),
				 errhint("Only FIFO queues repeat an attempt.")));
	receive_and_wait(&receiving, &queue_name, 1);
	return (Datum) 0;
}

/*
 * receive_any(queue_names queue[], max_messages int,
 *		visibility_timeout interval, wait_time interval) -> SETOF message
 *
 * Queues are tried in the order of the array.  Without wait_time it waits as
 * long as the most patient of them would.
 */
Datum
decouple_receive_any(PG_FUNCTION_ARGS)
{
	Receiving	receiving;
	Datum	   *queue_names;
	int			count;

	argument_required(fcinfo, RECEIVE_QUEUE_NAME, "queue_names");
	count = argument_array(fcinfo, RECEIVE_QUEUE_NAME, "queue_names",
						   &queue_names);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("queue_names must not be empty"),
				 errhint("Name at least one queue.")));
	read_arguments(fcinfo, &receiving);
	message_result_begin(&receiving.result, fcinfo);
	receive_and_wait(&receiving, queue_names, count);
	return (Datum) 0;
}
