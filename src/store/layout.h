/*
 * layout.h
 *		The columns of a queue's table and of decouple.parked_messages.
 *
 * Both have the same columns in the same places; the parked table, which all
 * queues share, has the queue's number after them.
 *
 * The order is made for short rows and little WAL.  What a receive changes
 * lies together and is NULL until then.  Columns that are rarely set lie
 * behind the common ones: where all of them are NULL the row is stored
 * without them, as rows are that are older than an added column, and needs no
 * longer header than a row of eight columns.
 */
#ifndef DECOUPLE_LAYOUT_H
#define DECOUPLE_LAYOUT_H

#define MESSAGE_ID					1	/* bigint, primary key */
#define MESSAGE_SENT_AT				2	/* timestamptz */
#define MESSAGE_VISIBLE_AT			3	/* timestamptz: due, or end of the lease;
										 * NULL: visible since it was sent */
#define MESSAGE_RECEIVE_COUNT		4	/* int: all receives, in any queue;
										 * NULL: 0 */
#define MESSAGE_FENCE				5	/* int: random per receive; NULL: none
										 * since it was sent */
#define MESSAGE_FIRST_RECEIVED_AT	6	/* timestamptz or NULL */
#define MESSAGE_SENDER				7	/* text: role */
#define MESSAGE_BODY				8	/* text */
#define MESSAGE_COMMON_COLUMNS		8
#define MESSAGE_RECEIVED_BEFORE		9	/* int: receives in earlier queues;
										 * NULL: 0 */
#define MESSAGE_DUE_AT				10	/* timestamptz: start of retention;
										 * NULL: sent_at */
#define MESSAGE_EXPIRES_AT			11	/* timestamptz or NULL: from expires_in */
#define MESSAGE_ORIGINAL_ID			12	/* bigint or NULL: id before a redrive */
#define MESSAGE_GROUP_ID			13	/* text or NULL */
#define MESSAGE_DEDUPLICATION_ID	14	/* text or NULL */
#define MESSAGE_DEAD_LETTER_SOURCE	15	/* decouple.queue or NULL */
#define MESSAGE_LAST_ERROR			16	/* text or NULL */
#define MESSAGE_ATTRIBUTES			17	/* jsonb or NULL for {} */
#define MESSAGE_SUBJECT				18	/* text or NULL: of a publication */
#define MESSAGE_STRUCTURE			19	/* text or NULL: of a publication */
#define MESSAGE_COLUMNS				19
#define PARKED_QUEUE_NUMBER			20	/* int, parked table only */
#define PARKED_COLUMNS				20

#endif							/* DECOUPLE_LAYOUT_H */
