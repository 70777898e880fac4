/*
 * signature.h
 *		Signing what is delivered, as SNS does.
 *
 * RSA with PKCS#1 v1.5 over SHA1 (version 1) or SHA256 (version 2), base64.  The
 * key and its self-made certificate are made with the first signature and kept
 * in decouple.signing_keys, a private table; the newest one signs, and the others
 * stay published, so that what they signed can be verified.
 */
#ifndef DECOUPLE_SIGNATURE_H
#define DECOUPLE_SIGNATURE_H

#include "postgres.h"

typedef struct Signature
{
	char	   *base64;
	char	   *url;			/* of the certificate */
} Signature;

/*
 * Signs text of the server's encoding in UTF-8, as it is delivered.  All
 * palloc'd.  Errors: 55000
 * where the key is no good.
 */
extern Signature signature_make(int version, const char *data, int length);

/*
 * Makes the key now, if there is none: for what will be signed, and sent, before the
 * transaction that signs it commits.
 */
extern void signature_prepare(void);

/* the address of something that public_url answers; palloc'd */
extern char *public_address(const char *path_and_query);

#endif							/* DECOUPLE_SIGNATURE_H */
