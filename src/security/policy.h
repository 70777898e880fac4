/*
 * policy.h
 *		Who may do what to a queue or topic.
 *
 * Until access policies come, each is its owner's, the owner's members' and
 * superusers'.
 */
#ifndef DECOUPLE_POLICY_H
#define DECOUPLE_POLICY_H

#include "postgres_ext.h"

/* may the current user do this to a queue of that owner? */
extern bool policy_allows(Oid owner, const char *action);

/* the same for another role */
extern bool policy_allows_role(Oid role, Oid owner, const char *action);

/* raises 42501, naming the queue and the action, unless policy_allows */
extern void policy_check(Oid owner, const char *queue_name, const char *action);
extern void policy_check_topic(Oid owner, const char *topic_name,
							   const char *action);

/* raises 42501 unless the current user may make a "kind" of this name */
extern void policy_check_create(const char *kind, const char *name);

/* raises 42501 unless superuser or owner of the current database */
extern void policy_check_administer(const char *call);

#endif							/* DECOUPLE_POLICY_H */
