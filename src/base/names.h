/*
 * names.h
 *		The types decouple.queue and decouple.topic: names of good form.
 */
#ifndef DECOUPLE_NAMES_H
#define DECOUPLE_NAMES_H

#include "postgres.h"

#include "fmgr.h"

#define QUEUE_NAME_MAX	80
#define TOPIC_NAME_MAX	256

/* does a queue's or topic's name end in ".fifo"? */
extern bool name_is_fifo(const char *name);

/* the input function of type queue: 22023 for a bad form */
extern Datum decouple_queue_in(PG_FUNCTION_ARGS);

#endif							/* DECOUPLE_NAMES_H */
