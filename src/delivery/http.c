/*
 * http.c
 *		Deliveries by HTTP: taken, committed, sent; settled when the answer comes.
 *
 * A delivery that is under way is in a list of this process's memory, in a context
 * of its own: taken (not committed; or gone with its transaction), then sent, then
 * answered, then gone.
 *
 * If decouple-egress ends, what it was sending was perhaps sent.  It is tried
 * again without counting, since it was not the endpoint's fault; but when a single
 * request was under way it may have been that request's, so that one counts.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "lib/ilist.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "base/version.h"
#include "delivery/egress.h"
#include "delivery/endpoints.h"
#include "delivery/http.h"
#include "topic/envelope.h"
#include "topic/headers.h"
#include "topic/identity.h"

/* a lease outlasts its request by so much */
#define LEASE_MORE			(15 * USECS_PER_SEC)

/* bodies of a step, and what is kept for decouple-egress, bytes */
#define BYTES_MAX			(8 * 1024 * 1024)

/* outcomes settled in one transaction */
#define SETTLE_STEP			200

typedef enum RequestState
{
	REQUEST_TAKEN,
	REQUEST_SENT,
	REQUEST_ANSWERED
} RequestState;

typedef struct Request
{
	dlist_node	link;
	uint64		id;
	RequestState state;
	MemoryContext context;		/* of this and what follows */
	int32		queue_number;
	char	   *url;
	Delivery	delivery;
	Outcome		outcome;
	TimestampTz sent_at;
} Request;

static dlist_head requests = DLIST_STATIC_INIT(requests);
static uint64 last_id = 0;
static int	answered = 0;

/* ---- taking ---- */

static void
free_request(Request *request)
{
	dlist_delete(&request->link);
	MemoryContextDelete(request->context);
}

/* Keeps a delivery beyond the transaction. */
static void
keep(const DeliveryRoute *route, const Delivery *delivery)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext,
												  "decouple request",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	Request    *request = palloc0(sizeof(Request));

	request->id = ++last_id;
	request->state = REQUEST_TAKEN;
	request->context = context;
	request->queue_number = route->subscription->queue_number;
	request->url = pstrdup(route->subscription->endpoint);
	request->delivery = *delivery;
	row_copy(&request->delivery.row);
	dlist_push_tail(&requests, &request->link);
	MemoryContextSwitchTo(before);
	endpoint_begin(request->url);
}

bool
http_take(const DeliveryRoute *route, int allowance, int *taken,
		  TimestampTz *again_at)
{
	int			room = Min(endpoint_room(route->subscription->endpoint, again_at),
						   allowance);
	int64		lease = subscription_time_limit(route->subscription) + LEASE_MORE;
	Delivery   *deliveries;

	*taken = 0;
	if (!identity_is_ours())
		return false;
	if (room == 0)
		return true;
	if (egress_backlog() > BYTES_MAX || !egress_ensure(again_at))
		return true;
	deliveries = palloc(sizeof(Delivery) * room);
	*taken = delivery_take(route, room, BYTES_MAX, lease, deliveries);
	for (int i = 0; i < *taken; i++)
		keep(route, &deliveries[i]);
	return *taken == room;
}

/* What was taken goes with the transaction that took it. */
static void
discard_taken(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &requests)
	{
		Request    *request = dlist_container(Request, link, iter.cur);

		if (request->state != REQUEST_TAKEN)
			continue;
		endpoint_forget(request->url);
		free_request(request);
	}
}

static void
at_transaction_end(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_ABORT)
		discard_taken();
}

/* each step sends what it took before the next one begins: it is this one's */
static void
at_savepoint_end(SubXactEvent event, SubTransactionId id,
				 SubTransactionId parent, void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		discard_taken();
}

void
http_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_savepoint_end, NULL);
}

/* ---- a request ---- */

static void
put_text(FrameBuffer *out, const char *value)
{
	frame_put_string(out, value, strlen(value));
}

/* What is delivered; a question is made now, with the token of now. */
static text *
body_of(const DeliveryRoute *route, const Delivery *delivery)
{
	char	   *confirmation = delivery_confirmation(delivery);

	if (confirmation == NULL)
		return DatumGetTextPP(ROW_VALUE(&delivery->row, MESSAGE_BODY));
	return envelope_confirmation(confirmation_kind(confirmation),
								 delivery_message_id(delivery),
								 DatumGetTimestampTz(ROW_VALUE(&delivery->row,
															   MESSAGE_SENT_AT)),
								 &route->topic, route->subscription);
}

/* The bytes of that: UTF-8, whatever the database has. */
static char *
utf8_body(const DeliveryRoute *route, const Delivery *delivery, size_t *length)
{
	text	   *body = body_of(route, delivery);
	char	   *data = pnstrdup(VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body));
	char	   *utf8 = pg_server_to_any(data, VARSIZE_ANY_EXHDR(body), PG_UTF8);

	*length = utf8 == data ? (size_t) VARSIZE_ANY_EXHDR(body) : strlen(utf8);
	return utf8;
}

/* sns: headerContentType is for notifications */
static const char *
content_type(const DeliveryRoute *route, const char *confirmation)
{
	const FieldValue *own = subscription_field(route->subscription, CONTENT_TYPE);

	if (confirmation == NULL && !own->isnull)
		return TextDatumGetCString(own->value);
	if (confirmation == NULL && route->policy.content_type[0] != '\0')
		return route->policy.content_type;
	return "text/plain; charset=UTF-8";
}

/* sns: SendMessageToHttp.prepare; the headers of SNS */
static List *
sns_headers(const DeliveryRoute *route, const Delivery *delivery,
			const char *uuid)
{
	char	   *confirmation = delivery_confirmation(delivery);
	char	   *arn = identity_topic_arn(route->topic.name);
	List	   *lines = NIL;

	lines = lappend(lines, psprintf("x-amz-sns-message-type: %s",
									confirmation == NULL ? "Notification" : confirmation));
	lines = lappend(lines, psprintf("x-amz-sns-message-id: %s", uuid));
	lines = lappend(lines, psprintf("x-amz-sns-topic-arn: %s", arn));
	if (confirmation == NULL ||
		strcmp(confirmation, confirmation_type(CONFIRM_SUBSCRIPTION)) != 0)
		lines = lappend(lines, psprintf("x-amz-sns-subscription-arn: %s:" INT64_FORMAT,
										arn, route->subscription->id));
	if (confirmation == NULL &&
		DatumGetBool(subscription_field(route->subscription, RAW_DELIVERY)->value))
		lines = lappend(lines, "x-amz-sns-rawdelivery: true");
	lines = lappend(lines, psprintf("Content-Type: %s", content_type(route, confirmation)));
	lines = lappend(lines, "User-Agent: Amazon Simple Notification Service Agent");
	return lines;
}

/* Standard Webhooks 1.0.0, beside them; the time is that of the attempt */
static List *
webhook_headers(const DeliveryRoute *route, const char *uuid,
				const char *body, size_t length)
{
	const FieldValue *secret = subscription_field(route->subscription, SECRET);
	int64		now = (int64) time(NULL);
	List	   *lines = NIL;

	lines = lappend(lines, psprintf("webhook-id: %s", uuid));
	lines = lappend(lines, psprintf("webhook-timestamp: " INT64_FORMAT, now));
	if (!secret->isnull)
		lines = lappend(lines, psprintf("webhook-signature: %s",
										secret_sign(DatumGetTextPP(secret->value),
													uuid, now, body, length)));
	return lines;
}

static List *
all_headers(const DeliveryRoute *route, const Delivery *delivery,
			const char *body, size_t length)
{
	const FieldValue *own = subscription_field(route->subscription, HEADERS);
	char		uuid[MESSAGE_UUID_LENGTH];
	List	   *lines;

	identity_message_uuid(delivery_message_id(delivery), uuid);
	lines = list_concat(sns_headers(route, delivery, uuid),
						webhook_headers(route, uuid, body, length));
	if (!own->isnull)
		lines = list_concat(lines, headers_lines(DatumGetJsonbP(own->value)));
	return lines;
}

static void
put_request(FrameBuffer *out, const Request *request,
			const DeliveryRoute *route)
{
	const FieldValue *ca = subscription_field(route->subscription, CA);
	bool		https_only = DatumGetBool(route->topic.fields[TOPIC_HTTPS_ONLY].value);
	size_t		begin;
	size_t		length;
	char	   *body = utf8_body(route, &request->delivery, &length);
	List	   *headers = all_headers(route, &request->delivery, body, length);
	ListCell   *cell;

	frame_begin(out, FRAME_REQUEST, &begin);
	frame_put_u64(out, request->id);
	frame_put_u32(out, (uint32) (subscription_time_limit(route->subscription) / 1000));
	frame_put_u8(out, https_only || route->subscription->protocol == PROTOCOL_HTTPS ?
				 REQUEST_HTTPS_ONLY : 0);
	put_text(out, request->url);
	put_text(out, ca->isnull ? "" : TextDatumGetCString(ca->value));
	put_text(out, "");
	put_text(out, "");
	frame_put_u32(out, (uint32) list_length(headers));
	foreach(cell, headers)
		put_text(out, lfirst(cell));
	frame_put_string(out, body, length);
	frame_end(out, begin);
}

/* ---- sending ---- */

static void
send_one(Request *request, const DeliveryRoute *route)
{
	if (route == NULL)
	{
		/* unsubscribed since: the delivery went with its queue */
		endpoint_forget(request->url);
		free_request(request);
		return;
	}
	put_request(egress_output(), request, route);
	request->state = REQUEST_SENT;
	request->sent_at = GetCurrentTimestamp();
}

void
http_send(void)
{
	DeliveryRoute *route = NULL;
	int32		queue_number = 0;	/* that the route is of */
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &requests)
	{
		Request    *request = dlist_container(Request, link, iter.cur);

		if (request->state != REQUEST_TAKEN)
			continue;
		if (request->queue_number != queue_number)
		{
			queue_number = request->queue_number;
			route = delivery_route(queue_number);
		}
		send_one(request, route);
	}
	(void) http_pump();
}

/* ---- answers ---- */

static void
answer(Request *request, bool good)
{
	request->state = REQUEST_ANSWERED;
	answered++;
	endpoint_end(request->url, good, GetCurrentTimestamp() - request->sent_at);
}

static Request *
find_request(uint64 id)
{
	dlist_iter	iter;

	dlist_foreach(iter, &requests)
	{
		Request    *request = dlist_container(Request, link, iter.cur);

		if (request->id == id && request->state == REQUEST_SENT)
			return request;
	}
	return NULL;
}

/* What a status means; see doc/reference.md, HTTP. */
static void
judge_status(Outcome *outcome, int32 status)
{
	OutcomeKind kind = OUTCOME_HOPELESS;

	outcome->status_code = status;
	if (status >= 200 && status < 300)
	{
		outcome->kind = OUTCOME_DELIVERED;
		return;
	}
	if (status == 408 || status == 425 || status == 429 || status >= 500)
		kind = OUTCOME_TRY_AGAIN;
	outcome_set(outcome, kind, psprintf("the endpoint answered with status %d", status));
}

static void
take_outcome(uint64 id, int verdict, int32 status, int32 retry_after,
			 const char *error, size_t error_length)
{
	Request    *request = find_request(id);

	if (request == NULL)
		return;
	switch (verdict)
	{
		case OUTCOME_ANSWERED:
			judge_status(&request->outcome, status);
			request->outcome.retry_after = Max(retry_after, 0);
			break;
		case OUTCOME_REFUSED:
			outcome_set(&request->outcome, OUTCOME_HOPELESS,
						pnstrdup(error, error_length));
			break;
		default:
			outcome_set(&request->outcome, OUTCOME_TRY_AGAIN,
						pnstrdup(error, error_length));
			break;
	}
	/* an endpoint that answers is well, unless it says that it is not */
	answer(request, request->outcome.kind != OUTCOME_TRY_AGAIN);
}

/* decouple-egress has ended. */
static void
lose_all(void)
{
	bool		alone = endpoints_under_way() == 1;
	dlist_iter	iter;

	endpoints_egress_died();
	dlist_foreach(iter, &requests)
	{
		Request    *request = dlist_container(Request, link, iter.cur);

		if (request->state != REQUEST_SENT)
			continue;
		outcome_set(&request->outcome,
					alone ? OUTCOME_TRY_AGAIN : OUTCOME_NOT_TRIED,
					"decouple-egress ended while it was under way");
		request->state = REQUEST_ANSWERED;
		answered++;
		endpoint_forget(request->url);
	}
}

bool
http_pump(void)
{
	if (!egress_pump(take_outcome))
		lose_all();
	return answered > 0;
}

int
http_under_way(void)
{
	return endpoints_under_way();
}

/* ---- settling ---- */

/* sns has no such rule; Standard Webhooks: 410 means never again */
static void
pause_where_gone(const DeliveryRoute *route, const Outcome *outcome)
{
	Relation	subscriptions;
	HeapTuple	tuple;

	/* who changes the subscription now is not waited for: the next 410 pauses it */
	if (outcome->status_code != 410 || !topic_try_lock_name(route->topic.name))
		return;
	subscriptions = subscriptions_open(RowExclusiveLock);
	tuple = subscription_row(subscriptions, route->subscription->id);
	if (tuple != NULL &&
		!subscription_from_row(tuple, RelationGetDescr(subscriptions))->paused)
		subscription_set_paused(subscriptions, tuple, true);
	table_close(subscriptions, NoLock);
}

/* Settles what was answered of one queue, up to so many; returns how many. */
static int
settle_queue(int32 queue_number, int most)
{
	DeliveryRoute *route = delivery_route(queue_number);
	QueueCall	queue;
	bool		open = route != NULL && delivery_open(route, &queue);
	int			count = 0;
	dlist_mutable_iter iter;

	/* a table that somebody has locked: the leases end by themselves */
	dlist_foreach_modify(iter, &requests)
	{
		Request    *request = dlist_container(Request, link, iter.cur);

		if (request->state != REQUEST_ANSWERED ||
			request->queue_number != queue_number || count >= most)
			continue;
		if (open)
		{
			delivery_settle(route, &queue, &request->delivery, &request->outcome);
			pause_where_gone(route, &request->outcome);
		}
		free_request(request);
		answered--;
		count++;
	}
	if (open)
		call_close(&queue);
	return count;
}

static Request *
first_answered(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &requests)
	{
		Request    *request = dlist_container(Request, link, iter.cur);

		if (request->state == REQUEST_ANSWERED)
			return request;
	}
	return NULL;
}

bool
http_settle(EndStep end_step)
{
	bool		any = answered > 0;

	while (answered > 0)
	{
		int			room = SETTLE_STEP;

		while (room > 0 && answered > 0)
			room -= settle_queue(first_answered()->queue_number, room);
		/* what was acknowledged is not sent again, whatever crashes */
		ForceSyncCommit();
		end_step();
		(void) http_pump();
	}
	return any;
}
