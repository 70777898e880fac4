/*
 * errors.h
 *		The SQLSTATEs of decouple's own class QU.
 *
 * Each code is part of the contract: clients branch on it.  Everything else
 * that the extension raises uses PostgreSQL's codes.
 */
#ifndef DECOUPLE_ERRORS_H
#define DECOUPLE_ERRORS_H

#include "utils/elog.h"

#define ERRCODE_QUEUE_NOT_FOUND		MAKE_SQLSTATE('Q', 'U', '0', '0', '1')
#define ERRCODE_DIFFERENT_ATTRIBUTE	MAKE_SQLSTATE('Q', 'U', '0', '0', '2')
#define ERRCODE_TOPIC_NOT_FOUND		MAKE_SQLSTATE('Q', 'U', '0', '0', '3')
#define ERRCODE_RECEIPT_MALFORMED	MAKE_SQLSTATE('Q', 'U', '0', '0', '4')
#define ERRCODE_SUBSCRIPTION_NOT_FOUND MAKE_SQLSTATE('Q', 'U', '0', '0', '5')
#define ERRCODE_FIFO_ATTRIBUTE		MAKE_SQLSTATE('Q', 'U', '0', '0', '6')
#define ERRCODE_KEY_UNAVAILABLE		MAKE_SQLSTATE('Q', 'U', '0', '0', '7')

#endif							/* DECOUPLE_ERRORS_H */
