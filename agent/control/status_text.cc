// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/status.hh"

namespace wigeon {

std::string_view text(PeerState s) {
  switch (s) {
    case PeerState::idle:
      return "Idle";
    case PeerState::connecting:
      return "Connecting";
    case PeerState::connected:
      return "Connected";
  }
  return "";
}

std::string_view text(ConnectionType t) {
  switch (t) {
    case ConnectionType::none:
      return "-";
    case ConnectionType::p2p:
      return "P2P";
    case ConnectionType::relayed:
      return "Relayed";
  }
  return "";
}

std::string_view text(DaemonStatus s) {
  switch (s) {
    case DaemonStatus::idle:
      return "Idle";
    case DaemonStatus::connecting:
      return "Connecting";
    case DaemonStatus::connected:
      return "Connected";
    case DaemonStatus::needs_login:
      return "NeedsLogin";
    case DaemonStatus::login_failed:
      return "LoginFailed";
    case DaemonStatus::session_expired:
      return "SessionExpired";
  }
  return "";
}

std::string_view text(Severity s) {
  switch (s) {
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "";
}

}  // namespace wigeon
