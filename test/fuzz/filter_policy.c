/* backend: src/topic/filter.c src/topic/filter_body.c src/topic/filter_compile.c src/topic/filter_match.c src/topic/filter_operators.c */
/*
 * filter_policy.c
 *		Filter policies, and the messages that they are asked about.
 *
 * An input is a letter for the scope, a policy, a line break, and a message.
 * Each policy is compiled twice, the second time as it is printed, and what it
 * was made of is freed: both must want the same messages.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "backend.h"
#include "topic/filter.h"

extern Datum decouple_filter_matches(PG_FUNCTION_ARGS);

const FuzzSeed fuzz_seeds[] = {
	SEED("A{\"k\": [\"a\", 5, true, null], \"l\": [{\"exists\": false}]}\n{\"k\": 5}"),
	SEED("A{\"k\": [{\"prefix\": \"a\"}, {\"suffix\": \"b\"}]}\n{\"k\": [\"xb\", 1]}"),
	SEED("A{\"k\": [{\"anything-but\": {\"wildcard\": [\"a*b\", \"*c*\"]}}]}\n{\"k\": \"aab\"}"),
	SEED("A{\"k\": [{\"anything-but\": [\"a\", 1]}, {\"exists\": true}]}\n{\"k\": {\"binary\": \"YQ==\"}, \"l\": 2}"),
	SEED("A{\"k\": [{\"numeric\": [\">\", 0, \"<=\", 5.5]}, {\"numeric\": [\"=\", 7]}]}\n{\"k\": 3.015e1}"),
	SEED("A{\"k\": [{\"cidr\": \"10.1.0.0/23\"}, {\"cidr\": \"2001:db8::/33\"}]}\n{\"k\": \"10.1.1.255\"}"),
	SEED("A{\"k\": [{\"equals-ignore-case\": \"\303\204b\"}]}\n{\"k\": \"\303\244B\"}"),
	SEED("A{\"$or\": [{\"k\": [1]}, {\"l\": [2], \"m\": [3]}], \"n\": [4]}\n{\"m\": 3, \"l\": 2, \"n\": 4}"),
	SEED("B{\"a\": {\"b\": [1, {\"wildcard\": \"x*y*z\"}], \"$or\": [{\"c\": [2]}, {\"d\": [3]}]}}\n"
		 "{\"a\": [{\"b\": [[1], \"xyz\"]}, {\"c\": 2}], \"a.b\": 1}"),
	SEED("B{\"a.b\": [{\"exists\": false}], \"\": [null]}\n{\"\": null, \"\\u00e4\\ud83d\\ude00\": 1e-7}"),
	SEEDS_END
};

/* what is cut off in messages is cut off between characters */
const FuzzSeed fuzz_dictionary[] = {
	SEED("\"anything-but\""), SEED("\"prefix\""), SEED("\"suffix\""),
	SEED("\"wildcard\""), SEED("\"equals-ignore-case\""),
	SEED("\"numeric\""), SEED("\"cidr\""), SEED("\"exists\""),
	SEED("\"$or\""), SEED("\"a.b\""), SEED("\"k\""), SEED("\"\""),
	SEED("{\"exists\": true}"), SEED("{\"exists\": false}"),
	SEED("{\"prefix\": \"a\"}"), SEED("{\"suffix\": \"\303\244\"}"),
	SEED("{\"wildcard\": \"*a*\"}"), SEED("{\"equals-ignore-case\": \"\304\260\"}"),
	SEED("{\"cidr\": \"::/0\"}"), SEED("{\"numeric\": [\"<\", 1]}"),
	SEED("{\"anything-but\": [\"a\", 1]}"), SEED("\"=\""), SEED("\"<=\""),
	SEED("\">\""), SEED("\"**\""), SEED("\"*a*b*c*\""), SEED("*"),
	SEED("\"::ffff:10.0.0.1\""), SEED("\"10.0.0.0/32\""), SEED("/128"),
	SEED("."), SEED("null"), SEED("true"),
	SEED("false"), SEED("-0.0"), SEED("1e400"), SEED("1e-400"),
	SEED("12345678901234567890.5"), SEED("{}"), SEED("[]"),
	SEED("{\"k\": 1}"), SEED("[\"a\", 1]"), SEED("\"\\u0000\""),
	SEED("\"\360\237\230\200\""),
	SEED("\"" TEXT_OF_63 "\303\244\""),
	SEED("\"" TEXT_OF_63 TEXT_OF_63 TEXT_OF_63 TEXT_OF_63 "\303\244\303\244\303\244\""),
	SEEDS_END
};

typedef struct Compiling
{
	Jsonb	   *policy;
	FilterScope scope;
	bool		limited;
	Filter	   *filter;
} Compiling;

typedef struct Asking
{
	Jsonb	   *policy;
	FilterScope scope;
	Filter	   *filter;
	Jsonb	   *attributes;		/* or NULL */
	text	   *body;
	bool		wanted;
} Asking;

static void
compile(void *argument)
{
	Compiling  *compiling = argument;

	compiling->filter = filter_compile(compiling->policy, compiling->scope,
									   compiling->limited);
}

static void
ask(void *argument)
{
	Asking	   *asking = argument;

	asking->wanted = filter_matches(asking->filter, asking->attributes,
									asking->body);
}

static bool
wants(const Asking *asking, Filter *filter)
{
	Asking		copy = *asking;

	copy.filter = filter;
	FUZZ_REQUIRE(fuzz_takes(ask, &copy, ""));
	return copy.wanted;
}

/* What is no JSON for the server is none for a filter either. */
static void
parse(void *argument)
{
	Asking	   *asking = argument;
	Jsonb	   *body = filter_parse_body(asking->body);

	if (body == NULL)
		return;
	FUZZ_REQUIRE(asking->attributes != NULL && JB_ROOT_IS_OBJECT(body));
	FUZZ_REQUIRE(VARSIZE(body) == VARSIZE(asking->attributes) &&
				 memcmp(body, asking->attributes, VARSIZE(body)) == 0);
}

/* the SQL function; twice, the second time with what the first one kept */
static void
call_function(void *argument)
{
	Asking	   *asking = argument;
	FmgrInfo	info = {.fn_mcxt = CurrentMemoryContext};
	LOCAL_FCINFO(fcinfo, 4);

	InitFunctionCallInfoData(*fcinfo, &info, 4, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = JsonbPGetDatum(asking->policy);
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = CStringGetTextDatum(asking->scope == FILTER_BODY ?
												"MessageBody" : "MessageAttributes");
	fcinfo->args[1].isnull = false;
	fcinfo->args[2].value = PointerGetDatum(asking->body);
	fcinfo->args[2].isnull = false;
	fcinfo->args[3].value = PointerGetDatum(asking->attributes);
	fcinfo->args[3].isnull = asking->attributes == NULL;
	for (int i = 0; i < 2; i++)
		FUZZ_REQUIRE(DatumGetBool(decouple_filter_matches(fcinfo)) == asking->wanted);
}

/* The same policy, compiled of its text. */
static Filter *
compile_printed(const Compiling *compiling)
{
	char	   *printed = JsonbToCString(NULL, &compiling->policy->root,
										 VARSIZE(compiling->policy));
	Compiling	again = *compiling;

	again.policy = fuzz_jsonb(printed);
	FUZZ_REQUIRE(again.policy != NULL);
	FUZZ_REQUIRE(fuzz_takes(compile, &again, ""));
	pfree(again.policy);
	pfree(printed);
	return again.filter;
}

static void
ask_all(const Compiling *compiling, Asking *asking, bool within_limits)
{
	bool		may_fail = !within_limits || asking->attributes != NULL;
	Filter	   *again = compile_printed(compiling);

	asking->wanted = wants(asking, compiling->filter);
	FUZZ_REQUIRE(wants(asking, again) == asking->wanted);
	FUZZ_REQUIRE(wants(asking, compiling->filter) == asking->wanted);
	(void) fuzz_takes(call_function, asking, may_fail ? "22023" : "");
}

void
fuzz_text(char *text)
{
	Compiling	compiling = {.scope = text[0] == 'B' ? FILTER_BODY : FILTER_ATTRIBUTES};
	Asking		asking = {.scope = compiling.scope};
	char	   *message;
	bool		within_limits;
	bool		taken;

	if (text[0] == '\0')
		return;
	message = fuzz_next_line(text);
	compiling.policy = asking.policy = fuzz_jsonb(text + 1);
	if (compiling.policy == NULL)
		return;
	compiling.limited = true;
	within_limits = fuzz_takes(compile, &compiling, "22023");
	compiling.limited = false;
	taken = fuzz_takes(compile, &compiling, "22023");
	fuzz_count(taken);
	FUZZ_REQUIRE(taken || !within_limits);
	asking.body = cstring_to_text(message);
	asking.attributes = fuzz_jsonb(message);
	FUZZ_REQUIRE(fuzz_takes(parse, &asking, ""));
	if (taken)
		ask_all(&compiling, &asking, within_limits);
}
