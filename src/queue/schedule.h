/*
 * schedule.h
 *		Recurring calls, by pg_cron.
 */
#ifndef DECOUPLE_SCHEDULE_H
#define DECOUPLE_SCHEDULE_H

#include "postgres.h"

#include "fmgr.h"

/* a schedule's name from an argument: 22004, 22023 */
extern char *schedule_name_argument(FunctionCallInfo fcinfo, int n);

/*
 * Makes the schedule of that name, or finds it: the id of its job.  The caller
 * has checked what the command is about.  Errors: 0A000 where pg_cron is not to
 * be had, 22023 for a bad schedule, 42501, QU002.
 */
extern int64 schedule_command(const char *name, const char *schedule,
							  const char *command);

#endif							/* DECOUPLE_SCHEDULE_H */
