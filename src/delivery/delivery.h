/*
 * delivery.h
 *		One delivery of a subscription: taken, and what became of it.
 *
 * A delivery that waits is a message in the subscription's queue of deliveries.
 * It is taken as a message is received: hidden for as long as the attempt may
 * last, its receive count the number of attempts.  A delivery is
 *
 *		waiting		next: taken
 *		taken		next: gone (delivered), waiting (to be tried again, or whoever
 *					took it died), or failed
 *		failed		next: gone, into the subscription's dead-letter queue or nowhere;
 *					or waiting, where that queue is not to be had
 */
#ifndef DECOUPLE_DELIVERY_H
#define DECOUPLE_DELIVERY_H

#include "postgres.h"

#include "queue/call.h"
#include "topic/delivery_policy.h"
#include "topic/subscription.h"
#include "topic/topic.h"

/* what deliveries of a subscription need; in the caller's memory context */
typedef struct DeliveryRoute
{
	Subscription *subscription;
	TopicDefinition topic;
	DeliveryPolicy policy;
	char	   *queue_name;		/* of the deliveries */
	Oid			owner;
} DeliveryRoute;

typedef struct Delivery
{
	Receipt		receipt;
	MessageRow	row;			/* a copy */
	int32		attempts;		/* this one included */
} Delivery;

typedef enum OutcomeKind
{
	OUTCOME_DELIVERED,
	OUTCOME_TRY_AGAIN,			/* an attempt that failed; by the policy */
	OUTCOME_HOPELESS,			/* no other attempt would do better */
	OUTCOME_NOT_TRIED			/* it could not be tried: no attempt */
} OutcomeKind;

#define OUTCOME_ERROR_MAX	200

typedef struct Outcome
{
	OutcomeKind kind;
	int32		status_code;	/* of HTTP; 0: none */
	int32		retry_after;	/* seconds that the endpoint asks for; 0: none */
	char		error[OUTCOME_ERROR_MAX + 1];
} Outcome;

/* what is to be known of the subscription of a queue; NULL where it is gone */
extern DeliveryRoute *delivery_route(int32 queue_number);

/* the publication that a delivery is of; a confirmation is its own */
extern int64 delivery_message_id(const Delivery *delivery);

/* SubscriptionConfirmation and the like, or NULL for a notification */
extern char *delivery_confirmation(const Delivery *delivery);

/*
 * Takes up to "limit" deliveries, whose bodies are of about "bytes" together, for
 * "lease" microseconds; returns how many.
 */
extern int	delivery_take(const DeliveryRoute *route, int limit, int64 bytes,
						  int64 lease, Delivery *deliveries);

/* opens the queue to settle; false where it is locked, gone, or unfit */
extern bool delivery_open(const DeliveryRoute *route, QueueCall *queue);

/* writes what became of a delivery, if it is still ours */
extern void delivery_settle(const DeliveryRoute *route, QueueCall *queue,
							const Delivery *delivery, Outcome *outcome);

/* sets an outcome's error, cut to one line of its length */
extern void outcome_set(Outcome *outcome, OutcomeKind kind, const char *error);

#endif							/* DECOUPLE_DELIVERY_H */
