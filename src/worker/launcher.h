/*
 * launcher.h
 *		The launcher, the workers, and those in whose way they must not be.
 */
#ifndef DECOUPLE_LAUNCHER_H
#define DECOUPLE_LAUNCHER_H

/* registers the launcher with the postmaster; only while preloading */
extern void launcher_init(void);

/* sees to it that commands on whole databases do not meet a worker */
extern void leave_init(void);

#endif							/* DECOUPLE_LAUNCHER_H */
