/*
 * attributes.c
 *		What a message carries beside its body.
 *
 * Attributes are a flat object.  The type of a value is its SQS data type:
 *
 *		string							String
 *		number							Number
 *		array of strings and numbers	String.Array
 *		{"binary": "<base64>"}			Binary
 *
 * Unlike SQS there is no limit on how many; they count into the message's
 * size as SQS counts them: name, data type and value.
 */
#include "postgres.h"

#include "common/base64.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "base/version.h"
#include "queue/attributes.h"
#include "store/group.h"

#define ATTRIBUTE_NAME_MAX	256

static void
bad_attribute(const char *name, int length, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid message attribute \"%s\"",
					pnstrdup(name, Min(length, ATTRIBUTE_NAME_MAX))),
			 errdetail_internal("%s", detail),
			 errhint("A value is a string, a number, an array of strings and numbers, or {\"binary\": \"<base64>\"}.")));
}

/* A name: [A-Za-z0-9_.-], no period at either end, no two in a row. */
static void
check_name(const char *name, int length)
{
	bool		good = length >= 1 && length <= ATTRIBUTE_NAME_MAX &&
		name[0] != '.' && name[length - 1] != '.';

	for (int i = 0; good && i < length; i++)
	{
		char		c = name[i];

		good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '_' || c == '-' ||
			(c == '.' && name[i + 1] != '.');
	}
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name of a message attribute: \"%s\"",
						pnstrdup(name, pg_mbcliplen(name, length,
													ATTRIBUTE_NAME_MAX))),
				 errhint("Use 1 to 256 of A-Z, a-z, 0-9, underscore, hyphen and period, with no period at an end or beside another.")));
}

static int64
number_size(const JsonbValue *value)
{
	char	   *digits = numeric_normalize(value->val.numeric);
	int64		size = strlen(digits);

	pfree(digits);
	return size;
}

/* Reads the rest of an array; returns its size. */
static int64
array_size(JsonbIterator **iterator, const JsonbValue *key)
{
	JsonbValue	value;
	JsonbIteratorToken token;
	int64		size = 0;

	while ((token = JsonbIteratorNext(iterator, &value, true)) != WJB_END_ARRAY)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type == jbvString)
			size += value.val.string.len;
		else if (value.type == jbvNumeric)
			size += number_size(&value);
		else
			bad_attribute(key->val.string.val, key->val.string.len,
						  "An element of the array is neither a string nor a number.");
	}
	return size;
}

/* Is this a string that base64 can decode?  Returns the decoded size. */
static int64
binary_size(const JsonbValue *value, const JsonbValue *key)
{
	int			length = value->val.string.len;
	char	   *decoded = palloc(pg_b64_dec_len(length) + 1);
	int			size = decode_base64(value->val.string.val, length, decoded,
									 pg_b64_dec_len(length) + 1);

	pfree(decoded);
	if (size < 0)
		bad_attribute(key->val.string.val, key->val.string.len,
					  "The value of \"binary\" is not base64.");
	return size;
}

/* Reads the rest of {"binary": "..."}; returns its size. */
static int64
object_size(JsonbIterator **iterator, const JsonbValue *key)
{
	JsonbValue	member;
	JsonbValue	value;
	int64		size;

	if (JsonbIteratorNext(iterator, &member, true) != WJB_KEY ||
		member.val.string.len != strlen("binary") ||
		memcmp(member.val.string.val, "binary", strlen("binary")) != 0 ||
		JsonbIteratorNext(iterator, &value, true) != WJB_VALUE ||
		value.type != jbvString)
		bad_attribute(key->val.string.val, key->val.string.len,
					  "An object as value has the one key \"binary\", whose value is a string.");
	size = binary_size(&value, key);
	if (JsonbIteratorNext(iterator, &value, true) != WJB_END_OBJECT)
		bad_attribute(key->val.string.val, key->val.string.len,
					  "An object as value has the one key \"binary\", whose value is a string.");
	return size;
}

/* The size of a value with that of its data type's name. */
static int64
value_size(JsonbIterator **iterator, const JsonbValue *key)
{
	JsonbValue	value;

	switch (JsonbIteratorNext(iterator, &value, false))
	{
		case WJB_BEGIN_ARRAY:
			return strlen("String.Array") + array_size(iterator, key);
		case WJB_BEGIN_OBJECT:
			return strlen("Binary") + object_size(iterator, key);
		case WJB_VALUE:
			if (value.type == jbvString)
				return strlen("String") + value.val.string.len;
			if (value.type == jbvNumeric)
				return strlen("Number") + number_size(&value);
			break;
		default:
			break;
	}
	bad_attribute(key->val.string.val, key->val.string.len,
				  "The value is true, false or null.");
	return 0;					/* not reached */
}

int64
attributes_check(Jsonb *attributes)
{
	JsonbIterator *iterator;
	JsonbValue	key;
	int64		size = 0;

	if (!JB_ROOT_IS_OBJECT(attributes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("message attributes must be a JSON object"),
				 errhint("For example {\"kind\": \"invoice\", \"total\": 12.5}.")));

	iterator = JsonbIteratorInit(&attributes->root);
	(void) JsonbIteratorNext(&iterator, &key, false);	/* the object begins */
	while (JsonbIteratorNext(&iterator, &key, false) == WJB_KEY)
	{
		check_name(key.val.string.val, key.val.string.len);
		size += key.val.string.len + value_size(&iterator, &key);
	}
	return size;
}

void
group_id_check(text *id, const char *what)
{
	const char *value = VARDATA_ANY(id);
	int			length = VARSIZE_ANY_EXHDR(id);
	bool		good = length >= 1 && length <= GROUP_ID_MAX;

	for (int i = 0; good && i < length; i++)
		good = value[i] > ' ' && value[i] < 0x7f;
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid %s: \"%s\"", what,
						pnstrdup(value, pg_mbcliplen(value, length, 256))),
				 errhint("Use 1 to 128 printable ASCII characters without spaces.")));
}
