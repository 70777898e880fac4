/*
 * filter_match.c
 *		Does a filter policy choose a message?
 *
 * Nothing is copied but what has to be: a string for a comparison without case
 * or as an address, a number for a comparison.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "common/jsonapi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/formatting.h"
#include "utils/memutils.h"

#include "base/arguments.h"
#include "base/version.h"
#include "topic/filter_rule.h"

PG_FUNCTION_INFO_V1(decouple_filter_matches);

/* ---- strings ---- */

bool
wildcard_matches(const char *pattern, int pattern_length, const char *string,
				 int length)
{
	int			p = 0;
	int			s = 0;
	int			star = -1;		/* the last asterisk, and what it was tried for */
	int			tried = 0;

	while (s < length)
	{
		if (p < pattern_length && pattern[p] == '*')
		{
			star = p++;
			tried = s;
		}
		else if (p < pattern_length && pattern[p] == string[s])
		{
			p++;
			s++;
		}
		else if (star >= 0)
		{
			p = star + 1;
			s = ++tried;
		}
		else
			return false;
	}
	while (p < pattern_length && pattern[p] == '*')
		p++;
	return p == pattern_length;
}

char *
filter_lower(const char *string, int length, int *lower_length)
{
	char	   *lower = str_tolower(string, length, DEFAULT_COLLATION_OID);

	*lower_length = strlen(lower);
	return lower;
}

/* Runs an input function on text of any kind; false where it raises. */
static bool
input_safely(PGFunction function, const char *string, Datum *result)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool good = true;

	/* input functions take no lock and open nothing: memory is all there is */
	PG_TRY();
	{
		*result = DirectFunctionCall3(function, CStringGetDatum(string),
									  ObjectIdGetDatum(InvalidOid),
									  Int32GetDatum(-1));
	}
	PG_CATCH();
	{
		int			code = geterrcode();

		MemoryContextSwitchTo(context);
		if (code == ERRCODE_QUERY_CANCELED || code == ERRCODE_OUT_OF_MEMORY ||
			ERRCODE_TO_CATEGORY(code) == ERRCODE_OPERATOR_INTERVENTION)
			PG_RE_THROW();
		FlushErrorState();
		good = false;
	}
	PG_END_TRY();
	return good;
}

inet *
filter_parse_inet(const char *string)
{
	Datum		result;

	/* what cannot be an address is most of what comes */
	for (const char *c = string; *c != '\0'; c++)
	{
		if (!isxdigit((unsigned char) *c) && strchr(".:/", *c) == NULL)
			return NULL;
	}
	return input_safely(inet_in, string, &result) ? DatumGetInetPP(result) : NULL;
}

static bool
is_in_network(const Matcher *matcher, const char *string, int length)
{
	char		buffer[64];
	inet	   *address;

	if (length >= (int) sizeof(buffer) || memchr(string, '/', length) != NULL)
		return false;
	memcpy(buffer, string, length);
	buffer[length] = '\0';
	address = filter_parse_inet(buffer);
	return address != NULL &&
		DatumGetBool(DirectFunctionCall2(network_subeq, InetPGetDatum(address),
										 InetPGetDatum(matcher->network)));
}

/* ---- one value ---- */

static bool
string_matches(const Matcher *matcher, const char *string, int length)
{
	char	   *lower;
	int			lower_length;
	bool		same;

	switch (matcher->kind)
	{
		case MATCH_STRING:
			return length == matcher->length &&
				memcmp(string, matcher->string, length) == 0;
		case MATCH_PREFIX:
			return length >= matcher->length &&
				memcmp(string, matcher->string, matcher->length) == 0;
		case MATCH_SUFFIX:
			return length >= matcher->length &&
				memcmp(string + length - matcher->length, matcher->string,
					   matcher->length) == 0;
		case MATCH_IGNORE_CASE:
			lower = filter_lower(string, length, &lower_length);
			same = lower_length == matcher->length &&
				memcmp(lower, matcher->string, lower_length) == 0;
			pfree(lower);
			return same;
		case MATCH_WILDCARD:
			return wildcard_matches(matcher->string, matcher->length, string, length);
		case MATCH_CIDR:
			return is_in_network(matcher, string, length);
		default:
			return false;
	}
}

static int
compare_numbers(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(b)));
}

static bool
number_matches(const Matcher *matcher, Numeric number)
{
	int			order;

	if (matcher->kind == MATCH_NUMBER)
		return compare_numbers(number, matcher->low) == 0;
	if (matcher->kind != MATCH_RANGE)
		return false;
	if (matcher->low != NULL)
	{
		order = compare_numbers(number, matcher->low);
		if (order < 0 || (order == 0 && !matcher->low_included))
			return false;
	}
	if (matcher->high != NULL)
	{
		order = compare_numbers(number, matcher->high);
		if (order > 0 || (order == 0 && !matcher->high_included))
			return false;
	}
	return true;
}

/* A scalar that is there. */
static bool
scalar_matches(const Matcher *matcher, const JsonbValue *value)
{
	if (matcher->kind == MATCH_ANYTHING_BUT)
	{
		for (int i = 0; i < matcher->other_count; i++)
		{
			if (scalar_matches(&matcher->others[i], value))
				return false;
		}
		return true;
	}
	if (matcher->kind == MATCH_EXISTS)
		return value->type != jbvNull;
	switch (value->type)
	{
		case jbvString:
			return string_matches(matcher, value->val.string.val,
								  value->val.string.len);
		case jbvNumeric:
			return number_matches(matcher, value->val.numeric);
		case jbvBool:
			return matcher->kind == (value->val.boolean ? MATCH_TRUE : MATCH_FALSE);
		case jbvNull:
			return matcher->kind == MATCH_NULL;
		default:
			return false;
	}
}

static bool
any_matcher(const FilterCondition *condition, const JsonbValue *value)
{
	for (int i = 0; i < condition->matcher_count; i++)
	{
		if (scalar_matches(&condition->matchers[i], value))
			return true;
	}
	return false;
}

/* ---- values: scalars, arrays, arrays of arrays ---- */

static bool rule_matches(const FilterRule *rule, JsonbContainer *object);

/* Does a value, or an element of an array, meet the condition? */
static bool
value_matches(const FilterCondition *condition, const JsonbValue *value)
{
	JsonbContainer *container;

	if (value->type != jbvBinary)
		return condition->nested == NULL && any_matcher(condition, value);
	check_stack_depth();
	container = value->val.binary.data;
	if (JsonContainerIsObject(container))
		return condition->nested != NULL &&
			rule_matches(condition->nested, container);
	for (uint32 i = 0; i < JsonContainerSize(container); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(container, i);

		if (value_matches(condition, element))
			return true;
	}
	return false;
}

/* ---- keys ---- */

/* what is found under a key */
typedef enum Found
{
	FOUND_NOTHING,				/* there is no such key */
	FOUND_OTHER,				/* what is there does not match */
	FOUND_MATCH
} Found;

static Found
look_at(const FilterCondition *condition, const JsonbValue *value)
{
	if (value == NULL)
		return FOUND_NOTHING;
	if (value_matches(condition, value))
		return FOUND_MATCH;
	/* sns: exists is about leaves; an empty array has none */
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) &&
		JsonContainerSize(value->val.binary.data) == 0)
		return FOUND_NOTHING;
	return FOUND_OTHER;
}

/*
 * Looks for a key, by its whole name and, where it has dots, as a path through
 * objects: a policy's "a.b" is both.
 */
static Found
look_for(const FilterCondition *condition, JsonbContainer *object,
		 const char *key, int length)
{
	Found		found = look_at(condition,
								getKeyJsonValueFromContainer(object, key, length, NULL));

	for (int i = 1; i < length - 1 && found != FOUND_MATCH; i++)
	{
		JsonbValue *inner;
		Found		deeper;

		if (key[i] != '.')
			continue;
		inner = getKeyJsonValueFromContainer(object, key, i, NULL);
		if (inner == NULL || inner->type != jbvBinary ||
			!JsonContainerIsObject(inner->val.binary.data))
			continue;
		deeper = look_for(condition, inner->val.binary.data, key + i + 1,
						  length - i - 1);
		found = Max(found, deeper);
	}
	return found;
}

static bool
takes_absence(const FilterCondition *condition)
{
	for (int i = 0; i < condition->matcher_count; i++)
	{
		if (condition->matchers[i].kind == MATCH_EXISTS_NOT)
			return true;
	}
	return false;
}

static bool
condition_holds(const FilterCondition *condition, JsonbContainer *object)
{
	switch (look_for(condition, object, condition->key, condition->key_length))
	{
		case FOUND_MATCH:
			return true;
		case FOUND_OTHER:
			return false;
		case FOUND_NOTHING:
			break;
	}
	/* nothing is there: a nested rule may ask for just that */
	return takes_absence(condition) ||
		(condition->nested != NULL && rule_matches(condition->nested, NULL));
}

static bool
choice_holds(const FilterChoice *choice, JsonbContainer *object)
{
	for (int i = 0; i < choice->count; i++)
	{
		if (rule_matches(choice->rules[i], object))
			return true;
	}
	return false;
}

/* "object" NULL: an object that is not there, of which no key exists. */
static bool
rule_matches(const FilterRule *rule, JsonbContainer *object)
{
	for (int i = 0; i < rule->condition_count; i++)
	{
		const FilterCondition *condition = &rule->conditions[i];

		if (object == NULL ?
			!takes_absence(condition) &&
			!(condition->nested != NULL && rule_matches(condition->nested, NULL)) :
			!condition_holds(condition, object))
			return false;
	}
	for (int i = 0; i < rule->choice_count; i++)
	{
		if (!choice_holds(&rule->choices[i], object))
			return false;
	}
	return true;
}

/* ---- attributes ---- */

/* sns: attributes of type Binary are ignored; here they are objects */
static Jsonb *
without_binaries(Jsonb *attributes)
{
	JsonbIterator *iterator = JsonbIteratorInit(&attributes->root);
	JsonbParseState *state = NULL;
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue *result;
	bool		any = false;

	(void) JsonbIteratorNext(&iterator, &key, true);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
		{
			any = true;
			continue;
		}
		(void) pushJsonbValue(&state, WJB_KEY, &key);
		(void) pushJsonbValue(&state, WJB_VALUE, &value);
	}
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return any ? JsonbValueToJsonb(result) : attributes;
}

bool
filter_matches(const Filter *filter, Jsonb *attributes, Jsonb *body)
{
	Jsonb	   *object = filter->scope == FILTER_BODY ? body : attributes;

	if (filter->rule->condition_count == 0 && filter->rule->choice_count == 0)
		return filter->scope == FILTER_ATTRIBUTES || body != NULL;
	/* sns: where there is nothing at all, not even exists: false matches */
	if (object == NULL || JB_ROOT_COUNT(object) == 0)
		return false;
	if (filter->scope == FILTER_ATTRIBUTES)
		object = without_binaries(object);
	return rule_matches(filter->rule, &object->root);
}

Jsonb *
filter_parse_body(text *body)
{
	const char *start = VARDATA_ANY(body);
	int			length = VARSIZE_ANY_EXHDR(body);
	Datum		result;
	Jsonb	   *json;

	while (length > 0 && isspace((unsigned char) *start))
	{
		start++;
		length--;
	}
	if (length == 0 || *start != '{' ||
		!input_safely(jsonb_in, pnstrdup(start, length), &result))
		return NULL;
	json = DatumGetJsonbP(result);
	return JB_ROOT_IS_OBJECT(json) ? json : NULL;
}

/*
 * filter_matches(filter_policy jsonb, filter_policy_scope text, message text,
 *		attributes jsonb) -> boolean
 *
 * To try a policy before it is used.
 */
Datum
decouple_filter_matches(PG_FUNCTION_ARGS)
{
	FilterScope scope = FILTER_ATTRIBUTES;
	Filter	   *filter;

	argument_required(fcinfo, 0, "filter_policy");
	argument_required(fcinfo, 2, "message");
	if (!PG_ARGISNULL(1))
		scope = filter_scope_by_name(PG_GETARG_TEXT_PP(1));
	filter = filter_compile(PG_GETARG_JSONB_P(0), scope, true);
	PG_RETURN_BOOL(filter_matches(filter,
								  PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3),
								  scope == FILTER_BODY ?
								  filter_parse_body(PG_GETARG_TEXT_PP(2)) : NULL));
}
