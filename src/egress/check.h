/*
 * check.h
 *		What decouple-egress looks at before it sends a request.
 *
 * Pure functions: each returns false where something is wrong, and *problem is
 * a line that says what.
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
extern bool check_url(const char *url, bool https_only, CURLU **parsed,
					  bool *secure, const char **problem);

/* Looks at a header line; *name is the length of the header's name. */
extern bool check_header(const char *line, size_t *name, const char **problem);

#endif							/* DECOUPLE_CHECK_H */
