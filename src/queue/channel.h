/*
 * channel.h
 *		The LISTEN channel of a queue.
 */
#ifndef DECOUPLE_CHANNEL_H
#define DECOUPLE_CHANNEL_H

#include "postgres.h"

/* "decouple." and the queue's name, cut to what an identifier holds */
extern void channel_name(const char *queue_name, char channel[NAMEDATALEN]);

#endif							/* DECOUPLE_CHANNEL_H */
