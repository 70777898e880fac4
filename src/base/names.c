/*
 * names.c
 *		The types decouple.queue and decouple.topic: names of good form.
 *
 * A value is laid out like text.  Input checks the form and nothing else: it
 * never looks a name up, so it is immutable and dumps restore in any order.
 * Names compare by their bytes, whatever the database's collation is.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/names.h"
#include "base/version.h"

PG_FUNCTION_INFO_V1(decouple_queue_in);
PG_FUNCTION_INFO_V1(decouple_queue_recv);
PG_FUNCTION_INFO_V1(decouple_queue_from_text);
PG_FUNCTION_INFO_V1(decouple_topic_in);
PG_FUNCTION_INFO_V1(decouple_topic_recv);
PG_FUNCTION_INFO_V1(decouple_topic_from_text);
PG_FUNCTION_INFO_V1(decouple_name_out);
PG_FUNCTION_INFO_V1(decouple_name_send);
PG_FUNCTION_INFO_V1(decouple_name_to_text);
PG_FUNCTION_INFO_V1(decouple_name_cmp);
PG_FUNCTION_INFO_V1(decouple_name_eq);
PG_FUNCTION_INFO_V1(decouple_name_ne);
PG_FUNCTION_INFO_V1(decouple_name_lt);
PG_FUNCTION_INFO_V1(decouple_name_le);
PG_FUNCTION_INFO_V1(decouple_name_gt);
PG_FUNCTION_INFO_V1(decouple_name_ge);
PG_FUNCTION_INFO_V1(decouple_name_hash);
PG_FUNCTION_INFO_V1(decouple_name_hash_extended);

#define FIFO_SUFFIX		".fifo"

/* ---- the form ---- */

static bool
has_fifo_suffix(const char *name, int length)
{
	int			suffix = strlen(FIFO_SUFFIX);

	return length >= suffix &&
		memcmp(name + length - suffix, FIFO_SUFFIX, suffix) == 0;
}

bool
name_is_fifo(const char *name)
{
	return has_fifo_suffix(name, strlen(name));
}

/*
 * 1 to "limit" of [A-Za-z0-9_-]; a suffix ".fifo" may follow and is counted
 * (sqs: CreateQueue, QueueName; sns: CreateTopic, Name).
 */
static bool
has_good_form(const char *name, int length, int limit)
{
	int			stem = length;

	if (has_fifo_suffix(name, length))
		stem -= strlen(FIFO_SUFFIX);
	if (stem < 1 || length > limit)
		return false;
	for (int i = 0; i < stem; i++)
	{
		char		c = name[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			  (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return false;
	}
	return true;
}

/* Makes a value of a name that has been checked; "kind" is for the error. */
static text *
make_name(const char *name, int length, int limit, const char *kind)
{
	if (!has_good_form(name, length, limit))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid name of a %s: \"%s\"", kind,
						pnstrdup(name, pg_mbcliplen(name, length, 300))),
				 errhint("Use 1 to %d of A-Z, a-z, 0-9, underscore and hyphen; a FIFO %s ends in \".fifo\".",
						 limit, kind)));
	return cstring_to_text_with_len(name, length);
}

static text *
receive_name(FunctionCallInfo fcinfo, int limit, const char *kind)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			length;
	char	   *name = pq_getmsgtext(message, message->len - message->cursor,
									 &length);

	return make_name(name, length, limit, kind);
}

Datum
decouple_queue_in(PG_FUNCTION_ARGS)
{
	char	   *name = PG_GETARG_CSTRING(0);

	PG_RETURN_TEXT_P(make_name(name, strlen(name), QUEUE_NAME_MAX, "queue"));
}

Datum
decouple_topic_in(PG_FUNCTION_ARGS)
{
	char	   *name = PG_GETARG_CSTRING(0);

	PG_RETURN_TEXT_P(make_name(name, strlen(name), TOPIC_NAME_MAX, "topic"));
}

Datum
decouple_queue_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(receive_name(fcinfo, QUEUE_NAME_MAX, "queue"));
}

Datum
decouple_topic_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(receive_name(fcinfo, TOPIC_NAME_MAX, "topic"));
}

Datum
decouple_queue_from_text(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TEXT_P(make_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name),
							   QUEUE_NAME_MAX, "queue"));
}

Datum
decouple_topic_from_text(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TEXT_P(make_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name),
							   TOPIC_NAME_MAX, "topic"));
}

/* ---- the rest is the same for both ---- */

Datum
decouple_name_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(TextDatumGetCString(PG_GETARG_DATUM(0)));
}

Datum
decouple_name_send(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendtext(&message, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* The cast to text: the bytes are those of a text. */
Datum
decouple_name_to_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(PG_GETARG_TEXT_PP(0));
}

static int
compare_names(FunctionCallInfo fcinfo)
{
	text	   *left = PG_GETARG_TEXT_PP(0);
	text	   *right = PG_GETARG_TEXT_PP(1);
	int			left_length = VARSIZE_ANY_EXHDR(left);
	int			right_length = VARSIZE_ANY_EXHDR(right);
	int			result = memcmp(VARDATA_ANY(left), VARDATA_ANY(right),
								Min(left_length, right_length));

	if (result == 0)
		result = (left_length > right_length) - (left_length < right_length);
	PG_FREE_IF_COPY(left, 0);
	PG_FREE_IF_COPY(right, 1);
	return result;
}

Datum
decouple_name_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_names(fcinfo));
}

Datum
decouple_name_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_names(fcinfo) == 0);
}

Datum
decouple_name_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_names(fcinfo) != 0);
}

Datum
decouple_name_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_names(fcinfo) < 0);
}

Datum
decouple_name_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_names(fcinfo) <= 0);
}

Datum
decouple_name_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_names(fcinfo) > 0);
}

Datum
decouple_name_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_names(fcinfo) >= 0);
}

Datum
decouple_name_hash(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);
	Datum		result = hash_any((unsigned char *) VARDATA_ANY(name),
								  VARSIZE_ANY_EXHDR(name));

	PG_FREE_IF_COPY(name, 0);
	PG_RETURN_DATUM(result);
}

Datum
decouple_name_hash_extended(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);
	Datum		result = hash_any_extended((unsigned char *) VARDATA_ANY(name),
										   VARSIZE_ANY_EXHDR(name),
										   PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(name, 0);
	PG_RETURN_DATUM(result);
}
