/*
 * schedule.c
 *		schedule_send and unschedule: recurring messages, by pg_cron.
 *
 * A schedule is a job of pg_cron, in the caller's name, that calls send(), or
 * publish() (topic/schedule_publish.c).
 * pg_cron is another extension and may be missing, so nothing here is bound
 * to it before it is used, and its own rights hold: the caller needs USAGE on
 * its schema, and sees its own jobs.
 *
 * Nothing is kept beside the job.  Its name has a prefix, so that schedules are
 * told from other jobs, and its command begins with the queue's name.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/version.h"
#include "queue/definition.h"
#include "queue/draft.h"
#include "queue/schedule.h"
#include "security/policy.h"

PG_FUNCTION_INFO_V1(decouple_schedule_send);
PG_FUNCTION_INFO_V1(decouple_unschedule);
PG_FUNCTION_INFO_V1(decouple_schedule_rows);

#define JOB_PREFIX			"decouple: "

/*
 * Before its version 1.5 pg_cron cuts a job's name as type name does.  Of two
 * schedules whose names differ only beyond, the second would replace the first.
 */
#define SCHEDULE_NAME_MAX	(NAMEDATALEN - (int) sizeof(JOB_PREFIX))

/*
 * The queue's name in a command of ours.  Jobs are made by anybody, so it
 * matches what is a good name only: the cast must not fail.  No backslashes:
 * the caller's standard_conforming_strings may be off.
 */
/* a repetition counts to 255 */
#define TOPIC_PATTERN \
	"^SELECT decouple[.]publish[(]''([A-Za-z0-9_-]{1,251}[.]fifo|[A-Za-z0-9_-]{1,255}[A-Za-z0-9_-]?)''"
#define QUEUE_PATTERN \
	"^SELECT decouple[.]send[(]''([A-Za-z0-9_-]{1,75}[.]fifo|[A-Za-z0-9_-]{1,80})''"

/* how a hint shows what a schedule looks like */
#define CRON_HINT \
	"Use five fields, minute, hour, day, month and weekday, for example '0 * * * *' for each hour."

/* ---- is pg_cron there? ---- */

/*
 * pg_cron runs the jobs of one database.  Another one has the extension too if
 * it is a copy, or was renamed: jobs made there would never run.
 */
static void
require_running_cron(void)
{
	const char *database = get_database_name(MyDatabaseId);
	const char *home = GetConfigOption("cron.database_name", true, false);

	if (!OidIsValid(get_extension_oid("pg_cron", true)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("schedules need the extension pg_cron in this database"),
				 errhint("Add pg_cron to shared_preload_libraries, set cron.database_name = '%s', restart the server, and run CREATE EXTENSION pg_cron.",
						 database)));
	if (home == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("schedules need pg_cron, which is not running"),
				 errhint("Add pg_cron to shared_preload_libraries, set cron.database_name = '%s', and restart the server.",
						 database)));
	if (strcmp(home, database) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("pg_cron runs no jobs of database \"%s\"", database),
				 errhint("Set cron.database_name = '%s' and restart the server, or make the schedule where pg_cron runs.",
						 database)));
}

static void
require_cron(void)
{
	require_running_cron();
	if (!may_use_schema(get_namespace_oid("cron", false)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for schema cron"),
				 errhint("Run GRANT USAGE ON SCHEMA cron TO %s as the owner of pg_cron.",
						 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

/* The job starts a session as its role: refuse what would fail each time. */
static void
require_login(void)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetUserId()));
	bool		may_log_in = HeapTupleIsValid(tuple) &&
		((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	if (!may_log_in)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not log in, so pg_cron cannot run its schedules",
						GetUserNameFromId(GetUserId(), false)),
				 errhint("Make the schedule as a role with the attribute LOGIN that may send to the queue.")));
}

/* ---- arguments ---- */

char *
schedule_name_argument(FunctionCallInfo fcinfo, int n)
{
	char	   *name;

	argument_required(fcinfo, n, "schedule_name");
	name = text_to_cstring(PG_GETARG_TEXT_PP(n));
	if (name[0] == '\0' || strlen(name) > SCHEDULE_NAME_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a schedule has %zu bytes", strlen(name)),
				 errhint("Use a name of 1 to %d bytes.", SCHEDULE_NAME_MAX)));
	return name;
}

/* The command of the job: it runs as the caller, under any search_path. */
static char *
send_command(const char *queue_name, const char *body, Jsonb *attributes)
{
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command, "SELECT decouple.send(%s::decouple.queue, %s::pg_catalog.text",
					 quote_literal_cstr(queue_name), quote_literal_cstr(body));
	if (attributes != NULL)
		appendStringInfo(&command, ", attributes => %s::pg_catalog.jsonb",
						 quote_literal_cstr(JsonbToCString(NULL, &attributes->root,
														   VARSIZE(attributes))));
	appendStringInfoChar(&command, ')');
	return command.data;
}

/* ---- jobs ---- */

/* One that makes or removes a schedule of this name at a time. */
static void
lock_schedule(const char *job)
{
	LockDatabaseObject(catalog_object(CATALOG_QUEUE_DEFINITIONS),
					   hash_bytes((const unsigned char *) job, strlen(job)),
					   1, AccessExclusiveLock);
}

static void
execute(const char *query, int count, const char *const *arguments)
{
	Oid			types[3] = {TEXTOID, TEXTOID, TEXTOID};
	Datum		values[3];
	int			result;

	Assert(count <= 3);
	for (int i = 0; i < count; i++)
		values[i] = CStringGetTextDatum(arguments[i]);
	result = SPI_execute_with_args(query, count, types, values, NULL, false, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args returned %d", result);
}

static int64
first_bigint(void)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
}

/* The caller's job of that name; 0 where there is none. */
static int64
find_job(const char *job, const char *schedule, const char *command,
		 bool *same)
{
	const char *arguments[3] = {job, schedule, command};
	bool		isnull;

	execute("SELECT j.jobid, j.schedule OPERATOR(pg_catalog.=) $2 AND j.command OPERATOR(pg_catalog.=) $3"
			" AND j.database OPERATOR(pg_catalog.=) pg_catalog.current_database()"
			" FROM cron.job j"
			" WHERE j.jobname::pg_catalog.text OPERATOR(pg_catalog.=) $1"
			" AND j.username OPERATOR(pg_catalog.=) current_user::pg_catalog.text",
			3, arguments);
	if (SPI_processed == 0)
		return 0;
	*same = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 2, &isnull));
	return first_bigint();
}

/* Makes the job; what pg_cron thinks of the schedule is told as ours. */
static int64
make_job(const char *job, const char *schedule, const char *command)
{
	const char *arguments[3] = {job, schedule, command};
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		execute("SELECT cron.schedule($1, $2, $3)", 3, arguments);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_INVALID_PARAMETER_VALUE)
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid schedule \"%s\"", schedule),
				 errhint(CRON_HINT)));
	}
	PG_END_TRY();
	return first_bigint();
}

int64
schedule_command(const char *name, const char *schedule, const char *command)
{
	char	   *job = psprintf(JOB_PREFIX "%s", name);
	bool		same = false;
	int64		job_id;

	require_cron();
	require_login();
	SPI_connect();
	lock_schedule(job);
	job_id = find_job(job, schedule, command, &same);
	if (job_id == 0)
		job_id = make_job(job, schedule, command);
	else if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_DIFFERENT_ATTRIBUTE),
				 errmsg("schedule \"%s\" exists and sends something else, or at other times",
						name),
				 errhint("Remove it first with decouple.unschedule().")));
	SPI_finish();
	return job_id;
}

/*
 * schedule_send(queue_name queue, schedule_name text, cron text, body text,
 *		attributes jsonb) -> bigint
 */
Datum
decouple_schedule_send(PG_FUNCTION_ARGS)
{
	Draft		draft = {.delay = DELAY_OF_QUEUE, .expires_in = NEVER_EXPIRES};
	QueueDefinition definition;
	char	   *name;
	char	   *command;

	argument_required(fcinfo, 0, "queue_name");
	name = schedule_name_argument(fcinfo, 1);
	argument_required(fcinfo, 2, "cron");
	argument_required(fcinfo, 3, "body");
	draft.body = PG_GETARG_TEXT_PP(3);
	if (!PG_ARGISNULL(4))
		draft.attributes = PG_GETARG_JSONB_P(4);
	PreventCommandIfReadOnly("schedule_send()");
	definition_find(PG_GETARG_DATUM(0), &definition);
	policy_check(definition.owner, definition.name, "send");
	draft_check(&draft, &definition);

	command = send_command(definition.name, text_to_cstring(draft.body),
						   draft.attributes);
	PG_RETURN_INT64(schedule_command(name, text_to_cstring(PG_GETARG_TEXT_PP(2)),
									 command));
}

/*
 * unschedule(schedule_name text) -> boolean
 */
Datum
decouple_unschedule(PG_FUNCTION_ARGS)
{
	char	   *job = psprintf(JOB_PREFIX "%s", schedule_name_argument(fcinfo, 0));
	bool		same;
	int64		job_id;

	PreventCommandIfReadOnly("unschedule()");
	require_cron();
	SPI_connect();
	lock_schedule(job);
	job_id = find_job(job, "", "", &same);
	if (job_id != 0)
	{
		char	   *id = psprintf(INT64_FORMAT, job_id);
		const char *arguments[1] = {id};

		execute("SELECT cron.unschedule($1::pg_catalog.int8)", 1, arguments);
	}
	SPI_finish();
	PG_RETURN_BOOL(job_id != 0);
}

/*
 * schedule_rows() -> SETOF record
 *
 * The rows of the view schedules; none where pg_cron is not to be had.
 */
Datum
decouple_schedule_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	if (!OidIsValid(get_extension_oid("pg_cron", true)) ||
		!may_use_schema(get_namespace_oid("cron", false)))
		return (Datum) 0;
	SPI_connect();
	execute("SELECT pg_catalog.substr(j.jobname::pg_catalog.text, pg_catalog.length('" JOB_PREFIX "') OPERATOR(pg_catalog.+) 1),"
			" pg_catalog.substring(j.command, '" QUEUE_PATTERN "')::decouple.queue,"
			" j.schedule, j.active, j.username::pg_catalog.name, j.jobid, r.start_time, r.status,"
			" pg_catalog.substring(j.command, '" TOPIC_PATTERN "')::decouple.topic"
			" FROM cron.job j"
			" LEFT JOIN LATERAL ("
			" SELECT d.start_time, d.status FROM cron.job_run_details d"
			" WHERE d.jobid OPERATOR(pg_catalog.=) j.jobid"
			" ORDER BY d.runid DESC LIMIT 1) r ON true"
			" WHERE pg_catalog.starts_with(j.jobname::pg_catalog.text, '" JOB_PREFIX "')"
			" AND j.database OPERATOR(pg_catalog.=) pg_catalog.current_database()",
			0, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	return (Datum) 0;
}
