/*
 * settings.h
 *		Every setting of decouple, and the clock that one of them shifts.
 */
#ifndef DECOUPLE_SETTINGS_H
#define DECOUPLE_SETTINGS_H

#include "datatype/timestamp.h"
#include "utils/guc.h"

/* decouple.max_wait_time, in milliseconds */
extern int	decouple_max_wait_time;

/* decouple.max_queues and decouple.max_held_keys, set at server start */
extern int	decouple_max_queues;
extern int	decouple_max_held_keys;

/* decouple.delivery, decouple.egress_allow and decouple.public_url */
extern bool decouple_delivery;
extern char *decouple_egress_allow;
extern char *decouple_public_url;

/* the limits of a filter policy: decouple.filter_max_... */
extern int	decouple_filter_max_combinations;
extern int	decouple_filter_max_keys;

/* decouple.upkeep, and decouple.upkeep_interval in milliseconds */
extern bool decouple_upkeep;
extern int	decouple_upkeep_interval;

/*
 * Defines them.  What a network is only a higher floor knows, and all settings of
 * the prefix are defined at once, so the check of decouple.egress_allow is handed in.
 */
extern void settings_init(GucStringCheckHook check_egress_allow);

/*
 * The clock that every due time, lease and retention is judged by: the wall
 * clock's now, not the transaction's, plus decouple.clock_shift (a setting
 * for tests, superusers only).
 */
extern TimestampTz decouple_now(void);

/* is this session's clock another than the others'? */
extern bool decouple_clock_is_shifted(void);

#endif							/* DECOUPLE_SETTINGS_H */
