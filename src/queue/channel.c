/*
 * channel.c
 *		channel: what to LISTEN on.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "queue/definition.h"

PG_FUNCTION_INFO_V1(decouple_channel);

/*
 * channel(queue_name queue) -> text
 *
 * "decouple." and the queue's name, cut to what an identifier holds.
 */
Datum
decouple_channel(PG_FUNCTION_ARGS)
{
	QueueDefinition definition;
	char		channel[NAMEDATALEN];

	argument_required(fcinfo, 0, "queue_name");
	definition_find(PG_GETARG_DATUM(0), &definition);
	snprintf(channel, sizeof(channel), "decouple.%s", definition.name);
	PG_RETURN_TEXT_P(cstring_to_text(channel));
}
