// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/network_manager.hh"

#include <utility>

namespace wigeon::dns::os {
namespace {

using namespace std::chrono_literals;

constexpr const char* kService = "org.freedesktop.NetworkManager";
constexpr const char* kPath = "/org/freedesktop/NetworkManager";
constexpr const char* kDnsManagerPath = "/org/freedesktop/NetworkManager/DnsManager";
constexpr const char* kDnsManager = "org.freedesktop.NetworkManager.DnsManager";
constexpr const char* kDevice = "org.freedesktop.NetworkManager.Device";
constexpr uint32_t kPreserveExternalIp = 1;
// It takes settings first and its DNS part lists them a moment later.
constexpr unsigned kMaxWaits = 20;
constexpr auto kWait = 100ms;

bool is_named(const Error& e, std::string_view name) {
  return e.what.starts_with("org.freedesktop.NetworkManager." + std::string(name) + ": ");
}

}  // namespace

NetworkManager::NetworkManager(Loop& loop, Bus& bus, std::optional<std::string> left,
                               Events events)
    : BusManager(loop, bus, kService, "NetworkManager",
                 left && NmNote::parse(*left) ? std::move(left) : std::nullopt,
                 std::move(events)) {
  const auto changed = [this](sd_bus_message*) { look_soon(); };
  hear("path='" + std::string(kDnsManagerPath) +
           "',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
       changed);
  hear("interface='" + std::string(kDevice) + "',member='StateChanged'", changed);
}

bool NetworkManager::covers(const std::string& note, const HostDns& dns) const {
  const auto n = NmNote::parse(note);
  return n && n->interface == dns.interface;
}

bool NetworkManager::forgotten(const std::string&) const { return true; }

void NetworkManager::start_over() {
  waited_ = 0;
  reapplied_ = false;
}

void NetworkManager::round() {
  get_all(kDnsManagerPath, kDnsManager, [this](const Result<sd_bus_message*>& reply) {
    auto manager = reply ? read_nm_dns_manager(*reply)
                         : Result<NmDnsManager>(std::unexpected(reply.error()));
    if (!manager) return failed("reading its DNS settings", manager.error());
    manager_ = std::move(*manager);
    on_manager();
  });
}

void NetworkManager::on_manager() {
  const auto own = wanted() ? std::optional(wanted()->interface)
                   : note() ? std::optional(NmNote::parse(*note())->interface)
                            : std::nullopt;
  auto originals = nm_originals(manager_, own.value_or(""),
                                wanted() ? wanted()->servers : std::vector<Address>());
  originals_left_out_ = originals.left_out;
  set_originals(std::move(originals.servers));
  if (must_take_back()) return find_device(NmNote::parse(*note())->interface);
  if (!wanted()) return finish();
  find_device(wanted()->interface);
}

void NetworkManager::find_device(const std::string& interface) {
  const auto on_device = [this, interface](const Result<sd_bus_message*>& reply) {
    if (!reply && is_named(reply.error(), "UnknownDevice")) {
      if (must_take_back()) return taken_back();
      return failed("NetworkManager does not see " + interface);
    }
    auto path =
        reply ? read_text(*reply) : Result<std::string>(std::unexpected(reply.error()));
    if (!path) return failed("looking for " + interface, path.error());
    device_ = std::move(*path);
    call(
        {kService, device_.c_str(), kDevice, "GetAppliedConnection"},
        [](sd_bus_message* m) { return sd_bus_message_append(m, "u", 0U); },
        [this, interface](const Result<sd_bus_message*>& applied) {
          if (!applied && is_named(applied.error(), "Device.NotActive")) {
            if (must_take_back()) return taken_back();
            return failed("NetworkManager does not manage " + interface +
                          ", so it takes no DNS servers for it");
          }
          if (!applied) return failed("reading " + interface, applied.error());
          on_applied(*applied);
        });
  };
  call(
      {kService, kPath, kService, "GetDeviceByIpIface"},
      [interface](sd_bus_message* m) {
        return sd_bus_message_append(m, "s", interface.c_str());
      },
      on_device);
}

void NetworkManager::on_applied(sd_bus_message* m) {
  applied_.reset(sd_bus_message_ref(m));
  auto is = read_nm_applied(m);
  if (!is) return failed("reading the device's connection", is.error());
  is_ = std::move(*is);
  if (must_take_back()) return take_back();
  wish_ = nm_wish(*wanted(), is_, nm_splits(manager_.mode));
  if (wish_.v4.servers.empty() && wish_.v6.servers.empty())
    return failed("NetworkManager lists no address of " + wanted()->interface +
                  " for which it takes DNS servers");
  compare();
}

void NetworkManager::compare() {
  if (!nm_says(is_, wish_)) {
    if (std::exchange(reapplied_, false))
      return failed("NetworkManager has not taken the DNS servers of " +
                    wanted()->interface);
    const NmNote note{wanted()->interface, is_.v4, is_.v6};
    if (may_write("the DNS servers of " + wanted()->interface, note.text()))
      reapply(kPreserveExternalIp);
    return;
  }
  auto obstacle = nm_obstacle(manager_, wish_, wanted()->interface);
  if (obstacle.empty()) {
    start_over();
    return finish();
  }
  if (waited_ < kMaxWaits) {
    ++waited_;
    return wait(kWait);
  }
  failed(std::move(obstacle));
}

void NetworkManager::take_back() {
  const auto old = NmNote::parse(*note());
  wish_ = is_;
  wish_.v4 = old->v4;
  wish_.v6 = old->v6;
  if (nm_says(is_, wish_)) return taken_back();
  reapply(kPreserveExternalIp);
}

void NetworkManager::reapply(uint32_t flags) {
  call(
      {kService, device_.c_str(), kDevice, "Reapply"},
      [this, flags](sd_bus_message* m) {
        const int e = put_nm_settings(m, applied_.get(), wish_);
        return e < 0 ? e : sd_bus_message_append(m, "tu", is_.version, flags);
      },
      [this, flags](const Result<sd_bus_message*>& reply) {
        on_reapplied(reply, flags);
      });
}

void NetworkManager::on_reapplied(const Result<sd_bus_message*>& reply, uint32_t flags) {
  if (reply && must_take_back()) return taken_back();
  if (reply) {
    reapplied_ = true;
    return wait(kWait);
  }
  const auto& e = reply.error();
  if (flags != 0 && is_named(e, "Device.InvalidArgument") &&
      e.what.find("flags") != e.what.npos)
    return ask_version();
  failed("Reapply", e);
}

void NetworkManager::ask_version() {
  get_all(kPath, kService, [this](const Result<sd_bus_message*>& reply) {
    std::string version;
    const auto read =
        reply ? read_dictionary(*reply,
                                [&](sd_bus_message* m, const std::string& key,
                                    const char* type) -> Result<void> {
                                  if (key == "Version" && std::string_view(type) == "s")
                                    version = TRY(read_text(m));
                                  return {};
                                })
              : Result<void>(std::unexpected(reply.error()));
    if (!read) return failed("asking for its version", read.error());
    if (const auto v = nm_version(version); v && *v < std::pair(1, 27)) return reapply(0);
    failed("NetworkManager " + version +
           " cannot take DNS servers for a link without taking its addresses off");
  });
}

void NetworkManager::finish() {
  std::vector<std::string> notes;
  if (originals_left_out_ > 0)
    notes.push_back("of the servers that NetworkManager knows, " +
                    std::to_string(originals_left_out_) +
                    " are not asked by us: not plain DNS, or on no interface");
  done(std::move(notes));
}

Result<void> undo_network_manager(const std::string& note,
                                  std::chrono::milliseconds limit,
                                  const std::string& bus_address) {
  if (!NmNote::parse(note)) return fail(EINVAL, "no note of NetworkManager: " + note);
  auto loop = TRY(Loop::open());
  auto bus = TRY(Bus::open(loop, {.address = bus_address}));
  // No bus at all: NetworkManager does not live without one.
  if (bus->state() == Bus::State::absent) return {};
  bool undone = false;
  NetworkManager manager(loop, *bus, note,
                         {.undone = [&](const auto&) { undone = true; }});
  manager.withdraw();
  return run_until(loop, manager, undone, limit);
}

}  // namespace wigeon::dns::os
