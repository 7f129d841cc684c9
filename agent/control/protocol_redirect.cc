// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/decode.hh"
#include "agent/control/protocol.hh"

namespace wigeon {
namespace {

using decode::flag;
using decode::list;
using decode::object;
using decode::string;
using decode::Unknown;

Result<void> step(const Json& j, RedirectStep& s) {
  return object(j, Unknown::skip,
                {{"step", string(s.step)},
                 {"detail", string(s.detail)},
                 {"failed", flag(s.failed)}});
}

Result<void> walk(const Json& j, RedirectWalk& w) {
  return object(j, Unknown::skip,
                {{"transport", string(w.transport)},
                 {"server", string(w.server)},
                 {"steps", list<RedirectStep>(w.steps, step)}});
}

}  // namespace

std::string encode(const RedirectResult& result) {
  Json walks = Json::array();
  for (const auto& w : result.walks) {
    Json steps = Json::array();
    for (const auto& s : w.steps)
      steps.push_back({{"step", s.step}, {"detail", s.detail}, {"failed", s.failed}});
    walks.push_back(
        {{"transport", w.transport}, {"server", w.server}, {"steps", std::move(steps)}});
  }
  return dump_json({{"walks", std::move(walks)}});
}

Result<RedirectResult> decode_redirect(std::string_view result) {
  RedirectResult r;
  TRY(object(result, Unknown::skip, {{"walks", list<RedirectWalk>(r.walks, walk)}}));
  return r;
}

}  // namespace wigeon
