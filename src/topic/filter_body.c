/*
 * filter_body.c
 *		A message's body as JSON, without an error where it is none.
 *
 * PostgreSQL 15 reads a jsonb or raises an error, and to catch an error would
 * need a subtransaction.  So what could raise one is found first: our own look
 * at the text bounds its depth, its elements and its numbers and finds escapes
 * that the database's encoding cannot hold; then PostgreSQL's parser checks
 * the syntax, which it tells by a result.  What passes both is read.
 */
#include "postgres.h"

#include <ctype.h>
#include <limits.h>

#include "catalog/namespace.h"
#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "base/version.h"
#include "topic/filter.h"

/*
 * What a body may have at most to be JSON for a filter.  The bounds are far
 * beyond SNS (256 kB a message) and below those of jsonb: 1 GB for the parser's
 * arrays, 256 MB for the result, numeric's digits, and less than 400 kB of stack.
 * Whoever calls with less stack than that left, and such a body, gets
 * PostgreSQL's error about it.
 */
#define BODY_LENGTH_MAX		(64 * 1024 * 1024)
#define BODY_DEPTH_MAX		1000
#define BODY_ELEMENTS_MAX	(4 * 1024 * 1024)
#define NUMBER_LENGTH_MAX	10000
#define NUMBER_EXPONENT_MAX	6000

typedef struct BodyScan
{
	const char *next;
	const char *end;
	bool		utf8;
	pg_wchar	high;			/* the first half of a surrogate pair, or 0 */
} BodyScan;

static bool
encoding_has(pg_wchar character)
{
	unsigned char utf8[MAX_MULTIBYTE_CHAR_LEN + 1];
	unsigned char server[MAX_UNICODE_EQUIVALENT_STRING + 1];
	Oid			conversion;
	int			length;

	conversion = FindDefaultConversionProc(PG_UTF8, GetDatabaseEncoding());
	if (!OidIsValid(conversion))
		return false;
	length = pg_utf_mblen(unicode_to_utf8(character, utf8));
	return pg_do_encoding_conversion_buf(conversion, PG_UTF8,
										 GetDatabaseEncoding(), utf8, length,
										 server, sizeof(server), true) == length;
}

/*
 * Reads what follows "\u".  Bad digits and lone surrogates are left to the
 * parser, which says so without an error.
 */
static bool
escape_fits(BodyScan *scan)
{
	pg_wchar	code = 0;

	if (scan->utf8)
		return true;
	for (int i = 0; i < 4; i++)
	{
		unsigned char c;

		if (scan->next + i >= scan->end)
			return true;
		c = scan->next[i];
		if (!isxdigit(c))
			return true;
		code = code << 4 | (isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	if (is_utf16_surrogate_first(code))
	{
		scan->high = code;
		return true;
	}
	if (is_utf16_surrogate_second(code) && scan->high != 0)
		code = surrogate_pair_to_codepoint(scan->high, code);
	scan->high = 0;
	return code < 0x80 || is_utf16_surrogate_second(code) || encoding_has(code);
}

/* Reads a string behind its first quote. */
static bool
string_fits(BodyScan *scan)
{
	scan->high = 0;
	while (scan->next < scan->end && *scan->next != '"')
	{
		if (*scan->next++ != '\\' || scan->next >= scan->end)
			continue;
		if (*scan->next++ == 'u' && !escape_fits(scan))
			return false;
	}
	scan->next++;
	return true;
}

/* Reads a number, whose first character was read. */
static bool
number_fits(BodyScan *scan)
{
	const char *begin = scan->next;
	int			exponent = -1;

	for (; scan->next < scan->end; scan->next++)
	{
		char		c = *scan->next;

		if (c == 'e' || c == 'E')
			exponent = 0;
		else if (c >= '0' && c <= '9')
		{
			if (exponent >= 0)
				exponent = Min(exponent * 10 + (c - '0'), INT_MAX / 20);
		}
		else if (c != '.' && c != '+' && c != '-')
			break;
	}
	return scan->next - begin < NUMBER_LENGTH_MAX &&
		exponent <= NUMBER_EXPONENT_MAX;
}

/* Would reading this raise no other error than one of syntax? */
static bool
body_fits(const char *data, int length)
{
	BodyScan	scan = {0};
	int			depth = 0;
	int			elements = 0;

	scan.next = data;
	scan.end = data + length;
	scan.utf8 = GetDatabaseEncoding() == PG_UTF8;
	while (scan.next < scan.end)
	{
		bool		fits = true;
		char		c = *scan.next++;

		if (c == '"')
			fits = string_fits(&scan);
		else if (c == '-' || (c >= '0' && c <= '9'))
			fits = number_fits(&scan);
		else if (c == '{' || c == '[')
			fits = ++depth <= BODY_DEPTH_MAX;
		else if (c == '}' || c == ']')
			depth--;
		else if (c == ',')
			fits = ++elements < BODY_ELEMENTS_MAX;
		if (!fits)
			return false;
	}
	return true;
}

/* the usual body that is no JSON is told by its first character */
static bool
begins_object(const char *data, int length)
{
	int			i = 0;

	while (i < length && strchr(" \t\n\r", data[i]) != NULL)
		i++;
	return i < length && data[i] == '{';
}

Jsonb *
filter_parse_body(text *body)
{
	char	   *data = VARDATA_ANY(body);
	int			length = VARSIZE_ANY_EXHDR(body);

	if (length > BODY_LENGTH_MAX || !begins_object(data, length) ||
		!body_fits(data, length) ||
		pg_parse_json(make_json_lexer(data, length), &nullSemAction) != JSON_SUCCESS)
		return NULL;
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(text_to_cstring(body))));
}
