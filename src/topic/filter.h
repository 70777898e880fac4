/*
 * filter.h
 *		Filter policies: which messages does a subscription want?
 *
 * A policy is compiled once and asked for many messages.  A compiled filter is
 * read only, keeps nothing of the policy that it was made from, and lives in
 * the memory context in which it was compiled.
 */
#ifndef DECOUPLE_FILTER_H
#define DECOUPLE_FILTER_H

#include "postgres.h"

#include "utils/jsonb.h"

/* what a policy looks at (sns: FilterPolicyScope) */
typedef enum FilterScope
{
	FILTER_ATTRIBUTES,
	FILTER_BODY
} FilterScope;

typedef struct Filter Filter;

/* MessageAttributes, also where NULL, or MessageBody; 22023 for others */
extern FilterScope filter_scope_from_text(const text *scope);

/*
 * Checks and compiles a policy.  22023, with what is wrong and at which key,
 * where it is no policy, or with limited beyond the settings.  One that was set
 * already is good, whatever the settings are now.
 */
extern Filter *filter_compile(Jsonb *policy, FilterScope scope, bool limited);

/*
 * Does the filter want a message?  attributes: an object, or NULL; body: looked
 * at only by filters of FILTER_BODY.  Never raises an error for what is in the
 * message.
 */
extern bool filter_matches(const Filter *filter, Jsonb *attributes, text *body);

/*
 * The same in two steps, for a body that several filters are asked about: NULL
 * where it is not a JSON object.  Parsing leaves memory behind in the current
 * context: use one that is short-lived.
 */
extern Jsonb *filter_parse_body(text *body);
extern bool filter_matches_parsed(const Filter *filter, Jsonb *attributes,
								  Jsonb *body);

#endif							/* DECOUPLE_FILTER_H */
