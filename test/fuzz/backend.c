/*
 * backend.c
 *		Runs a target inside a backend, since what it parses is a jsonb.
 *
 * The target, the sources that are watched and this are a library of one SQL
 * function.  The server is PostgreSQL as it is installed, with the sanitizers'
 * library preloaded: our code is watched all the time, the server's where it
 * calls the C library, and memory as chunks.c says.
 *
 * An error is caught without a subtransaction: parsers hold nothing but memory.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "backend.h"
#include "chunks.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(fuzz);

static unsigned long taken_count;
static unsigned long refused_count;
static unsigned long no_json_count;

/* ---- text ---- */

/* Repaired rather than skipped: few inputs would be left. */
static char *
valid_text(const char *data, size_t length)
{
	char	   *text = palloc(length + 1);
	size_t		i = 0;

	memcpy(text, data, length);
	text[length] = '\0';
	while (i < length)
	{
		int			size = pg_utf_mblen((unsigned char *) text + i);

		if (text[i] != '\0' && i + size <= length &&
			pg_utf8_islegal((unsigned char *) text + i, size))
			i += size;
		else
			text[i++] = '?';
	}
	return text;
}

char *
fuzz_next_line(char *text)
{
	size_t		length = strcspn(text, "\n");
	char	   *rest = pstrdup(text + length + (text[length] == '\n' ? 1 : 0));

	text[length] = '\0';
	return rest;
}

/* ---- errors ---- */

static bool
is_encoded(const char *text)
{
	return text == NULL || pg_verifymbstr(text, strlen(text), true);
}

/* Calls, and returns what was raised, or NULL. */
static ErrorData *
raised_by(FuzzCall call, void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		call(argument);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	return error;
}

static void
fail(const ErrorData *error)
{
	fprintf(stderr, "%s: %s\nDETAIL: %s\nHINT: %s\n",
			unpack_sql_state(error->sqlerrcode),
			error->message != NULL ? error->message : "",
			error->detail != NULL ? error->detail : "",
			error->hint != NULL ? error->hint : "");
	fuzz_abort("an error that is allowed", error->filename, error->lineno);
}

bool
fuzz_takes(FuzzCall call, void *argument, const char *allowed)
{
	ErrorData  *error = raised_by(call, argument);

	if (error == NULL)
		return true;
	if (strstr(allowed, unpack_sql_state(error->sqlerrcode)) == NULL ||
		error->hint == NULL || !is_encoded(error->message) ||
		!is_encoded(error->detail) || !is_encoded(error->hint))
		fail(error);
	FreeErrorData(error);
	return false;
}

void
fuzz_count(bool taken)
{
	if (taken)
		taken_count++;
	else
		refused_count++;
}

/* ---- jsonb ---- */

typedef struct Reading
{
	const char *text;
	Jsonb	   *result;
} Reading;

static void
read_jsonb(void *argument)
{
	Reading    *reading = argument;

	reading->result = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
														 CStringGetDatum(reading->text)));
}

Jsonb *
fuzz_jsonb(const char *text)
{
	Reading		reading = {text, NULL};
	ErrorData  *error = raised_by(read_jsonb, &reading);

	if (error == NULL)
		return reading.result;
	no_json_count++;
	FreeErrorData(error);
	return NULL;
}

/* ---- the function ---- */

static void
call_target(void *argument)
{
	fuzz_text(argument);
}

void
fuzz_one(const char *data, size_t length)
{
	static MemoryContext chunks = NULL;
	MemoryContext caller = CurrentMemoryContext;
	ErrorData  *error;

	if (chunks == NULL)
	{
		MemoryContextSwitchTo(TopMemoryContext);
		chunks = chunks_create();
	}
	MemoryContextSwitchTo(chunks);
	error = raised_by(call_target, valid_text(data, length));
	if (error != NULL)
		fail(error);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(chunks);
}

/* fuzz(seed bigint, seconds integer, file text) -> text */
Datum
fuzz(PG_FUNCTION_ARGS)
{
	unsigned long inputs;

	if (!PG_ARGISNULL(2))
	{
		FUZZ_REQUIRE(fuzz_replay(text_to_cstring(PG_GETARG_TEXT_PP(2))));
		PG_RETURN_TEXT_P(cstring_to_text("it does not fail"));
	}
	inputs = fuzz_run(PG_GETARG_INT64(0), PG_GETARG_INT32(1));
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%lu inputs, %lu taken, %lu refused, %lu no JSON",
											  inputs, taken_count,
											  refused_count, no_json_count)));
}
