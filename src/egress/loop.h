/*
 * loop.h
 *		The conversation of decouple-egress with the worker.
 */
#ifndef DECOUPLE_LOOP_H
#define DECOUPLE_LOOP_H

/* so many requests run at once, where there are files enough */
#define LOOP_REQUESTS_MOST	1024

/*
 * Performs what the other end of a socket asks for, so many requests at once,
 * until that end closes: then NULL.  Else a line that says what went wrong.
 */
extern const char *loop_run(int worker, int requests_most);

#endif							/* DECOUPLE_LOOP_H */
