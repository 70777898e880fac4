/*
 * settings.c
 *		Every setting of decouple, in the order of their names.
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/settings.h"

int			decouple_filter_max_combinations = 150;
int			decouple_filter_max_keys = 5;
int			decouple_max_held_keys = 128;
int			decouple_max_queues = 1000;
int			decouple_max_wait_time = 20000;
bool		decouple_upkeep = true;
int			decouple_upkeep_interval = 1000;

bool		decouple_delivery = true;
char	   *decouple_egress_allow = NULL;
char	   *decouple_public_url = NULL;

static int	clock_shift = 0;	/* seconds */

/* Settings that size shared memory; they mean nothing without it. */
static void
preload_settings_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	DefineCustomIntVariable("decouple.max_held_keys",
							"How many ranges of held messages, and of rolled-back receives, are kept for each queue.",
							"When there is no room, ranges are joined, and rolled-back receives go uncounted.",
							&decouple_max_held_keys,
							128, 16, 65536,
							PGC_POSTMASTER,
							0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("decouple.max_queues",
							"How many queues, topics and subscriptions of all databases have a place in shared memory.",
							"Those beyond that work as if the library were not preloaded.",
							&decouple_max_queues,
							1000, 1, 100000,
							PGC_POSTMASTER,
							0,
							NULL, NULL, NULL);
}

void
settings_init(GucStringCheckHook check_egress_allow)
{
	DefineCustomIntVariable("decouple.clock_shift",
							"Shifts the clock that due times are judged by, for tests.",
							NULL,
							&clock_shift,
							0, INT_MIN / 2, INT_MAX / 2,
							PGC_SUSET,
							GUC_UNIT_S | GUC_NOT_IN_SAMPLE,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("decouple.delivery",
							 "Delivers what is published to topics.",
							 "While it is off what is to be delivered waits.",
							 &decouple_delivery,
							 true,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);

	DefineCustomStringVariable("decouple.egress_allow",
							   "Private and local networks that deliveries by HTTP may reach, separated by commas.",
							   "Public addresses may be reached always.",
							   &decouple_egress_allow,
							   "",
							   PGC_SUSET,
							   GUC_LIST_INPUT,
							   check_egress_allow, NULL, NULL);

	DefineCustomIntVariable("decouple.filter_max_combinations",
							"How many combinations of values a filter policy may have.",
							NULL,
							&decouple_filter_max_combinations,
							150, 1, 1000000,
							PGC_SUSET,
							0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("decouple.filter_max_keys",
							"How many keys a filter policy may have.",
							NULL,
							&decouple_filter_max_keys,
							5, 1, 10000,
							PGC_SUSET,
							0,
							NULL, NULL, NULL);

	DefineCustomIntVariable("decouple.max_wait_time",
							"The longest time that a receive may wait for a message.",
							"Waiting holds the statement's snapshot.",
							&decouple_max_wait_time,
							20000, 0, 3600000,
							PGC_SUSET,
							GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomStringVariable("decouple.public_url",
							   "Where the user's web server answers confirmations, and gives certificates.",
							   "For example https://example.org/decouple.",
							   &decouple_public_url,
							   "",
							   PGC_SUSET,
							   0,
							   NULL, NULL, NULL);

	DefineCustomBoolVariable("decouple.upkeep",
							 "Runs a worker in each database that has the extension.",
							 "It needs the library in shared_preload_libraries.",
							 &decouple_upkeep,
							 true,
							 PGC_SIGHUP,
							 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("decouple.upkeep_interval",
							"How often a worker looks for work that nobody woke it for.",
							NULL,
							&decouple_upkeep_interval,
							1000, 100, 60000,
							PGC_SIGHUP,
							GUC_UNIT_MS,
							NULL, NULL, NULL);

	preload_settings_init();
	MarkGUCPrefixReserved("decouple");
}

TimestampTz
decouple_now(void)
{
	return GetCurrentTimestamp() + (int64) clock_shift * USECS_PER_SEC;
}

bool
decouple_clock_is_shifted(void)
{
	return clock_shift != 0;
}
