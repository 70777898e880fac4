/*
 * filter_form.h
 *		A compiled filter policy, as its compiler and its matcher know it.
 *
 *		{"store": ["a", {"prefix": "b"}], "$or": [{"x": [1]}, {"y": [2]}]}
 *
 * is a FilterBranch with one FilterKey, whose FilterValues are a string and a
 * FilterCondition, and with one alternative of two FilterBranches.  Nested
 * objects are gone: their keys stand in the branch around them, with the path
 * of their names joined by periods.
 */
#ifndef DECOUPLE_FILTER_FORM_H
#define DECOUPLE_FILTER_FORM_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "topic/filter.h"

/* asterisks in a pattern (sns: string-value-matching) */
#define FILTER_ASTERISKS_MAX	3

typedef struct FilterText
{
	const char *data;			/* not terminated */
	int			length;
} FilterText;

typedef enum ConditionKind
{
	CONDITION_PREFIX,
	CONDITION_SUFFIX,
	CONDITION_IGNORE_CASE,
	CONDITION_WILDCARD,
	CONDITION_NUMERIC,
	CONDITION_CIDR,
	CONDITION_ANYTHING_BUT
} ConditionKind;

typedef struct FilterRange
{
	Numeric		low;			/* NULL: no bound */
	Numeric		high;
	bool		low_excluded;
	bool		high_excluded;
} FilterRange;

/* what stands between the asterisks: one piece more than there are */
typedef struct FilterPattern
{
	int			count;
	FilterText	pieces[FILTER_ASTERISKS_MAX + 1];
} FilterPattern;

typedef struct FilterNetwork
{
	int			family;			/* AF_INET, AF_INET6 */
	int			bits;
	unsigned char address[16];
} FilterNetwork;

/* What a key may be: any of these. */
typedef struct FilterValues
{
	FilterText *strings;		/* by filter_compare_texts */
	int			string_count;
	Numeric    *numbers;		/* by filter_compare_numbers */
	int			number_count;
	bool		has_true;
	bool		has_false;
	bool		has_null;
	List	   *conditions;		/* of FilterCondition */
} FilterValues;

typedef struct FilterCondition
{
	ConditionKind kind;
	union
	{
		FilterText	text;		/* prefix, suffix, ignore case: in lower case */
		FilterPattern pattern;
		FilterRange range;
		FilterNetwork network;
		FilterValues except;	/* of anything-but */
	}			u;
} FilterCondition;

typedef struct FilterKey
{
	FilterText	path;
	FilterValues values;
	bool		present;		/* {"exists": true} */
	bool		absent;			/* {"exists": false} */
} FilterKey;

/* All of these must match. */
typedef struct FilterBranch
{
	List	   *keys;			/* of FilterKey */
	List	   *alternatives;	/* of lists of FilterBranch: $or */
} FilterBranch;

struct Filter
{
	FilterScope scope;
	bool		empty;			/* {} matches everything */
	bool		has_absent;		/* some key has {"exists": false} */
	FilterBranch root;
};

static inline int
filter_order(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(b)));
}

/* for qsort and bsearch: FilterTexts, and pointers to Numerics */
extern int	filter_compare_texts(const void *a, const void *b);
extern int	filter_compare_numbers(const void *a, const void *b);

static inline bool
filter_is_ascii(const char *data, int length)
{
	for (int i = 0; i < length; i++)
	{
		if (IS_HIGHBIT_SET(data[i]))
			return false;
	}
	return true;
}

/*
 * In lower case, palloc'ed and terminated.  ASCII is the same everywhere (a
 * Turkish I too); a text with other letters follows the database's collation.
 */
extern char *filter_lower(const char *data, int length);

#endif							/* DECOUPLE_FILTER_FORM_H */
