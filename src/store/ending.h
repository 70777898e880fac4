/*
 * ending.h
 *		A transaction ends, and the shared memory is told what it did.
 */
#ifndef DECOUPLE_ENDING_H
#define DECOUPLE_ENDING_H

/* registers for the ends of transactions and savepoints, once per process */
extern void ending_init(void);

#endif							/* DECOUPLE_ENDING_H */
