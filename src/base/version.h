/*
 * version.h
 *		Every difference between PostgreSQL versions, and nothing else.
 *
 * Dropping a version is a deletion here.  No other file tests PG_VERSION_NUM.
 */
#ifndef DECOUPLE_VERSION_H
#define DECOUPLE_VERSION_H

#if PG_VERSION_NUM < 150000
#error "decouple needs PostgreSQL 15 or later"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"				/* no longer in postgres.h (d952373a987) */
#endif

#include "access/genam.h"
#include "access/tableam.h"

/* table_tuple_update tells which indexes to feed since 16 (19d8e2308bc) */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes IndexesToFeed;
#define FEED_NO_INDEX(which)	((which) == TU_None)
#define FEED_SUMMARIZING(which)	((which) == TU_Summarizing)
#define INDEX_SUMMARIZES(info)	((info)->ii_Summarizing)
#else
typedef bool IndexesToFeed;
#define FEED_NO_INDEX(which)	(!(which))
#define FEED_SUMMARIZING(which)	(false)
#define INDEX_SUMMARIZES(info)	(false)
#endif

/* index_beginscan takes an instrumentation argument since 18 (0fbceae841c) */
#if PG_VERSION_NUM >= 180000
#define begin_index_scan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, 0)
#else
#define begin_index_scan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, nkeys, 0)
#endif

/* per-catalog ownercheck functions became one in 16 (afbfc02983f) */
#if PG_VERSION_NUM >= 160000
#define owns_database(database) \
	object_ownercheck(DatabaseRelationId, (database), GetUserId())
#else
#define owns_database(database) \
	pg_database_ownercheck((database), GetUserId())
#endif

/* so did the aclcheck functions (c727f511bd7) */
#if PG_VERSION_NUM >= 160000
#define may_use_schema(schema) \
	(object_aclcheck(NamespaceRelationId, (schema), GetUserId(), \
					 ACL_USAGE) == ACLCHECK_OK)
#else
#define may_use_schema(schema) \
	(pg_namespace_aclcheck((schema), GetUserId(), ACL_USAGE) == ACLCHECK_OK)
#endif
#if PG_VERSION_NUM >= 160000
#define may_create_in_database() \
	(object_aclcheck(DatabaseRelationId, MyDatabaseId, GetUserId(), \
					 ACL_CREATE) == ACLCHECK_OK)
#else
#define may_create_in_database() \
	(pg_database_aclcheck(MyDatabaseId, GetUserId(), ACL_CREATE) == ACLCHECK_OK)
#endif

#if PG_VERSION_NUM >= 160000
#define may_execute_function(function) \
	(object_aclcheck(ProcedureRelationId, (function), GetUserId(), \
					 ACL_EXECUTE) == ACLCHECK_OK)
#else
#define may_execute_function(function) \
	(pg_proc_aclcheck((function), GetUserId(), ACL_EXECUTE) == ACLCHECK_OK)
#endif

/* base64 is bytes since 18, characters earlier */
#if PG_VERSION_NUM >= 180000
#define decode_base64(source, length, target, room) \
	pg_b64_decode((source), (length), (uint8 *) (target), (room))
#else
#define decode_base64(source, length, target, room) \
	pg_b64_decode((source), (length), (target), (room))
#endif

/* a JSON lexer may lie on the stack since 17; strings are unescaped */
#if PG_VERSION_NUM >= 170000
#define make_json_lexer(data, length) \
	makeJsonLexContextCstringLen(NULL, (data), (length), \
								 GetDatabaseEncoding(), true)
#else
#define make_json_lexer(data, length) \
	makeJsonLexContextCstringLen((data), (length), GetDatabaseEncoding(), true)
#endif

/* the macro for this goes before the declaration since 18, after it earlier */
#define NEVER_RETURNS	__attribute__((noreturn))

/* processes have numbers of their own since 17 (024c52111757) */
#include "storage/proc.h"
#if PG_VERSION_NUM >= 170000
#define my_process_number()		((int) MyProcNumber)
#else
#define my_process_number()		(MyProc->pgprocno)
#endif

#endif							/* DECOUPLE_VERSION_H */
