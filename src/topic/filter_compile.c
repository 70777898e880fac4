/*
 * filter_compile.c
 *		Checks a filter policy and compiles it.
 *
 * The rules are those of SNS (sns: sns-subscription-filter-policies,
 * and-or-logic, subscription-filter-policy-constraints).  What is in the arrays
 * is compiled in filter_operators.c.
 *
 * Two limits keep a policy cheap to ask.  A policy has so many keys: those with
 * an array, each name once.  And it has so many combinations of values: the
 * product, over the keys, of the number of values times the depth at which the
 * key is nested; the branches of a $or are added up.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "base/settings.h"
#include "topic/filter.h"
#include "topic/filter_form.h"
#include "topic/filter_operators.h"

#define PATH_SHOWN_MAX	256

typedef struct Compiler
{
	Filter	   *filter;
	List	   *paths;			/* each once */
	bool		limited;		/* by the settings? */
} Compiler;

static double compile_object(Compiler *compiler, FilterBranch *branch,
							 const FilterText *prefix, int depth,
							 JsonbContainer *object);

void
bad_policy(const FilterText *path, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid filter policy at key \"%s\"",
					pnstrdup(path->data, pg_mbcliplen(path->data, path->length,
													  PATH_SHOWN_MAX))),
			 errdetail_internal("%s", detail),
			 errhint("%s", hint)));
}

FilterText
filter_text(const char *data, int length)
{
	FilterText	copy = {pnstrdup(data, length), length};

	return copy;
}

static bool
is_container(const JsonbValue *value, bool array)
{
	return value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data) == array;
}

static void
count_key(Compiler *compiler, const FilterText *path)
{
	ListCell   *cell;

	foreach(cell, compiler->paths)
	{
		if (filter_compare_texts(lfirst(cell), path) == 0)
			return;
	}
	compiler->paths = lappend(compiler->paths, (void *) path);
	if (compiler->limited &&
		list_length(compiler->paths) > decouple_filter_max_keys)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("filter policy has more than %d keys",
						decouple_filter_max_keys),
				 errdetail("Keys whose value is an array are counted."),
				 errhint("Use fewer keys, or raise the setting decouple.filter_max_keys.")));
}

/* "name" within the object at "prefix" */
static FilterText
join_path(const FilterText *prefix, const JsonbValue *name)
{
	FilterText	path;
	char	   *data;

	if (prefix == NULL)
		return filter_text(name->val.string.val, name->val.string.len);
	path.length = prefix->length + 1 + name->val.string.len;
	path.data = data = palloc(path.length);
	memcpy(data, prefix->data, prefix->length);
	data[prefix->length] = '.';
	memcpy(data + prefix->length + 1, name->val.string.val,
		   name->val.string.len);
	return path;
}

static bool
has_operator_name(JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY &&
			is_operator(value.val.string.val, value.val.string.len))
			return true;
	}
	return false;
}

/*
 * Is it "$or" with at least two objects, none of which has a key that is an
 * operator's name?  Else $or is a key like others (sns: and-or-logic).
 */
static bool
is_or(const JsonbValue *name, const JsonbValue *value)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	branch;

	if (name->val.string.len != 3 ||
		memcmp(name->val.string.val, "$or", 3) != 0 ||
		!is_container(value, true) ||
		JsonContainerSize(value->val.binary.data) < 2)
		return false;
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &branch, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM &&
			(!is_container(&branch, false) ||
			 has_operator_name(branch.val.binary.data)))
			return false;
	}
	return true;
}

/* Returns the sum of the branches' combinations. */
static double
compile_or(Compiler *compiler, FilterBranch *branch, const FilterText *prefix,
		   int depth, JsonbContainer *array)
{
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	value;
	List	   *branches = NIL;
	double		combinations = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		FilterBranch *one;

		if (token != WJB_ELEM)
			continue;
		one = palloc0(sizeof(FilterBranch));
		combinations += compile_object(compiler, one, prefix, depth,
									   value.val.binary.data);
		branches = lappend(branches, one);
	}
	branch->alternatives = lappend(branch->alternatives, branches);
	return combinations;
}

/* A key with an array.  Returns how many values it has. */
static double
compile_key(Compiler *compiler, FilterBranch *branch, FilterText path,
			JsonbContainer *array)
{
	FilterKey  *key = palloc0(sizeof(FilterKey));
	int			count;

	key->path = path;
	count = compile_values(key, array);
	count_key(compiler, &key->path);
	branch->keys = lappend(branch->keys, key);
	compiler->filter->has_absent |= key->absent;
	return count;
}

/* One member of an object of the policy.  Returns its combinations. */
static double
compile_member(Compiler *compiler, FilterBranch *branch,
			   const FilterText *prefix, int depth, const JsonbValue *name,
			   const JsonbValue *value)
{
	FilterText	path = join_path(prefix, name);

	if (is_or(name, value))
		return compile_or(compiler, branch, prefix, depth,
						  value->val.binary.data);
	if (is_container(value, true))
		return depth * compile_key(compiler, branch, path,
								   value->val.binary.data);
	if (!is_container(value, false))
		bad_policy(&path, "Its value is neither an array nor an object.",
				   "Put the values that the key may have into an array.");
	if (compiler->filter->scope == FILTER_ATTRIBUTES)
		bad_policy(&path, "Its value is an object, but message attributes are not nested.",
				   "Put the values that the key may have into an array, or use the scope MessageBody.");
	return compile_object(compiler, branch, &path, depth + 1,
						  value->val.binary.data);
}

/*
 * Adds the keys of an object to the branch.  Nesting only makes their paths
 * longer, since each key is matched on its own.
 */
static double
compile_object(Compiler *compiler, FilterBranch *branch,
			   const FilterText *prefix, int depth, JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	name;
	JsonbValue	value;
	double		combinations = 1;

	check_stack_depth();
	if (JsonContainerSize(object) == 0)
	{
		FilterText	or_path = filter_text("$or", 3);

		bad_policy(prefix != NULL ? prefix : &or_path,
				   "An object in the policy is empty.",
				   "Give it a key, or leave it out.");
	}
	while ((token = JsonbIteratorNext(&iterator, &name, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &value, true);
		combinations *= compile_member(compiler, branch, prefix, depth, &name,
									   &value);
	}
	return combinations;
}

Filter *
filter_compile(Jsonb *policy, FilterScope scope, bool limited)
{
	Compiler	compiler = {palloc0(sizeof(Filter)), NIL, limited};

	if (!JB_ROOT_IS_OBJECT(policy))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("filter policy must be a JSON object"),
				 errhint("For example {\"store\": [\"example_corp\"]}.")));
	compiler.filter->scope = scope;
	compiler.filter->empty = JB_ROOT_COUNT(policy) == 0;
	if (!compiler.filter->empty &&
		compile_object(&compiler, &compiler.filter->root, NULL, 1,
					   &policy->root) > decouple_filter_max_combinations &&
		limited)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("filter policy has more than %d combinations of values",
						decouple_filter_max_combinations),
				 errdetail("The numbers of values of its keys are multiplied, with the depths of nested keys, and the branches of $or are added up."),
				 errhint("Use fewer values, or raise the setting decouple.filter_max_combinations.")));
	return compiler.filter;
}
