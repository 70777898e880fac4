/*
 * filter.h
 *		Filter policies: which messages a subscription gets.
 *
 * The JSON of SNS (sns: sns-subscription-filter-policies, and-or-logic,
 * string-value-matching, numeric-value-matching, payload-based filtering).  A
 * policy is checked and compiled once, and asked about each message.
 */
#ifndef DECOUPLE_FILTER_H
#define DECOUPLE_FILTER_H

#include "postgres.h"

#include "utils/jsonb.h"

/* what a policy is asked about */
typedef enum FilterScope
{
	FILTER_ATTRIBUTES,
	FILTER_BODY
} FilterScope;

typedef struct Filter Filter;

/* MessageAttributes or MessageBody; 22023 */
extern FilterScope filter_scope_by_name(text *name);

/*
 * Compiles a policy into the current memory context.  22023 where it is not one,
 * or with limited is larger than the settings allow.  One that was set already
 * is good, whatever the settings are now.
 */
extern Filter *filter_compile(Jsonb *policy, FilterScope scope, bool limited);

/*
 * Does it choose a message?  "attributes" may be NULL; "body" is the message as
 * an object, or NULL where it is none.
 */
extern bool filter_matches(const Filter *filter, Jsonb *attributes,
						   Jsonb *body);

/* a message as an object; NULL where it is none.  No error, whatever it is */
extern Jsonb *filter_parse_body(text *body);

#endif							/* DECOUPLE_FILTER_H */
