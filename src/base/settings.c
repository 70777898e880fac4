/*
 * settings.c
 *		Every setting of decouple, in the order of their names.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/settings.h"

int			decouple_max_wait_time = 20000;

static int	clock_shift = 0;	/* seconds */

void
settings_init(void)
{
	DefineCustomIntVariable("decouple.clock_shift",
							"Shifts the clock that due times are judged by, for tests.",
							NULL,
							&clock_shift,
							0, INT_MIN / 2, INT_MAX / 2,
							PGC_SUSET,
							GUC_UNIT_S | GUC_NOT_IN_SAMPLE,
							NULL, NULL, NULL);

	DefineCustomIntVariable("decouple.max_wait_time",
							"The longest time that a receive may wait for a message.",
							"Waiting holds the statement's snapshot.",
							&decouple_max_wait_time,
							20000, 0, 3600000,
							PGC_SUSET,
							GUC_UNIT_MS,
							NULL, NULL, NULL);

	MarkGUCPrefixReserved("decouple");
}

TimestampTz
decouple_now(void)
{
	return GetCurrentTimestamp() + (int64) clock_shift * USECS_PER_SEC;
}
