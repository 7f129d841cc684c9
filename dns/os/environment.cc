// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/environment.hh"

#include <climits>

#include "agent/base/file.hh"
#include "agent/base/file_watch.hh"
#include "dns/resolv_conf.hh"

namespace wigeon::dns::os {
namespace {

constexpr std::chrono::milliseconds kSettle{50};
constexpr size_t kMaxNsswitch = 64 * 1024;
constexpr size_t kMaxProgram = 1 << 20;
constexpr size_t kMaxProperty = 64;  // bytes of a text from the bus that are kept

constexpr char kResolved[] = "org.freedesktop.resolve1";
constexpr char kNetworkManager[] = "org.freedesktop.NetworkManager";
constexpr char kNmPath[] = "/org/freedesktop/NetworkManager";
constexpr char kNmDnsPath[] = "/org/freedesktop/NetworkManager/DnsManager";
constexpr char kNmDns[] = "org.freedesktop.NetworkManager.DnsManager";
constexpr char kProperties[] = "org.freedesktop.DBus.Properties";

// Debian's resolvconf and openresolv are scripts, systemd's is a link to resolvectl.
Environment::Resolvconf flavour(const std::string& program) {
  using Kind = Environment::Resolvconf;
  const auto real = real_path(program);
  if (real.empty()) return Kind::none;
  if (real.ends_with("/resolvectl")) return Kind::systemd;
  const auto text = read_file(real, kMaxProgram);
  if (!text) return Kind::none;
  return text->find("openresolv") != text->npos ? Kind::openresolv : Kind::debian;
}

}  // namespace

class LinuxEnvironment : public EnvironmentWatch {
 public:
  LinuxEnvironment(Bus& bus, Paths paths, Changed changed)
      : bus_(bus), paths_(std::move(paths)), changed_(std::move(changed)) {}

  Result<void> open(Loop& loop) {
    for (const auto& path : {paths_.resolv_conf, paths_.nsswitch, paths_.resolvconf})
      files_.push_back(TRY(FileWatch::open(loop, path, kSettle, [this] {
        read_files();
        tell();
      })));
    read_files();
    resolved_.owner = bus_.watch_name(kResolved, [this](const std::string& owner) {
      if (counts(resolved_, owner)) on_resolved(!owner.empty());
    });
    nm_.owner = bus_.watch_name(kNetworkManager, [this](const std::string& owner) {
      if (counts(nm_, owner)) on_nm(!owner.empty());
    });
    nm_signals_ = bus_.match(std::string("type='signal',interface='") + kProperties +
                                 "',member='PropertiesChanged',path='" + kNmDnsPath +
                                 "',arg0='" + kNmDns + "'",
                             [this](sd_bus_message*) { ask_nm(); });
    return {};
  }

 private:
  struct Service {
    bool known = false;
    Bus::Handle owner{};
  };

  // When the bus is gone, what it told us is still the best we know.
  [[nodiscard]] bool counts(const Service& service, const std::string& owner) const {
    return !owner.empty() || bus_.state() == Bus::State::connected || !service.known;
  }

  void read_files() {
    seen_.resolv_conf.reset();
    if (auto text = read_file(paths_.resolv_conf, kMaxResolvConf)) {
      const bool ours = text->starts_with(kResolvConfMark) && !paths_.base.empty();
      auto base = ours ? read_file(paths_.base, kMaxResolvConf) : std::move(text);
      if (base) seen_.resolv_conf = std::move(*base);
    }
    const auto real = real_path(paths_.resolv_conf);
    seen_.resolv_conf_target = real == paths_.resolv_conf ? "" : real;
    seen_.nsswitch = read_file(paths_.nsswitch, kMaxNsswitch).value_or("");
    seen_.resolvconf = flavour(paths_.resolvconf);
  }

  void on_resolved(bool there) {
    seen_.resolved = there;
    resolved_.known = true;
    tell();
  }
  void on_nm(bool there) {
    seen_.network_manager = there;
    if (there) return ask_nm();
    for (auto field :
         {&Environment::nm_version, &Environment::nm_mode, &Environment::nm_rc_manager})
      (seen_.*field).clear();
    nm_calls_.clear();
    nm_.known = true;
    tell();
  }
  void ask_nm() {
    if (!seen_.network_manager) return;
    nm_calls_.clear();
    asking_nm_ = 0;
    get({kNetworkManager, kNmPath, kProperties, "Get"}, kNetworkManager, "Version",
        &Environment::nm_version);
    const BusMethod dns{kNetworkManager, kNmDnsPath, kProperties, "Get"};
    get(dns, kNmDns, "Mode", &Environment::nm_mode);
    get(dns, kNmDns, "RcManager", &Environment::nm_rc_manager);
  }

  // An older version may lack the property, a hung one does not answer: either way there
  // is nothing to know.
  void get(const BusMethod& method, const char* interface, const char* property,
           std::string Environment::*field) {
    ++asking_nm_;
    nm_calls_.push_back(bus_.call(
        method,
        [=](sd_bus_message* m) {
          return sd_bus_message_append(m, "ss", interface, property);
        },
        [this, field](const Result<sd_bus_message*>& reply) {
          const char* text = nullptr;
          if (!reply || sd_bus_message_read(*reply, "v", "s", &text) < 0) text = "";
          seen_.*field = std::string_view(text).substr(0, kMaxProperty);
          if (--asking_nm_ > 0) return;
          nm_.known = true;
          tell();
        }));
  }

  void tell() {
    if (!resolved_.known || !nm_.known || told_ == seen_) return;
    told_ = seen_;
    changed_(seen_);
  }

  Bus& bus_;
  Paths paths_;
  Changed changed_;
  Environment seen_{};
  std::optional<Environment> told_{};
  std::vector<FileWatch> files_{};
  Service resolved_{}, nm_{};
  Bus::Handle nm_signals_{};
  size_t asking_nm_ = 0;
  std::vector<Bus::Handle> nm_calls_{};
};

Result<std::unique_ptr<EnvironmentWatch>> EnvironmentWatch::open(Loop& loop, Bus& bus,
                                                                 Paths paths,
                                                                 Changed changed) {
  auto watch =
      std::make_unique<LinuxEnvironment>(bus, std::move(paths), std::move(changed));
  TRY(watch->open(loop));
  return watch;
}

}  // namespace wigeon::dns::os
