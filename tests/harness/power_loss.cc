// SPDX-License-Identifier: GPL-2.0-or-later
// The states of tests/harness/file_calls.hh.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "agent/base/file.hh"
#include "tests/harness/file_calls.hh"

namespace wigeon {
namespace {

namespace fs = std::filesystem;
using Kind = FileCall::Kind;
using Calls = std::vector<const FileCall*>;

// What is on the disk for certain, and what may be.
struct Disk {
  std::vector<StoredFile> files{};
  std::vector<Calls> changes{};  // by file
  std::map<std::string, size_t> names{};
  std::map<std::string, Calls> renames{};  // by directory
};

void change(StoredFile& file, const FileCall& c) {
  switch (c.kind) {
    case Kind::write:
      file.bytes.resize(std::max(file.bytes.size(), c.offset + c.bytes.size()));
      file.bytes.replace(c.offset, c.bytes.size(), c.bytes);
      break;
    case Kind::truncate:
      file.bytes.resize(c.offset);
      break;
    case Kind::mode:
      file.mode = c.mode;
      break;
    case Kind::owner:
      file.uid = c.uid;
      file.gid = c.gid;
      break;
    default:
      break;
  }
}

void change(std::map<std::string, size_t>& names, const FileCall& c) {
  switch (c.kind) {
    case Kind::create:
    case Kind::symlink:
      names[c.path] = c.file;
      break;
    case Kind::rename:
      names.erase(c.path);
      names[c.other] = c.file;
      break;
    case Kind::link:
      names[c.other] = c.file;
      break;
    case Kind::remove:
      names.erase(c.path);
      break;
    default:
      break;
  }
}

Disk disk_after(const StoredFiles& before, const std::vector<FileCall>& calls,
                size_t done) {
  Disk disk;
  for (const auto& [path, file] : before) {
    disk.names[path] = disk.files.size();
    disk.files.push_back(file);
  }
  disk.changes.resize(disk.files.size());
  for (size_t i = 0; i < done; ++i) {
    const auto& c = calls[i];
    if (c.kind == Kind::create || c.kind == Kind::symlink) {
      disk.files.resize(std::max(disk.files.size(), c.file + 1));
      disk.files[c.file] = {.is_link = c.kind == Kind::symlink,
                            .mode = c.kind == Kind::symlink ? 0777u : 0600u,
                            .uid = ::geteuid(),
                            .gid = ::getegid(),
                            .bytes = c.bytes};
    }
    disk.changes.resize(disk.files.size());
    switch (c.kind) {
      case Kind::sync:
        for (const auto* one : std::exchange(disk.changes[c.file], {}))
          change(disk.files[c.file], *one);
        break;
      case Kind::sync_directory:
        for (const auto* one : std::exchange(disk.renames[c.path], {}))
          change(disk.names, *one);
        break;
      case Kind::write:
      case Kind::truncate:
      case Kind::mode:
      case Kind::owner:
        disk.changes[c.file].push_back(&c);
        break;
      default:
        disk.renames[parent_directory(c.path)].push_back(&c);
        break;
    }
  }
  return disk;
}

// How a file may be found.
std::vector<StoredFile> versions(StoredFile file, const Calls& changes) {
  std::vector<StoredFile> all{file};
  for (const auto* c : changes) {
    if (c->kind == Kind::write) {
      // Torn behind each line, and in the middle of one.
      std::set<size_t> cuts{1, c->bytes.size() / 2, c->bytes.size() - 1};
      for (size_t at = 0; (at = c->bytes.find('\n', at)) != std::string::npos;)
        cuts.insert(++at);
      for (const size_t cut : cuts) {
        if (cut == 0 || cut >= c->bytes.size()) continue;
        FileCall torn = *c;
        torn.bytes.resize(cut);
        auto& version = all.emplace_back(file);
        change(version, torn);
      }
    }
    change(file, *c);
    all.push_back(file);
  }
  return all;
}

}  // namespace

void after_power_loss(const StoredFiles& before, const std::vector<FileCall>& calls,
                      size_t done, const std::function<void(const StoredFiles&)>& f) {
  const Disk disk = disk_after(before, calls, done);
  // All choices of all files and directories, counted up like the digits of a number.
  std::vector<std::vector<StoredFile>> files;
  files.reserve(disk.files.size());
  for (size_t i = 0; i < disk.files.size(); ++i)
    files.push_back(versions(disk.files[i], disk.changes[i]));
  std::vector<size_t> digits(files.size() + disk.renames.size());
  for (;;) {
    auto names = disk.names;
    size_t d = files.size();
    for (const auto& [directory, pending] : disk.renames) {
      for (size_t i = 0; i < digits[d]; ++i) change(names, *pending[i]);
      ++d;
    }
    StoredFiles state;
    for (const auto& [path, file] : names) state[path] = files[file][digits[file]];
    f(state);
    d = 0;
    auto directory = disk.renames.begin();
    for (; d < digits.size(); ++d) {
      const size_t most =
          d < files.size() ? files[d].size() - 1 : (directory++)->second.size();
      if (digits[d] < most) {
        ++digits[d];
        break;
      }
      digits[d] = 0;
    }
    if (d == digits.size()) return;
  }
}

StoredFiles read_files(const std::string& below) {
  StoredFiles files;
  for (const auto& entry : fs::recursive_directory_iterator(below)) {
    const auto path = entry.path().lexically_normal().string();
    struct stat st {};
    if (::lstat(path.c_str(), &st) != 0 || S_ISDIR(st.st_mode)) continue;
    auto& file = files[path];
    file = {S_ISLNK(st.st_mode), st.st_mode & 07777u, st.st_uid, st.st_gid, {}};
    if (file.is_link) {
      file.bytes = fs::read_symlink(path).string();
      continue;
    }
    std::ifstream in(path);
    file.bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  return files;
}

void write_files(const std::string& below, const StoredFiles& files) {
  for (const auto& [path, file] : read_files(below)) fs::remove(path);
  for (const auto& [path, file] : files) {
    if (file.is_link) {
      fs::create_symlink(file.bytes, path);
      continue;
    }
    std::ofstream(path) << file.bytes;
    (void)!::chown(path.c_str(), file.uid, file.gid);
    ::chmod(path.c_str(), file.mode);
  }
}

}  // namespace wigeon
