/*
 * filter.c
 *		decouple.filter_matches(), the limits of a policy, and its scope.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/memutils.h"

#include "base/arguments.h"
#include "base/version.h"
#include "queue/attributes.h"
#include "topic/filter.h"
#include "topic/filter_form.h"

PG_FUNCTION_INFO_V1(decouple_filter_matches);

/* The last policy of a call site, which is often the next one too. */
typedef struct FilterCache
{
	MemoryContext context;
	Jsonb	   *policy;
	FilterScope scope;
	Filter	   *filter;
} FilterCache;

FilterScope
filter_scope_from_text(const text *scope)
{
	char	   *name;

	if (scope == NULL)
		return FILTER_ATTRIBUTES;
	name = text_to_cstring(scope);
	if (strcmp(name, "MessageBody") == 0)
		return FILTER_BODY;
	if (strcmp(name, "MessageAttributes") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid filter_policy_scope: \"%s\"", name),
				 errhint("Use MessageAttributes or MessageBody.")));
	return FILTER_ATTRIBUTES;
}

/* by length, then by bytes: quick, and the same in every collation */
int
filter_compare_texts(const void *a, const void *b)
{
	const FilterText *first = a;
	const FilterText *second = b;

	if (first->length != second->length)
		return first->length < second->length ? -1 : 1;
	return memcmp(first->data, second->data, first->length);
}

int
filter_compare_numbers(const void *a, const void *b)
{
	return filter_order(*(const Numeric *) a, *(const Numeric *) b);
}

char *
filter_lower(const char *data, int length)
{
	if (!filter_is_ascii(data, length))
		return str_tolower(data, length, DEFAULT_COLLATION_OID);
	return asc_tolower(data, length);
}

static bool
is_cached(const FilterCache *cache, const Jsonb *policy, FilterScope scope)
{
	return cache != NULL && cache->scope == scope &&
		VARSIZE(cache->policy) == VARSIZE(policy) &&
		memcmp(cache->policy, policy, VARSIZE(policy)) == 0;
}

/* Compiles a policy, unless the same call did so for its last row. */
static const Filter *
compiled(FunctionCallInfo fcinfo, Jsonb *policy, FilterScope scope)
{
	FilterCache *cache = fcinfo->flinfo->fn_extra;
	MemoryContext context;
	MemoryContext caller;

	if (is_cached(cache, policy, scope))
		return cache->filter;

	/* it belongs to the caller's row until nothing can fail any more */
	context = AllocSetContextCreate(CurrentMemoryContext, "decouple filter",
									ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	cache = palloc(sizeof(FilterCache));
	cache->context = context;
	cache->policy = palloc(VARSIZE(policy));
	memcpy(cache->policy, policy, VARSIZE(policy));
	cache->scope = scope;
	cache->filter = filter_compile(policy, scope, true);
	MemoryContextSwitchTo(caller);

	if (fcinfo->flinfo->fn_extra != NULL)
		MemoryContextDelete(((FilterCache *) fcinfo->flinfo->fn_extra)->context);
	MemoryContextSetParent(context, fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = cache;
	return cache->filter;
}

/*
 * filter_matches(filter_policy jsonb, filter_policy_scope text, message text,
 * attributes jsonb) -> boolean
 *
 * What a subscription with this policy would do with this message.
 */
Datum
decouple_filter_matches(PG_FUNCTION_ARGS)
{
	FilterScope scope = filter_scope_from_text(PG_ARGISNULL(1) ? NULL :
											   PG_GETARG_TEXT_PP(1));
	Jsonb	   *attributes = PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3);
	text	   *body = NULL;
	const Filter *filter;

	argument_required(fcinfo, 0, "filter_policy");
	filter = compiled(fcinfo, PG_GETARG_JSONB_P(0), scope);
	if (scope == FILTER_BODY)
	{
		argument_required(fcinfo, 2, "message");
		body = PG_GETARG_TEXT_PP(2);
	}
	if (attributes != NULL)
		(void) attributes_check(attributes);
	PG_RETURN_BOOL(filter_matches(filter, attributes, body));
}
