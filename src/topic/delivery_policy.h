/*
 * delivery_policy.h
 *		When a delivery that failed is tried again, and how often.
 *
 * The JSON of SNS (sns: sns-message-delivery-retries, creating-delivery-policy).
 * A subscription's policy holds for every protocol; a topic's, under its key
 * "http", for http and https, unless a subscription has its own and the topic
 * does not disable that.  What neither gives is the protocol's default.
 */
#ifndef DECOUPLE_DELIVERY_POLICY_H
#define DECOUPLE_DELIVERY_POLICY_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

#include "topic/protocol.h"

typedef enum BackoffFunction
{
	BACKOFF_FUNCTION_LINEAR,
	BACKOFF_FUNCTION_ARITHMETIC,
	BACKOFF_FUNCTION_GEOMETRIC,
	BACKOFF_FUNCTION_EXPONENTIAL
} BackoffFunction;

#define CONTENT_TYPE_MAX	100

typedef struct DeliveryPolicy
{
	int32		min_delay;		/* seconds */
	int32		max_delay;		/* seconds */
	int32		retries;		/* of all phases */
	int32		no_delay;		/* retries of phase 1, at once */
	int32		min_delay_retries;	/* phase 2, min_delay apart */
	int32		max_delay_retries;	/* phase 4, max_delay apart */
	BackoffFunction backoff;	/* of phase 3, which has the others */
	int32		max_receives_per_second;	/* 0: no limit */
	char		content_type[CONTENT_TYPE_MAX + 1]; /* "": the default */
} DeliveryPolicy;

/* one of SNS's content types, perhaps with parameters? */
extern bool is_content_type(const char *type);

/* 22023 where a policy is not one */
extern void delivery_policy_check_topic(Jsonb *policy);
extern void delivery_policy_check_subscription(Jsonb *policy);

/* what holds for a subscription; each of the two may be NULL */
extern void delivery_policy_effective(DeliveryPolicy *policy,
									  Protocol protocol, Jsonb *of_topic,
									  Jsonb *of_subscription);

/*
 * How long to wait after so many attempts (1 or more) have failed,
 * microseconds without jitter; -1: no more.
 */
extern int64 delivery_policy_delay(const DeliveryPolicy *policy,
								   int32 attempts);

#endif							/* DECOUPLE_DELIVERY_POLICY_H */
