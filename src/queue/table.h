/*
 * table.h
 *		A queue's table: made, found, verified, dropped.
 */
#ifndef DECOUPLE_QUEUE_TABLE_H
#define DECOUPLE_QUEUE_TABLE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/rel.h"

/* decouple.q_<number>, or InvalidOid */
extern Oid	queue_table_find(int32 number);
extern Oid	queue_table_owner(Oid table);

/* makes the table of a new queue; it belongs to "owner" */
extern void queue_table_create(int32 number, const char *queue_name,
							   bool fifo, Oid owner);

/* drops it as DROP TABLE does: 2BP01 where something depends on it */
extern void queue_table_drop(int32 number);

/* in an sql_drop event trigger: the numbers of queues whose tables are dropped */
extern List *queue_tables_dropped(void);

/*
 * Is the table as it was made?  55000 where it was altered, or false where
 * altered_ok.  *order_index gets its primary key, *group_index a FIFO queue's
 * index on (group_id, id).
 */
extern bool queue_table_verify(Relation heap, const char *queue_name,
							   bool fifo, bool altered_ok, Oid *order_index,
							   Oid *group_index);

#endif							/* DECOUPLE_QUEUE_TABLE_H */
