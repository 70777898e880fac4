/*
 * drop_trigger.c
 *		The sql_drop event trigger: a topic goes with its table, and so does a
 *		subscription, however that is dropped.
 *
 * The trigger of queues, whose name comes first, has seen to the definitions of
 * the tables.  What a topic's subscriptions wait to deliver goes with the topic.
 */
#include "postgres.h"

#include "access/table.h"
#include "commands/event_trigger.h"
#include "fmgr.h"

#include "base/version.h"
#include "queue/table.h"
#include "topic/subscription.h"

PG_FUNCTION_INFO_V1(decouple_forget_dropped_topics);

/* Removes the row of the subscription whose deliveries lay in this queue. */
static void
forget_subscription(Relation subscriptions, int32 queue_number)
{
	Subscription *subscription = subscription_of_queue(queue_number);

	if (subscription != NULL)
		subscription_drop(subscriptions,
						  subscription_row(subscriptions, subscription->id));
}

Datum
decouple_forget_dropped_topics(PG_FUNCTION_ARGS)
{
	Relation	subscriptions;
	List	   *numbers;
	ListCell   *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this function is called by an event trigger only"),
				 errhint("Drop a topic with decouple.drop_topic().")));
	numbers = queue_tables_dropped();
	if (numbers == NIL)
		PG_RETURN_NULL();
	subscriptions = subscriptions_open(RowExclusiveLock);
	foreach(cell, numbers)
	{
		forget_subscription(subscriptions, lfirst_int(cell));
		subscriptions_drop(lfirst_int(cell));
		topic_forget(lfirst_int(cell));
	}
	table_close(subscriptions, NoLock);
	PG_RETURN_NULL();
}
