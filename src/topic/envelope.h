/*
 * envelope.h
 *		What is delivered of a publication: the JSON of SNS.
 *
 * (sns: sns-message-and-json-formats, sns-verify-signature-of-message)
 */
#ifndef DECOUPLE_ENVELOPE_H
#define DECOUPLE_ENVELOPE_H

#include "postgres.h"

#include "store/store.h"
#include "topic/subscription.h"
#include "topic/topic.h"

/* a publication on its way to the subscriptions */
typedef struct Published
{
	MessageRow	row;			/* as it was published */
	Jsonb	   *parts;			/* its message by protocol, or NULL */
	Jsonb	   *body;			/* its message as an object, or NULL */
	bool		body_parsed;
	text	   *signed_message; /* the last that was signed, and: */
	char	   *signature;
	char	   *certificate_url;
} Published;

/* what a subscription gets: the message, or the envelope around it */
extern text *envelope_make(Published *publication,
						   const TopicDefinition *topic,
						   const Subscription *subscription);

typedef enum ConfirmationKind
{
	CONFIRM_SUBSCRIPTION,
	CONFIRM_UNSUBSCRIBE
} ConfirmationKind;

/* the word for it: SubscriptionConfirmation, UnsubscribeConfirmation; and back */
extern const char *confirmation_type(ConfirmationKind kind);
extern ConfirmationKind confirmation_kind(const char *type);

/* the body that asks an endpoint to confirm, with the subscription's token */
extern text *envelope_confirmation(ConfirmationKind kind, int64 message_id,
								   TimestampTz asked_at,
								   const TopicDefinition *topic,
								   const Subscription *subscription);

#endif							/* DECOUPLE_ENVELOPE_H */
