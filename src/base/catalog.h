/*
 * catalog.h
 *		Where the extension's own objects are: OIDs, cached and invalidated.
 */
#ifndef DECOUPLE_CATALOG_H
#define DECOUPLE_CATALOG_H

#include "postgres_ext.h"

typedef enum CatalogObject
{
	CATALOG_QUEUE_DEFINITIONS,
	CATALOG_QUEUE_DEFINITIONS_NUMBER,	/* primary key (queue_number) */
	CATALOG_QUEUE_DEFINITIONS_NAME, /* unique (queue_name) */
	CATALOG_PARKED_MESSAGES,
	CATALOG_PARKED_MESSAGES_DUE,	/* (queue_number, visible_at, id) */
	CATALOG_PARKED_MESSAGES_ID, /* unique (queue_number, id) */
	CATALOG_MESSAGE_ID_SEQ,
	CATALOG_QUEUE_NUMBER_SEQ,
	CATALOG_QUEUE_TOTALS,
	CATALOG_QUEUE_TOTALS_NUMBER,	/* primary key (queue_number) */
	CATALOG_DEDUPLICATIONS,
	CATALOG_DEDUPLICATIONS_ID,	/* primary key (queue_number, message_id) */
	CATALOG_DEDUPLICATIONS_KEY, /* (queue_number, key) */
	CATALOG_RECEIVE_ATTEMPTS,
	CATALOG_RECEIVE_ATTEMPTS_NUMBER,	/* primary key (queue_number, attempt_number) */
	CATALOG_RECEIVE_ATTEMPTS_KEY,	/* (queue_number, key) */
	CATALOG_REDRIVE_JOBS,
	CATALOG_REDRIVE_TASK_ID_SEQ,
	CATALOG_TOPIC_DEFINITIONS,
	CATALOG_TOPIC_DEFINITIONS_NUMBER,	/* primary key (topic_number) */
	CATALOG_SUBSCRIPTION_DEFINITIONS,
	CATALOG_SUBSCRIPTION_DEFINITIONS_ID,	/* primary key (subscription_id) */
	CATALOG_SUBSCRIPTION_DEFINITIONS_TOPIC, /* (topic_number) */
	CATALOG_SUBSCRIPTION_DEFINITIONS_QUEUE, /* unique (queue_number) */
	CATALOG_SUBSCRIPTION_ID_SEQ,
	CATALOG_SUBSCRIPTION_TOTALS,
	CATALOG_SUBSCRIPTION_TOTALS_ID, /* primary key (subscription_id) */
	CATALOG_DELIVERY_RECORDS,
	CATALOG_DELIVERY_RECORDS_TIME,	/* (logged_at) */
	CATALOG_DATABASE_IDENTITY,
	CATALOG_SIGNING_KEYS,
	CATALOG_OBJECTS				/* how many, last */
} CatalogObject;

extern void catalog_init(void);

/* schema decouple; raises 55000 where the extension is not installed */
extern Oid	catalog_schema(void);

/* one of the extension's tables, indexes, sequences; 55000 where missing */
extern Oid	catalog_object(CatalogObject object);

/* one of the extension's types */
extern Oid	catalog_type(const char *name);

/* whose rights the extension's own DDL runs with */
extern Oid	catalog_owner(void);

#endif							/* DECOUPLE_CATALOG_H */
