/*
 * attributes.h
 *		What a message carries beside its body.
 */
#ifndef DECOUPLE_ATTRIBUTES_H
#define DECOUPLE_ATTRIBUTES_H

#include "postgres.h"

#include "utils/jsonb.h"

/*
 * Checks a message's attributes and returns their size in bytes: names, types
 * and values (sqs: "Message attributes").  Bad form: 22023.
 */
extern int64 attributes_check(Jsonb *attributes);

/*
 * Checks a group id or a deduplication id, and names it in the error: 1-128
 * printable ASCII characters without space (sqs: MessageGroupId).
 */
extern void group_id_check(text *id, const char *what);

#endif							/* DECOUPLE_ATTRIBUTES_H */
