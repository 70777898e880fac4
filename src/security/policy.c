/*
 * policy.c
 *		Who may do what to a queue or topic.
 */
#include "postgres.h"

#include "catalog/pg_database.h"
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

void
policy_check(Oid owner, const char *queue_name, const char *action)
{
	if (!policy_allows(owner, action))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to %s on queue \"%s\"",
						action, queue_name),
				 errhint("A queue is open to its owner, to members of that role and to superusers.")));
}

void
policy_check_topic(Oid owner, const char *topic_name, const char *action)
{
	if (!policy_allows(owner, action))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to %s on topic \"%s\"",
						action, topic_name),
				 errhint("A topic is open to its owner, to members of that role and to superusers.")));
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
