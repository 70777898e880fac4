/*
 * functions.h
 *		Calls the functions of subscriptions in a process of their own.
 *
 * A function may take its time limit.  In the upkeep worker that would hold up
 * everything else; so that worker hands over lanes whose transport is apart: it
 * raises QueueSlot.call and asks for the function worker.  Who dies in between
 * costs a second: messages that wait are handed over again.
 */
#ifndef DECOUPLE_FUNCTIONS_H
#define DECOUPLE_FUNCTIONS_H

#include "postgres.h"

/* for the upkeep worker: a LaneHandOver; false: do it yourself */
extern bool functions_hand_over(int32 queue_number);

/* as worker_tick() of tick.h; WORKER_DONE where there was nothing for a minute */
extern long functions_tick(void);

#endif							/* DECOUPLE_FUNCTIONS_H */
