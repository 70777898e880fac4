/* backend: src/queue/attributes.c src/queue/draft.c src/base/arguments.c src/topic/headers.c */
/*
 * message.c
 *		What a message carries, and messages as send_messages takes them.
 *
 * One JSON is given to all that reads an object or array of a user's: as a
 * message's attributes, as a subscription's headers, and as messages.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "backend.h"
#include "base/arguments.h"
#include "queue/attributes.h"
#include "queue/draft.h"
#include "topic/headers.h"

const FuzzSeed fuzz_seeds[] = {
	SEED("{\"kind\": \"invoice\", \"total\": 12.50, \"a.b-c_D\": [\"x\", 1e3, \"\"], \"raw\": {\"binary\": \"aGVsbG8=\"}}"),
	SEED("{\"Authorization\": \"Bearer abc\", \"X-Trace\": \"\303\244 b\"}"),
	SEED("[{\"body\": \"hello\"}, {\"body\": {\"order\": [1, 2.0]}, \"delay\": \"5 s\", \"expires_in\": \"P1DT2H\"}]"),
	SEED("[{\"body\": \"b\", \"attributes\": {\"k\": 1}, \"group_id\": \"g\", \"deduplication_id\": \"d-1\", \"delay\": null}]"),
	SEEDS_END
};

/* what is cut off in messages is cut off between characters */
const FuzzSeed fuzz_dictionary[] = {
	SEED("\"body\""), SEED("\"delay\""), SEED("\"attributes\""),
	SEED("\"group_id\""), SEED("\"deduplication_id\""),
	SEED("\"expires_in\""), SEED("{\"binary\": \"YQ==\"}"),
	SEED("{\"binary\": \"Y Q=\"}"), SEED("{\"binary\": \"\"}"),
	SEED("\"binary\""), SEED("\"1 day -2:30\""), SEED("\"-1 s\""),
	SEED("\"178000000 years\""), SEED("\"2147483647 months\""),
	SEED("\"9223372036854775807 us\""), SEED("\"P1Y2M3DT4H5M6.7S\""),
	SEED("\"PT1e30S\""), SEED("\"infinity\""), SEED("\"1.5e300 weeks\""),
	SEED("\"@ 1 min ago\""), SEED("\"a..b\""), SEED("\"host\""),
	SEED("\"x-amz-sns-rawdelivery\""), SEED("\"\\r\\nX: y\""), SEED("\"\\u007f\""),
	SEED("1e400"), SEED("-1e-400"), SEED("1e100000"), SEED("-0.0"),
	SEED("null"), SEED("true"), SEED("{}"), SEED("[]"), SEED("\"\""),
	SEED("{\"k\": 1}"), SEED("[\"a\", 1]"), SEED("{\"body\": 1}"),
	SEED("\"" TEXT_OF_63 TEXT_OF_63 TEXT_OF_63 TEXT_OF_63 "abc\303\244\303\244\303\244\""),
	SEED("\"\303\244\""), SEED("\"\360\237\230\200\""),
	SEEDS_END
};

/* what is read, and what became of it */
typedef struct Reading
{
	Jsonb	   *json;
	int64		size;
	List	   *lines;
	Draft	   *drafts;
	int			count;
	QueueDefinition definition;
	Draft	   *draft;
} Reading;

static void
read_attributes(void *argument)
{
	Reading    *reading = argument;

	reading->size = attributes_check(reading->json);
}

static void
read_headers(void *argument)
{
	Reading    *reading = argument;

	headers_check(reading->json);
	reading->lines = headers_lines(reading->json);
}

static void
read_messages(void *argument)
{
	Reading    *reading = argument;

	reading->count = drafts_from_json(reading->json, &reading->drafts);
}

static void
check_draft(void *argument)
{
	Reading    *reading = argument;

	draft_check(reading->draft, &reading->definition);
}

/* Nothing can be put between the lines of a request. */
static void
require_lines(const Reading *reading)
{
	ListCell   *cell;

	FUZZ_REQUIRE(list_length(reading->lines) == (int) JB_ROOT_COUNT(reading->json));
	foreach(cell, reading->lines)
	{
		const char *line = lfirst(cell);

		FUZZ_REQUIRE(strstr(line, ": ") != NULL && line[strcspn(line, "\r\n")] == '\0');
	}
}

static void
check_drafts(Reading *reading)
{
	strlcpy(reading->definition.name, "q", sizeof(reading->definition.name));
	reading->definition.max_message_size = 1024;
	FUZZ_REQUIRE(reading->count == (int) JB_ROOT_COUNT(reading->json));
	for (int i = 0; i < 2 * reading->count; i++)
	{
		Draft		draft = reading->drafts[i / 2];

		FUZZ_REQUIRE(draft.delay >= DELAY_OF_QUEUE && draft.delay <= USECS_PER_LEASE_MAX);
		FUZZ_REQUIRE(draft.expires_in >= NEVER_EXPIRES &&
					 draft.expires_in <= USECS_PER_RETENTION_MAX);
		reading->draft = &draft;
		reading->definition.fifo = i % 2 == 1;
		reading->definition.content_based_deduplication = i % 4 == 1;
		(void) fuzz_takes(check_draft, reading, "22023 54000 QU006");
	}
}

/* The size of attributes is that of what they mean, however they are written. */
static void
require_size(const Reading *reading)
{
	Reading		again = {.json = fuzz_jsonb(JsonbToCString(NULL, &reading->json->root,
														   VARSIZE(reading->json)))};

	FUZZ_REQUIRE(again.json != NULL && reading->size >= 0);
	FUZZ_REQUIRE(fuzz_takes(read_attributes, &again, ""));
	FUZZ_REQUIRE(again.size == reading->size);
}

void
fuzz_text(char *text)
{
	Reading		reading = {.json = fuzz_jsonb(text)};
	bool		attributes;
	bool		headers;
	bool		messages;

	if (reading.json == NULL)
		return;
	attributes = fuzz_takes(read_attributes, &reading, "22023");
	headers = fuzz_takes(read_headers, &reading, "22023");
	messages = fuzz_takes(read_messages, &reading, "22023 22004");
	fuzz_count(attributes || headers || messages);
	if (attributes)
		require_size(&reading);
	if (headers)
		require_lines(&reading);
	if (messages)
		check_drafts(&reading);
}
