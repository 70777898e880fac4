/*
 * receipt.c
 *		The type decouple.receipt.
 *
 * As text a receipt is 64 hexadecimal digits: its 28 bytes in network order
 * and their CRC-32C, which catches what was cut or mistyped on the way.  It
 * is no secret and no signature: rights are the policy's affair.
 */
#include "postgres.h"

#include "access/hash.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "port/pg_bswap.h"
#include "port/pg_crc32c.h"
#include "storage/off.h"
#include "utils/builtins.h"

#include "base/errors.h"
#include "base/version.h"
#include "store/receipt.h"

PG_FUNCTION_INFO_V1(decouple_receipt_in);
PG_FUNCTION_INFO_V1(decouple_receipt_out);
PG_FUNCTION_INFO_V1(decouple_receipt_recv);
PG_FUNCTION_INFO_V1(decouple_receipt_send);
PG_FUNCTION_INFO_V1(decouple_receipt_from_text);
PG_FUNCTION_INFO_V1(decouple_receipt_to_text);
PG_FUNCTION_INFO_V1(decouple_receipt_cmp);
PG_FUNCTION_INFO_V1(decouple_receipt_eq);
PG_FUNCTION_INFO_V1(decouple_receipt_ne);
PG_FUNCTION_INFO_V1(decouple_receipt_lt);
PG_FUNCTION_INFO_V1(decouple_receipt_le);
PG_FUNCTION_INFO_V1(decouple_receipt_gt);
PG_FUNCTION_INFO_V1(decouple_receipt_ge);
PG_FUNCTION_INFO_V1(decouple_receipt_hash);
PG_FUNCTION_INFO_V1(decouple_receipt_hash_extended);

#define WIRE_PAYLOAD	28
#define WIRE_SIZE		32
#define TEXT_SIZE		(2 * WIRE_SIZE)

StaticAssertDecl(sizeof(Receipt) == WIRE_PAYLOAD,
				 "the type's INTERNALLENGTH in types.sql is 28");

/* ---- for the store ---- */

bool
receipt_address(const Receipt *receipt, ItemPointer address)
{
	if (receipt->block == InvalidBlockNumber ||
		receipt->offset < FirstOffsetNumber ||
		receipt->offset > MaxOffsetNumber)
		return false;
	ItemPointerSet(address, receipt->block, receipt->offset);
	return true;
}

void
receipt_make(Receipt *receipt, int64 id, int32 queue_number,
			 int32 receive_count, int32 fence, ReceiptPlace place,
			 const ItemPointerData *address)
{
	receipt->id_high = (uint32) ((uint64) id >> 32);
	receipt->id_low = (uint32) id;
	receipt->queue_number = queue_number;
	receipt->receive_count = receive_count;
	receipt->fence = fence;
	receipt->block = ItemPointerGetBlockNumber(address);
	receipt->offset = ItemPointerGetOffsetNumber(address);
	receipt->place = (uint8) place;
	receipt->version = RECEIPT_VERSION;
}

/* ---- outside: bytes and text ---- */

static void
malformed(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_RECEIPT_MALFORMED),
			 errmsg("malformed receipt"),
			 errdetail_internal("%s", detail),
			 errhint("Pass a receipt as decouple.receive() gave it.")));
}

static pg_crc32c
payload_crc(const uint8 *wire)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, wire, WIRE_PAYLOAD);
	FIN_CRC32C(crc);
	return crc;
}

static uint8 *
put_uint32(uint8 *wire, uint32 value)
{
	value = pg_hton32(value);
	memcpy(wire, &value, sizeof(value));
	return wire + sizeof(value);
}

static uint32
get_uint32(const uint8 *wire)
{
	uint32		value;

	memcpy(&value, wire, sizeof(value));
	return pg_ntoh32(value);
}

static void
receipt_to_wire(const Receipt *receipt, uint8 *wire)
{
	uint8	   *at = wire;

	at = put_uint32(at, receipt->id_high);
	at = put_uint32(at, receipt->id_low);
	at = put_uint32(at, (uint32) receipt->queue_number);
	at = put_uint32(at, (uint32) receipt->receive_count);
	at = put_uint32(at, (uint32) receipt->fence);
	at = put_uint32(at, receipt->block);
	at = put_uint32(at, ((uint32) receipt->offset << 16) |
					((uint32) receipt->place << 8) | receipt->version);
	put_uint32(at, payload_crc(wire));
}

static Receipt *
receipt_from_wire(const uint8 *wire)
{
	Receipt    *receipt = palloc(sizeof(Receipt));
	uint32		last = get_uint32(wire + 24);

	if (get_uint32(wire + WIRE_PAYLOAD) != payload_crc(wire))
		malformed("Its checksum does not fit.");
	receipt->id_high = get_uint32(wire);
	receipt->id_low = get_uint32(wire + 4);
	receipt->queue_number = (int32) get_uint32(wire + 8);
	receipt->receive_count = (int32) get_uint32(wire + 12);
	receipt->fence = (int32) get_uint32(wire + 16);
	receipt->block = get_uint32(wire + 20);
	receipt->offset = (uint16) (last >> 16);
	receipt->place = (uint8) (last >> 8);
	receipt->version = (uint8) last;
	if (receipt->version != RECEIPT_VERSION ||
		(receipt->place != RECEIPT_IN_QUEUE &&
		 receipt->place != RECEIPT_IN_PARKED))
		malformed("It has another version than this one.");
	return receipt;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	malformed("It has characters other than hexadecimal digits.");
	return 0;					/* not reached */
}

static Receipt *
receipt_parse(const char *text, int length)
{
	uint8		wire[WIRE_SIZE];

	if (length != TEXT_SIZE)
		malformed("It does not have 64 characters.");
	for (int i = 0; i < WIRE_SIZE; i++)
		wire[i] = (uint8) (hex_digit(text[2 * i]) << 4 |
						   hex_digit(text[2 * i + 1]));
	return receipt_from_wire(wire);
}

static void
receipt_print(const Receipt *receipt, char *text)
{
	static const char digits[] = "0123456789abcdef";
	uint8		wire[WIRE_SIZE];

	receipt_to_wire(receipt, wire);
	for (int i = 0; i < WIRE_SIZE; i++)
	{
		text[2 * i] = digits[wire[i] >> 4];
		text[2 * i + 1] = digits[wire[i] & 0xf];
	}
}

Datum
decouple_receipt_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);

	PG_RETURN_POINTER(receipt_parse(text, strlen(text)));
}

Datum
decouple_receipt_out(PG_FUNCTION_ARGS)
{
	char	   *text = palloc(TEXT_SIZE + 1);

	receipt_print(PG_GETARG_RECEIPT_P(0), text);
	text[TEXT_SIZE] = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
decouple_receipt_from_text(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);

	PG_RETURN_POINTER(receipt_parse(VARDATA_ANY(value),
									VARSIZE_ANY_EXHDR(value)));
}

Datum
decouple_receipt_to_text(PG_FUNCTION_ARGS)
{
	char		buffer[TEXT_SIZE];

	receipt_print(PG_GETARG_RECEIPT_P(0), buffer);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buffer, TEXT_SIZE));
}

Datum
decouple_receipt_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);

	if (message->len - message->cursor != WIRE_SIZE)
		malformed("It does not have 32 bytes.");
	PG_RETURN_POINTER(receipt_from_wire((const uint8 *)
										pq_getmsgbytes(message, WIRE_SIZE)));
}

Datum
decouple_receipt_send(PG_FUNCTION_ARGS)
{
	StringInfoData message;
	uint8		wire[WIRE_SIZE];

	receipt_to_wire(PG_GETARG_RECEIPT_P(0), wire);
	pq_begintypsend(&message);
	pq_sendbytes(&message, (char *) wire, WIRE_SIZE);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* ---- order: that of the message ids, then of the rest ---- */

static int
receipt_compare(FunctionCallInfo fcinfo)
{
	uint8		left[WIRE_SIZE];
	uint8		right[WIRE_SIZE];

	receipt_to_wire(PG_GETARG_RECEIPT_P(0), left);
	receipt_to_wire(PG_GETARG_RECEIPT_P(1), right);
	return memcmp(left, right, WIRE_PAYLOAD);
}

Datum
decouple_receipt_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(receipt_compare(fcinfo));
}

Datum
decouple_receipt_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(receipt_compare(fcinfo) == 0);
}

Datum
decouple_receipt_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(receipt_compare(fcinfo) != 0);
}

Datum
decouple_receipt_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(receipt_compare(fcinfo) < 0);
}

Datum
decouple_receipt_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(receipt_compare(fcinfo) <= 0);
}

Datum
decouple_receipt_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(receipt_compare(fcinfo) > 0);
}

Datum
decouple_receipt_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(receipt_compare(fcinfo) >= 0);
}

Datum
decouple_receipt_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(hash_any((unsigned char *) PG_GETARG_RECEIPT_P(0),
							 sizeof(Receipt)));
}

Datum
decouple_receipt_hash_extended(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(hash_any_extended((unsigned char *) PG_GETARG_RECEIPT_P(0),
									  sizeof(Receipt), PG_GETARG_INT64(1)));
}
