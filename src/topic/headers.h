/*
 * headers.h
 *		What a subscription adds to its HTTP requests: headers and a secret.
 */
#ifndef DECOUPLE_HEADERS_H
#define DECOUPLE_HEADERS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* 22023 unless an object of strings, with names that users may set */
extern void headers_check(Jsonb *headers);

/* its lines "Name: value", a list of C strings */
extern List *headers_lines(Jsonb *headers);

/*
 * 22023 unless a secret of Standard Webhooks: whsec_ and base64 of 24 to 64
 * bytes.  Several, separated by spaces, sign together while one replaces
 * another.
 */
extern void secret_check(text *secret);

/*
 * The value of webhook-signature for a body: one "v1,<base64>" for each secret
 * (Standard Webhooks 1.0.0).  palloc'd.
 */
extern char *secret_sign(text *secret, const char *id, int64 timestamp,
						 const char *body, size_t length);

#endif							/* DECOUPLE_HEADERS_H */
