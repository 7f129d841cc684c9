// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bpf/redirect_mass.hh"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include "tests/bpf/frame_maker.hh"

namespace wigeon::test {

const std::vector<Address> kOwn = {kV4[0], kV6[0], kV4[3], kV6[3]};

namespace {

using bpf::Hook;
using bpf::PortRedirect;

// Settings change after so many frames, and counters are compared.
constexpr uint64_t kRound = 8'000;
constexpr size_t kFlows = 2'000;  // in the model, before they are forgotten

std::string text(const Bytes& bytes) {
  std::string hex;
  for (const uint8_t b : bytes) hex += fmt::format("{:02x}", b);
  return hex;
}

std::string text(const PortRedirect::Counts& counts) {
  return fmt::format("{}", fmt::join(counts, " "));
}

struct Verdict {
  bool ran = false, passes = false;
};

Verdict run(int program, Hook hook, const Bytes& frame, Bytes& after) {
  after.resize(frame.size());
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(), .data_out = after.data(),
              .data_size_in = static_cast<__u32>(frame.size()),
              .data_size_out = static_cast<__u32>(frame.size()), .repeat = 1);
  if (::bpf_prog_test_run_opts(program, &run) != 0) return {};
  after.resize(run.data_size_out);
  return {true, hook == Hook::xdp ? run.retval == XDP_PASS
                                  : static_cast<int>(run.retval) == -1};
}

Result<void> forget(const bpf::PinDirectory& pins, Hook hook) {
  const auto& names = hook == Hook::xdp ? bpf::pin::kRedirectXdp : bpf::pin::kRedirectTc;
  for (const char* name : {names.udp, names.tcp}) {
    auto fd = TRY(pins.get(name));
    if (!fd) return fail(ENOENT, name);
    const bpf::Map<dns_flow, __u32> flows(std::move(*fd));
    for (const dns_flow& flow : TRY(flows.keys(DNS_FLOWS_UDP))) TRY(flows.remove(flow));
  }
  return {};
}

bool is_right(const Frame& f, const Bytes& frame) {
  const std::span<const uint8_t> segment = std::span(frame).subspan(f.segment_at());
  return segment_sum(segment, f.protocol, f.src, f.dst) == 0xffff;
}

class Judging {
 public:
  Judging(const PortRedirect& redirect, const bpf::PinDirectory& pins)
      : redirect_(redirect), pins_(pins), hook_(redirect.place().hook) {}

  Result<void> begin(uint64_t round) {
    if (const auto counts = TRY(redirect_.counters()); counts != o_.expected)
      return fail(0, fmt::format("round {}: counted\n{}, expected\n{}", round,
                                 text(counts), text(o_.expected)));
    const uint16_t port = kRealPorts[round % 5 == 4];
    const bool draining = round % 4 == 3;
    TRY(redirect_.set({.own = kOwn, .port = port, .draining = draining}));
    model_.set({kOwn, {kOwn[0], kOwn[1]}, port, draining});
    if (model_.flows() < kFlows) return {};
    TRY(forget(pins_, hook_));
    model_.forget();
    return {};
  }

  // `whole`: as it was made.
  void judge(const Bytes& before, const Frame* whole) {
    const Verdict verdict = run(redirect_.program(), hook_, before, after_);
    if (!verdict.ran) {
      ++o_.refused;
      if (before.size() >= kEthernet + 40) differ(before);  // it has a whole IP header
      return;
    }
    ++o_.packets;
    expected_ = before;
    if (const auto reason = model_.judge(expected_)) ++o_.expected[*reason];
    if (!verdict.passes || after_ != expected_) return differ(before);
    if (expected_ == before) return;
    ++o_.rewritten;
    if (!whole || whole->check != Check::right) return;
    ++o_.checked;
    // Of a fragment it is not right to begin with.
    if (is_right(*whole, before) != is_right(*whole, after_)) differ(before);
  }

  Outcome& outcome() { return o_; }

 private:
  void differ(const Bytes& before) {
    if (o_.differences++ == 0)
      o_.first = fmt::format("packet {}\nbefore   {}\nafter    {}\nexpected {}",
                             o_.packets, text(before), text(after_), text(expected_));
  }

  const PortRedirect& redirect_;
  const bpf::PinDirectory& pins_;
  Hook hook_;
  RedirectModel model_{};
  Bytes after_{}, expected_{};
  Outcome o_{};
};

Result<void> judge_all(Judging& judging, uint64_t seed, uint64_t packets) {
  Random r(seed);
  Bytes noise(2 * kLongestFrame);
  for (uint8_t& b : noise) b = static_cast<uint8_t>(r.next());
  uint64_t n = 0;
  for (; judging.outcome().packets < packets; ++n) {
    if (n % kRound == 0) TRY(judging.begin(n / kRound));
    const Frame frame = made(r, noise);
    Bytes bytes = frame.bytes();
    const bool whole = r.percent(60);
    if (!whole)
      for (size_t times = 1 + r.below(3); times > 0; --times) damage(r, bytes);
    judging.judge(bytes, whole ? &frame : nullptr);
  }
  return judging.begin(n / kRound);
}

}  // namespace

Outcome judge_frames(const PortRedirect& redirect, const bpf::PinDirectory& pins,
                     uint64_t seed, uint64_t packets) {
  Judging judging(redirect, pins);
  const auto done = judge_all(judging, seed, packets);
  Outcome& o = judging.outcome();
  if (!done && o.differences++ == 0) o.first = done.error().what;
  return std::move(o);
}

}  // namespace wigeon::test
