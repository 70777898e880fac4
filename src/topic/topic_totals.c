/*
 * topic_totals.c
 *		What was delivered, has failed, was filtered out: counted by subscription.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "base/rows.h"
#include "base/version.h"
#include "topic/subscription.h"
#include "topic/topic_totals.h"

/* the columns of decouple.subscription_totals */
enum KeptColumn
{
	KEPT_ID = 1,
	KEPT_FIRST_TOTAL,			/* in the order of SubscriptionTotal */
	KEPT_COLUMNS = KEPT_FIRST_TOTAL + SUBSCRIPTION_TOTALS - 1
};

typedef struct Counted
{
	int64		subscription_id;	/* hash key */
	int64		open[SUBSCRIPTION_TOTALS];	/* of the current transaction */
	int64		folding[SUBSCRIPTION_TOTALS];	/* written by it */
	int64		committed[SUBSCRIPTION_TOTALS]; /* and not written yet */
} Counted;

static HTAB *counted = NULL;
static bool touched = false;	/* by the current transaction */

static void
at_end(XactEvent event, void *argument)
{
	HASH_SEQ_STATUS status;
	Counted    *entry;
	bool		committed = event == XACT_EVENT_COMMIT;

	if (!touched || (!committed && event != XACT_EVENT_ABORT))
		return;
	touched = false;
	hash_seq_init(&status, counted);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		for (int i = 0; i < SUBSCRIPTION_TOTALS; i++)
		{
			if (committed)
				entry->committed[i] += entry->open[i] - entry->folding[i];
			entry->open[i] = entry->folding[i] = 0;
		}
	}
}

void
topic_totals_init(void)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(int64);
	control.entrysize = sizeof(Counted);
	control.hcxt = TopMemoryContext;
	counted = hash_create("decouple topic totals", 64, &control,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	RegisterXactCallback(at_end, NULL);
}

void
topic_totals_add(int64 subscription_id, SubscriptionTotal total, int64 count)
{
	bool		found;
	Counted    *entry;

	if (count == 0)
		return;
	entry = hash_search(counted, &subscription_id, HASH_ENTER, &found);
	if (!found)
	{
		memset(entry, 0, sizeof(*entry));
		entry->subscription_id = subscription_id;
	}
	entry->open[total] += count;
	touched = true;
}

/* Adds an entry's to its row. */
static void
fold_one(Relation rel, Counted *entry)
{
	TupleDesc	descriptor = RelationGetDescr(rel);
	Datum		values[KEPT_COLUMNS];
	bool		nulls[KEPT_COLUMNS] = {false};
	ScanKeyData key;
	HeapTuple	old;
	HeapTuple	tuple;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(entry->subscription_id));
	old = rows_find(rel, catalog_object(CATALOG_SUBSCRIPTION_TOTALS_ID), &key);
	if (old != NULL)
		heap_deform_tuple(old, descriptor, values, nulls);
	values[KEPT_ID - 1] = Int64GetDatum(entry->subscription_id);
	for (int i = 0; i < SUBSCRIPTION_TOTALS; i++)
	{
		int64		before = old == NULL ? 0 :
			DatumGetInt64(values[KEPT_FIRST_TOTAL - 1 + i]);

		entry->folding[i] = entry->committed[i];
		values[KEPT_FIRST_TOTAL - 1 + i] = Int64GetDatum(before + entry->folding[i]);
	}
	tuple = heap_form_tuple(descriptor, values, nulls);
	if (old == NULL)
		CatalogTupleInsert(rel, tuple);
	else
		CatalogTupleUpdate(rel, &old->t_self, tuple);
}

/* Is there something to add? */
static bool
has_news(const Counted *entry)
{
	for (int i = 0; i < SUBSCRIPTION_TOTALS; i++)
	{
		if (entry->committed[i] != 0)
			return true;
	}
	return false;
}

void
topic_totals_fold(void)
{
	HASH_SEQ_STATUS status;
	Counted    *entry;
	Relation	rel;

	if (hash_get_num_entries(counted) == 0)
		return;
	/* one at a time: each adds to what the other has written */
	rel = table_open(catalog_object(CATALOG_SUBSCRIPTION_TOTALS),
					 ShareRowExclusiveLock);
	hash_seq_init(&status, counted);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (!has_news(entry))
			continue;
		touched = true;
		if (subscription_find(entry->subscription_id) != NULL)
			fold_one(rel, entry);
		else
			memcpy(entry->folding, entry->committed, sizeof(entry->folding));
	}
	CommandCounterIncrement();
	table_close(rel, NoLock);
}
