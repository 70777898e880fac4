/*
 * headers.c
 *		What a subscription adds to its HTTP requests: headers and a secret.
 */
#include "postgres.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/base64.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "base/version.h"
#include "topic/headers.h"

#define SECRET_PREFIX		"whsec_"
#define SECRET_MIN			24
#define SECRET_MAX			64
#define SECRETS_MAX			10
#define HEADERS_MAX			100

/* those that a delivery has of its own, or that would change its meaning */
static const char *const reserved[] = {
	"host", "content-length", "content-type", "transfer-encoding",
	"connection", "expect", "te", "trailer", "upgrade", "user-agent",
	"webhook-id", "webhook-timestamp", "webhook-signature"
};

static void
bad_header(const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid headers of a subscription: %s", problem),
			 errhint("For example {\"Authorization\": \"Bearer ...\"}.")));
}

/* RFC 9110, 5.6.2: a token */
static void
check_name(const char *name, int length)
{
	if (length < 1 || length > 100)
		bad_header("a name has 1 to 100 characters");
	for (int i = 0; i < length; i++)
	{
		if (name[i] <= ' ' || name[i] >= 0x7f ||
			strchr("\"(),/:;<=>?@[\\]{}", name[i]) != NULL)
			bad_header("a name has a character that names do not have");
	}
	for (int i = 0; i < (int) lengthof(reserved); i++)
	{
		if ((int) strlen(reserved[i]) == length &&
			pg_strncasecmp(name, reserved[i], length) == 0)
			bad_header("a name is one that deliveries set themselves");
	}
	if (length > 10 && pg_strncasecmp(name, "x-amz-sns-", 10) == 0)
		bad_header("a name is one that deliveries set themselves");
}

/* RFC 9110, 5.5, and never a line break */
static void
check_value(const char *value, int length)
{
	if (length > 8000)
		bad_header("a value has more than 8000 bytes");
	for (int i = 0; i < length; i++)
	{
		if ((unsigned char) value[i] < ' ' || value[i] == 0x7f)
			bad_header("a value has a control character");
	}
}

/* Reads an object of strings; with "lines" makes them. */
static void
walk(Jsonb *headers, List **lines)
{
	JsonbIterator *iterator;
	JsonbValue	key;
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(headers) || JB_ROOT_COUNT(headers) > HEADERS_MAX)
		bad_header("not an object of at most 100 strings");
	iterator = JsonbIteratorInit(&headers->root);
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (value.type != jbvString)
			bad_header("a value is not a string");
		check_name(key.val.string.val, key.val.string.len);
		check_value(value.val.string.val, value.val.string.len);
		if (lines != NULL)
			*lines = lappend(*lines,
							 psprintf("%.*s: %.*s", key.val.string.len,
									  key.val.string.val,
									  value.val.string.len,
									  value.val.string.val));
	}
}

void
headers_check(Jsonb *headers)
{
	walk(headers, NULL);
}

List *
headers_lines(Jsonb *headers)
{
	List	   *lines = NIL;

	walk(headers, &lines);
	return lines;
}

/* ---- secrets ---- */

/* The bytes of one secret, or -1. */
static int
decode_secret(const char *secret, unsigned char *bytes, int room)
{
	if (strncmp(secret, SECRET_PREFIX, strlen(SECRET_PREFIX)) != 0)
		return -1;
	secret += strlen(SECRET_PREFIX);
	if (pg_b64_dec_len(strlen(secret)) > room)
		return -1;
	return decode_base64(secret, strlen(secret), (char *) bytes, room);
}

void
secret_check(text *secret)
{
	char	   *copy = text_to_cstring(secret);
	char	   *position;
	int			count = 0;

	for (char *one = strtok_r(copy, " ", &position); one != NULL;
		 one = strtok_r(NULL, " ", &position))
	{
		unsigned char bytes[SECRET_MAX + 8];
		int			length = decode_secret(one, bytes, sizeof(bytes));

		count++;
		if (length >= SECRET_MIN && length <= SECRET_MAX && count <= SECRETS_MAX)
			continue;
		count = 0;
		break;
	}
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid secret of a subscription"),
				 errhint("Use whsec_ and base64 of 24 to 64 random bytes; ten of these at most, with spaces between.")));
}

char *
secret_sign(text *secret, const char *id, int64 timestamp, const char *body,
			size_t length)
{
	char	   *copy = text_to_cstring(secret);
	char	   *position;
	StringInfoData data;
	StringInfoData result;

	initStringInfo(&data);
	appendStringInfo(&data, "%s." INT64_FORMAT ".", id, timestamp);
	appendBinaryStringInfo(&data, body, (int) length);
	initStringInfo(&result);
	for (char *one = strtok_r(copy, " ", &position); one != NULL;
		 one = strtok_r(NULL, " ", &position))
	{
		unsigned char key[SECRET_MAX + 8];
		unsigned char digest[EVP_MAX_MD_SIZE];
		unsigned char base64[EVP_MAX_MD_SIZE * 2];
		unsigned int digest_length;
		int			key_length = decode_secret(one, key, sizeof(key));

		if (key_length < 0 ||
			HMAC(EVP_sha256(), key, key_length, (unsigned char *) data.data,
				 data.len, digest, &digest_length) == NULL)
			continue;
		EVP_EncodeBlock(base64, digest, (int) digest_length);
		appendStringInfo(&result, "%sv1,%s", result.len > 0 ? " " : "", base64);
	}
	return result.data;
}
