/*
 * delivery_policy.c
 *		When a delivery that failed is tried again, and how often.
 *
 * SNS does not publish the formulas of its backoff functions.  With n retries
 * in the phase and t = i/(n-1) for the i-th from 0:
 *
 *		linear			min + (max - min) t
 *		arithmetic		min + (max - min) i(i+1) / ((n-1)n)
 *		geometric		min (max / min)^t
 *		exponential		min 2^i, at most max
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "topic/delivery_policy.h"

PG_FUNCTION_INFO_V1(decouple_delivery_delays);

/* sns: a policy may take an hour at most, and each delay too */
#define SECONDS_MAX		3600
#define RETRIES_MAX		100

/* what users may write as content type of what is not raw, too */
static const char *const content_types[] = {
	"text/css", "text/csv", "text/html", "text/plain", "text/xml",
	"application/atom+xml", "application/json", "application/octet-stream",
	"application/soap+xml", "application/x-www-form-urlencoded",
	"application/xhtml+xml", "application/xml"
};

static const char *const backoff_names[] = {
	[BACKOFF_FUNCTION_LINEAR] = "linear",
	[BACKOFF_FUNCTION_ARITHMETIC] = "arithmetic",
	[BACKOFF_FUNCTION_GEOMETRIC] = "geometric",
	[BACKOFF_FUNCTION_EXPONENTIAL] = "exponential",
};

/* sns: http and https; what AWS itself runs, as queues and functions */
static const DeliveryPolicy http_policy = {20, 20, 3, 0, 0, 0, BACKOFF_FUNCTION_LINEAR, 0, ""};
static const DeliveryPolicy managed_policy = {1, 20, 100015, 3, 2, 100000, BACKOFF_FUNCTION_EXPONENTIAL, 0, ""};

static void
bad_policy(const char *problem, const char *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid delivery policy: %s \"%s\"", problem, key),
			 errhint("For example {\"healthyRetryPolicy\": {\"minDelayTarget\": 5, \"maxDelayTarget\": 60, \"numRetries\": 10, \"backoffFunction\": \"exponential\"}}.")));
}

/* ---- reading JSON ---- */

/* called for each member of an object */
typedef void (*MemberReader) (DeliveryPolicy *policy, const char *key,
							  JsonbValue *value);

static void
read_object(DeliveryPolicy *policy, JsonbContainer *object,
			MemberReader reader)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbValue	value;
	JsonbIteratorToken token;

	(void) JsonbIteratorNext(&iterator, &value, true);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) == WJB_KEY)
	{
		char	   *key = pnstrdup(value.val.string.val, value.val.string.len);

		(void) JsonbIteratorNext(&iterator, &value, true);
		reader(policy, key, &value);
		pfree(key);
	}
}

static JsonbContainer *
object_of(const char *key, const JsonbValue *value)
{
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		bad_policy("not an object:", key);
	return value->val.binary.data;
}

static int32
integer_of(const char *key, const JsonbValue *value, int32 minimum,
		   int32 maximum)
{
	int32		number;
	bool		too_large = false;

	if (value->type != jbvNumeric)
		bad_policy("not a number:", key);
	/* not as double: numeric raises an error of its own for 1e400 */
	number = numeric_int4_opt_error(value->val.numeric, &too_large);
	if (too_large || number < minimum || number > maximum ||
		!DatumGetBool(DirectFunctionCall2(numeric_eq,
										  NumericGetDatum(value->val.numeric),
										  NumericGetDatum(int64_to_numeric(number)))))
		bad_policy("out of its range:", key);
	return number;
}

static void
read_backoff(DeliveryPolicy *policy, const char *key, const JsonbValue *value)
{
	for (int i = 0; i < (int) lengthof(backoff_names); i++)
	{
		if (value->type == jbvString &&
			value->val.string.len == (int) strlen(backoff_names[i]) &&
			memcmp(value->val.string.val, backoff_names[i],
				   value->val.string.len) == 0)
		{
			policy->backoff = (BackoffFunction) i;
			return;
		}
	}
	bad_policy("not linear, arithmetic, geometric or exponential:", key);
}

static void
read_retry(DeliveryPolicy *policy, const char *key, JsonbValue *value)
{
	if (value->type == jbvNull)
		return;
	if (strcmp(key, "minDelayTarget") == 0)
		policy->min_delay = integer_of(key, value, 1, SECONDS_MAX);
	else if (strcmp(key, "maxDelayTarget") == 0)
		policy->max_delay = integer_of(key, value, 1, SECONDS_MAX);
	else if (strcmp(key, "numRetries") == 0)
		policy->retries = integer_of(key, value, 0, RETRIES_MAX);
	else if (strcmp(key, "numNoDelayRetries") == 0)
		policy->no_delay = integer_of(key, value, 0, RETRIES_MAX);
	else if (strcmp(key, "numMinDelayRetries") == 0)
		policy->min_delay_retries = integer_of(key, value, 0, RETRIES_MAX);
	else if (strcmp(key, "numMaxDelayRetries") == 0)
		policy->max_delay_retries = integer_of(key, value, 0, RETRIES_MAX);
	else if (strcmp(key, "backoffFunction") == 0)
		read_backoff(policy, key, value);
	else
		bad_policy("unknown key", key);
}

static void
read_throttle(DeliveryPolicy *policy, const char *key, JsonbValue *value)
{
	if (strcmp(key, "maxReceivesPerSecond") != 0)
		bad_policy("unknown key", key);
	if (value->type != jbvNull)
		policy->max_receives_per_second = integer_of(key, value, 1, PG_INT32_MAX);
}

/* The type is one that SNS knows; parameters may follow. */
bool
is_content_type(const char *type)
{
	size_t		length = strcspn(type, "; ");

	for (const char *c = type; *c != '\0'; c++)
	{
		if (*c < ' ' || *c >= 0x7f)
			return false;
	}
	for (int i = 0; i < (int) lengthof(content_types); i++)
	{
		if (strlen(content_types[i]) == length &&
			pg_strncasecmp(type, content_types[i], length) == 0)
			return strlen(type) <= CONTENT_TYPE_MAX;
	}
	return false;
}

static void
read_request(DeliveryPolicy *policy, const char *key, JsonbValue *value)
{
	if (strcmp(key, "headerContentType") != 0)
		bad_policy("unknown key", key);
	if (value->type == jbvNull)
		return;
	if (value->type != jbvString)
		bad_policy("not a string:", key);
	strlcpy(policy->content_type,
			pnstrdup(value->val.string.val, value->val.string.len),
			sizeof(policy->content_type));
	if (value->val.string.len > CONTENT_TYPE_MAX ||
		!is_content_type(policy->content_type))
		bad_policy("not a content type of SNS:", key);
}

/* sns: accepted and without meaning */
static bool
has_no_meaning(const char *key)
{
	return strcmp(key, "sicklyRetryPolicy") == 0 ||
		strcmp(key, "guaranteed") == 0;
}

/*
 * A retry policy that leaves something out means its default, not that of what
 * it replaces: sns: SetSubscriptionAttributes replaces the whole.
 */
static void
replace_retry(DeliveryPolicy *policy, const char *key, JsonbValue *value)
{
	DeliveryPolicy fresh = http_policy;

	fresh.max_receives_per_second = policy->max_receives_per_second;
	strlcpy(fresh.content_type, policy->content_type,
			sizeof(fresh.content_type));
	read_object(&fresh, object_of(key, value), read_retry);
	*policy = fresh;
}

static void
read_subscription(DeliveryPolicy *policy, const char *key, JsonbValue *value)
{
	if (value->type == jbvNull || has_no_meaning(key))
		return;
	if (strcmp(key, "healthyRetryPolicy") == 0)
		replace_retry(policy, key, value);
	else if (strcmp(key, "throttlePolicy") == 0)
		read_object(policy, object_of(key, value), read_throttle);
	else if (strcmp(key, "requestPolicy") == 0)
		read_object(policy, object_of(key, value), read_request);
	else
		bad_policy("unknown key", key);
}

static void
read_topic_http(DeliveryPolicy *policy, const char *key, JsonbValue *value)
{
	if (value->type == jbvNull || has_no_meaning(key))
		return;
	if (strcmp(key, "defaultHealthyRetryPolicy") == 0)
		replace_retry(policy, key, value);
	else if (strcmp(key, "defaultThrottlePolicy") == 0)
		read_object(policy, object_of(key, value), read_throttle);
	else if (strcmp(key, "defaultRequestPolicy") == 0)
		read_object(policy, object_of(key, value), read_request);
	else if (strcmp(key, "disableSubscriptionOverrides") == 0)
	{
		if (value->type != jbvBool)
			bad_policy("neither true nor false:", key);
	}
	else
		bad_policy("unknown key", key);
}

static void
read_topic(DeliveryPolicy *policy, const char *key, JsonbValue *value)
{
	if (strcmp(key, "http") != 0)
		bad_policy("unknown key", key);
	read_object(policy, object_of(key, value), read_topic_http);
}

static bool
overrides_are_disabled(Jsonb *of_topic)
{
	JsonbValue *http;
	JsonbValue *flag;

	if (of_topic == NULL)
		return false;
	http = getKeyJsonValueFromContainer(&of_topic->root, "http", 4, NULL);
	if (http == NULL || http->type != jbvBinary)
		return false;
	flag = getKeyJsonValueFromContainer(http->val.binary.data,
										"disableSubscriptionOverrides",
										strlen("disableSubscriptionOverrides"),
										NULL);
	return flag != NULL && flag->type == jbvBool && flag->val.boolean;
}

/* ---- checks ---- */

/* sns: creating-delivery-policy, the constraints over several values */
static void
check_whole(const DeliveryPolicy *policy)
{
	int64		sum = 0;

	if (policy->max_delay < policy->min_delay)
		bad_policy("less than minDelayTarget:", "maxDelayTarget");
	if (policy->no_delay + policy->min_delay_retries +
		policy->max_delay_retries > policy->retries)
		bad_policy("less than the retries of its phases together:", "numRetries");
	for (int32 attempts = 1; attempts <= policy->retries; attempts++)
		sum += delivery_policy_delay(policy, attempts);
	if (sum > SECONDS_MAX * USECS_PER_SEC)
		bad_policy("the delays together are longer than 3600 seconds; lower",
				   "numRetries");
}

static void
check(Jsonb *json, MemberReader reader)
{
	DeliveryPolicy policy = http_policy;

	if (!JB_ROOT_IS_OBJECT(json))
		bad_policy("not an object:", "");
	read_object(&policy, &json->root, reader);
	check_whole(&policy);
}

void
delivery_policy_check_topic(Jsonb *policy)
{
	check(policy, read_topic);
}

void
delivery_policy_check_subscription(Jsonb *policy)
{
	check(policy, read_subscription);
}

/* ---- use ---- */

void
delivery_policy_effective(DeliveryPolicy *policy, Protocol protocol,
						  Jsonb *of_topic, Jsonb *of_subscription)
{
	bool		http = protocol_is_http(protocol);

	*policy = http ? http_policy : managed_policy;
	if (http && of_topic != NULL)
		read_object(policy, &of_topic->root, read_topic);
	if (of_subscription != NULL &&
		!(http && overrides_are_disabled(of_topic)))
		read_object(policy, &of_subscription->root, read_subscription);
}

/* The i-th of n delays of phase 3, in seconds. */
static double
backoff_seconds(const DeliveryPolicy *policy, int32 i, int32 n)
{
	double		low = policy->min_delay;
	double		high = policy->max_delay;
	double		part = n > 1 ? (double) i / (n - 1) : 0;

	switch (policy->backoff)
	{
		case BACKOFF_FUNCTION_LINEAR:
			return low + (high - low) * part;
		case BACKOFF_FUNCTION_ARITHMETIC:
			return n > 1 ? low + (high - low) * i * (i + 1.0) / ((n - 1.0) * n) : low;
		case BACKOFF_FUNCTION_GEOMETRIC:
			return low * pow(high / low, part);
		case BACKOFF_FUNCTION_EXPONENTIAL:
			return i < 31 ? Min(high, low * (1 << i)) : high;
	}
	return high;				/* not reached */
}

int64
delivery_policy_delay(const DeliveryPolicy *policy, int32 attempts)
{
	int32		retry = attempts - 1;	/* the next one, from 0 */
	int32		backoffs = policy->retries - policy->no_delay -
		policy->min_delay_retries - policy->max_delay_retries;

	if (retry >= policy->retries)
		return -1;
	if (retry < policy->no_delay)
		return 0;
	retry -= policy->no_delay;
	if (retry < policy->min_delay_retries)
		return policy->min_delay * USECS_PER_SEC;
	retry -= policy->min_delay_retries;
	if (retry < backoffs)
		return (int64) rint(backoff_seconds(policy, retry, backoffs) * USECS_PER_SEC);
	return policy->max_delay * USECS_PER_SEC;
}

/*
 * delivery_delays(delivery_policy jsonb, protocol text) -> SETOF interval
 *
 * The delays before each retry, without jitter, of a subscription's policy.
 */
Datum
decouple_delivery_delays(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Protocol	protocol = PROTOCOL_HTTPS;
	DeliveryPolicy policy;
	Jsonb	   *own = PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0);

	if (own != NULL)
		delivery_policy_check_subscription(own);
	if (!PG_ARGISNULL(1))
		protocol = protocol_by_name(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	delivery_policy_effective(&policy, protocol, NULL, own);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int32 attempts = 1; attempts <= policy.retries; attempts++)
	{
		Interval   *delay = palloc0(sizeof(Interval));
		Datum		value = IntervalPGetDatum(delay);
		bool		isnull = false;

		delay->time = delivery_policy_delay(&policy, attempts);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
		pfree(delay);
	}
	return (Datum) 0;
}
