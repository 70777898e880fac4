/*
 * receipt.h
 *		The receipt handle: which claim of which message.
 *
 * A receipt comes back from outside, so nothing in it is believed.  Queue
 * number, id, receive count and fence decide whether it is good; the address
 * is a cache.
 */
#ifndef DECOUPLE_RECEIPT_H
#define DECOUPLE_RECEIPT_H

#include "postgres.h"

#include "fmgr.h"
#include "storage/itemptr.h"

typedef enum ReceiptPlace
{
	RECEIPT_IN_QUEUE = 1,		/* the queue's own table */
	RECEIPT_IN_PARKED = 2		/* decouple.parked_messages */
} ReceiptPlace;

/* the id in two halves, so that the type's alignment is that of int */
typedef struct Receipt
{
	uint32		id_high;
	uint32		id_low;
	int32		queue_number;
	int32		receive_count;
	int32		fence;			/* random per claim, never 0 */
	uint32		block;
	uint16		offset;
	uint8		place;
	uint8		version;		/* of this layout */
} Receipt;

#define RECEIPT_VERSION		1

#define DatumGetReceiptP(datum)		((Receipt *) DatumGetPointer(datum))
#define ReceiptPGetDatum(receipt)	PointerGetDatum(receipt)
#define PG_GETARG_RECEIPT_P(n)		DatumGetReceiptP(PG_GETARG_DATUM(n))

static inline int64
receipt_id(const Receipt *receipt)
{
	return (int64) (((uint64) receipt->id_high << 32) | receipt->id_low);
}

static inline ReceiptPlace
receipt_place(const Receipt *receipt)
{
	return (ReceiptPlace) receipt->place;
}

/* false where no tuple can have that address */
extern bool receipt_address(const Receipt *receipt, ItemPointer address);

extern void receipt_make(Receipt *receipt, int64 id, int32 queue_number,
						 int32 receive_count, int32 fence, ReceiptPlace place,
						 const ItemPointerData *address);

#endif							/* DECOUPLE_RECEIPT_H */
