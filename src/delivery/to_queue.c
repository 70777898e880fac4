/*
 * to_queue.c
 *		To a queue: what the fan-out could not put there itself, and all that goes
 *		to FIFO queues.
 *
 * Whatever somebody else holds, the queue's table or the group, is not waited
 * for.  The order of a FIFO topic's group is the order of its deliveries, which
 * come here one after another.
 */
#include "postgres.h"

#include "base/settings.h"
#include "base/version.h"
#include "delivery/transport.h"
#include "queue/deduplication.h"
#include "queue/draft.h"
#include "security/policy.h"
#include "store/group.h"

static Draft
draft_of(const Delivery *delivery, const QueueDefinition *destination)
{
	const MessageRow *row = &delivery->row;
	Draft		draft = {.delay = DELAY_OF_QUEUE, .expires_in = NEVER_EXPIRES};

	draft.body = DatumGetTextPP(ROW_VALUE(row, MESSAGE_BODY));
	if (!ROW_IS_NULL(row, MESSAGE_ATTRIBUTES))
		draft.attributes = DatumGetJsonbP(ROW_VALUE(row, MESSAGE_ATTRIBUTES));
	/* sns: a FIFO topic's group means nothing to a standard queue */
	if (!ROW_IS_NULL(row, MESSAGE_GROUP_ID) &&
		(destination->fifo || ROW_IS_NULL(row, MESSAGE_DEDUPLICATION_ID)))
		draft.group_id = DatumGetTextPP(ROW_VALUE(row, MESSAGE_GROUP_ID));
	if (!ROW_IS_NULL(row, MESSAGE_DEDUPLICATION_ID) && destination->fifo)
		draft.deduplication_id =
			DatumGetTextPP(ROW_VALUE(row, MESSAGE_DEDUPLICATION_ID));
	return draft;
}

/* Inserts the message, unless the queue had one of its deduplication id. */
static void
insert(QueueCall *queue, const Delivery *delivery)
{
	Draft		draft = draft_of(delivery, &queue->definition);
	TimestampTz now = decouple_now();
	MessageRow	row;
	int64		id = store_next_id();

	if (queue->definition.fifo)
	{
		Deduplication memory;
		int64		first;

		deduplication_begin(&memory, &queue->definition, now);
		first = deduplication_enter(&memory, draft.deduplication_id,
									draft.group_id, id);
		deduplication_end(&memory);
		if (first != 0)
			return;
	}
	draft_to_row(&draft, &queue->definition, id,
				 ROW_VALUE(&delivery->row, MESSAGE_SENDER), now, &row);
	store_insert(&queue->store, &row, 1, now, TOTAL_SENT);
}

/* The queue is opened: may the message go there? */
static bool
is_good(const Delivery *delivery, QueueCall *queue, Outcome *outcome)
{
	if (message_size(&delivery->row) > queue->definition.max_message_size)
	{
		outcome_set(outcome, OUTCOME_HOPELESS,
					"the message is too large for the queue");
		return false;
	}
	if (queue->definition.fifo &&
		!group_try_lock(&queue->store,
						ROW_VALUE(&delivery->row, MESSAGE_GROUP_ID)))
	{
		outcome_set(outcome, OUTCOME_NOT_TRIED,
					"an open transaction sends to the group");
		return false;
	}
	return true;
}

void
to_queue(const DeliveryRoute *route, const Delivery *delivery,
		 Outcome *outcome)
{
	const char *name = route->subscription->endpoint;
	QueueCall	queue;

	if (!definition_lookup(name, &queue.definition))
		outcome_set(outcome, OUTCOME_HOPELESS, "the queue does not exist");
	else if (!policy_allows_role(route->owner, queue.definition.owner, "send"))
		outcome_set(outcome, OUTCOME_HOPELESS,
					"the subscription's owner may not send to the queue");
	else if (!call_open_quietly(&queue, name))
		outcome_set(outcome, OUTCOME_NOT_TRIED,
					"the queue's table is locked, missing or altered");
	else
	{
		if (is_good(delivery, &queue, outcome))
		{
			insert(&queue, delivery);
			outcome->kind = OUTCOME_DELIVERED;
		}
		call_close(&queue);
	}
}
