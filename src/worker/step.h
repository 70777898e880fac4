/*
 * step.h
 *		A worker's work in steps: each is a transaction of its own.
 */
#ifndef DECOUPLE_STEP_H
#define DECOUPLE_STEP_H

#include "postgres.h"

/* a tick begins: steps have an empty memory context, which is current now */
extern void steps_begin(void);

extern void step_begin(void);
extern void step_commit(void);

/* ends a step and begins the next: an EndStep for those whose work is longer */
extern void step_end(void);

#endif							/* DECOUPLE_STEP_H */
