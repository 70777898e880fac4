/*
 * confirmation.h
 *		Tokens: a subscription is confirmed, or ended, by who has one.
 *
 * An HTTP endpoint gets nothing before somebody there has sent the token back
 * that it was sent; so nobody can be made to get what he does not want.  The
 * token is kept in the subscription's row, where not even the subscriber sees it,
 * is good for three days, and confirms again and again with the same result (sns:
 * ConfirmSubscription).  Each notification carries another one, which unsubscribes.
 */
#ifndef DECOUPLE_CONFIRMATION_H
#define DECOUPLE_CONFIRMATION_H

#include "topic/envelope.h"

/* a new token that begins with the subscription's id; palloc'd */
extern char *token_make(int64 subscription_id);

/* sends the endpoint a new token */
extern void confirmation_ask(const Subscription *subscription,
							 const TopicDefinition *topic,
							 ConfirmationKind kind);

/* removes subscriptions that nobody has confirmed in time; returns how many */
extern int	confirmation_expire(void);

#endif							/* DECOUPLE_CONFIRMATION_H */
