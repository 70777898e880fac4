/*
 * filter_match.c
 *		Asks a compiled filter policy about a message.
 *
 * All keys of a branch must match, and one branch of each $or.  A key matches
 * where one of the message's values for it is one of the key's values, so each
 * key is looked up on its own, and no combination is ever built.
 *
 * Attributes have one value for a key, or those of an array; Binary is as if it
 * were not there (sns: subscription-filter-policy-constraints).
 *
 * A body is matched as if it were flat, with the names of nested members joined
 * by periods (sns: payload-based filtering).  So "a.b" is member b of a and
 * also the member "a.b"; arrays of arrays are one array; and in an array of
 * objects different keys may be matched by different objects.  Instead of
 * making it flat, the path is followed: at each object, every beginning of the
 * path that ends before a period may be a member.  As each member has only one
 * path, this looks at none twice.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "topic/filter.h"
#include "topic/filter_form.h"

/* where a key's values are looked for */
typedef struct Search
{
	const FilterKey *key;
	bool		found;			/* any value at all */
} Search;

/* ---- one value ---- */

static bool
begins_with(const FilterText *value, const FilterText *prefix)
{
	return value->length >= prefix->length &&
		memcmp(value->data, prefix->data, prefix->length) == 0;
}

static bool
ends_with(const FilterText *value, const FilterText *suffix)
{
	return value->length >= suffix->length &&
		memcmp(value->data + value->length - suffix->length, suffix->data,
			   suffix->length) == 0;
}

/* the rest behind the first place of "piece", which is not empty */
static bool
skip_behind(FilterText *value, const FilterText *piece)
{
	while (value->length >= piece->length)
	{
		const char *hit = memchr(value->data, piece->data[0],
								 value->length - piece->length + 1);

		if (hit == NULL)
			return false;
		value->length -= hit - value->data;
		value->data = hit;
		if (begins_with(value, piece))
		{
			value->data += piece->length;
			value->length -= piece->length;
			return true;
		}
		value->data++;
		value->length--;
	}
	return false;
}

/*
 * The first piece stands at the beginning, the last at the end, and the others
 * between them, each at its first place: taking a later one never helps.
 */
static bool
fits_pattern(FilterText value, const FilterPattern *pattern)
{
	const FilterText *first = &pattern->pieces[0];
	const FilterText *last = &pattern->pieces[pattern->count - 1];

	if (pattern->count == 1)
		return filter_compare_texts(&value, first) == 0;
	if (value.length < first->length + last->length ||
		!begins_with(&value, first) || !ends_with(&value, last))
		return false;
	value.data += first->length;
	value.length -= first->length + last->length;
	for (const FilterText *piece = first + 1; piece < last; piece++)
	{
		if (piece->length > 0 && !skip_behind(&value, piece))
			return false;
	}
	return true;
}

/* "lower" was made by filter_lower; only letters beyond ASCII need a copy. */
static bool
is_ignoring_case(const FilterText *value, const FilterText *lower)
{
	char	   *folded;
	bool		same;

	if (filter_is_ascii(value->data, value->length))
	{
		same = value->length == lower->length;
		for (int i = 0; same && i < value->length; i++)
			same = pg_ascii_tolower((unsigned char) value->data[i]) ==
				(unsigned char) lower->data[i];
		return same;
	}
	folded = filter_lower(value->data, value->length);
	same = strlen(folded) == (size_t) lower->length &&
		memcmp(folded, lower->data, lower->length) == 0;
	pfree(folded);
	return same;
}

static bool
is_in_network(const FilterText *value, const FilterNetwork *network)
{
	char		text[INET6_ADDRSTRLEN];
	unsigned char address[16];
	int			whole = network->bits / 8;
	int			rest = network->bits % 8;

	if (value->length >= (int) sizeof(text))
		return false;
	memcpy(text, value->data, value->length);
	text[value->length] = '\0';
	if (inet_pton(network->family, text, address) != 1 ||
		memcmp(address, network->address, whole) != 0)
		return false;
	return rest == 0 ||
		(address[whole] ^ network->address[whole]) >> (8 - rest) == 0;
}

static bool
is_in_range(Numeric value, const FilterRange *range)
{
	if (range->low != NULL)
	{
		int			order = filter_order(value, range->low);

		if (order < 0 || (order == 0 && range->low_excluded))
			return false;
	}
	if (range->high != NULL)
	{
		int			order = filter_order(value, range->high);

		if (order > 0 || (order == 0 && range->high_excluded))
			return false;
	}
	return true;
}

static bool is_wanted(const FilterValues *values, const JsonbValue *value);

static bool
string_meets(const FilterCondition *condition, const FilterText *value)
{
	switch (condition->kind)
	{
		case CONDITION_PREFIX:
			return begins_with(value, &condition->u.text);
		case CONDITION_SUFFIX:
			return ends_with(value, &condition->u.text);
		case CONDITION_IGNORE_CASE:
			return is_ignoring_case(value, &condition->u.text);
		case CONDITION_WILDCARD:
			return fits_pattern(*value, &condition->u.pattern);
		case CONDITION_CIDR:
			return is_in_network(value, &condition->u.network);
		case CONDITION_NUMERIC:
		case CONDITION_ANYTHING_BUT:
			break;
	}
	return false;
}

static bool
meets(const FilterCondition *condition, const JsonbValue *value)
{
	if (condition->kind == CONDITION_ANYTHING_BUT)
		return !is_wanted(&condition->u.except, value);
	if (value->type == jbvNumeric)
		return condition->kind == CONDITION_NUMERIC &&
			is_in_range(value->val.numeric, &condition->u.range);
	if (value->type == jbvString)
	{
		FilterText	text = {value->val.string.val, value->val.string.len};

		return string_meets(condition, &text);
	}
	return false;
}

/* Is a scalar one of the values? */
static bool
is_wanted(const FilterValues *values, const JsonbValue *value)
{
	ListCell   *cell;

	if (value->type == jbvString)
	{
		FilterText	text = {value->val.string.val, value->val.string.len};

		if (bsearch(&text, values->strings, values->string_count,
					sizeof(FilterText), filter_compare_texts) != NULL)
			return true;
	}
	else if (value->type == jbvNumeric)
	{
		if (bsearch(&value->val.numeric, values->numbers,
					values->number_count, sizeof(Numeric),
					filter_compare_numbers) != NULL)
			return true;
	}
	else if (value->type == jbvNull)
		return values->has_null;	/* no operator takes it */
	else if (value->val.boolean ? values->has_true : values->has_false)
		return true;

	foreach(cell, values->conditions)
	{
		if (meets(lfirst(cell), value))
			return true;
	}
	return false;
}

/* One value of a key, or one of those that it has. */
static bool
key_takes(Search *search, const JsonbValue *value)
{
	const FilterKey *key = search->key;

	search->found = true;
	/* (sns: exists is true where the value is neither null nor empty) */
	if (key->present && value->type != jbvNull &&
		(value->type != jbvString || value->val.string.len > 0))
		return true;
	return is_wanted(&key->values, value);
}

/* ---- the values of a key ---- */

static bool search_object(Search *search, JsonbContainer *object,
						  const char *path, int length);

/*
 * Looks at the elements of an array, of arrays in it, and, with a path, at what
 * the path leads to in objects.
 */
static bool
search_array(Search *search, JsonbContainer *array, const char *path, int length)
{
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbValue	value;
	bool		taken = false;

	CHECK_FOR_INTERRUPTS();
	(void) JsonbIteratorNext(&iterator, &value, true);	/* the array begins */
	while (!taken &&
		   JsonbIteratorNext(&iterator, &value, true) == WJB_ELEM)
	{
		if (value.type != jbvBinary)
			taken = path == NULL && key_takes(search, &value);
		else if (stack_is_too_deep())
			break;
		else if (JsonContainerIsArray(value.val.binary.data))
			taken = search_array(search, value.val.binary.data, path, length);
		else if (path != NULL)
			taken = search_object(search, value.val.binary.data, path, length);
	}
	if (iterator != NULL)
		pfree(iterator);
	return taken;
}

/* Goes on with a member: at the end of the path, or with the rest of it. */
static bool
search_member(Search *search, JsonbValue *value, const char *rest, int length)
{
	if (value->type != jbvBinary)
		return rest == NULL && key_takes(search, value);
	if (stack_is_too_deep())
		return false;
	if (JsonContainerIsArray(value->val.binary.data))
		return search_array(search, value->val.binary.data, rest, length);
	return rest != NULL &&
		search_object(search, value->val.binary.data, rest, length);
}

static bool
search_object(Search *search, JsonbContainer *object, const char *path,
			  int length)
{
	const char *end = path + length;
	const char *period = path;
	JsonbValue	value;

	while ((period = memchr(period, '.', end - period)) != NULL)
	{
		if (getKeyJsonValueFromContainer(object, path, period - path,
										 &value) != NULL &&
			search_member(search, &value, period + 1, end - period - 1))
			return true;
		period++;
	}
	return getKeyJsonValueFromContainer(object, path, length, &value) != NULL &&
		search_member(search, &value, NULL, 0);
}

static bool
search_attribute(Search *search, JsonbContainer *attributes)
{
	const FilterText *name = &search->key->path;
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(attributes, name->data, name->length,
									 &value) == NULL)
		return false;
	if (value.type != jbvBinary)
		return key_takes(search, &value);
	if (!JsonContainerIsArray(value.val.binary.data))
		return false;			/* Binary */
	search->found = true;		/* though it may be empty */
	return search_array(search, value.val.binary.data, NULL, 0);
}

/* ---- the policy ---- */

static bool
key_matches(const FilterKey *key, FilterScope scope, JsonbContainer *message)
{
	Search		search = {key, false};
	bool		taken;

	if (scope == FILTER_BODY)
		taken = search_object(&search, message, key->path.data,
							  key->path.length);
	else
		taken = search_attribute(&search, message);
	return taken || (key->absent && !search.found);
}

static bool
branch_matches(const FilterBranch *branch, FilterScope scope,
			   JsonbContainer *message)
{
	ListCell   *cell;

	foreach(cell, branch->keys)
	{
		if (!key_matches(lfirst(cell), scope, message))
			return false;
	}
	foreach(cell, branch->alternatives)
	{
		ListCell   *other;
		bool		matched = false;

		foreach(other, (List *) lfirst(cell))
		{
			matched = branch_matches(lfirst(other), scope, message);
			if (matched)
				break;
		}
		if (!matched)
			return false;
	}
	return true;
}

/* Is there an attribute that filters look at? */
static bool
has_attribute(JsonbContainer *attributes)
{
	JsonbIterator *iterator = JsonbIteratorInit(attributes);
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		has = false;

	while (!has &&
		   (token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		has = token == WJB_VALUE &&
			(value.type != jbvBinary ||
			 JsonContainerIsArray(value.val.binary.data));
	if (iterator != NULL)
		pfree(iterator);
	return has;
}

/*
 * A message without any attribute, or with an empty body, has nothing that
 * could match, not even {"exists": false} (sns: sns-subscription-filter-policies).
 */
bool
filter_matches_parsed(const Filter *filter, Jsonb *attributes, Jsonb *body)
{
	Jsonb	   *message = filter->scope == FILTER_BODY ? body : attributes;

	if (filter->empty)
		return true;
	if (message == NULL || !JB_ROOT_IS_OBJECT(message) ||
		JB_ROOT_COUNT(message) == 0)
		return false;
	if (filter->has_absent && filter->scope == FILTER_ATTRIBUTES &&
		!has_attribute(&message->root))
		return false;
	return branch_matches(&filter->root, filter->scope, &message->root);
}

bool
filter_matches(const Filter *filter, Jsonb *attributes, text *body)
{
	Jsonb	   *parsed = NULL;
	bool		matches;

	if (filter->scope == FILTER_BODY && !filter->empty && body != NULL)
		parsed = filter_parse_body(body);
	matches = filter_matches_parsed(filter, attributes, parsed);
	if (parsed != NULL)
		pfree(parsed);
	return matches;
}
