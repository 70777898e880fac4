/*
 * steps.h
 *		Long work in short transactions.
 *
 * A step is a short piece of work in the current transaction.  After each the
 * caller's end_step is called, which commits it where the caller may, so that
 * no lock and no snapshot is held for long.
 */
#ifndef DECOUPLE_STEPS_H
#define DECOUPLE_STEPS_H

typedef void (*EndStep) (void);

#endif							/* DECOUPLE_STEPS_H */
