/*
 * delivery_log.c
 *		What is written down of deliveries: decouple.delivery_records.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "common/pg_prng.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/rows.h"
#include "base/settings.h"
#include "base/version.h"
#include "delivery/delivery_log.h"

/* the columns of decouple.delivery_records */
enum RecordColumn
{
	RECORD_LOGGED_AT = 1,
	RECORD_TOPIC_NUMBER,
	RECORD_SUBSCRIPTION_ID,
	RECORD_MESSAGE_ID,
	RECORD_STATUS,
	RECORD_ATTEMPTS,
	RECORD_STATUS_CODE,
	RECORD_ERROR,
	RECORD_DWELL,
	RECORD_COLUMNS = RECORD_DWELL
};

static const char *const status_names[] = {
	[LOG_SUCCESS] = "success",
	[LOG_RETRY] = "retry",
	[LOG_FAILURE] = "failure",
};

/* how long records are kept, and how many are removed in a step */
#define RECORDS_KEPT	(7 * USECS_PER_DAY)
#define TRIM_STEP		1000

static bool
is_sampled(const DeliveryRoute *route)
{
	int32		rate = DatumGetInt32(route->topic.fields[TOPIC_SUCCESS_SAMPLE_RATE].value);

	return rate > 0 && pg_prng_double(&pg_global_prng_state) * 100 < rate;
}

void
delivery_log(const DeliveryRoute *route, const Delivery *delivery,
			 LogStatus status, const Outcome *outcome)
{
	TimestampTz now = decouple_now();
	TimestampTz published = DatumGetTimestampTz(ROW_VALUE(&delivery->row,
														  MESSAGE_SENT_AT));
	Interval   *dwell = palloc0(sizeof(Interval));
	Relation	rel;
	Datum		values[RECORD_COLUMNS];
	bool		nulls[RECORD_COLUMNS] = {false};

	if (status == LOG_SUCCESS && !is_sampled(route))
		return;
	dwell->time = now - published;
	values[RECORD_LOGGED_AT - 1] = TimestampTzGetDatum(now);
	values[RECORD_TOPIC_NUMBER - 1] = Int32GetDatum(route->topic.number);
	values[RECORD_SUBSCRIPTION_ID - 1] = Int64GetDatum(route->subscription->id);
	values[RECORD_MESSAGE_ID - 1] = Int64GetDatum(delivery_message_id(delivery));
	values[RECORD_STATUS - 1] = CStringGetTextDatum(status_names[status]);
	values[RECORD_ATTEMPTS - 1] = Int32GetDatum(delivery->attempts);
	nulls[RECORD_STATUS_CODE - 1] = outcome->status_code == 0;
	values[RECORD_STATUS_CODE - 1] = Int32GetDatum(outcome->status_code);
	nulls[RECORD_ERROR - 1] = status == LOG_SUCCESS;
	values[RECORD_ERROR - 1] = status == LOG_SUCCESS ? (Datum) 0 :
		CStringGetTextDatum(outcome->error);
	values[RECORD_DWELL - 1] = IntervalPGetDatum(dwell);
	rel = table_open(catalog_object(CATALOG_DELIVERY_RECORDS), RowExclusiveLock);
	CatalogTupleInsert(rel, heap_form_tuple(RelationGetDescr(rel), values, nulls));
	table_close(rel, NoLock);
}

bool
delivery_log_trim(void)
{
	Oid			table = catalog_object(CATALOG_DELIVERY_RECORDS);
	Relation	rel;
	ScanKeyData key;
	RowScan		rows;
	HeapTuple	tuple;
	int			count = 0;

	/* one at a time: two would delete the same rows */
	if (!ConditionalLockRelationOid(table, ShareUpdateExclusiveLock))
		return false;
	rel = table_open(table, NoLock);
	ScanKeyInit(&key, 1, BTLessStrategyNumber, F_TIMESTAMPTZ_LT,
				TimestampTzGetDatum(decouple_now() - RECORDS_KEPT));
	rows_begin_index(&rows, rel, catalog_object(CATALOG_DELIVERY_RECORDS_TIME),
					 &key);
	while (count < TRIM_STEP && (tuple = rows_next(&rows)) != NULL)
	{
		CatalogTupleDelete(rel, &tuple->t_self);
		count++;
	}
	rows_end(&rows);
	table_close(rel, NoLock);
	return count >= TRIM_STEP;
}
