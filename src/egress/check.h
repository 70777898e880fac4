/*
 * check.h
 *		What decouple-egress looks at before it sends a request.
 *
 * Pure functions: each returns NULL, or a line that says what is wrong.
 */
#ifndef DECOUPLE_CHECK_H
#define DECOUPLE_CHECK_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/* what is wrong where that is not the request's fault */
extern const char check_no_memory[];

/*
 * Parses a URL, and looks at all but where it leads to.  *parsed is the
 * caller's to clean up, and NULL where something is wrong.
 */
extern const char *check_url(const char *url, bool https_only, CURLU **parsed,
							 bool *secure);

/* Looks at a header line; *name is the length of the header's name. */
extern const char *check_header(const char *line, size_t *name);

#endif							/* DECOUPLE_CHECK_H */
