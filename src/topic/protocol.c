/*
 * protocol.c
 *		How a subscription is delivered: one row of a table for each way.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "base/names.h"
#include "base/version.h"
#include "queue/definition.h"
#include "security/policy.h"
#include "topic/protocol.h"

/* returns the endpoint as it is stored */
typedef char *(*EndpointCheck) (const char *endpoint, const char *topic_name,
								bool https_only);

typedef struct ProtocolRow
{
	const char *name;
	const char *message_key;
	bool		http;
	EndpointCheck check;
} ProtocolRow;

static void
bad_endpoint(const char *what, const char *endpoint, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid endpoint, %s: \"%s\"", what,
					pnstrdup(endpoint, pg_mbcliplen(endpoint, strlen(endpoint), 256))),
			 errhint("%s", hint)));
}

/* ---- queue ---- */

/* sns: a FIFO queue is fed by a FIFO topic only */
static char *
check_queue(const char *endpoint, const char *topic_name, bool https_only)
{
	char	   *name = TextDatumGetCString(DirectFunctionCall1(decouple_queue_in,
															   CStringGetDatum(endpoint)));
	QueueDefinition definition;

	if (!definition_lookup(name, &definition))
		definition_missing(name);
	if (definition.fifo && !name_is_fifo(topic_name))
		bad_endpoint("a FIFO queue cannot be subscribed to a standard topic",
					 endpoint, "Subscribe it to a FIFO topic, or subscribe a standard queue.");
	policy_check(definition.owner, definition.name, "send");
	return name;
}

/* ---- function ---- */

/* one argument that takes the message: jsonb, json or text */
static bool
takes_message(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	Oid			type = InvalidOid;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->pronargs == 1 && !form->proretset &&
		form->prokind == PROKIND_FUNCTION)
		type = form->proargtypes.values[0];
	ReleaseSysCache(tuple);
	return type == JSONBOID || type == JSONOID || type == TEXTOID;
}

static char *
check_function(const char *endpoint, const char *topic_name, bool https_only)
{
	Oid			function;

	if (strchr(endpoint, '(') == NULL)
		bad_endpoint("a function is named with its argument", endpoint,
					 "For example app.on_order(jsonb).");
	function = DatumGetObjectId(DirectFunctionCall1(regprocedurein,
													CStringGetDatum(endpoint)));
	if (!takes_message(function))
		bad_endpoint("the function does not take one message", endpoint,
					 "Its one argument is jsonb, json or text, and it returns no set.");
	if (!may_execute_function(function))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function %s", endpoint),
				 errhint("The subscriber needs EXECUTE on it.")));
	return format_procedure_qualified(function);
}

/* ---- notify ---- */

static char *
check_channel(const char *endpoint, const char *topic_name, bool https_only)
{
	if (endpoint[0] == '\0' || strlen(endpoint) >= NAMEDATALEN)
		bad_endpoint("not the name of a channel", endpoint,
					 "Use 1 to 63 bytes, as LISTEN does.");
	return pstrdup(endpoint);
}

/* ---- http and https ---- */

/*
 * The form only: whether the address may be reached is seen by
 * decouple-egress, on the address that it connects to.
 */
static void
check_url(const char *endpoint, const char *scheme)
{
	size_t		prefix = strlen(scheme);
	const char *host = endpoint + prefix;
	size_t		authority;

	if (pg_strncasecmp(endpoint, scheme, prefix) != 0)
		bad_endpoint("not a URL of its protocol", endpoint,
					 "It begins with the protocol, for example https://example.org/orders.");
	authority = strcspn(host, "/?#");
	if (authority == 0 || host[0] == ':')
		bad_endpoint("a URL without a host", endpoint,
					 "For example https://example.org/orders.");
	if (memchr(host, '@', authority) != NULL)
		bad_endpoint("a URL with a user's name or password", scheme,
					 "Leave them out: the endpoint is shown in views.");
	for (const char *c = endpoint; *c != '\0'; c++)
	{
		if (*c <= ' ' || *c >= 0x7f)
			bad_endpoint("a URL is printable ASCII without spaces", scheme,
						 "Encode other characters with %.");
	}
}

static char *
check_http(const char *endpoint, const char *topic_name, bool https_only)
{
	if (https_only)
		bad_endpoint("the topic takes only https", endpoint,
					 "Use https, or reset https_only with decouple.alter_topic().");
	check_url(endpoint, "http://");
	return pstrdup(endpoint);
}

static char *
check_https(const char *endpoint, const char *topic_name, bool https_only)
{
	check_url(endpoint, "https://");
	return pstrdup(endpoint);
}

/* ---- the table ---- */

static const ProtocolRow protocols[PROTOCOLS] = {
	[PROTOCOL_QUEUE] = {"queue", "sqs", false, check_queue},
	[PROTOCOL_FUNCTION] = {"function", "lambda", false, check_function},
	[PROTOCOL_NOTIFY] = {"notify", "notify", false, check_channel},
	[PROTOCOL_HTTP] = {"http", "http", true, check_http},
	[PROTOCOL_HTTPS] = {"https", "https", true, check_https},
};

/* those of SNS that are not built */
static const char *const not_built[] = {
	"email", "email-json", "sms", "application", "lambda"
};

Protocol
protocol_by_name(const char *name)
{
	for (int i = 0; i < PROTOCOLS; i++)
	{
		if (strcmp(name, protocols[i].name) == 0)
			return (Protocol) i;
	}
	for (int i = 0; i < (int) lengthof(not_built); i++)
	{
		if (strcmp(name, not_built[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("protocol \"%s\" is not to be had", name),
					 errhint("Use queue, function, notify, http or https.")));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid protocol: \"%s\"",
					pnstrdup(name, pg_mbcliplen(name, strlen(name), 64))),
			 errhint("Use queue, function, notify, http or https.")));
	return PROTOCOLS;			/* not reached */
}

Protocol
protocol_of_row(const char *name)
{
	int			i = 0;

	while (i < PROTOCOLS - 1 && strcmp(name, protocols[i].name) != 0)
		i++;
	return (Protocol) i;
}

const char *
protocol_name(Protocol protocol)
{
	return protocols[protocol].name;
}

const char *
protocol_message_key(Protocol protocol)
{
	return protocols[protocol].message_key;
}

bool
protocol_is_http(Protocol protocol)
{
	return protocols[protocol].http;
}

char *
protocol_check_endpoint(Protocol protocol, const char *endpoint,
						const char *topic_name, bool https_only)
{
	if (strlen(endpoint) > ENDPOINT_MAX)
		bad_endpoint("it is too long", endpoint, "Use at most 2048 bytes.");
	return protocols[protocol].check(endpoint, topic_name, https_only);
}
