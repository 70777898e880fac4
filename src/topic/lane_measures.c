/*
 * lane_measures.c
 *		lane_measures: how much a topic, or a subscription, has still to do.
 *
 * What is behind the views topic_metrics and subscription_metrics.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/settings.h"
#include "base/version.h"
#include "queue/metrics.h"
#include "security/policy.h"
#include "topic/subscription.h"

PG_FUNCTION_INFO_V1(decouple_lane_measures);

/* the columns of lane_measures */
enum LaneColumn
{
	LANE_WAITING,
	LANE_PUT_OFF,
	LANE_OLDEST_AGE,
	LANE_SENT,
	LANE_COLUMNS
};

/* A topic's is its owner's; a subscription's also the topic's owner's. */
static bool
may_see(const QueueDefinition *lane)
{
	Subscription *subscription;
	QueueDefinition topic;

	if (lane->purpose == PURPOSE_QUEUE)
		return false;
	if (policy_allows(lane->owner, "get"))
		return true;
	subscription = subscription_of_queue(lane->number);
	return subscription != NULL &&
		definition_lookup_number(subscription->topic_number, &topic) &&
		policy_allows(topic.owner, "get");
}

/*
 * lane_measures(queue_number integer) -> record
 *
 * NULLs where there is no such queue, or the caller may not see it.
 */
Datum
decouple_lane_measures(PG_FUNCTION_ARGS)
{
	TupleDesc	descriptor;
	Datum		values[LANE_COLUMNS] = {0};
	bool		nulls[LANE_COLUMNS] = {true, true, true, true};
	QueueDefinition definition;
	QueueCall	call;
	QueueCounts counts;
	TimestampTz oldest;

	argument_required(fcinfo, 0, "queue_number");
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (definition_lookup_number(PG_GETARG_INT32(0), &definition) &&
		may_see(&definition) && call_open_to_see(&call, definition.name))
	{
		/* who waits until nothing is pending may not go on too early */
		bool		known = queue_measure(&call, COUNT_EXACTLY, &counts,
										  &oldest);

		nulls[LANE_WAITING] = nulls[LANE_PUT_OFF] = false;
		values[LANE_WAITING] = Int64GetDatum(counts.visible);
		values[LANE_PUT_OFF] = Int64GetDatum(counts.in_flight + counts.delayed);
		nulls[LANE_OLDEST_AGE] = oldest == DT_NOEND;
		if (oldest != DT_NOEND)
			values[LANE_OLDEST_AGE] =
				DirectFunctionCall2(timestamp_mi,
									TimestampTzGetDatum(decouple_now()),
									TimestampTzGetDatum(oldest));
		nulls[LANE_SENT] = !known;
		values[LANE_SENT] = known ? Int64GetDatum(counts.totals[TOTAL_SENT]) : (Datum) 0;
		call_close(&call);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor),
													  values, nulls)));
}
