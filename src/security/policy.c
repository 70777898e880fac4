/*
 * policy.c
 *		Who may do what to a queue or topic.
 */
#include "postgres.h"

#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "base/version.h"
#include "security/policy.h"

bool
policy_allows_role(Oid role, Oid owner, const char *action)
{
	return has_privs_of_role(role, owner);
}

bool
policy_allows(Oid owner, const char *action)
{
	return policy_allows_role(GetUserId(), owner, action);
}

/* The same for both kinds: "queue" and "topic". */
static void
check(Oid owner, const char *kind, const char *name, const char *action)
{
	if (!policy_allows(owner, action))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to %s on %s \"%s\"",
						action, kind, name),
				 errhint("A %s is open to its owner, to members of that role and to superusers.",
						 kind)));
}

void
policy_check(Oid owner, const char *queue_name, const char *action)
{
	check(owner, "queue", queue_name, action);
}

void
policy_check_topic(Oid owner, const char *topic_name, const char *action)
{
	check(owner, "topic", topic_name, action);
}

void
policy_check_create(const char *kind, const char *name)
{
	if (!may_create_in_database())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to create %s \"%s\"", kind, name),
				 errhint("It needs the privilege CREATE on database \"%s\".",
						 get_database_name(MyDatabaseId))));
}

void
policy_check_administer(const char *call)
{
	if (!superuser() &&
		!owns_database(MyDatabaseId))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for %s", call),
				 errhint("It is for superusers and the database's owner.")));
}
