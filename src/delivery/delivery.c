/*
 * delivery.c
 *		One delivery of a subscription: taken, and what became of it.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/settings.h"
#include "base/version.h"
#include "delivery/delivery.h"
#include "delivery/delivery_log.h"
#include "security/policy.h"
#include "store/group.h"
#include "store/visit.h"
#include "topic/topic_totals.h"

/* what could not be tried, or has nowhere to go, is looked at again so soon */
#define NOT_TRIED_PAUSE		(1 * USECS_PER_SEC)
#define NO_LETTERS_PAUSE	(60 * USECS_PER_SEC)

/* an endpoint cannot put a delivery off for longer (sns: a policy's length) */
#define RETRY_AFTER_MAX		3600

/* delays grow by up to this part, at random, so that retries spread out */
#define JITTER				0.2

/* ---- routes ---- */

static Jsonb *
policy_of(const FieldValue *field)
{
	return field->isnull ? NULL : DatumGetJsonbP(field->value);
}

DeliveryRoute *
delivery_route(int32 queue_number)
{
	DeliveryRoute *route = palloc0(sizeof(DeliveryRoute));
	QueueDefinition definition;

	route->subscription = subscription_of_queue(queue_number);
	if (route->subscription == NULL ||
		!topic_find(route->subscription->topic_number, &route->topic) ||
		!definition_lookup_number(queue_number, &definition))
		return NULL;
	route->owner = definition.owner;
	route->queue_name = pstrdup(definition.name);
	delivery_policy_effective(&route->policy, route->subscription->protocol,
							  policy_of(&route->topic.fields[TOPIC_DELIVERY_POLICY]),
							  policy_of(subscription_field(route->subscription,
														   DELIVERY_POLICY)));
	return route;
}

int64
delivery_message_id(const Delivery *delivery)
{
	return ROW_IS_NULL(&delivery->row, MESSAGE_ORIGINAL_ID) ?
		ROW_ID(&delivery->row) :
		DatumGetInt64(ROW_VALUE(&delivery->row, MESSAGE_ORIGINAL_ID));
}

char *
delivery_confirmation(const Delivery *delivery)
{
	return ROW_IS_NULL(&delivery->row, MESSAGE_STRUCTURE) ? NULL :
		TextDatumGetCString(ROW_VALUE(&delivery->row, MESSAGE_STRUCTURE));
}

/* ---- taking ---- */

bool
delivery_open(const DeliveryRoute *route, QueueCall *queue)
{
	return call_open_quietly(queue, route->queue_name);
}

/*
 * An endpoint that has not confirmed gets the question, and nothing else.  One
 * that was never to be asked has no token, and so no question.
 */
static bool
may_go(const DeliveryRoute *route, const MessageRow *row)
{
	return ROW_IS_NULL(row, MESSAGE_STRUCTURE) ?
		route->subscription->confirmed : route->subscription->token != NULL;
}

int
delivery_take(const DeliveryRoute *route, int limit, int64 bytes, int64 lease,
			  Delivery *deliveries)
{
	QueueCall	queue;
	Visit		visit;
	int			count = 0;

	if (!delivery_open(route, &queue))
		return 0;
	visit_begin(&visit, &queue.store, decouple_now(), VISIT_TO_RECEIVE);
	while (count < limit && bytes > 0 && visit_next(&visit))
	{
		Delivery   *delivery = &deliveries[count];

		if (!may_go(route, &visit.current->row))
		{
			/* published before it was asked to unsubscribe */
			if (store_remove(visit.current, QUEUE_TOTALS))
				visit_took(&visit);
			continue;
		}
		if (!store_claim(visit.current, visit.now, visit.now + lease,
						 &delivery->receipt))
			continue;			/* somebody else was faster */
		visit_took(&visit);
		delivery->row = visit.current->row;
		row_copy(&delivery->row);
		if (route->topic.fifo)
			topic_row_complete(&delivery->row);
		delivery->attempts = row_receive_count(&delivery->row);
		bytes -= VARSIZE_ANY(DatumGetPointer(ROW_VALUE(&delivery->row, MESSAGE_BODY)));
		count++;
	}
	visit_end(&visit);
	call_close(&queue);
	return count;
}

/* ---- outcomes ---- */

void
outcome_set(Outcome *outcome, OutcomeKind kind, const char *error)
{
	int			length = pg_mbcliplen(error, strlen(error), OUTCOME_ERROR_MAX);

	outcome->kind = kind;
	memcpy(outcome->error, error, length);
	outcome->error[length] = '\0';
	for (char *c = outcome->error; *c != '\0'; c++)
	{
		if ((unsigned char) *c < ' ')
			*c = ' ';
	}
}

/* how a delivery is given back */
typedef struct GiveBack
{
	TimestampTz until;
	const char *error;
	bool		no_attempt;		/* this one does not count */
} GiveBack;

static void
edit_given_back(MessageRow *row, void *argument)
{
	GiveBack   *give_back = argument;

	row_set(row, MESSAGE_VISIBLE_AT, TimestampTzGetDatum(give_back->until));
	row_set(row, MESSAGE_LAST_ERROR, CStringGetTextDatum(give_back->error));
	if (give_back->no_attempt)
		row_set(row, MESSAGE_RECEIVE_COUNT,
				Int32GetDatum(row_receive_count(row) - 1));
}

static void
give_back(QueueCall *queue, const Delivery *delivery, int64 delay,
		  const char *error, bool no_attempt)
{
	TimestampTz now = decouple_now();
	GiveBack	argument = {now + delay, error, no_attempt};

	(void) store_settle(&queue->store, &delivery->receipt, now,
						edit_given_back, &argument);
}

static int64
with_jitter(int64 delay)
{
	return delay + (int64) (delay * JITTER * pg_prng_double(&pg_global_prng_state));
}

/* ---- what failed for good ---- */

/* Opens the subscription's dead-letter queue, if it may be used. */
static bool
open_letters(const DeliveryRoute *route, const char *name, QueueCall *letters)
{
	return definition_lookup(name, &letters->definition) &&
		letters->definition.fifo == route->topic.fifo &&
		policy_allows_role(route->owner, letters->definition.owner, "send") &&
		call_open_quietly(letters, name);
}

/*
 * What would have been delivered, as it was, with what went wrong.  Its attempts
 * are its receives, and do not count for the queue that it goes to.
 */
static void
letter_of(const Delivery *delivery, const QueueCall *letters,
		  const char *error, TimestampTz now, MessageRow *row)
{
	*row = delivery->row;
	row_set(row, MESSAGE_ID, Int64GetDatum(store_next_id()));
	row_set(row, MESSAGE_VISIBLE_AT, TimestampTzGetDatum(now));
	row_set(row, MESSAGE_DUE_AT, TimestampTzGetDatum(now));
	row_set(row, MESSAGE_ORIGINAL_ID,
			Int64GetDatum(delivery_message_id(delivery)));
	row_set(row, MESSAGE_RECEIVED_BEFORE, Int32GetDatum(delivery->attempts));
	row_set(row, MESSAGE_RECEIVE_COUNT, Int32GetDatum(delivery->attempts));
	row_set_null(row, MESSAGE_FENCE);
	row_set_null(row, MESSAGE_STRUCTURE);
	row_set(row, MESSAGE_LAST_ERROR, CStringGetTextDatum(error));
	if (letters->definition.fifo)	/* so that two of one id stay two */
		row_set(row, MESSAGE_DEDUPLICATION_ID,
				CStringGetTextDatum(psprintf(INT64_FORMAT, ROW_ID(row))));
}

/* Moves a delivery to the dead-letter queue; false where that cannot be now. */
static bool
bury(const DeliveryRoute *route, QueueCall *queue, const Delivery *delivery,
	 const char *error)
{
	const FieldValue *name = subscription_field(route->subscription,
												DEAD_LETTER_QUEUE);
	TimestampTz now = decouple_now();
	QueueCall	letters;
	MessageRow	row;

	/* sns: confirmations that fail go nowhere */
	if (name->isnull || delivery_confirmation(delivery) != NULL)
		return store_settle(&queue->store, &delivery->receipt, now, NULL, NULL);
	if (!open_letters(route, TextDatumGetCString(name->value), &letters))
		return false;
	if (letters.definition.fifo &&
		!group_try_lock(&letters.store, ROW_VALUE(&delivery->row, MESSAGE_GROUP_ID)))
	{
		call_close(&letters);
		return false;
	}
	if (store_settle(&queue->store, &delivery->receipt, now, NULL, NULL))
	{
		letter_of(delivery, &letters, error, now, &row);
		store_insert(&letters.store, &row, 1, now, TOTAL_SENT);
	}
	call_close(&letters);
	return true;
}

static void
fail(const DeliveryRoute *route, QueueCall *queue, const Delivery *delivery,
	 const Outcome *outcome)
{
	char	   *error = psprintf("%s (attempt %d of %d%s)", outcome->error,
								 delivery->attempts,
								 Max(delivery->attempts, route->policy.retries + 1),
								 outcome->kind == OUTCOME_HOPELESS ?
								 ", not tried again" : "");

	if (!bury(route, queue, delivery, error))
	{
		give_back(queue, delivery, NO_LETTERS_PAUSE,
				  psprintf("its dead-letter queue cannot be used; %s", error), true);
		return;
	}
	delivery_log(route, delivery, LOG_FAILURE, outcome);
	topic_totals_add(route->subscription->id, TOTAL_FAILED, 1);
}

/* ---- settling ---- */

static void
try_again(const DeliveryRoute *route, QueueCall *queue,
		  const Delivery *delivery, const Outcome *outcome)
{
	int64		delay = delivery_policy_delay(&route->policy, delivery->attempts);

	if (delay < 0)
	{
		fail(route, queue, delivery, outcome);
		return;
	}
	delay = Max(with_jitter(delay),
				Min(outcome->retry_after, RETRY_AFTER_MAX) * USECS_PER_SEC);
	give_back(queue, delivery, delay, outcome->error, false);
	delivery_log(route, delivery, LOG_RETRY, outcome);
}

void
delivery_settle(const DeliveryRoute *route, QueueCall *queue,
				const Delivery *delivery, Outcome *outcome)
{
	switch (outcome->kind)
	{
		case OUTCOME_DELIVERED:
			if (!store_settle(&queue->store, &delivery->receipt, decouple_now(),
							  NULL, NULL))
				break;			/* it was taken again meanwhile */
			delivery_log(route, delivery, LOG_SUCCESS, outcome);
			topic_totals_add(route->subscription->id, TOTAL_DELIVERED, 1);
			break;
		case OUTCOME_TRY_AGAIN:
			try_again(route, queue, delivery, outcome);
			break;
		case OUTCOME_HOPELESS:
			fail(route, queue, delivery, outcome);
			break;
		case OUTCOME_NOT_TRIED:
			give_back(queue, delivery, NOT_TRIED_PAUSE, outcome->error, true);
			break;
	}
}
