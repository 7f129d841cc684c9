// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/netns/dns_steering.hh"

#include <bpf/bpf.h>
#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "bpf/libbpf_log.hh"
#include "steer_query.skel.h"

namespace wigeon::dns {

struct Steering::Program {
  Owned<steer_query_bpf, steer_query_bpf__destroy> skeleton{steer_query_bpf__open()};
  Owned<bpf_link, bpf_link__destroy> link{};
};

Steering::Steering(const Address& own4, const Address& own6)
    : program_(std::make_unique<Program>()) {
  const bpf::LibbpfLog log;
  auto* s = program_->skeleton.get();
  REQUIRE(s);
  std::memcpy(const_cast<uint32_t*>(&s->rodata->address4), own4.bytes().data(), 4);
  std::memcpy(const_cast<uint32_t*>(s->rodata->address6), own6.bytes().data(), 16);
  const int loaded = steer_query_bpf__load(s);
  INFO(log.line());
  REQUIRE(loaded == 0);
  const UniqueFd here(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  program_->link.reset(bpf_program__attach_netns(s->progs.steer_query, here.get()));
  REQUIRE(program_->link);
}

Steering::~Steering() = default;

void Steering::to(const ListenerSockets& sockets) {
  const int map = bpf_map__fd(program_->skeleton->maps.sockets);
  for (const auto& s : sockets) {
    const uint32_t key = (s.transport == Transport::tcp ? 1u : 0u) +
                         (s.endpoint.address.is_v4() ? 0u : 2u);
    const auto fd = static_cast<uint64_t>(s.fd.get());
    REQUIRE(bpf_map_update_elem(map, &key, &fd, BPF_ANY) == 0);
  }
}

}  // namespace wigeon::dns
