/*
 * address.c
 *		Which addresses decouple-egress may connect to.
 *
 * Whoever may subscribe chooses a URL, and the request leaves from inside the
 * network of the server.  So all is denied that is not on the public internet,
 * and what is judged is the address of the socket: not the URL, in which an
 * address has many notations, and not the name, which may mean something else
 * a moment later.
 *
 * A network that the administrator allows lifts the denial of a range that is
 * LOCAL.  It never lifts FORBIDDEN: nobody there answers, or the address hides
 * another one.  The addresses at which clouds give out credentials are
 * METADATA: whoever allows 169.254.0.0/16, or everything, hardly means these,
 * so only a network that is nothing but the one address lifts their denial.
 *
 * The ranges are those of IANA's two registries of special addresses that are
 * not globally reachable, and what other senders of webhooks deny.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "egress/address.h"

typedef enum RangeKind
{
	FORBIDDEN,
	LOCAL,
	METADATA
} RangeKind;

typedef struct Range
{
	uint8_t		bytes[16];
	int			prefix;
	RangeKind	kind;
	const char *name;
} Range;

/* an IPv4 address, or its network */
#define V4(a, b, c, d)	{a, b, c, d}

/* the first four groups of an IPv6 address, and its last two */
#define V6(a, b, c, d, y, z) \
	{(a) >> 8, (a) & 255, (b) >> 8, (b) & 255, (c) >> 8, (c) & 255, \
	 (d) >> 8, (d) & 255, 0, 0, 0, 0, (y) >> 8, (y) & 255, (z) >> 8, (z) & 255}

/* the first that matches counts */
static const Range ranges4[] = {
	{V4(169, 254, 169, 254), 32, METADATA, "cloud metadata"},
	{V4(169, 254, 169, 253), 32, METADATA, "cloud resolver"},
	{V4(169, 254, 170, 2), 32, METADATA, "cloud metadata"},
	{V4(169, 254, 170, 23), 32, METADATA, "cloud metadata"},
	{V4(168, 63, 129, 16), 32, METADATA, "cloud metadata"},
	{V4(100, 100, 100, 200), 32, METADATA, "cloud metadata"},
	{V4(192, 0, 0, 192), 32, METADATA, "cloud metadata"},
	{V4(0, 0, 0, 0), 8, FORBIDDEN, "this host"},
	{V4(10, 0, 0, 0), 8, LOCAL, "private"},
	{V4(100, 64, 0, 0), 10, LOCAL, "shared address space"},
	{V4(127, 0, 0, 0), 8, LOCAL, "loopback"},
	{V4(169, 254, 0, 0), 16, LOCAL, "link-local"},
	{V4(172, 16, 0, 0), 12, LOCAL, "private"},
	{V4(192, 0, 0, 0), 24, FORBIDDEN, "protocol assignments"},
	{V4(192, 0, 2, 0), 24, FORBIDDEN, "documentation"},
	{V4(192, 88, 99, 0), 24, FORBIDDEN, "6to4 relay"},
	{V4(192, 168, 0, 0), 16, LOCAL, "private"},
	{V4(198, 18, 0, 0), 15, LOCAL, "benchmarking"},
	{V4(198, 51, 100, 0), 24, FORBIDDEN, "documentation"},
	{V4(203, 0, 113, 0), 24, FORBIDDEN, "documentation"},
	{V4(224, 0, 0, 0), 4, FORBIDDEN, "multicast"},
	{V4(240, 0, 0, 0), 4, FORBIDDEN, "reserved"},	/* and broadcast */
};

/* what is mapped from IPv4 is not here: it is judged as IPv4 */
static const Range ranges6[] = {
	{V6(0xfd00, 0x0ec2, 0, 0, 0, 0x254), 128, METADATA, "cloud metadata"},
	{V6(0xfd00, 0x0ec2, 0, 0, 0, 0x253), 128, METADATA, "cloud resolver"},
	{V6(0xfd00, 0x0ec2, 0, 0, 0, 0x23), 128, METADATA, "cloud metadata"},
	{V6(0xfd20, 0x00ce, 0, 0, 0, 0x254), 128, METADATA, "cloud metadata"},
	{V6(0xfe80, 0, 0, 0, 0xa9fe, 0xa9fe), 128, METADATA, "cloud metadata"},
	{V6(0, 0, 0, 0, 0, 0), 128, FORBIDDEN, "unspecified"},
	{V6(0, 0, 0, 0, 0, 1), 128, LOCAL, "loopback"},
	{V6(0x0064, 0xff9b, 0, 0, 0, 0), 96, LOCAL, "NAT64"},
	{V6(0x0064, 0xff9b, 1, 0, 0, 0), 48, FORBIDDEN, "local NAT64"},
	{V6(0, 0, 0, 0, 0, 0), 8, FORBIDDEN, "reserved"},	/* and ::a.b.c.d */
	{V6(0x0100, 0, 0, 0, 0, 0), 64, FORBIDDEN, "discard-only"},
	{V6(0x0100, 0, 0, 1, 0, 0), 64, FORBIDDEN, "dummy prefix"},
	{V6(0x2001, 0, 0, 0, 0, 0), 23, FORBIDDEN, "protocol assignments"}, /* and Teredo */
	{V6(0x2001, 0x0db8, 0, 0, 0, 0), 32, FORBIDDEN, "documentation"},
	{V6(0x2002, 0, 0, 0, 0, 0), 16, FORBIDDEN, "6to4"},
	{V6(0x3fff, 0, 0, 0, 0, 0), 20, FORBIDDEN, "documentation"},
	{V6(0x5f00, 0, 0, 0, 0, 0), 16, FORBIDDEN, "segment routing"},
	{V6(0xfc00, 0, 0, 0, 0, 0), 7, LOCAL, "private"},
	{V6(0xfe80, 0, 0, 0, 0, 0), 10, LOCAL, "link-local"},
	{V6(0xfec0, 0, 0, 0, 0, 0), 10, LOCAL, "site-local"},
	{V6(0xff00, 0, 0, 0, 0, 0), 8, FORBIDDEN, "multicast"},
};

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};

#define LENGTH_OF(array)	(sizeof(array) / sizeof((array)[0]))

static bool
has_prefix(const uint8_t *address, const uint8_t *network, int prefix)
{
	int			whole = prefix / 8;
	int			rest = prefix % 8;

	if (memcmp(address, network, whole) != 0)
		return false;
	return rest == 0 ||
		(address[whole] ^ network[whole]) >> (8 - rest) == 0;
}

/* Do the networks that the administrator allows lift a denial? */
static bool
is_lifted(int family, const uint8_t *bytes, RangeKind kind,
		  const AddressNetwork *allowed, size_t count)
{
	int			alone = family == AF_INET ? 32 : 128;

	if (kind == FORBIDDEN)
		return false;
	for (size_t i = 0; i < count; i++)
	{
		if (allowed[i].family == family &&
			(kind != METADATA || allowed[i].prefix == alone) &&
			has_prefix(bytes, allowed[i].bytes, allowed[i].prefix))
			return true;
	}
	return false;
}

static const char *
bytes_denied(int family, const uint8_t *bytes, const AddressNetwork *allowed,
			 size_t count)
{
	bool		four = family == AF_INET;
	const Range *ranges = four ? ranges4 : ranges6;
	size_t		ranges_count = four ? LENGTH_OF(ranges4) : LENGTH_OF(ranges6);

	if (family == AF_INET6 && memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return bytes_denied(AF_INET, bytes + 12, allowed, count);
	for (size_t i = 0; i < ranges_count; i++)
	{
		if (!has_prefix(bytes, ranges[i].bytes, ranges[i].prefix))
			continue;
		if (!is_lifted(family, bytes, ranges[i].kind, allowed, count))
			return ranges[i].name;
		break;
	}
	/* a translator would go on to the address inside */
	if (family == AF_INET6 && memcmp(bytes, nat64, sizeof(nat64)) == 0)
		return bytes_denied(AF_INET, bytes + 12, allowed, count);
	return NULL;
}

/* The bytes of a socket address, or NULL where it is of another family. */
static const uint8_t *
socket_bytes(const struct sockaddr *address, size_t length)
{
	if (length >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET)
		return (const uint8_t *) &((const struct sockaddr_in *) address)->sin_addr;
	if (length >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6)
		return (const uint8_t *) &((const struct sockaddr_in6 *) address)->sin6_addr;
	return NULL;
}

const char *
address_denied(const struct sockaddr *address, size_t length,
			   const AddressNetwork *allowed, size_t count)
{
	const uint8_t *bytes = socket_bytes(address, length);

	if (bytes == NULL)
		return "not of the internet";
	return bytes_denied(address->sa_family, bytes, allowed, count);
}

const char *
address_text_denied(const char *text, const AddressNetwork *allowed,
					size_t count)
{
	uint8_t		bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return bytes_denied(AF_INET, bytes, allowed, count);
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return bytes_denied(AF_INET6, bytes, allowed, count);
	return "not an address";
}

void
address_text(const struct sockaddr *address, size_t length,
			 char text[ADDRESS_TEXT])
{
	const uint8_t *bytes = socket_bytes(address, length);

	if (bytes == NULL ||
		inet_ntop(address->sa_family, bytes, text, ADDRESS_TEXT) == NULL)
		strcpy(text, "?");
}

/* Digits, no sign, no leading zero; -1 where it is not a number up to most. */
static int
parse_prefix(const char *text, int most)
{
	int			value = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -1;
	for (; *text != '\0'; text++)
	{
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
		if (value > most)
			return -1;
	}
	return value;
}

static bool
rest_is_zero(const AddressNetwork *network)
{
	int			bits = network->family == AF_INET ? 32 : 128;

	for (int i = network->prefix; i < bits; i++)
	{
		if (network->bytes[i / 8] & (0x80 >> (i % 8)))
			return false;
	}
	return true;
}

bool
address_parse_network(const char *text, size_t length, AddressNetwork *network)
{
	char		copy[ADDRESS_TEXT + 4];
	char	   *slash;
	int			bits;

	if (length >= sizeof(copy) || memchr(text, '\0', length) != NULL)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';

	memset(network, 0, sizeof(*network));
	network->family = strchr(copy, ':') == NULL ? AF_INET : AF_INET6;
	if (inet_pton(network->family, copy, network->bytes) != 1)
		return false;
	bits = network->family == AF_INET ? 32 : 128;
	network->prefix = slash == NULL ? bits : parse_prefix(slash + 1, bits);
	if (network->prefix < 0 || !rest_is_zero(network))
		return false;

	/* mapped IPv4 is judged as IPv4, so it has to be allowed as IPv4 */
	if (network->family == AF_INET6 && network->prefix >= 96 &&
		memcmp(network->bytes, mapped, sizeof(mapped)) == 0)
	{
		memmove(network->bytes, network->bytes + 12, 4);
		memset(network->bytes + 4, 0, 12);
		network->family = AF_INET;
		network->prefix -= 96;
	}
	return true;
}
