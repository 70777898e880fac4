/* backend: src/topic/delivery_policy.c src/topic/protocol.c */
/*
 * delivery_policy.c
 *		Delivery policies, and the delays that follow from them.
 *
 * An input is a topic's policy, a line break, and a subscription's.  Whatever
 * is taken gives delays that are promised: as many as retries, each within its
 * phase's bounds and as long as the greater one in the end, none shorter than the
 * one before, an hour at most.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "backend.h"
#include "topic/delivery_policy.h"

extern Datum decouple_delivery_delays(PG_FUNCTION_ARGS);

const FuzzSeed fuzz_seeds[] = {
	SEED("{\"http\": {\"defaultHealthyRetryPolicy\": {\"numRetries\": 3, \"minDelayTarget\": 20}, "
		 "\"disableSubscriptionOverrides\": true}}\n"
		 "{\"healthyRetryPolicy\": {\"minDelayTarget\": 1, \"maxDelayTarget\": 60, \"numRetries\": 50, "
		 "\"numNoDelayRetries\": 3, \"numMinDelayRetries\": 2, \"numMaxDelayRetries\": 35, "
		 "\"backoffFunction\": \"exponential\"}}"),
	SEED("{\"http\": {\"defaultThrottlePolicy\": {\"maxReceivesPerSecond\": 10}, "
		 "\"defaultRequestPolicy\": {\"headerContentType\": \"text/plain; charset=UTF-8\"}}}\n"
		 "{\"healthyRetryPolicy\": {\"minDelayTarget\": 7, \"maxDelayTarget\": 90, \"numRetries\": 9, "
		 "\"backoffFunction\": \"geometric\"}, \"sicklyRetryPolicy\": null, \"guaranteed\": false}"),
	SEED("{\"http\": {\"defaultHealthyRetryPolicy\": null}}\n"
		 "{\"healthyRetryPolicy\": {\"minDelayTarget\": 5, \"maxDelayTarget\": 55, \"numRetries\": 12, "
		 "\"backoffFunction\": \"arithmetic\"}, \"throttlePolicy\": {\"maxReceivesPerSecond\": 2147483647}, "
		 "\"requestPolicy\": {\"headerContentType\": \"application/json\"}}"),
	SEED("\n{\"healthyRetryPolicy\": {\"backoffFunction\": \"linear\"}}"),
	SEEDS_END
};

const FuzzSeed fuzz_dictionary[] = {
	SEED("\"http\""), SEED("\"healthyRetryPolicy\""),
	SEED("\"defaultHealthyRetryPolicy\""), SEED("\"sicklyRetryPolicy\""),
	SEED("\"disableSubscriptionOverrides\""), SEED("\"guaranteed\""),
	SEED("\"throttlePolicy\""), SEED("\"defaultThrottlePolicy\""),
	SEED("\"maxReceivesPerSecond\""), SEED("\"requestPolicy\""),
	SEED("\"defaultRequestPolicy\""), SEED("\"headerContentType\""),
	SEED("\"minDelayTarget\""), SEED("\"maxDelayTarget\""),
	SEED("\"numRetries\""), SEED("\"numNoDelayRetries\""),
	SEED("\"numMinDelayRetries\""), SEED("\"numMaxDelayRetries\""),
	SEED("\"backoffFunction\""), SEED("\"linear\""), SEED("\"arithmetic\""),
	SEED("\"geometric\""), SEED("\"exponential\""), SEED("\"text/plain\""),
	SEED("\"application/xml; x=\303\244\""), SEED("0"), SEED("1"), SEED("2"),
	SEED("3"), SEED("31"), SEED("35"), SEED("36"), SEED("99"), SEED("100"),
	SEED("101"), SEED("3599"), SEED("3600"), SEED("3601"), SEED("2147483647"),
	SEED("2147483648"), SEED("-1"), SEED("-0.0"), SEED("0.5"), SEED("1e0"),
	SEED("1e400"), SEED("1e-400"), SEED("null"), SEED("true"), SEED("false"),
	SEED("{}"), SEED("[]"), SEED("\"\""), SEED("\"\360\237\230\200\""),
	SEED("{\"numRetries\": 4}"),
	SEEDS_END
};

typedef struct Policies
{
	Jsonb	   *of_topic;		/* or NULL */
	Jsonb	   *of_subscription;	/* or NULL */
} Policies;

static void
check_topic(void *argument)
{
	delivery_policy_check_topic(argument);
}

static void
check_subscription(void *argument)
{
	delivery_policy_check_subscription(argument);
}

/* ---- delays ---- */

static void
require_form(const DeliveryPolicy *policy)
{
	FUZZ_REQUIRE(policy->min_delay >= 1 && policy->max_delay >= policy->min_delay &&
				 policy->max_delay <= 3600);
	FUZZ_REQUIRE(policy->no_delay >= 0 && policy->min_delay_retries >= 0 &&
				 policy->max_delay_retries >= 0);
	FUZZ_REQUIRE(policy->no_delay + policy->min_delay_retries +
				 policy->max_delay_retries <= policy->retries);
	FUZZ_REQUIRE(policy->max_receives_per_second >= 0);
	FUZZ_REQUIRE(policy->content_type[0] == '\0' ||
				 is_content_type(policy->content_type));
}

static void
require_delays(const DeliveryPolicy *policy)
{
	int64		least = policy->min_delay * USECS_PER_SEC;
	int64		most = policy->max_delay * USECS_PER_SEC;
	int64		before = 0;
	int32		backoffs = policy->retries - policy->no_delay -
		policy->min_delay_retries - policy->max_delay_retries;

	for (int32 attempts = 1; attempts <= policy->retries; attempts++)
	{
		int64		delay = delivery_policy_delay(policy, attempts);
		int32		left = policy->retries - attempts;

		if (attempts <= policy->no_delay)
			FUZZ_REQUIRE(delay == 0);
		else
			FUZZ_REQUIRE(delay >= least && delay <= most && delay >= before);
		if (attempts > policy->no_delay &&
			attempts <= policy->no_delay + policy->min_delay_retries)
			FUZZ_REQUIRE(delay == least);
		if (left < policy->max_delay_retries)
			FUZZ_REQUIRE(delay == most);
		if (left == policy->max_delay_retries && backoffs > 1 &&
			policy->backoff != BACKOFF_FUNCTION_EXPONENTIAL)
			FUZZ_REQUIRE(delay == most);
		before = delay;
	}
	FUZZ_REQUIRE(delivery_policy_delay(policy, policy->retries + 1) == -1);
	FUZZ_REQUIRE(delivery_policy_delay(policy, PG_INT32_MAX) == -1);
}

/* What holds for each protocol, of policies that were taken. */
static void
derive(void *argument)
{
	Policies   *policies = argument;

	for (int protocol = 0; protocol < PROTOCOLS; protocol++)
	{
		DeliveryPolicy policy;

		delivery_policy_effective(&policy, (Protocol) protocol,
								  policies->of_topic,
								  policies->of_subscription);
		require_form(&policy);
		/* a hundred thousand of them, always the same */
		if (policy.retries <= 100)
			require_delays(&policy);
	}
}

/* ---- the SQL function ---- */

/* What a retry policy says of itself, read by the server's own functions. */
static int32
retries_of(Jsonb *policy)
{
	JsonbValue *part = getKeyJsonValueFromContainer(&policy->root, "healthyRetryPolicy",
													strlen("healthyRetryPolicy"), NULL);
	JsonbValue *number = part == NULL || part->type != jbvBinary ? NULL :
		getKeyJsonValueFromContainer(part->val.binary.data, "numRetries",
									 strlen("numRetries"), NULL);

	if (number == NULL || number->type != jbvNumeric)
		return 3;				/* the default for HTTP */
	return DatumGetInt32(DirectFunctionCall1(numeric_int4,
											 NumericGetDatum(number->val.numeric)));
}

static int64
sum_of(Tuplestorestate *rows, TupleTableSlot *slot)
{
	int64		sum = 0;
	bool		isnull;

	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		Interval   *delay = DatumGetIntervalP(slot_getattr(slot, 1, &isnull));

		FUZZ_REQUIRE(!isnull && delay->month == 0 && delay->day == 0);
		sum += delay->time;
	}
	return sum;
}

static void
call_function(void *argument)
{
	FmgrInfo	info = {.fn_mcxt = CurrentMemoryContext};
	ExprContext *context = CreateStandaloneExprContext();
	TupleDesc	row = CreateTemplateTupleDesc(1);
	ReturnSetInfo result = {.type = T_ReturnSetInfo, .econtext = context};
	LOCAL_FCINFO(fcinfo, 2);
	TupleTableSlot *slot;

	TupleDescInitEntry(row, 1, "delay", INTERVALOID, -1, 0);
	result.expectedDesc = row;
	result.allowedModes = SFRM_Materialize | SFRM_Materialize_Random;
	InitFunctionCallInfoData(*fcinfo, &info, 2, InvalidOid, NULL, (Node *) &result);
	fcinfo->args[0].value = JsonbPGetDatum((Jsonb *) argument);
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].isnull = true;
	(void) decouple_delivery_delays(fcinfo);
	slot = MakeSingleTupleTableSlot(row, &TTSOpsMinimalTuple);
	FUZZ_REQUIRE(tuplestore_tuple_count(result.setResult) == retries_of(argument));
	FUZZ_REQUIRE(sum_of(result.setResult, slot) <= 3600 * USECS_PER_SEC);
	tuplestore_end(result.setResult);
	ExecDropSingleTupleTableSlot(slot);
	FreeExprContext(context, true);
}

void
fuzz_text(char *text)
{
	char	   *second = fuzz_next_line(text);
	Policies	policies = {0};
	Policies	taken = {0};

	if (text[0] != '\0')
		policies.of_topic = fuzz_jsonb(text);
	if (second[0] != '\0')
		policies.of_subscription = fuzz_jsonb(second);
	if (policies.of_topic == NULL && policies.of_subscription == NULL)
		return;
	if (policies.of_topic != NULL &&
		fuzz_takes(check_topic, policies.of_topic, "22023"))
		taken.of_topic = policies.of_topic;
	if (policies.of_subscription != NULL &&
		fuzz_takes(check_subscription, policies.of_subscription, "22023"))
		taken.of_subscription = policies.of_subscription;
	fuzz_count(taken.of_topic != NULL || taken.of_subscription != NULL);
	FUZZ_REQUIRE(fuzz_takes(derive, &taken, ""));
	if (taken.of_subscription != NULL)
		FUZZ_REQUIRE(fuzz_takes(call_function, taken.of_subscription, ""));
}
