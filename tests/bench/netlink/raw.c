// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/raw.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kMessage = 60000, kRoutes = 32768, kPeer = 256, kRoute = 64, kReceive = 65536 };

static _Alignas(8) char out[kMessage + kPeer];
static _Alignas(8) char in[kReceive];

struct buffer {
  size_t used;
};

static void* reserve(struct buffer* b, size_t n) {
  void* at = out + b->used;
  memset(at, 0, NLA_ALIGN(n));
  b->used += NLA_ALIGN(n);
  return at;
}

static void put(struct buffer* b, int type, const void* data, size_t n) {
  struct nlattr* a = reserve(b, NLA_HDRLEN + n);
  a->nla_type = (uint16_t)type;
  a->nla_len = (uint16_t)(NLA_HDRLEN + n);
  memcpy(a + 1, data, n);
}

static struct nlattr* nest(struct buffer* b, int type) {
  struct nlattr* a = reserve(b, NLA_HDRLEN);
  a->nla_type = (uint16_t)(type | NLA_F_NESTED);
  return a;
}

static void end(const struct buffer* b, struct nlattr* a) {
  a->nla_len = (uint16_t)(out + b->used - (char*)a);
}

static struct nlmsghdr* begin(struct buffer* b, struct raw* r, int type, int flags,
                              size_t header) {
  struct nlmsghdr* h = reserve(b, NLMSG_HDRLEN + header);
  h->nlmsg_type = (uint16_t)type;
  h->nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST);
  h->nlmsg_seq = ++r->sequence;
  return h;
}

static struct nlmsghdr* begin_genl(struct buffer* b, struct raw* r, int type, int command,
                                   int version, int flags) {
  struct nlmsghdr* h = begin(b, r, type, flags, GENL_HDRLEN);
  struct genlmsghdr* g = NLMSG_DATA(h);
  g->cmd = (uint8_t)command;
  g->version = (uint8_t)version;
  return h;
}

static int transmit(struct raw* r, size_t n) {
  if (send(r->fd, out, n, 0) < 0) return -errno;
  return 0;
}

static ssize_t receive(struct raw* r) {
  const ssize_t n = recv(r->fd, in, sizeof in, 0);
  return n < 0 ? -errno : n;
}

// Reads to the acknowledgement of the last message sent, or the end of a dump.
static int settle(struct raw* r) {
  for (;;) {
    const ssize_t n = receive(r);
    if (n < 0) return (int)n;
    int left = (int)n;
    for (struct nlmsghdr* h = (struct nlmsghdr*)in; NLMSG_OK(h, (unsigned)left);
         h = NLMSG_NEXT(h, left)) {
      if (h->nlmsg_type == NLMSG_DONE) return 0;
      if (h->nlmsg_type != NLMSG_ERROR) continue;
      const int error = *(int*)NLMSG_DATA(h);
      if (error != 0 || h->nlmsg_seq == r->sequence) return error;
    }
  }
}

static int open_socket(struct raw* r, int protocol) {
  *r = (struct raw){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)};
  return r->fd < 0 ? -errno : 0;
}

// What wgctrl does for each client it makes, and NetBird makes one for each change.
int raw_open(struct raw* r) {
  const int opened = open_socket(r, NETLINK_GENERIC);
  if (opened != 0) return opened;
  struct sockaddr_nl own = {.nl_family = AF_NETLINK};
  socklen_t length = sizeof own;
  const int yes = 1;
  if (bind(r->fd, (struct sockaddr*)&own, sizeof own) != 0 ||
      getsockname(r->fd, (struct sockaddr*)&own, &length) != 0 ||
      setsockopt(r->fd, SOL_NETLINK, NETLINK_EXT_ACK, &yes, sizeof yes) != 0 ||
      setsockopt(r->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes, sizeof yes) != 0) {
    const int status = -errno;
    raw_close(r);
    return status;
  }
  struct buffer b = {0};
  struct nlmsghdr* h = begin_genl(&b, r, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0);
  put(&b, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME, sizeof WG_GENL_NAME);
  h->nlmsg_len = (uint32_t)b.used;
  int status = transmit(r, b.used);
  const ssize_t n = status == 0 ? receive(r) : status;
  h = (struct nlmsghdr*)in;
  status = n < 0 ? (int)n : -ENOENT;
  if (n > 0 && h->nlmsg_type == GENL_ID_CTRL) {
    const char* at = in + NLMSG_HDRLEN + GENL_HDRLEN;
    while (at + NLA_HDRLEN <= in + n) {
      const struct nlattr* a = (const struct nlattr*)at;
      if (a->nla_len < NLA_HDRLEN) break;
      if (a->nla_type == CTRL_ATTR_FAMILY_ID) {
        memcpy(&r->family, a + 1, sizeof r->family);
        return 0;
      }
      at += NLA_ALIGN(a->nla_len);
    }
  }
  raw_close(r);
  return status;
}

int raw_open_route(struct raw* r) { return open_socket(r, NETLINK_ROUTE); }

void raw_close(struct raw* r) { close(r->fd); }

static void put_peer(struct buffer* b, const struct raw_peer* p, uint32_t flags) {
  struct nlattr* peer = nest(b, 0);
  put(b, WGPEER_A_PUBLIC_KEY, p->key, sizeof p->key);
  if (flags != 0) put(b, WGPEER_A_FLAGS, &flags, sizeof flags);
  if ((flags & WGPEER_F_REMOVE_ME) == 0) {
    put(b, WGPEER_A_ENDPOINT, &p->endpoint, sizeof p->endpoint);
    put(b, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, &p->keepalive, sizeof p->keepalive);
    struct nlattr* ips = nest(b, WGPEER_A_ALLOWEDIPS);
    for (int i = 0; i < p->ips; ++i) {
      struct nlattr* ip = nest(b, 0);
      put(b, WGALLOWEDIP_A_FAMILY, &p->ip[i].family, sizeof p->ip[i].family);
      put(b, WGALLOWEDIP_A_IPADDR, p->ip[i].address, p->ip[i].family == AF_INET ? 4 : 16);
      put(b, WGALLOWEDIP_A_CIDR_MASK, &p->ip[i].bits, sizeof p->ip[i].bits);
      end(b, ip);
    }
    end(b, ips);
  }
  end(b, peer);
}

int raw_set(struct raw* r, int link, const struct raw_peer* peers, size_t n,
            uint32_t flags, size_t most) {
  for (size_t i = 0; i < n;) {
    struct buffer b = {0};
    struct nlmsghdr* h =
        begin_genl(&b, r, r->family, WG_CMD_SET_DEVICE, WG_GENL_VERSION, NLM_F_ACK);
    put(&b, WGDEVICE_A_IFINDEX, &link, sizeof link);
    struct nlattr* list = nest(&b, WGDEVICE_A_PEERS);
    for (size_t in_it = 0; i < n && in_it < most && b.used + kPeer <= kMessage; ++in_it)
      put_peer(&b, &peers[i++], flags);
    end(&b, list);
    h->nlmsg_len = (uint32_t)b.used;
    int status = transmit(r, b.used);
    if (status == 0) status = settle(r);
    if (status != 0) return status;
  }
  return 0;
}

static int ask_device(struct raw* r, int link) {
  struct buffer b = {0};
  struct nlmsghdr* h =
      begin_genl(&b, r, r->family, WG_CMD_GET_DEVICE, WG_GENL_VERSION, NLM_F_DUMP);
  put(&b, WGDEVICE_A_IFINDEX, &link, sizeof link);
  h->nlmsg_len = (uint32_t)b.used;
  return transmit(r, b.used);
}

int raw_dump(struct raw* r, int link) {
  const int asked = ask_device(r, link);
  return asked != 0 ? asked : settle(r);
}

static const struct nlattr* find(const char* at, const char* stop, int type) {
  while (at + NLA_HDRLEN <= stop) {
    const struct nlattr* a = (const struct nlattr*)at;
    if (a->nla_len < NLA_HDRLEN) return 0;
    if ((a->nla_type & NLA_TYPE_MASK) == type) return a;
    at += NLA_ALIGN(a->nla_len);
  }
  return 0;
}

static const struct nlattr* find_in(const struct nlattr* nest, int type) {
  return find((const char*)(nest + 1), (const char*)nest + nest->nla_len, type);
}

int raw_first_peer(struct raw* r, int link, uint8_t key[32], uint16_t* port) {
  const int asked = ask_device(r, link);
  if (asked != 0) return asked;
  const ssize_t n = receive(r);
  if (n < 0) return (int)n;
  const struct nlmsghdr* h = (const struct nlmsghdr*)in;
  if (h->nlmsg_type == NLMSG_ERROR) return *(const int*)NLMSG_DATA(h);
  const struct nlattr* peers =
      find(in + NLMSG_HDRLEN + GENL_HDRLEN, in + h->nlmsg_len, WGDEVICE_A_PEERS);
  if (!peers) return -ENOENT;
  const struct nlattr* public_key = find_in(peers + 1, WGPEER_A_PUBLIC_KEY);
  const struct nlattr* endpoint = find_in(peers + 1, WGPEER_A_ENDPOINT);
  if (!public_key || !endpoint) return -ENOENT;
  struct sockaddr_in address;
  memcpy(&address, endpoint + 1, sizeof address);
  memcpy(key, public_key + 1, 32);
  *port = ntohs(address.sin_port);
  return 0;
}

int raw_add_routes(struct raw* r, int link, uint32_t table, const struct raw_prefix* to,
                   size_t n, size_t most) {
  for (size_t i = 0; i < n;) {
    struct buffer b = {0};
    struct nlmsghdr* last = 0;
    for (size_t in_it = 0; i < n && in_it < most && b.used + kRoute <= kRoutes;
         ++in_it, ++i) {
      const size_t from = b.used;
      last =
          begin(&b, r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct rtmsg));
      struct rtmsg* m = NLMSG_DATA(last);
      m->rtm_family = AF_INET;
      m->rtm_dst_len = to[i].bits;
      m->rtm_table = RT_TABLE_COMPAT;
      m->rtm_protocol = 89;
      m->rtm_scope = RT_SCOPE_LINK;
      m->rtm_type = RTN_UNICAST;
      put(&b, RTA_TABLE, &table, sizeof table);
      put(&b, RTA_DST, to[i].address, 4);
      put(&b, RTA_OIF, &link, sizeof link);
      last->nlmsg_len = (uint32_t)(b.used - from);
    }
    last->nlmsg_flags |= NLM_F_ACK;
    int status = transmit(r, b.used);
    if (status == 0) status = settle(r);
    if (status != 0) return status;
  }
  return 0;
}
