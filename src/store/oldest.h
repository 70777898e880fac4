/*
 * oldest.h
 *		When was the oldest message of a queue sent?
 */
#ifndef DECOUPLE_OLDEST_H
#define DECOUPLE_OLDEST_H

#include "store/store.h"

/*
 * DT_NOEND where the queue is empty.  It looks where a receive would, and at
 * a bounded number of rows: where these are all dead, the answer is the time
 * of the last of them, which may be a little too old.
 */
extern TimestampTz store_oldest(Store *store);

#endif							/* DECOUPLE_OLDEST_H */
