/*
 * address.h
 *		Which addresses decouple-egress may connect to.
 *
 * Pure functions on socket addresses.  Nothing here knows PostgreSQL.
 */
#ifndef DECOUPLE_ADDRESS_H
#define DECOUPLE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* enough for any address as text, and its end mark */
#define ADDRESS_TEXT	48

/* a network that may be reached although it is private or local */
typedef struct AddressNetwork
{
	int			family;			/* AF_INET or AF_INET6 */
	int			prefix;			/* how many bits of it count */
	uint8_t		bytes[16];		/* in network order; IPv4 has four */
} AddressNetwork;

/*
 * Reads "address" or "address/prefix"; false where it is not exactly that, or
 * where bits are set behind the prefix.
 */
extern bool address_parse_network(const char *text, size_t length,
								  AddressNetwork *network);

/*
 * NULL where the address may be reached; else what it is, as one or two words
 * for an error message.
 */
extern const char *address_denied(const struct sockaddr *address, size_t length,
								  const AddressNetwork *allowed, size_t count);

/* The same for an address as text, without a zone; what is none is denied. */
extern const char *address_text_denied(const char *text,
									   const AddressNetwork *allowed,
									   size_t count);

/* The address as text, without port and zone; "?" for other families. */
extern void address_text(const struct sockaddr *address, size_t length,
						 char text[ADDRESS_TEXT]);

#endif							/* DECOUPLE_ADDRESS_H */
