/*
 * visit_groups.h
 *		A visit by groups, for the files of the visit only.
 */
#ifndef DECOUPLE_VISIT_GROUPS_H
#define DECOUPLE_VISIT_GROUPS_H

#include "store/visit.h"

/* how often rows of transactions that do not tell are looked at */
#define UNTOLD_RECHECK	USECS_PER_SEC

/* ---- visit.c: accounting for the scanned version ---- */

/* it stays behind, worth a look at "due" */
extern void visit_leave(Visit *visit, TimestampTz due);

/* all up to it is dealt with, if nothing blocks */
extern void visit_pass(Visit *visit);

/* ---- visit_groups.c ---- */

/* the scan steps over a version that blocks its group, unless it is delayed */
extern void visit_meet_blocker(Visit *visit, VersionStanding standing);

/* the scan is at a visible message; true if there is one to give */
extern bool visit_consider(Visit *visit);

/* begins the run of one of the groups that are tried one by one */
extern bool visit_try_groups(Visit *visit);

/* goes on in the open run, or ends it */
extern bool visit_next_of_run(Visit *visit);

/* the run gives no more: accounts for the message that it was begun for */
extern void visit_finish_run(Visit *visit);

/* frees what was kept of groups */
extern void visit_forget_groups(Visit *visit);

#endif							/* DECOUPLE_VISIT_GROUPS_H */
