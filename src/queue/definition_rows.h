/*
 * definition_rows.h
 *		The rows of decouple.queue_definitions, written with their tables.
 *
 * A queue is a row and a table: they are made and dropped together here, for
 * queues and for what topics keep.  The caller has checked what is allowed and
 * has locked the name.
 */
#ifndef DECOUPLE_DEFINITION_ROWS_H
#define DECOUPLE_DEFINITION_ROWS_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "utils/rel.h"

#include "queue/definition.h"
#include "queue/options.h"

/* locks a name until the transaction ends, against its makers and droppers */
extern void definitions_lock_name(const char *name);

/* the same if nobody has it */
extern bool definitions_try_lock_name(const char *name);

/* opens the table to write; the caller closes it and keeps the lock */
extern Relation definitions_open(void);

/* the row of a queue, a copy, or NULL */
extern HeapTuple definitions_find(Relation definitions, const char *name);

/* its options, OPTION_COUNT of them */
extern void definitions_options(HeapTuple tuple, TupleDesc descriptor,
								OptionValue *options);

/* makes a queue that belongs to "owner"; returns its number */
extern int32 definitions_insert(Relation definitions, const char *name,
								QueuePurpose purpose,
								const OptionValue *options, Oid owner);

/* changes the options of "old", a queue that is "definition" */
extern void definitions_update(Relation definitions, HeapTuple old,
							   const OptionValue *options,
							   const QueueDefinition *definition);

/* drops it as DROP TABLE does: 2BP01 where something depends on the table */
extern void definitions_drop(Relation definitions,
							 const QueueDefinition *definition);

/* removes the row, and what is remembered, of a queue whose table was dropped */
extern void definitions_forget(Relation definitions, int32 number);

#endif							/* DECOUPLE_DEFINITION_ROWS_H */
