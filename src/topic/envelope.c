/*
 * envelope.c
 *		What is delivered of a publication: the JSON of SNS.
 *
 * What is signed has nothing of the subscription in it, so a message is signed
 * once for all of them.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/texts.h"
#include "topic/envelope.h"
#include "topic/identity.h"
#include "topic/signature.h"

/* 2026-01-31T12:00:00.123Z and its end */
#define ISO_TIME_LENGTH		32

static void
iso_time(TimestampTz time, char *buffer)
{
	struct pg_tm tm;
	fsec_t		fsec;

	/* in rows written by hand there can be any time */
	if (TIMESTAMP_NOT_FINITE(time))
		time = 0;
	if (timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	snprintf(buffer, ISO_TIME_LENGTH, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
			 tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
			 tm.tm_sec, (int) (fsec / 1000));
}

/* ---- members of an object ---- */

static void
put_key(StringInfo out, const char *key)
{
	appendStringInfo(out, "%s\"%s\":", out->len > 1 ? "," : "", key);
}

static void
put_string(StringInfo out, const char *key, const char *value)
{
	put_key(out, key);
	escape_json(out, value);
}

/* ---- the message itself ---- */

/* A publication's message for a protocol. */
static text *
publication_message(Published *publication, Protocol protocol)
{
	static const char *const no_key = "default";
	const char *key = protocol_message_key(protocol);
	JsonbValue *value;

	if (publication->parts == NULL)
		return DatumGetTextPP(ROW_VALUE(&publication->row, MESSAGE_BODY));
	value = getKeyJsonValueFromContainer(&publication->parts->root, key,
										 strlen(key), NULL);
	/* sns: what is not a string is ignored */
	if (value == NULL || value->type != jbvString)
		value = getKeyJsonValueFromContainer(&publication->parts->root, no_key,
											 strlen(no_key), NULL);
	/* publish() takes no such message, but the topic's owner can write rows */
	if (value == NULL || value->type != jbvString)
		return DatumGetTextPP(ROW_VALUE(&publication->row, MESSAGE_BODY));
	return cstring_to_text_with_len(value->val.string.val,
									value->val.string.len);
}

/* ---- signatures ---- */

static void
sign_line(StringInfo data, const char *name, const char *value)
{
	appendStringInfo(data, "%s\n%s\n", name, value);
}

/* Signs a message unless it is the one that was signed last. */
static void
sign(Published *publication, int version, text *message, const char *uuid,
	 const char *subject, const char *timestamp, const char *arn)
{
	StringInfoData data;
	Signature	signature;

	if (publication->signed_message != NULL &&
		texts_equal(publication->signed_message, message))
		return;
	initStringInfo(&data);
	sign_line(&data, "Message", text_to_cstring(message));
	sign_line(&data, "MessageId", uuid);
	if (subject != NULL)
		sign_line(&data, "Subject", subject);
	sign_line(&data, "Timestamp", timestamp);
	sign_line(&data, "TopicArn", arn);
	sign_line(&data, "Type", "Notification");
	signature = signature_make(version, data.data, data.len);
	publication->signed_message = message;
	publication->signature = signature.base64;
	publication->certificate_url = signature.url;
}

static void
put_signature(StringInfo out, int version, const char *signature,
			  const char *url)
{
	put_string(out, "SignatureVersion", version == 1 ? "1" : "2");
	put_string(out, "Signature", signature);
	put_string(out, "SigningCertURL", url);
}

/*
 * Which version signs for a subscription; 0: none.  What leaves the database is
 * signed always, what stays in it where the topic says so.  Those of FIFO
 * topics are not (sns: a FIFO topic's envelope has no signature).
 */
static int
signature_version(const TopicDefinition *topic, const Subscription *subscription)
{
	const FieldValue *version = &topic->fields[TOPIC_SIGNATURE_VERSION];

	if (topic->fifo)
		return 0;
	if (!version->isnull)
		return DatumGetInt32(version->value);
	return protocol_is_http(subscription->protocol) ? 1 : 0;
}

/* ---- attributes ---- */

/*
 * What an attribute is, and its value as text.  One of another form, which the
 * topic's owner has written into the table by hand, is a String: its JSON.
 */
static const char *
attribute_type(JsonbValue *value, char **text_value)
{
	JsonbValue *binary;

	switch (value->type)
	{
		case jbvString:
			*text_value = pnstrdup(value->val.string.val, value->val.string.len);
			return "String";
		case jbvNumeric:
			*text_value = numeric_normalize(value->val.numeric);
			return "Number";
		case jbvBinary:
			binary = !JsonContainerIsObject(value->val.binary.data) ? NULL :
				getKeyJsonValueFromContainer(value->val.binary.data, "binary",
											 6, NULL);
			if (binary != NULL && binary->type == jbvString)
			{
				*text_value = pnstrdup(binary->val.string.val,
									   binary->val.string.len);
				return "Binary";
			}
			*text_value = JsonbToCString(NULL, value->val.binary.data,
										 value->val.binary.len);
			return JsonContainerIsArray(value->val.binary.data) ?
				"String.Array" : "String";
		case jbvBool:
			*text_value = value->val.boolean ? "true" : "false";
			return "String";
		default:
			*text_value = "null";
			return "String";
	}
}

/* One attribute as {"Type": ..., "Value": ...}. */
static void
put_attribute(StringInfo out, JsonbIterator **iterator)
{
	JsonbValue	value;
	char	   *text_value;

	(void) JsonbIteratorNext(iterator, &value, true);
	appendStringInfo(out, "{\"Type\":\"%s\",\"Value\":",
					 attribute_type(&value, &text_value));
	escape_json(out, text_value);
	appendStringInfoChar(out, '}');
}

static void
put_attributes(StringInfo out, Jsonb *attributes)
{
	JsonbIterator *iterator = JsonbIteratorInit(&attributes->root);
	JsonbValue	key;
	bool		first = true;

	put_key(out, "MessageAttributes");
	appendStringInfoChar(out, '{');
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		if (!first)
			appendStringInfoChar(out, ',');
		first = false;
		escape_json(out, pnstrdup(key.val.string.val, key.val.string.len));
		appendStringInfoChar(out, ':');
		put_attribute(out, &iterator);
	}
	appendStringInfoChar(out, '}');
}

/* ---- envelopes ---- */

static char *
unsubscribe_url(const Subscription *subscription)
{
	return public_address(psprintf("?Action=Unsubscribe&Token=%s",
								   subscription->unsubscribe_token));
}

static text *
make_notification(Published *publication, const TopicDefinition *topic,
				  const Subscription *subscription, text *message)
{
	MessageRow *row = &publication->row;
	char		uuid[MESSAGE_UUID_LENGTH];
	char		timestamp[ISO_TIME_LENGTH];
	char	   *arn = identity_topic_arn(topic->name);
	char	   *subject = ROW_IS_NULL(row, MESSAGE_SUBJECT) ? NULL :
		TextDatumGetCString(ROW_VALUE(row, MESSAGE_SUBJECT));
	int			version = signature_version(topic, subscription);
	StringInfoData out;

	identity_message_uuid(ROW_ID(row), uuid);
	iso_time(DatumGetTimestampTz(ROW_VALUE(row, MESSAGE_SENT_AT)), timestamp);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	put_string(&out, "Type", "Notification");
	put_string(&out, "MessageId", uuid);
	if (topic->fifo)
		put_string(&out, "SequenceNumber",
				   psprintf(INT64_FORMAT, ROW_ID(row)));
	put_string(&out, "TopicArn", arn);
	if (subject != NULL)
		put_string(&out, "Subject", subject);
	put_string(&out, "Message", text_to_cstring(message));
	put_string(&out, "Timestamp", timestamp);
	if (version != 0)
	{
		sign(publication, version, message, uuid, subject, timestamp, arn);
		put_signature(&out, version, publication->signature,
					  publication->certificate_url);
	}
	put_string(&out, "UnsubscribeURL", unsubscribe_url(subscription));
	if (!ROW_IS_NULL(row, MESSAGE_ATTRIBUTES))
		put_attributes(&out, DatumGetJsonbP(ROW_VALUE(row, MESSAGE_ATTRIBUTES)));
	appendStringInfoChar(&out, '}');
	return cstring_to_text_with_len(out.data, out.len);
}

text *
envelope_make(Published *publication, const TopicDefinition *topic,
			  const Subscription *subscription)
{
	text	   *message = publication_message(publication, subscription->protocol);

	/* a payload of NOTIFY is short: it is the message itself */
	if (subscription->protocol == PROTOCOL_NOTIFY ||
		DatumGetBool(subscription_field(subscription, RAW_DELIVERY)->value))
		return message;
	return make_notification(publication, topic, subscription, message);
}

/* ---- confirmations ---- */

const char *
confirmation_type(ConfirmationKind kind)
{
	return kind == CONFIRM_SUBSCRIPTION ? "SubscriptionConfirmation" :
		"UnsubscribeConfirmation";
}

/* Another word, written by hand, is the harmless one. */
ConfirmationKind
confirmation_kind(const char *type)
{
	return strcmp(type, confirmation_type(CONFIRM_UNSUBSCRIBE)) == 0 ?
		CONFIRM_UNSUBSCRIBE : CONFIRM_SUBSCRIPTION;
}

static char *
confirmation_message(ConfirmationKind kind, const char *arn, int64 id)
{
	if (kind == CONFIRM_SUBSCRIPTION)
		return psprintf("You have chosen to subscribe to the topic %s.\n"
						"To confirm the subscription, visit the SubscribeURL included in this message.",
						arn);
	return psprintf("You have chosen to deactivate subscription %s:" INT64_FORMAT ".\n"
					"To cancel this operation and restore the subscription, visit the SubscribeURL included in this message.",
					arn, id);
}

text *
envelope_confirmation(ConfirmationKind kind, int64 message_id,
					  TimestampTz asked_at, const TopicDefinition *topic,
					  const Subscription *subscription)
{
	const char *token = subscription->token;
	char		uuid[MESSAGE_UUID_LENGTH];
	char		timestamp[ISO_TIME_LENGTH];
	char	   *arn = identity_topic_arn(topic->name);
	char	   *message = confirmation_message(kind, arn, subscription->id);
	char	   *url = public_address(psprintf("?Action=ConfirmSubscription&TopicArn=%s&Token=%s",
											  arn, token));
	int			version = signature_version(topic, subscription);
	Signature	signature;
	StringInfoData data;
	StringInfoData out;

	identity_message_uuid(message_id, uuid);
	iso_time(asked_at, timestamp);
	initStringInfo(&data);
	sign_line(&data, "Message", message);
	sign_line(&data, "MessageId", uuid);
	sign_line(&data, "SubscribeURL", url);
	sign_line(&data, "Timestamp", timestamp);
	sign_line(&data, "Token", token);
	sign_line(&data, "TopicArn", arn);
	sign_line(&data, "Type", confirmation_type(kind));
	signature = signature_make(version, data.data, data.len);

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	put_string(&out, "Type", confirmation_type(kind));
	put_string(&out, "MessageId", uuid);
	put_string(&out, "Token", token);
	put_string(&out, "TopicArn", arn);
	put_string(&out, "Message", message);
	put_string(&out, "SubscribeURL", url);
	put_string(&out, "Timestamp", timestamp);
	put_signature(&out, version, signature.base64, signature.url);
	appendStringInfoChar(&out, '}');
	return cstring_to_text_with_len(out.data, out.len);
}
