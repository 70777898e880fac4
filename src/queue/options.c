/*
 * options.c
 *		The options of a queue: their ranges, defaults, and columns.
 *
 * One table says all that there is to say about an option; range checks,
 * comparison, columns and reset derive from it.  Ranges and defaults follow
 * SQS where it has the option, with wider upper bounds.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/settings.h"
#include "queue/definition.h"
#include "queue/options.h"

typedef enum OptionKind
{
	KIND_INTERVAL,
	KIND_INTEGER,
	KIND_BOOLEAN,
	KIND_QUEUE,
	KIND_WORD
} OptionKind;

typedef struct Option
{
	const char *name;
	OptionKind	kind;
	int64		minimum;
	int64		maximum;
	int64		otherwise;		/* the default; -1: NULL */
	const char *const *words;	/* of KIND_WORD, NULL behind the last */
} Option;

#define SECONDS(n)		((n) * USECS_PER_SEC)
#define NO_VALUE		INT64CONST(-1)

/* in the order of their enums */
static const char *const backoff_words[] = {
	[BACKOFF_NONE] = "none",
	[BACKOFF_LINEAR] = "linear",
	[BACKOFF_EXPONENTIAL] = "exponential",
	NULL
};

static const char *const scope_words[] = {
	[SCOPE_QUEUE] = "queue",
	[SCOPE_MESSAGE_GROUP] = "message_group",
	NULL
};

static const Option options[OPTION_COUNT] = {
	[OPTION_VISIBILITY_TIMEOUT] =
	{"visibility_timeout", KIND_INTERVAL, 0, USECS_PER_LEASE_MAX, SECONDS(30)},
	[OPTION_DELAY] =
	{"delay", KIND_INTERVAL, 0, USECS_PER_LEASE_MAX, 0},
	[OPTION_RETENTION] =
	{"retention", KIND_INTERVAL, SECONDS(60), USECS_PER_RETENTION_MAX, 4 * USECS_PER_DAY},
	/* the upper bound of wait_time is the setting decouple.max_wait_time */
	[OPTION_WAIT_TIME] =
	{"wait_time", KIND_INTERVAL, 0, 0, 0},
	[OPTION_MAX_MESSAGE_SIZE] =
	{"max_message_size", KIND_INTEGER, 1024, 64 * 1024 * 1024, 262144},
	[OPTION_DEAD_LETTER_QUEUE] =
	{"dead_letter_queue", KIND_QUEUE, 0, 0, NO_VALUE},
	[OPTION_MAX_RECEIVE_COUNT] =
	{"max_receive_count", KIND_INTEGER, 1, 1000, NO_VALUE},
	[OPTION_FIFO] =
	{"fifo", KIND_BOOLEAN, 0, 1, false},
	[OPTION_CONTENT_BASED_DEDUPLICATION] =
	{"content_based_deduplication", KIND_BOOLEAN, 0, 1, false},
	[OPTION_RETRY_DELAY] =
	{"retry_delay", KIND_INTERVAL, 0, USECS_PER_LEASE_MAX, 0},
	[OPTION_RETRY_MAX_DELAY] =
	{"retry_max_delay", KIND_INTERVAL, 0, USECS_PER_LEASE_MAX, 0},
	[OPTION_RETRY_BACKOFF] =
	{"retry_backoff", KIND_WORD, 0, 0, BACKOFF_NONE, backoff_words},
	[OPTION_NOTIFY] =
	{"notify", KIND_BOOLEAN, 0, 1, true},
	/* sqs: DeduplicationScope */
	[OPTION_DEDUPLICATION_SCOPE] =
	{"deduplication_scope", KIND_WORD, 0, 0, SCOPE_QUEUE, scope_words},
	/* sqs: five minutes, fixed */
	[OPTION_DEDUPLICATION_WINDOW] =
	{"deduplication_window", KIND_INTERVAL, SECONDS(1), 30 * USECS_PER_DAY, 5 * USECS_PER_MINUTE},
};

const char *
option_name(QueueOption option)
{
	return options[option].name;
}

OptionValue
option_default(QueueOption option)
{
	OptionValue value = {0};

	value.is_null = options[option].otherwise == NO_VALUE;
	value.number = value.is_null ? 0 : options[option].otherwise;
	return value;
}

bool
option_values_equal(const OptionValue *a, const OptionValue *b)
{
	return a->is_null == b->is_null && a->number == b->number &&
		strcmp(a->name, b->name) == 0;
}

/* The words of an option as a hint has them: a, b or c. */
static char *
list_words(const char *const *words)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; words[i] != NULL; i++)
		appendStringInfo(&list, "%s%s",
						 i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ",
						 words[i]);
	return list.data;
}

static int64
word_from_text(const Option *option, text *value)
{
	char	   *word = text_to_cstring(value);

	for (int i = 0; option->words[i] != NULL; i++)
	{
		if (strcmp(word, option->words[i]) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid %s: \"%s\"", option->name, word),
			 errhint("Use %s.", list_words(option->words))));
	return 0;					/* not reached */
}

static int64
interval_from_argument(FunctionCallInfo fcinfo, int n, QueueOption option)
{
	const Option *o = &options[option];
	int64		maximum = option == OPTION_WAIT_TIME ?
		(int64) decouple_max_wait_time * 1000 : o->maximum;
	Interval   *interval = PG_GETARG_INTERVAL_P(n);

	/* 0 stands apart from the range: it keeps for ever */
	if (option == OPTION_RETENTION && interval->month == 0 && interval->day == 0 &&
		interval->time == 0)
		return 0;
	return interval_in_range(interval, o->name, o->minimum, maximum);
}

bool
option_from_argument(FunctionCallInfo fcinfo, int n, QueueOption option,
					 OptionValue *value)
{
	const Option *o = &options[option];

	memset(value, 0, sizeof(*value));
	if (PG_ARGISNULL(n))
		return false;
	switch (o->kind)
	{
		case KIND_INTERVAL:
			value->number = interval_from_argument(fcinfo, n, option);
			break;
		case KIND_INTEGER:
			value->number = argument_int(fcinfo, n, o->name, o->minimum,
										 o->maximum, 0);
			break;
		case KIND_BOOLEAN:
			value->number = PG_GETARG_BOOL(n);
			break;
		case KIND_QUEUE:
			text_to_cstring_buffer(PG_GETARG_TEXT_PP(n), value->name,
								   sizeof(value->name));
			break;
		case KIND_WORD:
			value->number = word_from_text(o, PG_GETARG_TEXT_PP(n));
			break;
	}
	return true;
}

void
option_given_and_reset(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" is both given and reset", name),
			 errhint("Do one or the other.")));
}

QueueOption
option_by_name(const char *name)
{
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		if (strcmp(options[i].name, name) == 0)
			return (QueueOption) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a queue has no option \"%s\"", name),
			 errhint("The columns of decouple.queues are the options.")));
	return OPTION_COUNT;		/* not reached */
}

/* sqs: CreateQueue, FifoQueue; sns: CreateTopic, FifoTopic */
void
options_check_fifo(const char *kind, const char *name, const bool *given,
				   OptionValue *values)
{
	static const QueueOption of_fifo[] = {
		OPTION_CONTENT_BASED_DEDUPLICATION, OPTION_DEDUPLICATION_SCOPE,
		OPTION_DEDUPLICATION_WINDOW
	};
	bool		fifo = name_is_fifo(name);

	if (given[OPTION_FIFO] && fifo != (values[OPTION_FIFO].number != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 fifo ?
				 errmsg("%s \"%s\" is a FIFO %s by its name", kind, name, kind) :
				 errmsg("the name of FIFO %s \"%s\" does not end in \".fifo\"",
						kind, name),
				 errhint("The name of a FIFO %s ends in \".fifo\", and no other %s's does.",
						 kind, kind)));
	values[OPTION_FIFO].number = fifo;
	for (int i = 0; i < (int) lengthof(of_fifo) && !fifo; i++)
	{
		if (given[of_fifo[i]] &&
			(of_fifo[i] != OPTION_CONTENT_BASED_DEDUPLICATION ||
			 values[of_fifo[i]].number != 0))
			ereport(ERROR,
					(errcode(ERRCODE_FIFO_ATTRIBUTE),
					 errmsg("a standard %s has no %s", kind,
							option_name(of_fifo[i])),
					 errhint("Create a FIFO %s: its name ends in \".fifo\".",
							 kind)));
	}
}

OptionValue
option_from_datum(QueueOption option, Datum datum, bool isnull)
{
	OptionValue value = {0};

	value.is_null = isnull;
	if (isnull)
		return value;
	switch (options[option].kind)
	{
		case KIND_INTERVAL:
			{
				Interval   *interval = DatumGetIntervalP(datum);

				value.number = interval->time +
					(interval->day + (int64) interval->month * DAYS_PER_MONTH) *
					USECS_PER_DAY;
				break;
			}
		case KIND_INTEGER:
			value.number = DatumGetInt32(datum);
			break;
		case KIND_BOOLEAN:
			value.number = DatumGetBool(datum);
			break;
		case KIND_QUEUE:
			text_to_cstring_buffer(DatumGetTextPP(datum), value.name,
								   sizeof(value.name));
			break;
		case KIND_WORD:
			value.number = word_from_text(&options[option],
										  DatumGetTextPP(datum));
			break;
	}
	return value;
}

Datum
option_to_datum(QueueOption option, const OptionValue *value)
{
	if (value->is_null)
		return (Datum) 0;
	switch (options[option].kind)
	{
		case KIND_INTERVAL:
			{
				Interval   *interval = palloc0(sizeof(Interval));

				interval->day = value->number / USECS_PER_DAY;
				interval->time = value->number % USECS_PER_DAY;
				return IntervalPGetDatum(interval);
			}
		case KIND_INTEGER:
			return Int32GetDatum((int32) value->number);
		case KIND_BOOLEAN:
			return BoolGetDatum(value->number != 0);
		case KIND_QUEUE:
			return CStringGetTextDatum(value->name);
		case KIND_WORD:
			return CStringGetTextDatum(options[option].words[value->number]);
	}
	return (Datum) 0;			/* not reached */
}
