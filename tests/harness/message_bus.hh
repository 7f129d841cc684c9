// SPDX-License-Identifier: GPL-2.0-or-later
// A message bus of a test's own: dbus-daemon on a socket in a temporary directory.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "tests/harness/temp_dir.hh"

namespace wigeon {

class MessageBus {
 public:
  MessageBus() {
    std::ofstream(dir_.path() + "/bus.conf")
        << "<busconfig><type>system</type><listen>" << address()
        << "</listen><auth>EXTERNAL</auth><policy context='default'><allow user='*'/>"
           "<allow own='*'/><allow send_destination='*'/><allow send_type='signal'/>"
           "<allow send_requested_reply='true' send_type='method_return'/>"
           "<allow send_requested_reply='true' send_type='error'/>"
           "<allow receive_type='method_call'/><allow receive_type='method_return'/>"
           "<allow receive_type='error'/><allow receive_type='signal'/>"
           "</policy></busconfig>";
  }
  MessageBus(const MessageBus&) = delete;
  MessageBus& operator=(const MessageBus&) = delete;
  ~MessageBus() { stop(); }

  [[nodiscard]] std::string address() const { return "unix:path=" + path(); }
  // False when there is no dbus-daemon.
  bool start() {
    const std::string config = "--config-file=" + dir_.path() + "/bus.conf";
    const char* argv[] = {"dbus-daemon", "--nofork",     "--nopidfile",
                          "--nosyslog",  config.c_str(), nullptr};
    posix_spawn_file_actions_t quiet;
    ::posix_spawn_file_actions_init(&quiet);
    ::posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    const int e = ::posix_spawnp(&pid_, argv[0], &quiet, nullptr,
                                 const_cast<char* const*>(argv), environ);
    ::posix_spawn_file_actions_destroy(&quiet);
    if (e != 0) return false;
    for (int i = 0; i < 1000 && !listens(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return listens();
  }
  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
    ::unlink(path().c_str());
  }
  void hang() const { ::kill(pid_, SIGSTOP); }
  void go_on() const { ::kill(pid_, SIGCONT); }

 private:
  [[nodiscard]] std::string path() const { return dir_.path() + "/bus"; }
  // The socket is there a moment before it takes connections.
  [[nodiscard]] bool listens() const {
    sockaddr_un to{.sun_family = AF_UNIX, .sun_path = {}};
    if (path().copy(to.sun_path, sizeof to.sun_path - 1) != path().size()) return false;
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int e = ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
    ::close(fd);
    return e == 0;
  }

  TempDir dir_{};
  pid_t pid_ = 0;
};

}  // namespace wigeon
