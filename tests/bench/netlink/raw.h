/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least that a program in C does to speak to WireGuard and to the routing table: what
 * ours is measured against. Nothing is checked that does not have to be; not a library.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct raw_prefix {
  uint16_t family;
  uint8_t bits;
  uint8_t address[16];
};

struct raw_peer {
  uint8_t key[32];
  struct sockaddr_in endpoint;
  uint16_t keepalive;
  int ips;
  struct raw_prefix ip[2];
};

struct raw {
  int fd;
  uint16_t family;
  uint32_t sequence;
};

/* All are 0 or -errno. */

/* Generic netlink: a socket and the id of "wireguard". */
int raw_open(struct raw* r);
int raw_open_route(struct raw* r);
void raw_close(struct raw* r);

/* WG_CMD_SET_DEVICE, at most `most` peers and 60 kB in a message. `flags` are each
 * peer's: WGPEER_F_REMOVE_ME sends nothing but its key. */
int raw_set(struct raw* r, int link, const struct raw_peer* peers, size_t n,
            uint32_t flags, size_t most);
/* WG_CMD_GET_DEVICE to its end; what comes is not looked at. */
int raw_dump(struct raw* r, int link);
/* Key and endpoint's port of the peer that the kernel lists first: one send, one receive.
 */
int raw_first_peer(struct raw* r, int link, uint8_t key[32], uint16_t* port);

/* IPv4 routes through the link; at most `most` and 32 kB in a send. */
int raw_add_routes(struct raw* r, int link, uint32_t table, const struct raw_prefix* to,
                   size_t n, size_t most);

#ifdef __cplusplus
}
#endif
