/*
 * receive.c
 *		receive and receive_any: take messages that nobody else holds.
 *
 * Between two rounds that wrote nothing a call that waits holds no lock on
 * the queue, so that a drop does not wait for those who wait for messages.
 * It does hold its statement's snapshot: await does not.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/settings.h"
#include "queue/attempt.h"
#include "queue/attributes.h"
#include "queue/call.h"
#include "queue/deliverable.h"
#include "queue/wait.h"

PG_FUNCTION_INFO_V1(decouple_receive);
PG_FUNCTION_INFO_V1(decouple_receive_any);

#define MESSAGES_MAX		10000

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
	text	   *attempt_id;		/* or NULL */
	Receipt    *receipts;		/* what an attempt got */
	int			receipt_count;
	Clearing	clearing;
} Receiving;

static TimestampTz
hidden_until(const Receiving *receiving, const QueueCall *call, TimestampTz now)
{
	return now + (receiving->visibility_timeout == OF_QUEUE ?
				  call->definition.visibility_timeout :
				  receiving->visibility_timeout);
}

static void
claim_from(Receiving *receiving, QueueCall *call, Visit *visit)
{
	TimestampTz until = hidden_until(receiving, call, visit->now);

	while (receiving->wanted > 0 &&
		   next_deliverable(&receiving->clearing, call, visit))
	{
		Receipt		receipt;

		if (!store_claim(visit->current, visit->now, until, &receipt))
		{
			/* somebody else was faster */
			store_return_attempts(visit->current);
			continue;
		}
		visit_took(visit);
		receiving->clearing.wrote = true;
		receiving->wanted--;
		message_result_add(&receiving->result, call, &visit->current->row,
						   &receipt);
		if (receiving->attempt_id != NULL)
			receiving->receipts[receiving->receipt_count++] = receipt;
	}
}

/* Repeats an attempt, if that is what the call does; true if it did. */
static bool
repeat(Receiving *receiving, QueueCall *call, TimestampTz now)
{
	if (receiving->attempt_id == NULL)
		return false;
	if (!call->definition.fifo)
		ereport(ERROR,
				(errcode(ERRCODE_FIFO_ATTRIBUTE),
				 errmsg("queue \"%s\" takes no attempt_id",
						call->definition.name),
				 errhint("Only FIFO queues repeat an attempt.")));
	if (!attempt_repeat(call, receiving->attempt_id, now,
						hidden_until(receiving, call, now), &receiving->result))
		return false;
	receiving->wanted = 0;
	return true;
}

/* One round over one queue.  Returns what it was over. */
static void
receive_round(Receiving *receiving, Datum queue_name, QueueDefinition *seen)
{
	QueueCall	call;
	Visit		visit;
	TimestampTz now = decouple_now();

	call_open(&call, queue_name, "receive", "receive()");
	if (repeat(receiving, &call, now))
	{
		call_close(&call);
		*seen = call.definition;
		return;
	}
	visit_begin(&visit, &call.store, now, VISIT_TO_RECEIVE);
	claim_from(receiving, &call, &visit);
	visit_end(&visit);
	dead_letter_close(&receiving->clearing.letters);
	if (receiving->attempt_id != NULL)
		attempt_remember(&call, receiving->attempt_id, now,
						 hidden_until(receiving, &call, now),
						 receiving->receipts, receiving->receipt_count);
	if (receiving->clearing.wrote)
		call_close(&call);
	else
		call_release(&call);
	*seen = call.definition;
}

/* Rounds over the queues, in the order of the array; true if it got some. */
static bool
receive_once(Receiving *receiving, const Datum *queue_names, int count,
			 Wait *wait)
{
	int			wanted = receiving->wanted;

	receiving->clearing.cleared = 0;
	for (int i = 0; i < count && receiving->wanted > 0; i++)
	{
		QueueDefinition definition;

		receive_round(receiving, queue_names[i], &definition);
		wait_saw(wait, &definition);
	}
	return receiving->wanted < wanted;
}

static void
receive_and_wait(Receiving *receiving, const Datum *queue_names, int count)
{
	Wait		wait;
	int64		wait_time = receiving->wait_time;

	wait_begin(&wait, count);
	if (receive_once(receiving, queue_names, count, &wait))
		return;
	if (wait_time == OF_QUEUE)
		wait_time = IsolationUsesXactSnapshot() ?
			0 :					/* nothing new can come into its sight */
			Min(wait.wait_time, (int64) decouple_max_wait_time * 1000);
	if (wait_time == 0)
		return;
	for (;;)
	{
		wait_join(&wait);
		if (receive_once(receiving, queue_names, count, &wait))
			break;
		if (!wait_sleep(&wait, wait_time))
			break;
	}
	wait_end(&wait);
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
	{
		receiving.attempt_id = PG_GETARG_TEXT_PP(RECEIVE_ATTEMPT_ID);
		group_id_check(receiving.attempt_id, "attempt id");
		receiving.receipts = palloc(sizeof(Receipt) * receiving.wanted);
	}
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
