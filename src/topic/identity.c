/*
 * identity.c
 *		Which database this is: what ids and names of messages are made of.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/indexing.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"

#include "base/catalog.h"
#include "base/rows.h"
#include "base/version.h"
#include "security/policy.h"
#include "topic/identity.h"

PG_FUNCTION_INFO_V1(decouple_adopt_deliveries);
PG_FUNCTION_INFO_V1(decouple_deliveries_are_ours);

enum IdentityColumn
{
	IDENTITY_UUID = 1,
	IDENTITY_SYSTEM,
	IDENTITY_DATABASE,
	IDENTITY_COLUMNS = IDENTITY_DATABASE
};

/* The row, a copy, or NULL. */
static HeapTuple
read_identity(Relation rel)
{
	RowScan		rows;
	HeapTuple	tuple;

	rows_begin(&rows, rel);
	tuple = rows_next(&rows);
	rows_end(&rows);
	return tuple;
}

/* Sets the columns that say which database this is. */
static void
put_database(Datum *values)
{
	values[IDENTITY_SYSTEM - 1] = Int64GetDatum((int64) GetSystemIdentifier());
	values[IDENTITY_DATABASE - 1] = ObjectIdGetDatum(MyDatabaseId);
}

void
identity_ensure(void)
{
	Relation	rel = table_open(catalog_object(CATALOG_DATABASE_IDENTITY),
								 ShareRowExclusiveLock);

	if (read_identity(rel) == NULL)
	{
		Datum		values[IDENTITY_COLUMNS];
		bool		nulls[IDENTITY_COLUMNS] = {false};
		pg_uuid_t	uuid;

		if (!pg_strong_random(uuid.data, UUID_LEN))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values"),
					 errhint("Try again.")));
		values[IDENTITY_UUID - 1] = UUIDPGetDatum(&uuid);
		put_database(values);
		CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values,
												nulls));
		CommandCounterIncrement();
	}
	table_close(rel, NoLock);
}

/* False where there is no identity yet. */
static bool
get_identity(pg_uuid_t *uuid, int64 *system_identifier, Oid *database)
{
	Relation	rel = table_open(catalog_object(CATALOG_DATABASE_IDENTITY),
								 AccessShareLock);
	HeapTuple	tuple = read_identity(rel);

	if (tuple != NULL)
	{
		Datum		values[IDENTITY_COLUMNS];
		bool		nulls[IDENTITY_COLUMNS];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		*uuid = *DatumGetUUIDP(values[IDENTITY_UUID - 1]);
		*system_identifier = DatumGetInt64(values[IDENTITY_SYSTEM - 1]);
		*database = DatumGetObjectId(values[IDENTITY_DATABASE - 1]);
	}
	table_close(rel, AccessShareLock);
	return tuple != NULL;
}

bool
identity_is_ours(void)
{
	pg_uuid_t	uuid;
	int64		system_identifier;
	Oid			database;

	return !get_identity(&uuid, &system_identifier, &database) ||
		(system_identifier == (int64) GetSystemIdentifier() &&
		 database == MyDatabaseId);
}

/*
 * Eight bytes of the database and eight of the message, as a UUID of version 8
 * (RFC 9562): ids are below 2^62, so the variant's bits have room.
 */
void
identity_message_uuid(int64 message_id, char *text)
{
	static pg_uuid_t known;
	static Oid	known_database = InvalidOid;
	int64		system_identifier;
	Oid			database;
	unsigned char bytes[UUID_LEN];

	if (known_database != MyDatabaseId &&
		get_identity(&known, &system_identifier, &database))
		known_database = MyDatabaseId;
	memcpy(bytes, known.data, 8);
	for (int i = 0; i < 8; i++)
		bytes[8 + i] = (unsigned char) ((uint64) message_id >> (56 - 8 * i));
	bytes[6] = (bytes[6] & 0x0f) | 0x80;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = "0123456789abcdef"[bytes[i] >> 4];
		*text++ = "0123456789abcdef"[bytes[i] & 0x0f];
	}
	*text = '\0';
}

char *
identity_topic_arn(const char *topic_name)
{
	return psprintf("arn:decouple:%s:%s", get_database_name(MyDatabaseId),
					topic_name);
}

/*
 * adopt_deliveries() -> boolean
 *
 * This database, a restored or copied one, shall push out what its topics have.
 * False where it did so already.
 */
Datum
decouple_adopt_deliveries(PG_FUNCTION_ARGS)
{
	Relation	rel;
	HeapTuple	tuple;
	bool		adopted = false;

	PreventCommandIfReadOnly("adopt_deliveries()");
	PreventCommandIfParallelMode("adopt_deliveries()");
	policy_check_administer("adopt_deliveries()");
	rel = table_open(catalog_object(CATALOG_DATABASE_IDENTITY),
					 ShareRowExclusiveLock);
	tuple = read_identity(rel);
	if (tuple != NULL && !identity_is_ours())
	{
		Datum		values[IDENTITY_COLUMNS] = {0};
		bool		nulls[IDENTITY_COLUMNS] = {false};
		bool		replaces[IDENTITY_COLUMNS] = {false, true, true};

		put_database(values);
		CatalogTupleUpdate(rel, &tuple->t_self,
						   heap_modify_tuple(tuple, RelationGetDescr(rel),
											 values, nulls, replaces));
		CommandCounterIncrement();
		adopted = true;
	}
	table_close(rel, NoLock);
	PG_RETURN_BOOL(adopted);
}

/* deliveries_are_ours() -> boolean, for status() */
Datum
decouple_deliveries_are_ours(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(identity_is_ours());
}
