/*
 * fan_out.c
 *		From what was published to what each subscription gets.
 *
 * A step takes publications that nobody holds, as a receive would, deletes them
 * and inserts what becomes of them, all in one transaction: so nothing is lost
 * and nothing comes twice, whoever crashes, and a transaction that commits late
 * is only fanned out late.  Two steps at once share the work; of a FIFO topic's
 * groups each has one at a time, because what the one has deleted blocks the
 * group for the other.
 *
 * A publication goes
 *
 *		to nowhere				the filter does not match, or nobody confirmed
 *		into the queue itself	a queue subscription, where that can be done now
 *		into the deliveries		everything else; src/delivery does the rest
 *
 * Locks: the topic's queue and each destination, RowExclusiveLock as any INSERT,
 * and conditionally: who has locked a user's queue stops only its own subscription,
 * and who has locked a subscription's deliveries (he unsubscribes, say, and has not
 * committed) only the topic; nobody stops the worker.
 *
 * What a topic's subscriptions are is read once and kept until a relcache
 * invalidation of the topic's table, which every change of them sends.  A step
 * looks for those after it has taken publications: so it knows all whose
 * subscribe was done before the publish began.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "base/settings.h"
#include "base/version.h"
#include "queue/draft.h"
#include "queue/table.h"
#include "security/policy.h"
#include "store/visit.h"
#include "topic/envelope.h"
#include "topic/fan_out.h"
#include "topic/subscription.h"
#include "topic/topic_totals.h"

/* a step takes so many publications, or so many bytes of them */
#define STEP_MESSAGES	500
#define STEP_BYTES		(4 * 1024 * 1024)

/* a subscription with what its use needs */
typedef struct Route
{
	Subscription *subscription;
	Filter	   *filter;			/* or NULL */
	bool		body_filter;
	Oid			table;			/* of its deliveries; its owner is the route's */
	char	   *deliveries;		/* the name of its queue */
} Route;

/* what is known of a topic */
typedef struct Routes
{
	int32		topic_number;	/* hash key */
	Oid			table;
	bool		valid;			/* what follows may be used */
	bool		changed;		/* by an invalidation, which clears "valid" too */
	MemoryContext context;		/* of what follows */
	TopicDefinition topic;
	List	   *routes;
} Routes;

typedef struct Step
{
	QueueCall	call;			/* the topic's queue */
	Routes	   *known;
	Published  *messages;
	int			count;
	TimestampTz now;
	MessageRow *rows;			/* room for one destination's */
	bool	   *wanted;			/* by the route at hand */
} Step;

static HTAB *known_topics = NULL;

/* ---- what is known of topics ---- */

static void
forget_table(Datum argument, Oid table)
{
	HASH_SEQ_STATUS status;
	Routes	   *entry;

	hash_seq_init(&status, known_topics);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (table != InvalidOid && entry->table != table)
			continue;
		entry->valid = false;
		entry->changed = true;
	}
}

void
fan_out_init(void)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(int32);
	control.entrysize = sizeof(Routes);
	control.hcxt = TopMemoryContext;
	known_topics = hash_create("decouple topics", 16, &control,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(forget_table, (Datum) 0);
}

static Route *
make_route(Subscription *subscription, bool fifo)
{
	Route	   *route = palloc0(sizeof(Route));
	const FieldValue *filter = subscription_field(subscription, FILTER_POLICY);
	QueueDefinition deliveries;

	route->subscription = subscription;
	route->deliveries = subscription_queue_name(subscription->id, fifo);
	if (definition_lookup_number(subscription->queue_number, &deliveries))
		route->table = deliveries.table;
	if (!filter->isnull)
	{
		const FieldValue *scope = subscription_field(subscription,
													 FILTER_POLICY_SCOPE);

		route->body_filter =
			filter_scope_from_text(DatumGetTextPP(scope->value)) == FILTER_BODY;
		route->filter = filter_compile(DatumGetJsonbP(filter->value),
									   route->body_filter ? FILTER_BODY :
									   FILTER_ATTRIBUTES, false);
	}
	return route;
}

/* Reads a topic's row and subscriptions into an entry. */
static bool
read_routes(Routes *entry)
{
	MemoryContext before;
	ListCell   *cell;
	bool		found;

	if (entry->context == NULL)
		entry->context = AllocSetContextCreate(TopMemoryContext,
											   "decouple routes",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(entry->context);
	before = MemoryContextSwitchTo(entry->context);
	entry->routes = NIL;
	found = topic_find(entry->topic_number, &entry->topic);
	if (found)
	{
		foreach(cell, subscriptions_of_topic(entry->topic_number))
			entry->routes = lappend(entry->routes,
									make_route(lfirst(cell), entry->topic.fifo));
	}
	MemoryContextSwitchTo(before);
	return found;
}

/* What is known of a topic whose table the caller has locked, or NULL. */
static Routes *
routes_of(int32 topic_number, Oid table)
{
	bool		found;
	Routes	   *entry = hash_search(known_topics, &topic_number, HASH_ENTER,
									&found);

	if (!found)
	{
		entry->context = NULL;
		entry->valid = false;
	}
	if (entry->valid && entry->table == table)
		return entry;
	/*
	 * Not valid before all of it was read: after an error on the way the topic
	 * would have too few subscriptions, and the others would lose messages.  Nor
	 * where something has changed meanwhile.
	 */
	entry->valid = false;
	entry->changed = false;
	entry->table = table;
	if (!read_routes(entry))
		return NULL;
	entry->valid = !entry->changed;
	return entry;
}

/*
 * The same after publications were taken: who subscribed before one of them was
 * published has it.
 */
static Routes *
routes_now(int32 topic_number, Oid table)
{
	Routes	   *entry;

	AcceptInvalidationMessages();
	entry = routes_of(topic_number, table);
	if (entry == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("topic %d has gone while it was fanned out", topic_number)));
	return entry;
}

/* Do a route's messages go into its queue itself, if that is well? */
static bool
goes_to_queue(const Routes *known, const Route *route)
{
	return route->subscription->protocol == PROTOCOL_QUEUE &&
		!route->subscription->paused && !known->topic.fifo;
}

/*
 * Locks what deliveries will be inserted into; false where somebody holds it: then
 * nothing must be taken.
 */
static bool
lock_deliveries(const Routes *known)
{
	ListCell   *cell;

	foreach(cell, known->routes)
	{
		const Route *route = lfirst(cell);

		if (route->subscription->confirmed && !goes_to_queue(known, route) &&
			!ConditionalLockRelationOid(route->table, RowExclusiveLock))
			return false;
	}
	return true;
}

/* ---- taking ---- */

static void
keep_message(Step *step, const MessageRow *row)
{
	Published  *message = &step->messages[step->count++];

	memset(message, 0, sizeof(*message));
	message->row = *row;
	row_copy(&message->row);
	if (step->known->topic.fifo)
		topic_row_complete(&message->row);
	if (!ROW_IS_NULL(&message->row, MESSAGE_STRUCTURE))
		message->parts =
			filter_parse_body(DatumGetTextPP(ROW_VALUE(&message->row, MESSAGE_BODY)));
}

/* Takes publications out of the topic's queue; true if there may be more. */
static bool
take(Step *step)
{
	Visit		visit;
	int64		bytes = 0;
	bool		full = false;

	visit_begin(&visit, &step->call.store, step->now, VISIT_TO_RECEIVE);
	while (!full && visit_next(&visit))
	{
		keep_message(step, &visit.current->row);
		if (!store_remove(visit.current, TOTAL_DELETED))
		{
			step->count--;		/* somebody else was faster */
			continue;
		}
		visit_took(&visit);
		bytes += VARSIZE_ANY(DatumGetPointer(ROW_VALUE(&step->messages[step->count - 1].row,
													   MESSAGE_BODY)));
		full = step->count >= STEP_MESSAGES || bytes >= STEP_BYTES;
	}
	visit_end(&visit);
	return full;
}

/* ---- who wants what ---- */

static bool
wants(const Route *route, Published *message)
{
	Jsonb	   *attributes = NULL;

	if (route->filter == NULL)
		return true;
	if (!ROW_IS_NULL(&message->row, MESSAGE_ATTRIBUTES))
		attributes = DatumGetJsonbP(ROW_VALUE(&message->row, MESSAGE_ATTRIBUTES));
	if (route->body_filter && !message->body_parsed)
	{
		message->body =
			filter_parse_body(DatumGetTextPP(ROW_VALUE(&message->row, MESSAGE_BODY)));
		message->body_parsed = true;
	}
	return filter_matches_parsed(route->filter, attributes, message->body);
}

/* Marks what the route wants; returns how many. */
static int
choose(Step *step, const Route *route)
{
	int			count = 0;

	for (int i = 0; i < step->count; i++)
	{
		step->wanted[i] = wants(route, &step->messages[i]);
		count += step->wanted[i];
	}
	if (count < step->count)
		topic_totals_add(route->subscription->id, TOTAL_FILTERED_OUT,
						 step->count - count);
	return count;
}

/* ---- giving ---- */

/* A message as a subscription gets it, for either kind of destination. */
static void
make_row(const Step *step, const Route *route, Published *message,
		 const QueueDefinition *destination, MessageRow *row)
{
	const Subscription *subscription = route->subscription;
	MessageRow *published = &message->row;
	Draft		draft = {.delay = DELAY_OF_QUEUE, .expires_in = NEVER_EXPIRES};

	draft.body = envelope_make(message, &step->known->topic, subscription);
	/* sns: without an envelope attributes go beside the message */
	if (DatumGetBool(subscription_field(subscription, RAW_DELIVERY)->value) &&
		!ROW_IS_NULL(published, MESSAGE_ATTRIBUTES))
		draft.attributes = DatumGetJsonbP(ROW_VALUE(published, MESSAGE_ATTRIBUTES));
	/* sns: a standard topic's group goes to standard queues (fair queues), a FIFO
	 * topic's to FIFO queues alone */
	if (!ROW_IS_NULL(published, MESSAGE_GROUP_ID) &&
		destination->fifo == step->known->topic.fifo)
		draft.group_id = DatumGetTextPP(ROW_VALUE(published, MESSAGE_GROUP_ID));
	if (!ROW_IS_NULL(published, MESSAGE_DEDUPLICATION_ID) && destination->fifo)
		draft.deduplication_id =
			DatumGetTextPP(ROW_VALUE(published, MESSAGE_DEDUPLICATION_ID));
	draft_to_row(&draft, destination, store_next_id(),
				 ROW_VALUE(published, MESSAGE_SENDER), step->now, row);
}

/*
 * Opens the queue of a queue subscription, if all is well with it: what is not
 * goes the long way, and what comes of it is decided there.  The subscription may
 * have been given to another role since it was read.
 */
static bool
open_queue(const Route *route, QueueCall *queue)
{
	return definition_lookup(route->subscription->endpoint, &queue->definition) &&
		!queue->definition.fifo &&
		policy_allows_role(queue_table_owner(route->table),
						   queue->definition.owner, "send") &&
		call_open_quietly(queue, route->subscription->endpoint);
}

/* Inserts what is wanted straight into the subscription's queue. */
static bool
give_to_queue(Step *step, const Route *route)
{
	QueueCall	queue;
	int			made = 0;

	if (!goes_to_queue(step->known, route) || !open_queue(route, &queue))
		return false;
	for (int i = 0; i < step->count; i++)
	{
		MessageRow *row = &step->rows[made];

		if (!step->wanted[i])
			continue;
		make_row(step, route, &step->messages[i], &queue.definition, row);
		if (message_size(row) <= queue.definition.max_message_size)
		{
			made++;
			step->wanted[i] = false;
		}
	}
	if (made > 0)
		store_insert(&queue.store, step->rows, made, step->now, TOTAL_SENT);
	call_close(&queue);
	topic_totals_add(route->subscription->id, TOTAL_DELIVERED, made);
	return true;
}

/* Inserts what is wanted, and not given yet, into the deliveries. */
static void
give_to_deliveries(Step *step, const Route *route)
{
	QueueCall	deliveries;
	int			made = 0;

	if (!call_open_quietly(&deliveries, route->deliveries))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the table of subscription " INT64_FORMAT " is locked, missing or altered",
						route->subscription->id),
				 errhint("Undo that, or unsubscribe.")));
	for (int i = 0; i < step->count; i++)
	{
		MessageRow *row = &step->rows[made];

		if (!step->wanted[i])
			continue;
		make_row(step, route, &step->messages[i], &deliveries.definition, row);
		row_set(row, MESSAGE_ORIGINAL_ID,
				ROW_VALUE(&step->messages[i].row, MESSAGE_ID));
		/* published since the step began: it must not look like delayed */
		row_set(row, MESSAGE_SENT_AT,
				TimestampTzGetDatum(Min(DatumGetTimestampTz(ROW_VALUE(&step->messages[i].row,
																	  MESSAGE_SENT_AT)),
										step->now)));
		made++;
	}
	if (made > 0)
		store_insert(&deliveries.store, step->rows, made, step->now, TOTAL_SENT);
	call_close(&deliveries);
}

static bool
is_left(const Step *step)
{
	for (int i = 0; i < step->count; i++)
	{
		if (step->wanted[i])
			return true;
	}
	return false;
}

static void
give(Step *step, const Route *route)
{
	if (!route->subscription->confirmed || choose(step, route) == 0)
		return;
	if (!give_to_queue(step, route) || is_left(step))
		give_to_deliveries(step, route);
}

/* ---- a step ---- */

bool
fan_out_step(int32 topic_number)
{
	Step		step = {.now = decouple_now()};
	QueueDefinition definition;
	ListCell   *cell;
	bool		more = false;

	if (!definition_lookup_number(topic_number, &definition) ||
		!call_open_quietly(&step.call, definition.name))
		return false;
	/* a topic whose row is not there, in half a restored database, is let be */
	step.known = routes_of(topic_number, definition.table);
	if (step.known != NULL && lock_deliveries(step.known))
	{
		step.messages = palloc(sizeof(Published) * STEP_MESSAGES);
		more = take(&step);
	}
	if (step.count > 0)
	{
		step.known = routes_now(topic_number, definition.table);
		step.rows = palloc(sizeof(MessageRow) * step.count);
		step.wanted = palloc(sizeof(bool) * step.count);
		foreach(cell, step.known->routes)
			give(&step, lfirst(cell));
	}
	call_close(&step.call);
	return more;
}
