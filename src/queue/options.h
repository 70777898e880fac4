/*
 * options.h
 *		The options of a queue: their ranges, defaults, and columns.
 */
#ifndef DECOUPLE_OPTIONS_H
#define DECOUPLE_OPTIONS_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "fmgr.h"

#include "base/names.h"

/* in the order of the arguments of create_queue and alter_queue */
typedef enum QueueOption
{
	OPTION_VISIBILITY_TIMEOUT,
	OPTION_DELAY,
	OPTION_RETENTION,
	OPTION_WAIT_TIME,
	OPTION_MAX_MESSAGE_SIZE,
	OPTION_DEAD_LETTER_QUEUE,
	OPTION_MAX_RECEIVE_COUNT,
	OPTION_FIFO,
	OPTION_CONTENT_BASED_DEDUPLICATION,
	OPTION_RETRY_DELAY,
	OPTION_RETRY_MAX_DELAY,
	OPTION_RETRY_BACKOFF,
	OPTION_NOTIFY,
	OPTION_DEDUPLICATION_SCOPE,
	OPTION_DEDUPLICATION_WINDOW,
	OPTION_COUNT
} QueueOption;

/* the columns of decouple.queue_definitions; options lie in their order */
#define DEFINITION_NUMBER			1
#define DEFINITION_NAME				2
#define DEFINITION_FIRST_OPTION		3
#define DEFINITION_PURPOSE			(DEFINITION_FIRST_OPTION + OPTION_COUNT)
#define DEFINITION_CREATED_AT		(DEFINITION_PURPOSE + 1)
#define DEFINITION_ALTERED_AT		(DEFINITION_CREATED_AT + 1)
#define DEFINITION_COLUMNS			DEFINITION_ALTERED_AT

typedef struct OptionValue
{
	bool		is_null;
	int64		number;			/* microseconds, number, boolean, which word */
	char		name[QUEUE_NAME_MAX + 1];	/* of a queue */
} OptionValue;

extern const char *option_name(QueueOption option);
extern OptionValue option_default(QueueOption option);
extern bool option_values_equal(const OptionValue *a, const OptionValue *b);

/*
 * Reads an option from argument "n"; false where it was not given.  22023
 * outside its range.
 */
extern bool option_from_argument(FunctionCallInfo fcinfo, int n,
								 QueueOption option, OptionValue *value);

/* raises 22023: an option is both given and reset */
extern void option_given_and_reset(const char *name);

/* the option that "reset" names; 22023 where there is none */
extern QueueOption option_by_name(const char *name);

/*
 * A queue or topic ("kind") is FIFO if and only if its name says so, and only
 * then it has what FIFO queues have: sets the option fifo, or raises 22023 or
 * QU006.
 */
extern void options_check_fifo(const char *kind, const char *name,
							   const bool *given, OptionValue *values);

/* between values and columns */
extern OptionValue option_from_datum(QueueOption option, Datum datum,
									 bool isnull);
extern Datum option_to_datum(QueueOption option, const OptionValue *value);

#endif							/* DECOUPLE_OPTIONS_H */
