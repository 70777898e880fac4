/*
 * check.c
 *		What decouple-egress looks at before it sends a request.
 *
 * Control characters are not looked for here: what has one never becomes a C
 * string.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "egress/check.h"

const char	check_no_memory[] = "out of memory";

/* the ports below are those of other protocols, which would get our bytes */
static bool
is_port_allowed(const char *text)
{
	long		port = strtol(text, NULL, 10);

	return port == 80 || port == 443 || (port >= 1024 && port <= 65535);
}

/* What is wrong with a URL that could be parsed, or NULL. */
static const char *
parts_problem(CURLU *parsed, bool https_only, bool *secure)
{
	char	   *scheme = NULL;
	char	   *port = NULL;
	const char *problem = NULL;

	if (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
		curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		problem = "the URL is not of http or https";
	else if (strcasecmp(scheme, "https") == 0)
		*secure = true;
	else if (strcasecmp(scheme, "http") != 0)
		problem = "the URL is not of http or https";
	else if (https_only)
		problem = "the URL is not of https";
	if (problem == NULL && !is_port_allowed(port))
		problem = "the URL's port is not 80, 443 or above 1023";
	curl_free(scheme);
	curl_free(port);
	return problem;
}

bool
check_url(const char *url, bool https_only, CURLU **parsed, bool *secure,
		  const char **problem)
{
	CURLUcode	code;

	*secure = false;
	*parsed = curl_url();
	code = curl_url_set(*parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER);
	if (code == CURLUE_OK)
		*problem = parts_problem(*parsed, https_only, secure);
	else if (*parsed == NULL || code == CURLUE_OUT_OF_MEMORY)
		*problem = check_no_memory;
	else if (code == CURLUE_USER_NOT_ALLOWED)
		*problem = "the URL has a user or password";
	else if (code == CURLUE_UNSUPPORTED_SCHEME)
		*problem = "the URL is not of http or https";
	else
		*problem = "the URL is not well-formed";
	if (*problem == NULL)
		return true;
	curl_url_cleanup(*parsed);
	*parsed = NULL;
	return false;
}

/* What libcurl writes itself; another one would belie where a body ends. */
static bool
is_framing(const char *line, size_t name)
{
	static const char *const names[] = {
		"Connection", "Content-Length", "Expect", "Host", "HTTP2-Settings",
		"Keep-Alive", "Proxy-Connection", "TE", "Trailer",
		"Transfer-Encoding", "Upgrade"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strlen(names[i]) == name && strncasecmp(line, names[i], name) == 0)
			return true;
	}
	return false;
}

bool
check_header(const char *line, size_t *name, const char **problem)
{
	*problem = NULL;
	*name = strspn(line, "!#$%&'*+-.^_`|~0123456789"
				   "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	if (*name == 0 || line[*name] != ':')
		*problem = "a header line is not \"Name: value\"";
	else if (is_framing(line, *name))
		*problem = "a header line that may not be set";
	return *problem == NULL;
}
