/*
 * filter_operators.c
 *		Compiles what a key of a filter policy may be.
 *
 * An element of a key's array is a string, a number, true, false, null, or an
 * object with one operator (sns: string-value-matching, numeric-value-matching):
 *
 *		{"prefix": "a"}  {"suffix": "a"}  {"equals-ignore-case": "a"}
 *		{"wildcard": "a*b"}
 *		{"numeric": ["=", 1]}  {"numeric": [">", 0, "<=", 5]}
 *		{"cidr": "10.0.0.0/24"}
 *		{"anything-but": "a" or 1 or ["a", 1]}
 *		{"anything-but": {"prefix", "suffix" or "wildcard": "a" or ["a", "b"]}}
 *		{"exists": true or false}
 *
 * What anything-but excludes is a set of values of its own, so it is compiled
 * by the same functions.  Numbers are not limited to SNS's 10^9 with 5 decimals.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "topic/filter_form.h"
#include "topic/filter_operators.h"

/*
 * Patterns cost: 1 with one asterisk or in anything-but, else 3; the sum, times
 * the number of patterns, has a maximum for each key (sns:
 * string-value-matching).
 */
#define PATTERN_COST		1
#define PATTERN_COST_MANY	3
#define PATTERNS_COST_MAX	100

/* what is being compiled, and for whom an error is */
typedef struct Place
{
	FilterKey  *key;
	FilterValues *values;		/* the key's, or what anything-but excludes */
	const char *operator;		/* or NULL */
	int			pattern_count;
	int			pattern_cost;
} Place;

typedef void (*CompileOperand) (Place *place, const JsonbValue *operand);

typedef struct Operator
{
	const char *name;
	CompileOperand compile;
	bool		in_anything_but;
} Operator;

static const Operator *find_operator(const char *name, int length);
static void add_array(Place *place, JsonbContainer *array,
					  CompileOperand compile);

static void bad_operand(const Place *place, const char *detail,
						const char *hint) NEVER_RETURNS;

static void
bad_operand(const Place *place, const char *detail, const char *hint)
{
	bad_policy(&place->key->path,
			   psprintf("The operator \"%s\" %s.", place->operator, detail), hint);
}

static JsonbContainer *
array_of(const JsonbValue *value)
{
	return value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data) ?
		value->val.binary.data : NULL;
}

static JsonbContainer *
object_of(const JsonbValue *value)
{
	return value->type == jbvBinary &&
		JsonContainerIsObject(value->val.binary.data) ?
		value->val.binary.data : NULL;
}

static FilterCondition *
add_condition(Place *place, ConditionKind kind)
{
	FilterCondition *condition = palloc0(sizeof(FilterCondition));

	condition->kind = kind;
	place->values->conditions = lappend(place->values->conditions, condition);
	return condition;
}

static Numeric
copy_number(Numeric number)
{
	Numeric		copy = palloc(VARSIZE_ANY(number));

	memcpy(copy, number, VARSIZE_ANY(number));
	return copy;
}

/* ---- exact values ---- */

static void
add_scalar(Place *place, const JsonbValue *value)
{
	FilterValues *values = place->values;

	if (value->type == jbvString)
		values->strings[values->string_count++] =
			filter_text(value->val.string.val, value->val.string.len);
	else if (value->type == jbvNumeric)
		values->numbers[values->number_count++] = copy_number(value->val.numeric);
	else if (value->type == jbvNull)
		values->has_null = true;
	else if (value->val.boolean)
		values->has_true = true;
	else
		values->has_false = true;
}

/* makes room for as many exact values */
static void
begin_values(FilterValues *values, int count)
{
	values->strings = palloc(sizeof(FilterText) * count);
	values->numbers = palloc(sizeof(Numeric) * count);
}

static void
end_values(FilterValues *values)
{
	qsort(values->strings, values->string_count, sizeof(FilterText),
		  filter_compare_texts);
	qsort(values->numbers, values->number_count, sizeof(Numeric),
		  filter_compare_numbers);
}

/* ---- operators on strings ---- */

static FilterText
string_operand(Place *place, const JsonbValue *operand)
{
	if (operand->type != jbvString)
		bad_operand(place, "takes a string",
					"Put the string in quotes; for several, repeat the object in the key's array.");
	return filter_text(operand->val.string.val, operand->val.string.len);
}

static void
compile_prefix(Place *place, const JsonbValue *operand)
{
	FilterText	text = string_operand(place, operand);

	add_condition(place, CONDITION_PREFIX)->u.text = text;
}

static void
compile_suffix(Place *place, const JsonbValue *operand)
{
	FilterText	text = string_operand(place, operand);

	add_condition(place, CONDITION_SUFFIX)->u.text = text;
}

static void
compile_ignore_case(Place *place, const JsonbValue *operand)
{
	FilterText	text = string_operand(place, operand);
	FilterCondition *condition = add_condition(place, CONDITION_IGNORE_CASE);

	condition->u.text.data = filter_lower(text.data, text.length);
	condition->u.text.length = strlen(condition->u.text.data);
}

/* There is no way to escape an asterisk. */
static void
compile_wildcard(Place *place, const JsonbValue *operand)
{
	FilterText	text = string_operand(place, operand);
	FilterPattern *pattern = &add_condition(place, CONDITION_WILDCARD)->u.pattern;
	const char *end = text.data + text.length;
	const char *asterisk;

	while ((asterisk = memchr(text.data, '*', end - text.data)) != NULL)
	{
		if (pattern->count == FILTER_ASTERISKS_MAX)
			bad_operand(place, psprintf("has a pattern with more than %d asterisks",
										FILTER_ASTERISKS_MAX),
						"Use fewer asterisks.");
		text.length = asterisk - text.data;
		pattern->pieces[pattern->count++] = text;
		text.data = asterisk + 1;
	}
	text.length = end - text.data;
	pattern->pieces[pattern->count++] = text;

	place->pattern_count++;
	place->pattern_cost += place->values != &place->key->values ||
		pattern->count <= 2 ? PATTERN_COST : PATTERN_COST_MANY;
}

/* ---- numeric ---- */

static bool
operand_is(const JsonbValue *operand, const char *word)
{
	return operand->type == jbvString &&
		operand->val.string.len == (int) strlen(word) &&
		memcmp(operand->val.string.val, word, strlen(word)) == 0;
}

/* One comparison of the array, a sign and a number, as a bound of the range. */
static void
add_bound(Place *place, FilterRange *range, const JsonbValue *sign,
		  const JsonbValue *number)
{
	bool		equal = operand_is(sign, "=");
	bool		low = operand_is(sign, ">") || operand_is(sign, ">=");
	bool		high = operand_is(sign, "<") || operand_is(sign, "<=");

	if (!equal && !low && !high)
		bad_operand(place, "has a member that is not a comparison",
					"Use \"=\", \"<\", \"<=\", \">\" or \">=\".");
	if (number->type != jbvNumeric)
		bad_operand(place, "compares with something that is not a number",
					"Behind each comparison comes a number, without quotes.");
	if (equal || low)
	{
		range->low = copy_number(number->val.numeric);
		range->low_excluded = operand_is(sign, ">");
	}
	if (equal || high)
	{
		range->high = copy_number(number->val.numeric);
		range->high_excluded = operand_is(sign, "<");
	}
}

/* [sign, number], or [">" or ">=", number, "<" or "<=", greater number] */
static void
compile_numeric(Place *place, const JsonbValue *operand)
{
	JsonbContainer *array = array_of(operand);
	FilterRange *range = &add_condition(place, CONDITION_NUMERIC)->u.range;
	int			count = array == NULL ? 0 : JsonContainerSize(array);

	if (count != 2 && count != 4)
		bad_operand(place, "takes an array of one comparison or two",
					"For example [\"=\", 5], or [\">\", 0, \"<=\", 5].");
	add_bound(place, range, getIthJsonbValueFromContainer(array, 0),
			  getIthJsonbValueFromContainer(array, 1));
	if (count == 2)
		return;
	if (range->high != NULL)
		bad_operand(place, "has a range that does not begin with its lower bound",
					"For example [\">\", 0, \"<=\", 5].");
	add_bound(place, range, getIthJsonbValueFromContainer(array, 2),
			  getIthJsonbValueFromContainer(array, 3));
	if (range->high == NULL || operand_is(getIthJsonbValueFromContainer(array, 2), "="))
		bad_operand(place, "has a range that does not end with its upper bound",
					"For example [\">\", 0, \"<=\", 5].");
	if (filter_order(range->low, range->high) >= 0)
		bad_operand(place, "has a range whose lower bound is not less than its upper bound",
					"For a single number use [\"=\", 5].");
}

/* ---- cidr ---- */

#define CIDR_HINT	"For example \"10.0.0.0/24\", or \"2001:db8::/32\"."

/* 0 to maximum, or -1 */
static int
prefix_bits(const char *digits, int maximum)
{
	int			bits = 0;

	if (*digits == '\0')
		return -1;
	for (; *digits != '\0'; digits++)
	{
		if (*digits < '0' || *digits > '9')
			return -1;
		bits = bits * 10 + (*digits - '0');
		if (bits > maximum)
			return -1;
	}
	return bits;
}

/* Bits of the address behind the prefix do not count. */
static void
compile_cidr(Place *place, const JsonbValue *operand)
{
	FilterText	text = string_operand(place, operand);
	FilterNetwork *network = &add_condition(place, CONDITION_CIDR)->u.network;
	char	   *address = pnstrdup(text.data, text.length);
	char	   *slash = strchr(address, '/');

	if (slash == NULL)
		bad_operand(place, "takes an address, a slash, and a number of bits",
					CIDR_HINT);
	*slash = '\0';
	network->family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(network->family, address, network->address) != 1)
		bad_operand(place, "has a malformed IP address", CIDR_HINT);
	network->bits = prefix_bits(slash + 1, network->family == AF_INET ? 32 : 128);
	if (network->bits < 0)
		bad_operand(place, "has a malformed number of bits", CIDR_HINT);
}

/* ---- exists and anything-but ---- */

static void
compile_exists(Place *place, const JsonbValue *operand)
{
	if (operand->type != jbvBool)
		bad_operand(place, "takes true or false",
					"Write it without quotes.");
	if (operand->val.boolean)
		place->key->present = true;
	else
		place->key->absent = true;
}

static void
compile_excluded(Place *place, const JsonbValue *value)
{
	if (value->type != jbvString && value->type != jbvNumeric)
		bad_operand(place, "takes strings and numbers, or an object with one operator",
					"For example \"a\", [\"a\", 5], or {\"prefix\": \"a\"}.");
	add_scalar(place, value);
}

/* {"prefix", "suffix" or "wildcard": a string or an array of them} */
static void
compile_excluded_object(Place *place, JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	const Operator *operator = NULL;
	JsonbValue	name;
	JsonbValue	operand;

	(void) JsonbIteratorNext(&iterator, &name, true);	/* the object begins */
	if (JsonContainerSize(object) == 1)
	{
		(void) JsonbIteratorNext(&iterator, &name, true);
		operator = find_operator(name.val.string.val, name.val.string.len);
	}
	if (operator == NULL || !operator->in_anything_but)
		bad_operand(place, "has an object without exactly one operator that it allows",
					"Use one of prefix, suffix and wildcard in it.");
	(void) JsonbIteratorNext(&iterator, &operand, true);
	place->operator = operator->name;
	if (array_of(&operand) != NULL)
		add_array(place, array_of(&operand), operator->compile);
	else
		operator->compile(place, &operand);
}

static void
compile_anything_but(Place *place, const JsonbValue *operand)
{
	FilterValues *outer = place->values;
	JsonbContainer *array = array_of(operand);
	JsonbContainer *object = object_of(operand);

	place->values = &add_condition(place, CONDITION_ANYTHING_BUT)->u.except;
	begin_values(place->values, array == NULL ? 1 : JsonContainerSize(array));
	if (array != NULL)
		add_array(place, array, compile_excluded);
	else if (object != NULL)
		compile_excluded_object(place, object);
	else
		compile_excluded(place, operand);
	end_values(place->values);
	place->values = outer;
}

/* ---- all of them ---- */

static const Operator operators[] = {
	{"anything-but", compile_anything_but, false},
	{"cidr", compile_cidr, false},
	{"equals-ignore-case", compile_ignore_case, false},
	{"exists", compile_exists, false},
	{"numeric", compile_numeric, false},
	{"prefix", compile_prefix, true},
	{"suffix", compile_suffix, true},
	{"wildcard", compile_wildcard, true},
};

static const Operator *
find_operator(const char *name, int length)
{
	for (int i = 0; i < (int) lengthof(operators); i++)
	{
		if ((int) strlen(operators[i].name) == length &&
			memcmp(operators[i].name, name, length) == 0)
			return &operators[i];
	}
	return NULL;
}

bool
is_operator(const char *name, int length)
{
	return find_operator(name, length) != NULL;
}

/* An element of a key's array that is an object. */
static void
compile_operator(Place *place, JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	const Operator *operator;
	JsonbValue	name;
	JsonbValue	operand;

	if (JsonContainerSize(object) != 1)
		bad_policy(&place->key->path, "An object in its array has not exactly one operator.",
				   "Put each operator into an object of its own.");
	(void) JsonbIteratorNext(&iterator, &name, true);	/* the object begins */
	(void) JsonbIteratorNext(&iterator, &name, true);
	(void) JsonbIteratorNext(&iterator, &operand, true);
	operator = find_operator(name.val.string.val, name.val.string.len);
	if (operator == NULL)
		bad_policy(&place->key->path,
				   psprintf("There is no operator \"%s\".",
							pnstrdup(name.val.string.val,
									 pg_mbcliplen(name.val.string.val,
												  name.val.string.len,
												  NAMEDATALEN))),
				   "Use anything-but, cidr, equals-ignore-case, exists, numeric, prefix, suffix or wildcard.");
	place->operator = operator->name;
	operator->compile(place, &operand);
}

static void
compile_element(Place *place, const JsonbValue *value)
{
	if (object_of(value) != NULL)
		compile_operator(place, object_of(value));
	else if (array_of(value) != NULL)
		bad_policy(&place->key->path, "An element of its array is an array.",
				   "Use strings, numbers, true, false, null, and objects with an operator.");
	else
		add_scalar(place, value);
}

static void
add_array(Place *place, JsonbContainer *array, CompileOperand compile)
{
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	value;

	if (JsonContainerSize(array) == 0)
		bad_policy(&place->key->path, "An array is empty.",
				   "Put at least one value into it, or leave the key out.");
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM)
			compile(place, &value);
	}
}

int
compile_values(FilterKey *key, JsonbContainer *array)
{
	Place		place = {0};
	int			count = JsonContainerSize(array);

	place.key = key;
	place.values = &key->values;
	begin_values(&key->values, count);
	add_array(&place, array, compile_element);
	end_values(&key->values);
	if (place.pattern_cost * place.pattern_count > PATTERNS_COST_MAX)
		bad_policy(&key->path,
				   psprintf("Its wildcard patterns cost %d points, times %d patterns, more than %d.",
							place.pattern_cost, place.pattern_count, PATTERNS_COST_MAX),
				   "Use fewer patterns, or fewer asterisks in them.");
	return count;
}
