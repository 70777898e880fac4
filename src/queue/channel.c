/*
 * channel.c
 *		channel and queue_exists: what anybody may know of a queue.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "queue/channel.h"
#include "queue/definition.h"

PG_FUNCTION_INFO_V1(decouple_channel);
PG_FUNCTION_INFO_V1(decouple_queue_exists);

void
channel_name(const char *queue_name, char channel[NAMEDATALEN])
{
	snprintf(channel, NAMEDATALEN, "decouple.%s", queue_name);
}

/*
 * channel(queue_name queue) -> text
 */
Datum
decouple_channel(PG_FUNCTION_ARGS)
{
	QueueDefinition definition;
	char		channel[NAMEDATALEN];

	argument_required(fcinfo, 0, "queue_name");
	definition_find(PG_GETARG_DATUM(0), &definition);
	channel_name(definition.name, channel);
	PG_RETURN_TEXT_P(cstring_to_text(channel));
}

/*
 * queue_exists(queue_name queue) -> boolean
 */
Datum
decouple_queue_exists(PG_FUNCTION_ARGS)
{
	QueueDefinition definition;

	argument_required(fcinfo, 0, "queue_name");
	PG_RETURN_BOOL(definition_lookup(TextDatumGetCString(PG_GETARG_DATUM(0)),
									 &definition));
}
