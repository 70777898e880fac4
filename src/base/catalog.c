/*
 * catalog.c
 *		Where the extension's own objects are: OIDs, cached and invalidated.
 *
 * The cache is one array per backend.  A relcache callback only clears it
 * (callbacks must not read catalogs); the next use looks the names up again.
 * Relations of schema decouple are found by name, never by a stored OID, so
 * a restored database works at once.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/catalog.h"

static const char *const object_names[CATALOG_OBJECTS] = {
	[CATALOG_QUEUE_DEFINITIONS] = "queue_definitions",
	[CATALOG_QUEUE_DEFINITIONS_NUMBER] = "queue_definitions_pkey",
	[CATALOG_QUEUE_DEFINITIONS_NAME] = "queue_definitions_queue_name_key",
	[CATALOG_PARKED_MESSAGES] = "parked_messages",
	[CATALOG_PARKED_MESSAGES_DUE] = "parked_messages_due_idx",
	[CATALOG_PARKED_MESSAGES_ID] = "parked_messages_pkey",
	[CATALOG_MESSAGE_ID_SEQ] = "message_id_seq",
	[CATALOG_QUEUE_NUMBER_SEQ] = "queue_number_seq",
	[CATALOG_QUEUE_TOTALS] = "queue_totals",
	[CATALOG_QUEUE_TOTALS_NUMBER] = "queue_totals_pkey",
	[CATALOG_DEDUPLICATIONS] = "deduplications",
	[CATALOG_DEDUPLICATIONS_ID] = "deduplications_pkey",
	[CATALOG_DEDUPLICATIONS_KEY] = "deduplications_key_idx",
	[CATALOG_RECEIVE_ATTEMPTS] = "receive_attempts",
	[CATALOG_RECEIVE_ATTEMPTS_NUMBER] = "receive_attempts_pkey",
	[CATALOG_RECEIVE_ATTEMPTS_KEY] = "receive_attempts_key_idx",
	[CATALOG_REDRIVE_JOBS] = "redrive_jobs",
	[CATALOG_REDRIVE_TASK_ID_SEQ] = "redrive_task_id_seq",
	[CATALOG_TOPIC_DEFINITIONS] = "topic_definitions",
	[CATALOG_TOPIC_DEFINITIONS_NUMBER] = "topic_definitions_pkey",
	[CATALOG_SUBSCRIPTION_DEFINITIONS] = "subscription_definitions",
	[CATALOG_SUBSCRIPTION_DEFINITIONS_ID] = "subscription_definitions_pkey",
	[CATALOG_SUBSCRIPTION_DEFINITIONS_TOPIC] = "subscription_definitions_topic_idx",
	[CATALOG_SUBSCRIPTION_DEFINITIONS_QUEUE] = "subscription_definitions_queue_number_key",
	[CATALOG_SUBSCRIPTION_ID_SEQ] = "subscription_id_seq",
	[CATALOG_SUBSCRIPTION_TOTALS] = "subscription_totals",
	[CATALOG_SUBSCRIPTION_TOTALS_ID] = "subscription_totals_pkey",
	[CATALOG_DELIVERY_RECORDS] = "delivery_records",
	[CATALOG_DELIVERY_RECORDS_TIME] = "delivery_records_logged_at_idx",
	[CATALOG_DATABASE_IDENTITY] = "database_identity",
	[CATALOG_SIGNING_KEYS] = "signing_keys",
};

static Oid	object_oids[CATALOG_OBJECTS];
static Oid	schema_oid = InvalidOid;

/* Forgets an object whose relation changed; InvalidOid means all. */
static void
forget_relation(Datum arg, Oid relid)
{
	for (int i = 0; i < CATALOG_OBJECTS; i++)
	{
		if (relid == InvalidOid || object_oids[i] == relid)
			object_oids[i] = InvalidOid;
	}
}

static void
forget_schema(Datum arg, int cacheid, uint32 hashvalue)
{
	schema_oid = InvalidOid;
	memset(object_oids, 0, sizeof(object_oids));
}

void
catalog_init(void)
{
	CacheRegisterRelcacheCallback(forget_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_schema, (Datum) 0);
}

Oid
catalog_schema(void)
{
	if (!OidIsValid(schema_oid))
	{
		Oid			found = get_namespace_oid("decouple", true);

		if (!OidIsValid(found))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("extension \"decouple\" is not installed in this database"),
					 errhint("Run CREATE EXTENSION decouple.")));
		schema_oid = found;
	}
	return schema_oid;
}

Oid
catalog_object(CatalogObject object)
{
	if (!OidIsValid(object_oids[object]))
	{
		Oid			found = get_relname_relid(object_names[object],
											  catalog_schema());

		if (!OidIsValid(found))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("relation \"decouple.%s\" is missing",
							object_names[object]),
					 errhint("Reinstall the extension, or run ALTER EXTENSION decouple UPDATE.")));
		object_oids[object] = found;
	}
	return object_oids[object];
}

Oid
catalog_type(const char *name)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
						   CStringGetDatum(name),
						   ObjectIdGetDatum(catalog_schema()));
}

Oid
catalog_owner(void)
{
	Oid			extension = get_extension_oid("decouple", false);
	Oid			owner = InvalidOid;
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(rel, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return owner;
}
