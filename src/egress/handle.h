/*
 * handle.h
 *		Handles of libcurl for decouple-egress, set up and kept.
 */
#ifndef DECOUPLE_HANDLE_H
#define DECOUPLE_HANDLE_H

#include <curl/curl.h>
#include <stdbool.h>

/*
 * Finds the certificates of the system, which the environment may name; and
 * frees them, and the handles that are kept.
 */
extern void handles_begin(void);
extern void handles_end(void);

/* A handle that lacks but what differs between requests; NULL without memory. */
extern CURL *handle_take(void);

/* Gives it back; not "clean" where it knows what the next may not. */
extern void handle_return(CURL *handle, bool clean);

/* Trusts the certificates in PEM and no others, or those of the system. */
extern void handle_trust(CURL *handle, char *ca, size_t length);

#endif							/* DECOUPLE_HANDLE_H */
