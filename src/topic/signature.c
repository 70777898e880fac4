/*
 * signature.c
 *		Signing what is delivered, as SNS does.
 */
#include "postgres.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/arguments.h"
#include "base/catalog.h"
#include "base/rows.h"
#include "base/settings.h"
#include "base/version.h"
#include "security/policy.h"
#include "topic/signature.h"

PG_FUNCTION_INFO_V1(decouple_signing_certificate_rows);
PG_FUNCTION_INFO_V1(decouple_replace_signing_certificate);

enum KeyColumn
{
	KEY_NUMBER = 1,
	KEY_PRIVATE,
	KEY_CERTIFICATE,
	KEY_CREATED_AT,
	KEY_COLUMNS = KEY_CREATED_AT
};

#define CERTIFICATE_DAYS	(2 * 365)

/* the key that signs, of this process */
static EVP_PKEY *current_key = NULL;
static int32 current_number = 0;

static void
cannot(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("could not %s", what),
			 errhint("Give a key and its certificate with decouple.replace_signing_certificate().")));
}

/* ---- PEM ---- */

static char *
bio_to_string(BIO *bio)
{
	char	   *data;
	long		length = BIO_get_mem_data(bio, &data);
	char	   *copy = pnstrdup(data, length);

	BIO_free(bio);
	return copy;
}

static EVP_PKEY *
key_from_pem(const char *pem)
{
	BIO		   *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY   *key = bio == NULL ? NULL :
		PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *) "");

	BIO_free(bio);
	return key;
}

static X509 *
certificate_from_pem(const char *pem)
{
	BIO		   *bio = BIO_new_mem_buf(pem, -1);
	X509	   *certificate = bio == NULL ? NULL :
		PEM_read_bio_X509(bio, NULL, NULL, (void *) "");

	BIO_free(bio);
	return certificate;
}

/* A certificate that the key signs itself, or NULL. */
static X509 *
self_signed(EVP_PKEY *key)
{
	X509	   *certificate = X509_new();
	X509_NAME  *name;

	if (certificate == NULL)
		return NULL;
	name = X509_get_subject_name(certificate);
	if (X509_set_version(certificate, 2) &&
		ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate),
							   GetCurrentTimestamp()) &&
		X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
		X509_gmtime_adj(X509_getm_notAfter(certificate),
						CERTIFICATE_DAYS * 86400L) != NULL &&
		X509_set_pubkey(certificate, key) &&
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
								   (const unsigned char *) "decouple", -1, -1, 0) &&
		X509_set_issuer_name(certificate, name) &&
		X509_sign(certificate, key, EVP_sha256()) != 0)
		return certificate;
	X509_free(certificate);
	return NULL;
}

/* A new pair, in PEM; false where OpenSSL cannot. */
static bool
generate(char **private_pem, char **certificate_pem)
{
	EVP_PKEY   *key = EVP_RSA_gen(2048);
	X509	   *certificate = key == NULL ? NULL : self_signed(key);
	BIO		   *key_bio = BIO_new(BIO_s_mem());
	BIO		   *certificate_bio = BIO_new(BIO_s_mem());
	bool		good = certificate != NULL && key_bio != NULL &&
		certificate_bio != NULL &&
		PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) &&
		PEM_write_bio_X509(certificate_bio, certificate);

	X509_free(certificate);
	EVP_PKEY_free(key);
	if (!good)
	{
		BIO_free(key_bio);
		BIO_free(certificate_bio);
		return false;
	}
	*private_pem = bio_to_string(key_bio);
	*certificate_pem = bio_to_string(certificate_bio);
	return true;
}

/* ---- decouple.signing_keys ---- */

static Relation
open_keys(LOCKMODE lockmode)
{
	return table_open(catalog_object(CATALOG_SIGNING_KEYS), lockmode);
}

/* The newest one, a copy, or NULL. */
static HeapTuple
newest_key(Relation keys, int32 *number)
{
	RowScan		rows;
	HeapTuple	tuple;
	HeapTuple	newest = NULL;

	*number = 0;
	rows_begin(&rows, keys);
	while ((tuple = rows_next(&rows)) != NULL)
	{
		bool		isnull;
		int32		its = DatumGetInt32(heap_getattr(tuple, KEY_NUMBER,
													 RelationGetDescr(keys), &isnull));

		if (its > *number)
		{
			*number = its;
			newest = tuple;
		}
	}
	rows_end(&rows);
	return newest;
}

static void
insert_key(Relation keys, int32 number, const char *private_pem,
		   const char *certificate_pem)
{
	Datum		values[KEY_COLUMNS];
	bool		nulls[KEY_COLUMNS] = {false};

	values[KEY_NUMBER - 1] = Int32GetDatum(number);
	values[KEY_PRIVATE - 1] = CStringGetTextDatum(private_pem);
	values[KEY_CERTIFICATE - 1] = CStringGetTextDatum(certificate_pem);
	values[KEY_CREATED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	CatalogTupleInsert(keys, heap_form_tuple(RelationGetDescr(keys), values, nulls));
	CommandCounterIncrement();
}

/* Makes the first key, unless somebody else has just done so. */
static HeapTuple
ensure_key(int32 *number)
{
	Relation	keys = open_keys(ShareRowExclusiveLock);
	HeapTuple	tuple = newest_key(keys, number);
	char	   *private_pem;
	char	   *certificate_pem;

	if (tuple == NULL)
	{
		if (!generate(&private_pem, &certificate_pem))
			cannot("generate a key to sign with");
		insert_key(keys, 1, private_pem, certificate_pem);
		tuple = newest_key(keys, number);
	}
	table_close(keys, NoLock);
	return tuple;
}

/* Sees to it that current_key is the newest. */
static void
load_key(void)
{
	Relation	keys = open_keys(AccessShareLock);
	TupleDesc	descriptor = RelationGetDescr(keys);
	int32		number;
	HeapTuple	tuple = newest_key(keys, &number);
	bool		isnull;

	if (tuple == NULL)
		tuple = ensure_key(&number);
	if (number != current_number || current_key == NULL)
	{
		EVP_PKEY_free(current_key);
		current_key =
			key_from_pem(TextDatumGetCString(heap_getattr(tuple, KEY_PRIVATE,
														  descriptor, &isnull)));
		current_number = number;
	}
	table_close(keys, AccessShareLock);
	if (current_key == NULL)
		cannot("read the key to sign with");
}

void
signature_prepare(void)
{
	load_key();
}

/* ---- signing ---- */

char *
public_address(const char *path_and_query)
{
	const char *base = decouple_public_url == NULL ? "" : decouple_public_url;
	size_t		length = strlen(base);

	while (length > 0 && base[length - 1] == '/')
		length--;
	return psprintf("%.*s/%s", (int) length, base, path_and_query);
}

static char *
certificate_url(int32 number)
{
	return public_address(psprintf("decouple-%d.pem", number));
}

Signature
signature_make(int version, const char *data, int length)
{
	char	   *utf8 = pg_server_to_any(data, length, PG_UTF8);
	unsigned char raw[1024];
	size_t		raw_length = sizeof(raw);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	Signature	signature;
	bool		good;

	load_key();
	good = context != NULL &&
		EVP_DigestSignInit(context, NULL, version == 1 ? EVP_sha1() : EVP_sha256(),
						   NULL, current_key) == 1 &&
		EVP_DigestSign(context, raw, &raw_length,
					   (const unsigned char *) utf8,
					   utf8 == data ? (size_t) length : strlen(utf8)) == 1;
	EVP_MD_CTX_free(context);
	if (!good)
		cannot("sign a message");
	signature.base64 = palloc(((raw_length + 2) / 3) * 4 + 1);
	EVP_EncodeBlock((unsigned char *) signature.base64, raw, (int) raw_length);
	signature.url = certificate_url(current_number);
	return signature;
}

/* ---- calls ---- */

/*
 * signing_certificate_rows() -> SETOF (url text, pem text)
 *
 * What is behind the view signing_certificates.
 */
Datum
decouple_signing_certificate_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation	keys;
	RowScan		rows;
	HeapTuple	tuple;

	InitMaterializedSRF(fcinfo, 0);
	keys = open_keys(AccessShareLock);
	rows_begin(&rows, keys);
	while ((tuple = rows_next(&rows)) != NULL)
	{
		TupleDesc	descriptor = RelationGetDescr(keys);
		Datum		values[2];
		bool		nulls[2] = {false, false};
		bool		isnull;

		values[0] = CStringGetTextDatum(certificate_url(DatumGetInt32(heap_getattr(tuple, KEY_NUMBER,
																				   descriptor, &isnull))));
		values[1] = heap_getattr(tuple, KEY_CERTIFICATE, descriptor, &isnull);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	rows_end(&rows);
	table_close(keys, AccessShareLock);
	return (Datum) 0;
}

/* Does the certificate hold this key?  22023 if not. */
static void
check_pair(const char *private_pem, const char *certificate_pem)
{
	EVP_PKEY   *key = key_from_pem(private_pem);
	X509	   *certificate = certificate_from_pem(certificate_pem);
	bool		good = key != NULL && certificate != NULL &&
		EVP_PKEY_base_id(key) == EVP_PKEY_RSA &&
		EVP_PKEY_bits(key) >= 2048 && EVP_PKEY_bits(key) <= 8192 &&
		X509_check_private_key(certificate, key) == 1;

	EVP_PKEY_free(key);
	X509_free(certificate);
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the key and the certificate are not a pair to sign with"),
				 errhint("Give an RSA key of 2048 to 8192 bits without a passphrase, and its certificate, both in PEM.")));
}

/*
 * replace_signing_certificate(private_key text, certificate text) -> void
 *
 * From now on this key signs; earlier certificates stay published.
 */
Datum
decouple_replace_signing_certificate(PG_FUNCTION_ARGS)
{
	Relation	keys;
	char	   *private_pem;
	char	   *certificate_pem;
	int32		number;

	argument_required(fcinfo, 0, "private_key");
	argument_required(fcinfo, 1, "certificate");
	PreventCommandIfReadOnly("replace_signing_certificate()");
	PreventCommandIfParallelMode("replace_signing_certificate()");
	policy_check_administer("replace_signing_certificate()");
	private_pem = text_to_cstring(PG_GETARG_TEXT_PP(0));
	certificate_pem = text_to_cstring(PG_GETARG_TEXT_PP(1));
	check_pair(private_pem, certificate_pem);
	keys = open_keys(ShareRowExclusiveLock);
	(void) newest_key(keys, &number);
	insert_key(keys, number + 1, private_pem, certificate_pem);
	table_close(keys, NoLock);
	PG_RETURN_VOID();
}
