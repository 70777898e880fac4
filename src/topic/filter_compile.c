/*
 * filter_compile.c
 *		A filter policy is checked, and becomes rules.
 *
 * The policy is an object whose keys must all be met.  A key's value is an array
 * of values and match expressions, one of which must hold; of a policy on the
 * body also an object, the same again one level deeper.  "$or" with an array of
 * two objects or more is a choice, unless one of these has an operator's name as
 * a key: then it is a key like others.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/settings.h"
#include "base/version.h"
#include "topic/filter_rule.h"

/* sns: policies of 256 KB */
#define POLICY_SIZE_MAX		(256 * 1024)

/* sns: numbers of a policy are -10^9 to 10^9 */
#define NUMBER_MAX			"1000000000"

/* sns: wildcards of a pattern, and what all patterns of a key come to */
#define WILDCARDS_MAX		3
#define WILDCARD_POINTS_MAX	100

typedef struct Compiler
{
	FilterScope scope;
	bool		limited;
	int			keys;			/* leaf keys so far */
	const char *key;			/* the one at hand, for errors */
	int			key_length;
	int			wildcard_patterns;	/* of the key at hand */
	int			wildcard_points;
} Compiler;

static FilterRule *compile_rule(Compiler *compiler, JsonbContainer *object,
								int depth, double *combinations);

static void
bad_filter(const Compiler *compiler, const char *problem)
{
	if (compiler->key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid filter policy: %s", problem),
				 errhint("For example {\"store\": [\"example_corp\"], \"price\": [{\"numeric\": [\">=\", 100]}]}.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid filter policy, key \"%s\": %s",
					pnstrdup(compiler->key,
							 pg_mbcliplen(compiler->key, compiler->key_length, 100)),
					problem),
			 errhint("A key has an array of values and match expressions, for example [\"a\", {\"prefix\": \"b\"}, {\"numeric\": [\">\", 0, \"<=\", 10]}].")));
}

static void
too_large(const char *what, int limit, const char *setting)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid filter policy: more than %d %s", limit, what),
			 errhint("Make it smaller, or have %s raised.", setting)));
}

static bool
is_word(const JsonbValue *value, const char *word)
{
	return value->type == jbvString &&
		value->val.string.len == (int) strlen(word) &&
		memcmp(value->val.string.val, word, value->val.string.len) == 0;
}

static JsonbContainer *
array_of(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) ?
		value->val.binary.data : NULL;
}

static JsonbContainer *
object_of(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data) ?
		value->val.binary.data : NULL;
}

/* ---- single values ---- */

static void
set_string(Matcher *matcher, MatcherKind kind, const JsonbValue *value)
{
	matcher->kind = kind;
	matcher->string = pnstrdup(value->val.string.val, value->val.string.len);
	matcher->length = value->val.string.len;
}

/* A copy of a number that is in range. */
static Numeric
number_of(const Compiler *compiler, const JsonbValue *value,
		  const char *problem)
{
	Numeric		number;
	Numeric		limit;

	if (value->type != jbvNumeric)
		bad_filter(compiler, problem);
	number = DatumGetNumericCopy(NumericGetDatum(value->val.numeric));
	limit = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(NUMBER_MAX),
												ObjectIdGetDatum(InvalidOid),
												Int32GetDatum(-1)));
	if (DatumGetBool(DirectFunctionCall2(numeric_gt,
										 DirectFunctionCall1(numeric_abs, NumericGetDatum(number)),
										 NumericGetDatum(limit))))
		bad_filter(compiler, "a number is not between -10^9 and 10^9");
	return number;
}

/* A value that is matched exactly; false where it is none. */
static bool
compile_exact(const Compiler *compiler, const JsonbValue *value,
			  Matcher *matcher)
{
	switch (value->type)
	{
		case jbvString:
			set_string(matcher, MATCH_STRING, value);
			return true;
		case jbvNumeric:
			matcher->kind = MATCH_NUMBER;
			matcher->low = number_of(compiler, value, "");
			return true;
		case jbvBool:
			matcher->kind = value->val.boolean ? MATCH_TRUE : MATCH_FALSE;
			return true;
		case jbvNull:
			matcher->kind = MATCH_NULL;
			return true;
		default:
			return false;
	}
}

/* ---- match expressions ---- */

static void
compile_affix(Compiler *compiler, const JsonbValue *value, MatcherKind kind,
			  Matcher *matcher)
{
	if (value->type != jbvString || value->val.string.len == 0)
		bad_filter(compiler, "a match pattern is not a string, or is empty");
	set_string(matcher, kind, value);
	if (kind == MATCH_IGNORE_CASE)
		matcher->string = filter_lower(value->val.string.val,
									   value->val.string.len, &matcher->length);
}

/* sns: string-value-matching, wildcard */
static void
compile_wildcard(Compiler *compiler, const JsonbValue *value, Matcher *matcher)
{
	int			count = 0;

	compile_affix(compiler, value, MATCH_WILDCARD, matcher);
	for (int i = 0; i < matcher->length; i++)
	{
		if (matcher->string[i] != '*')
			continue;
		count++;
		if (i > 0 && matcher->string[i - 1] == '*')
			bad_filter(compiler, "two wildcards in a row");
	}
	if (count > WILDCARDS_MAX)
		bad_filter(compiler, "more than three wildcards in a pattern");
	compiler->wildcard_patterns++;
	compiler->wildcard_points += count > 1 ? 3 : 1;
	if (compiler->wildcard_patterns * compiler->wildcard_points > WILDCARD_POINTS_MAX)
		bad_filter(compiler, "too many patterns with wildcards");
}

/* One comparison of a numeric expression, and its bound. */
static void
compile_comparison(Compiler *compiler, const JsonbValue *operator,
				   const JsonbValue *value, bool first, Matcher *matcher)
{
	Numeric		number = number_of(compiler, value, "a bound of numeric is not a number");

	if (first && is_word(operator, "="))
	{
		matcher->low = matcher->high = number;
		matcher->low_included = matcher->high_included = true;
	}
	else if (first && (is_word(operator, ">") || is_word(operator, ">=")))
	{
		matcher->low = number;
		matcher->low_included = operator->val.string.len == 2;
	}
	else if (matcher->high == NULL && (is_word(operator, "<") || is_word(operator, "<=")))
	{
		matcher->high = number;
		matcher->high_included = operator->val.string.len == 2;
	}
	else
		bad_filter(compiler, "an operator of numeric is not one, or not in its place");
}

/* sns: numeric-value-matching */
static void
compile_numeric(Compiler *compiler, const JsonbValue *value, Matcher *matcher)
{
	JsonbContainer *array = array_of(value);
	uint32		count = array == NULL ? 0 : JsonContainerSize(array);

	matcher->kind = MATCH_RANGE;
	if (count != 2 && count != 4)
		bad_filter(compiler, "numeric has an operator and a number, or two of each");
	for (uint32 i = 0; i < count; i += 2)
		compile_comparison(compiler, getIthJsonbValueFromContainer(array, i),
						   getIthJsonbValueFromContainer(array, i + 1), i == 0,
						   matcher);
	if (count == 4 &&
		(matcher->low == NULL || matcher->low == matcher->high ||
		 DatumGetBool(DirectFunctionCall2(numeric_ge, NumericGetDatum(matcher->low),
										  NumericGetDatum(matcher->high)))))
		bad_filter(compiler, "the lower bound of numeric comes first, and is the lower");
}

/* sns: string-value-matching, cidr */
static void
compile_cidr(Compiler *compiler, const JsonbValue *value, Matcher *matcher)
{
	inet	   *network = NULL;
	char	   *string;

	if (value->type != jbvString)
		bad_filter(compiler, "cidr is not a string");
	string = pnstrdup(value->val.string.val, value->val.string.len);
	if (strchr(string, '/') != NULL)
		network = filter_parse_inet(string);
	if (network == NULL)
		bad_filter(compiler, "cidr is not a network, for example 10.0.0.0/24");
	matcher->kind = MATCH_CIDR;
	matcher->network = network;
}

static void
compile_exists(Compiler *compiler, const JsonbValue *value, Matcher *matcher)
{
	if (value->type != jbvBool)
		bad_filter(compiler, "exists is neither true nor false");
	matcher->kind = value->val.boolean ? MATCH_EXISTS : MATCH_EXISTS_NOT;
}

/* One of those that anything-but excludes: a string or a number. */
static void
compile_excluded(Compiler *compiler, const JsonbValue *value, Matcher *matcher)
{
	if ((value->type != jbvString && value->type != jbvNumeric) ||
		!compile_exact(compiler, value, matcher))
		bad_filter(compiler, "anything-but excludes what is neither a string nor a number");
}

/* What anything-but excludes by a pattern: {"prefix": "a"}, {"suffix": [...]}. */
static void
compile_excluded_pattern(Compiler *compiler, const JsonbValue *name,
						 const JsonbValue *value, Matcher *matcher)
{
	if (is_word(name, "prefix"))
		compile_affix(compiler, value, MATCH_PREFIX, matcher);
	else if (is_word(name, "suffix"))
		compile_affix(compiler, value, MATCH_SUFFIX, matcher);
	else if (is_word(name, "equals-ignore-case"))
		compile_affix(compiler, value, MATCH_IGNORE_CASE, matcher);
	else if (is_word(name, "wildcard"))
	{
		compile_wildcard(compiler, value, matcher);
		compiler->wildcard_points++;
	}
	else
		bad_filter(compiler, "anything-but has a pattern that is not prefix, suffix, equals-ignore-case or wildcard");
}

/* The one member of an object. */
static void
only_member(Compiler *compiler, JsonbContainer *object, JsonbValue *name,
			JsonbValue *value)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);

	if (JsonContainerSize(object) != 1)
		bad_filter(compiler, "a match expression has one key");
	(void) JsonbIteratorNext(&iterator, name, true);
	(void) JsonbIteratorNext(&iterator, name, true);
	(void) JsonbIteratorNext(&iterator, value, true);
}

static void
compile_anything_but(Compiler *compiler, const JsonbValue *value,
					 Matcher *matcher)
{
	JsonbContainer *object = object_of(value);
	JsonbContainer *array;
	JsonbValue	name;
	JsonbValue	inner = *value;

	if (object != NULL)
		only_member(compiler, object, &name, &inner);
	array = array_of(&inner);
	matcher->kind = MATCH_ANYTHING_BUT;
	matcher->other_count = array == NULL ? 1 : JsonContainerSize(array);
	if (matcher->other_count == 0)
		bad_filter(compiler, "empty arrays are not allowed");
	matcher->others = palloc0(sizeof(Matcher) * matcher->other_count);
	for (int i = 0; i < matcher->other_count; i++)
	{
		JsonbValue *one = array == NULL ? &inner :
			getIthJsonbValueFromContainer(array, i);

		if (object != NULL)
			compile_excluded_pattern(compiler, &name, one, &matcher->others[i]);
		else
			compile_excluded(compiler, one, &matcher->others[i]);
	}
}

static void
compile_expression(Compiler *compiler, JsonbContainer *object,
				   Matcher *matcher)
{
	JsonbValue	name;
	JsonbValue	value;

	only_member(compiler, object, &name, &value);
	if (is_word(&name, "anything-but"))
		compile_anything_but(compiler, &value, matcher);
	else if (is_word(&name, "prefix"))
		compile_affix(compiler, &value, MATCH_PREFIX, matcher);
	else if (is_word(&name, "suffix"))
		compile_affix(compiler, &value, MATCH_SUFFIX, matcher);
	else if (is_word(&name, "equals-ignore-case"))
		compile_affix(compiler, &value, MATCH_IGNORE_CASE, matcher);
	else if (is_word(&name, "wildcard"))
		compile_wildcard(compiler, &value, matcher);
	else if (is_word(&name, "numeric"))
		compile_numeric(compiler, &value, matcher);
	else if (is_word(&name, "cidr"))
		compile_cidr(compiler, &value, matcher);
	else if (is_word(&name, "exists"))
		compile_exists(compiler, &value, matcher);
	else
		bad_filter(compiler, "an unknown match expression");
}

/* ---- keys ---- */

/* The array of a leaf key. */
static void
compile_leaf(Compiler *compiler, JsonbContainer *array,
			 FilterCondition *condition, int depth, double *combinations)
{
	int			values = 0;

	condition->matcher_count = JsonContainerSize(array);
	if (condition->matcher_count == 0)
		bad_filter(compiler, "empty arrays are not allowed");
	condition->matchers = palloc0(sizeof(Matcher) * condition->matcher_count);
	compiler->wildcard_patterns = compiler->wildcard_points = 0;
	for (int i = 0; i < condition->matcher_count; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);
		Matcher    *matcher = &condition->matchers[i];

		if (object_of(value) != NULL)
			compile_expression(compiler, object_of(value), matcher);
		else if (!compile_exact(compiler, value, matcher))
			bad_filter(compiler, "a value is neither a string, a number, true, false, null nor a match expression");
		values += Max(1, matcher->other_count);
	}
	/* sns: subscription-filter-policy-constraints, complexity */
	*combinations *= (double) values * (compiler->scope == FILTER_BODY ? depth : 1);
	if (++compiler->keys > decouple_filter_max_keys && compiler->limited)
		too_large("keys", decouple_filter_max_keys, "decouple.filter_max_keys");
}

static bool
is_operator(const JsonbValue *key)
{
	static const char *const operators[] = {
		"anything-but", "prefix", "suffix", "equals-ignore-case", "wildcard",
		"numeric", "cidr", "exists"
	};

	for (int i = 0; i < (int) lengthof(operators); i++)
	{
		if (is_word(key, operators[i]))
			return true;
	}
	return false;
}

/* sns: and-or-logic, which "$or" is a choice */
static bool
is_choice(const JsonbValue *key, const JsonbValue *value)
{
	JsonbContainer *array = array_of(value);

	if (!is_word(key, "$or") || array == NULL || JsonContainerSize(array) < 2)
		return false;
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbContainer *object = object_of(getIthJsonbValueFromContainer(array, i));
		JsonbIterator *iterator;
		JsonbValue	name;

		if (object == NULL || JsonContainerSize(object) == 0)
			return false;
		iterator = JsonbIteratorInit(object);
		(void) JsonbIteratorNext(&iterator, &name, true);
		while (JsonbIteratorNext(&iterator, &name, true) == WJB_KEY)
		{
			if (is_operator(&name))
				return false;
			(void) JsonbIteratorNext(&iterator, &name, true);
		}
	}
	return true;
}

static void
compile_choice(Compiler *compiler, JsonbContainer *array,
			   FilterChoice *choice, int depth, double *combinations)
{
	double		sum = 0;

	choice->count = JsonContainerSize(array);
	choice->rules = palloc(sizeof(FilterRule *) * choice->count);
	for (int i = 0; i < choice->count; i++)
	{
		double		branch = 1;

		choice->rules[i] =
			compile_rule(compiler, object_of(getIthJsonbValueFromContainer(array, i)),
						 depth, &branch);
		sum += branch;
	}
	*combinations *= sum;
}

static void
compile_key(Compiler *compiler, const JsonbValue *key, const JsonbValue *value,
			FilterCondition *condition, int depth, double *combinations)
{
	compiler->key = condition->key = pnstrdup(key->val.string.val,
											  key->val.string.len);
	compiler->key_length = condition->key_length = key->val.string.len;
	if (array_of(value) != NULL)
		compile_leaf(compiler, array_of(value), condition, depth, combinations);
	else if (object_of(value) == NULL)
		bad_filter(compiler, "it has neither an array nor an object");
	else if (compiler->scope == FILTER_ATTRIBUTES)
		bad_filter(compiler, "a policy on attributes has no nested keys");
	else if (JsonContainerSize(object_of(value)) == 0)
		bad_filter(compiler, "empty objects are not allowed");
	else
		condition->nested = compile_rule(compiler, object_of(value), depth + 1,
										 combinations);
}

static FilterRule *
compile_rule(Compiler *compiler, JsonbContainer *object, int depth,
			 double *combinations)
{
	FilterRule *rule = palloc0(sizeof(FilterRule));
	int			size = JsonContainerSize(object);
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbValue	key;
	JsonbValue	value;

	check_stack_depth();
	rule->conditions = palloc0(sizeof(FilterCondition) * Max(size, 1));
	rule->choices = palloc0(sizeof(FilterChoice) * Max(size, 1));
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (is_choice(&key, &value))
			compile_choice(compiler, array_of(&value),
						   &rule->choices[rule->choice_count++], depth,
						   combinations);
		else
			compile_key(compiler, &key, &value,
						&rule->conditions[rule->condition_count++], depth,
						combinations);
	}
	return rule;
}

FilterScope
filter_scope_by_name(text *name)
{
	char	   *word = text_to_cstring(name);

	if (strcmp(word, "MessageBody") == 0)
		return FILTER_BODY;
	if (strcmp(word, "MessageAttributes") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid filter_policy_scope"),
				 errhint("Use MessageAttributes or MessageBody.")));
	return FILTER_ATTRIBUTES;
}

Filter *
filter_compile(Jsonb *policy, FilterScope scope, bool limited)
{
	Filter	   *filter = palloc0(sizeof(Filter));
	Compiler	compiler = {.scope = scope, .limited = limited};
	double		combinations = 1;

	if (!JB_ROOT_IS_OBJECT(policy))
		bad_filter(&compiler, "it is not an object");
	if (VARSIZE(policy) > POLICY_SIZE_MAX)
		bad_filter(&compiler, "it is larger than 256 KB");
	filter->scope = scope;
	filter->rule = compile_rule(&compiler, &policy->root, 1, &combinations);
	if (limited && combinations > decouple_filter_max_combinations)
		too_large("combinations of values", decouple_filter_max_combinations,
				  "decouple.filter_max_combinations");
	return filter;
}
