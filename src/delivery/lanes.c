/*
 * lanes.c
 *		What is to be done for topics and subscriptions, and whose turn it is.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "base/shared.h"
#include "base/texts.h"
#include "base/version.h"
#include "delivery/egress.h"
#include "delivery/http.h"
#include "delivery/lanes.h"
#include "delivery/transport.h"
#include "store/count.h"
#include "topic/fan_out.h"

/* a turn ends after so many steps */
#define TURN_STEPS		20

/* an error costs its lane a pause, which doubles with each in a row */
#define ERROR_PAUSE_FIRST	(1 * USECS_PER_SEC)
#define ERROR_PAUSE_LAST	(60 * USECS_PER_SEC)

/* a delivery inside the database is hidden for so long, if we should die */
#define LEASE			(60 * USECS_PER_SEC)

/* so many are taken for decouple-egress in a step; it is waited for so long */
#define OUTSIDE_STEP	10
#define OUTSIDE_TIME	(60 * USECS_PER_SEC)

typedef struct Lane
{
	int32		number;			/* hash key: the queue's */
	QueuePurpose purpose;
	bool		noted;			/* there may be work */
	bool		blocked;		/* there is, but no room: an outcome makes it */
	TimestampTz not_before;		/* no turn earlier */
	int64		error_pause;	/* of the last error; 0: none since */
	/* maxReceivesPerSecond: what may go now, filled up over time */
	double		tokens;
	TimestampTz filled_at;
} Lane;

static HTAB *lanes = NULL;
static Lane *turn = NULL;		/* whose turn it is */
static bool outside = true;		/* is the transaction ours, and may end?  Else
								 * nothing can leave the database */
static bool guarded = false;	/* is an error caught here? else it is our caller's */
static LaneHandOver hand_over = NULL;

static Lane *
note(int32 queue_number, QueuePurpose purpose)
{
	bool		found;
	Lane	   *lane;

	if (lanes == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(int32);
		control.entrysize = sizeof(Lane);
		control.hcxt = TopMemoryContext;
		lanes = hash_create("decouple lanes", 64, &control,
							HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	lane = hash_search(lanes, &queue_number, HASH_ENTER, &found);
	if (!found)
	{
		memset(lane, 0, sizeof(*lane));
		lane->number = queue_number;
	}
	lane->purpose = purpose;
	lane->noted = true;
	return lane;
}

void
lane_note(int32 queue_number, QueuePurpose purpose)
{
	(void) note(queue_number, purpose);
}

void
lanes_hand_over(LaneHandOver function)
{
	hand_over = function;
}

void
lane_note_again(int32 queue_number)
{
	Lane	   *lane = lanes == NULL ? NULL :
		hash_search(lanes, &queue_number, HASH_FIND, NULL);

	if (lane != NULL)
		lane->noted = true;
}

void
lanes_note_untold(void)
{
	HASH_SEQ_STATUS status;
	Lane	   *lane;

	if (lanes == NULL)
		return;
	hash_seq_init(&status, lanes);
	while ((lane = hash_seq_search(&status)) != NULL)
		lane->noted |= slot_find(lane->number) == NULL;
}

TimestampTz
lanes_next(void)
{
	TimestampTz next = DT_NOEND;
	HASH_SEQ_STATUS status;
	Lane	   *lane;

	if (lanes == NULL || !decouple_delivery)
		return DT_NOEND;
	hash_seq_init(&status, lanes);
	while ((lane = hash_seq_search(&status)) != NULL)
	{
		if (lane->noted)
			next = Min(next, lane->not_before);
	}
	return next;
}

/* ---- maxReceivesPerSecond ---- */

/* How many of "wanted" may go now; a second's worth at most is saved up. */
static int
allowance(Lane *lane, const DeliveryPolicy *policy, int wanted)
{
	TimestampTz now = GetCurrentTimestamp();
	double		rate = policy->max_receives_per_second;

	if (rate == 0)
		return wanted;
	lane->tokens = Min(rate, lane->tokens +
					   rate * (now - lane->filled_at) / (double) USECS_PER_SEC);
	lane->filled_at = now;
	return Min(wanted, (int) lane->tokens);
}

static void
spend(Lane *lane, const DeliveryPolicy *policy, int count)
{
	if (policy->max_receives_per_second > 0)
		lane->tokens -= count;
}

static void
wait_for_allowance(Lane *lane, const DeliveryPolicy *policy)
{
	lane->not_before = GetCurrentTimestamp() +
		USECS_PER_SEC / policy->max_receives_per_second;
}

/* ---- a step of a lane ---- */

/* Tries what was taken, in order. */
static void
try_all(const DeliveryRoute *route, const Transport *transport,
		const Delivery *deliveries, int count, Outcome *outcomes)
{
	text	   *blocked = NULL;

	for (int i = 0; i < count; i++)
	{
		const Delivery *delivery = &deliveries[i];
		Outcome    *outcome = &outcomes[i];
		text	   *group = !route->topic.fifo ? NULL :
			DatumGetTextPP(ROW_VALUE(&delivery->row, MESSAGE_GROUP_ID));

		/* what is behind one that failed in its group stays behind it */
		if (blocked != NULL && texts_equal(blocked, group))
			outcome_set(outcome, OUTCOME_NOT_TRIED, "behind another in its group");
		else
			transport->call(route, delivery, outcome);
		if (group != NULL && outcome->kind != OUTCOME_DELIVERED &&
			outcome->kind != OUTCOME_HOPELESS)
			blocked = group;
	}
}

/* Delivers some inside the database; true if there may be more. */
static bool
deliver_inside(Lane *lane, const DeliveryRoute *route,
			   const Transport *transport)
{
	int			limit = allowance(lane, &route->policy, transport->batch);
	Delivery   *deliveries;
	Outcome    *outcomes;
	QueueCall	queue;
	int			count;

	if (limit == 0)
	{
		wait_for_allowance(lane, &route->policy);
		return true;
	}
	deliveries = palloc(sizeof(Delivery) * limit);
	outcomes = palloc0(sizeof(Outcome) * limit);
	count = delivery_take(route, limit, PG_INT64_MAX, LEASE, deliveries);
	if (count == 0)
		return false;
	try_all(route, transport, deliveries, count, outcomes);
	if (!delivery_open(route, &queue))
	{
		/* a function that unsubscribes itself: nothing is left to settle */
		if (delivery_route(lane->number) == NULL)
			return false;
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("the table of subscription " INT64_FORMAT " was taken away",
						route->subscription->id),
				 errhint("Its deliveries are tried again.")));
	}
	for (int i = 0; i < count; i++)
		delivery_settle(route, &queue, &deliveries[i], &outcomes[i]);
	call_close(&queue);
	spend(lane, &route->policy, count);
	return count == limit;
}

/* Takes some for decouple-egress; true if there may be more to take at once. */
static bool
deliver_outside(Lane *lane, const DeliveryRoute *route)
{
	int			limit = allowance(lane, &route->policy, OUTSIDE_STEP);
	TimestampTz again_at;
	int			taken;
	bool		more;

	if (limit == 0)
	{
		wait_for_allowance(lane, &route->policy);
		return true;
	}
	more = http_take(route, limit, &taken, &again_at);
	spend(lane, &route->policy, taken);
	if (!more || taken > 0)
		return more;
	/* no room */
	if (again_at != DT_NOEND)
		lane->not_before = again_at;
	else
		lane->blocked = true;
	return again_at != DT_NOEND;
}

/*
 * Is it known that the lane has nothing?  Then no process is started for it.  Who
 * adds to it later notes it anew.
 */
static bool
is_empty(const Lane *lane)
{
	QueueCounts counts;

	return count_read(lane->number, decouple_now(), &counts) && counts.exact &&
		counts.visible + counts.in_flight + counts.delayed == 0;
}

static bool
deliver(Lane *lane)
{
	DeliveryRoute *route = delivery_route(lane->number);
	const Transport *transport;

	if (route == NULL || route->subscription->paused)
		return false;
	transport = transport_of(route->subscription->protocol);
	if (transport->apart && hand_over != NULL &&
		(is_empty(lane) || hand_over(lane->number)))
		return false;
	if (transport->call != NULL)
		return deliver_inside(lane, route, transport);
	return outside && deliver_outside(lane, route);
}

/* One step; true if there may be more. */
static bool
lane_step(Lane *lane)
{
	bool		more;

	turn = lane;
	more = lane->purpose == PURPOSE_PUBLICATIONS ?
		fan_out_step(lane->number) : deliver(lane);
	turn = NULL;
	lane->error_pause = 0;
	return more;
}

/*
 * The same where nobody above us goes on after an error: one lane's must not stop
 * the others, whose owners are others.
 */
static bool
lane_step_guarded(Lane *lane)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool more = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		more = lane_step(lane);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		lanes_failed();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		error->elevel = WARNING;
		ThrowErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return more;
}

bool
lanes_own_transaction(void)
{
	return outside;
}

void
lanes_unblock(void)
{
	HASH_SEQ_STATUS status;
	Lane	   *lane;

	if (lanes == NULL)
		return;
	hash_seq_init(&status, lanes);
	while ((lane = hash_seq_search(&status)) != NULL)
	{
		lane->noted |= lane->blocked;
		lane->blocked = false;
	}
}

/* ---- rounds ---- */

/* Was the lane's queue dropped?  Then the lane goes too. */
static bool
is_gone(Lane *lane)
{
	QueueDefinition definition;

	if (definition_lookup_number(lane->number, &definition))
		return false;
	(void) hash_search(lanes, &lane->number, HASH_REMOVE, NULL);
	return true;
}

/* A lane's turn; true if it has more to be done at once. */
static bool
take_turn(Lane *lane, EndStep end_step, MemoryContext step_context)
{
	if (is_gone(lane))
		return false;
	lane->noted = false;
	for (int i = 0; i < TURN_STEPS; i++)
	{
		MemoryContext before = MemoryContextSwitchTo(step_context);
		bool		more = guarded ? lane_step_guarded(lane) : lane_step(lane);

		MemoryContextSwitchTo(before);
		end_step();
		MemoryContextSwitchTo(step_context);
		http_send();
		MemoryContextSwitchTo(before);
		MemoryContextReset(step_context);
		if (!more)
			return false;
		if (lane->not_before > GetCurrentTimestamp())
		{
			lane->noted = true;
			return false;
		}
	}
	lane->noted = true;
	return true;
}

bool
lanes_round(EndStep end_step)
{
	TimestampTz now = GetCurrentTimestamp();
	List	   *numbers = NIL;
	ListCell   *cell;
	HASH_SEQ_STATUS status;
	Lane	   *lane;
	bool		more = false;
	MemoryContext step_context;

	if (lanes == NULL || !decouple_delivery)
		return false;
	/* collected first: a turn may note others, or end with an error */
	hash_seq_init(&status, lanes);
	while ((lane = hash_seq_search(&status)) != NULL)
	{
		if (lane->noted && lane->not_before <= now)
			numbers = lappend_int(numbers, lane->number);
	}
	step_context = AllocSetContextCreate(CurrentMemoryContext,
										 "decouple delivery step",
										 ALLOCSET_DEFAULT_SIZES);
	foreach(cell, numbers)
	{
		lane = hash_search(lanes, &lfirst_int(cell), HASH_FIND, NULL);
		if (lane != NULL && take_turn(lane, end_step, step_context))
			more = true;
	}
	MemoryContextDelete(step_context);
	return more;
}

void
lanes_failed(void)
{
	if (turn == NULL)
		return;
	turn->error_pause = Min(Max(turn->error_pause * 2, ERROR_PAUSE_FIRST),
							ERROR_PAUSE_LAST);
	turn->not_before = GetCurrentTimestamp() + turn->error_pause;
	turn->noted = true;
	turn = NULL;
}

/* Notes every lane of a kind, and goes on until none has more to do. */
static void
all_of(QueuePurpose purpose, EndStep end_step)
{
	ListCell   *cell;

	foreach(cell, definition_names())
	{
		QueueDefinition definition;

		if (definition_lookup(lfirst(cell), &definition) &&
			definition.purpose == purpose)
			/* whoever calls wants it tried now, also after an error */
			note(definition.number, purpose)->not_before = 0;
	}
	while (lanes_round(end_step))
		;
}

/* Waits for an answer, or a while. */
static void
wait_for_answer(void)
{
	int			events;
	pgsocket	socket = egress_socket(&events);

	(void) WaitLatchOrSocket(MyLatch,
							 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH |
							 (socket == PGINVALID_SOCKET ? 0 : events),
							 socket, 100, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* What was sent is waited for, and what it makes room for is sent. */
static void
finish_outside(EndStep end_step)
{
	TimestampTz end = GetCurrentTimestamp() + OUTSIDE_TIME;

	while (http_under_way() > 0 && GetCurrentTimestamp() < end)
	{
		wait_for_answer();
		if (http_pump() && http_settle(end_step))
			lanes_unblock();
		(void) lanes_round(end_step);
	}
}

void
lanes_all(EndStep end_step, bool may_leave)
{
	/* a function that is being called calls maintain(): its turn is no time for it */
	if (!decouple_delivery || turn != NULL)
		return;
	outside = may_leave;
	guarded = true;
	all_of(PURPOSE_PUBLICATIONS, end_step);
	all_of(PURPOSE_DELIVERIES, end_step);
	if (may_leave)
		finish_outside(end_step);
}
