/*
 * filter_rule.h
 *		A compiled filter policy; between filter_compile.c and filter_match.c.
 */
#ifndef DECOUPLE_FILTER_RULE_H
#define DECOUPLE_FILTER_RULE_H

#include "utils/inet.h"
#include "utils/numeric.h"

#include "topic/filter.h"

typedef enum MatcherKind
{
	MATCH_STRING,				/* exactly */
	MATCH_NUMBER,
	MATCH_TRUE,
	MATCH_FALSE,
	MATCH_NULL,
	MATCH_PREFIX,
	MATCH_SUFFIX,
	MATCH_IGNORE_CASE,			/* string is lower-cased */
	MATCH_WILDCARD,
	MATCH_RANGE,				/* of numbers */
	MATCH_CIDR,
	MATCH_EXISTS,
	MATCH_EXISTS_NOT,
	MATCH_ANYTHING_BUT			/* none of "others" */
} MatcherKind;

typedef struct Matcher
{
	MatcherKind kind;
	const char *string;
	int			length;
	Numeric		low;			/* MATCH_NUMBER: the number; NULL: no bound */
	Numeric		high;
	bool		low_included;
	bool		high_included;
	inet	   *network;
	struct Matcher *others;
	int			other_count;
} Matcher;

struct FilterRule;

/* what one key must have: one of the values, or an object that meets a rule */
typedef struct FilterCondition
{
	const char *key;
	int			key_length;
	Matcher    *matchers;
	int			matcher_count;
	struct FilterRule *nested;	/* or NULL */
} FilterCondition;

/* alternatives: one of them must hold */
typedef struct FilterChoice
{
	struct FilterRule **rules;
	int			count;
} FilterChoice;

/* all of them must hold */
typedef struct FilterRule
{
	FilterCondition *conditions;
	int			condition_count;
	FilterChoice *choices;
	int			choice_count;
} FilterRule;

struct Filter
{
	FilterScope scope;
	FilterRule *rule;
};

/* does a string match a pattern with asterisks? */
extern bool wildcard_matches(const char *pattern, int pattern_length,
							 const char *string, int length);

/* an address or network; NULL where it is none */
extern inet *filter_parse_inet(const char *string);

/* lower case, in the database's own collation; palloc'd */
extern char *filter_lower(const char *string, int length, int *lower_length);

#endif							/* DECOUPLE_FILTER_RULE_H */
