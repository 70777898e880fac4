/*
 * fan_out.h
 *		From what was published to what each subscription gets.
 */
#ifndef DECOUPLE_FAN_OUT_H
#define DECOUPLE_FAN_OUT_H

#include "postgres.h"

extern void fan_out_init(void);

/*
 * Fans out a bounded number of a topic's publications in the current
 * transaction.  True if there may be more.  A topic that is gone or unfit, or
 * whose table or a subscription's somebody has locked, is passed by.
 */
extern bool fan_out_step(int32 topic_number);

#endif							/* DECOUPLE_FAN_OUT_H */
