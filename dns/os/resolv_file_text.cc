// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/resolv_file_text.hh"

#include <algorithm>
#include <span>

#include "dns/name.hh"
#include "dns/os/environment.hh"
#include "dns/resolv_conf.hh"

namespace wigeon::dns::os {
namespace {

using Words = std::vector<std::string_view>;

constexpr std::string_view kKeptLine = "# The original is kept in ";

// Each with its line end, which the last one may lack.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto size = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

std::string_view line_end(std::string_view line) {
  const auto last = line.find_last_not_of("\r\n");
  return line.substr(last == line.npos ? 0 : last + 1);
}

bool same_domain(std::string_view a, std::string_view b) {
  if (a.size() > 1 && a.ends_with('.')) a.remove_suffix(1);
  if (b.size() > 1 && b.ends_with('.')) b.remove_suffix(1);
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

template <class List>
bool lists(const List& domains, std::string_view domain) {
  return std::ranges::any_of(domains,
                             [&](const auto& d) { return same_domain(d, domain); });
}

bool is_search(const Words& words) {
  return words.size() > 1 && (words[0] == "search" || words[0] == "domain");
}

Words domains_of(const Words& words) {
  if (words[0] == "domain") return {words[1]};
  return {words.begin() + 1, words.end()};
}

bool is_our_server(const Words& words, const OurLines& ours) {
  if (words.size() < 2 || words[0] != "nameserver") return false;
  const auto address = Address::parse(words[1]);
  return address && std::ranges::count(ours.servers, *address) > 0;
}

bool is_our_comment(std::string_view line) {
  return line.starts_with(kResolvConfMark) || line.starts_with(kKeptLine);
}

// Asking in turn would ask servers that know nothing of our names.
std::string without_rotate(std::string_view line) {
  auto words = resolv_conf_words(line);
  if (words.size() < 2 || words[0] != "options" ||
      std::ranges::count(words, "rotate") == 0)
    return std::string(line);
  std::erase(words, "rotate");
  std::string text = words.size() == 1 ? "# options rotate" : "options";
  for (const auto word : std::span(words).subspan(1)) text += " " + std::string(word);
  return text + std::string(line_end(line));
}

std::string search_line(const Words& words, std::string_view end) {
  std::string text = "search";
  for (const auto w : words) text += " " + std::string(w);
  return text + std::string(end);
}

// The line whose domains count: the last.
std::string_view last_search(const std::vector<std::string_view>& lines) {
  std::string_view last;
  for (const auto line : lines)
    if (is_search(resolv_conf_words(line))) last = line;
  return last;
}

bool can_be_written(std::string_view domain) {
  const auto bad = [](unsigned char c) {
    return c <= ' ' || c >= 127 || c == '#' || c == ';';
  };
  return !domain.empty() && std::ranges::none_of(domain, bad) && Name::parse(domain);
}

}  // namespace

const Address* first_server(const std::vector<Address>& servers) {
  const auto v4 = std::ranges::find_if(servers, &Address::is_v4);
  if (v4 != servers.end()) return &*v4;
  return servers.empty() ? nullptr : servers.data();
}

OurLines our_lines(const HostDns& dns, std::string_view host_name) {
  OurLines ours;
  ours.servers = dns.servers;
  for (const auto& d : dns.domains)
    if (d.is_search && can_be_written(d.name)) ours.search.push_back(d.name);
  if (const auto dot = host_name.find('.'); dot != host_name.npos)
    if (const auto domain = host_name.substr(dot + 1); can_be_written(domain))
      ours.local_domain = domain;
  return ours;
}

FittedSearch fit_search(const std::vector<std::string>& there,
                        const std::vector<std::string>& more) {
  FittedSearch fitted;
  size_t count = there.size(), size = 0;
  for (const auto& d : there) size += d.size() + 1;
  for (const auto& d : more) {
    if (lists(there, d) || lists(fitted.added, d)) continue;
    // One that is too long does not keep out the next.
    if (count >= kMaxSearchDomains || size + d.size() > kMaxSearchText) {
      fitted.left_out.push_back(d);
      continue;
    }
    fitted.added.push_back(d);
    ++count;
    size += d.size() + 1;
  }
  return fitted;
}

ComposedConf compose_resolv_conf(std::string_view base, const OurLines& ours,
                                 std::string_view kept_at) {
  const auto lines = lines_of(base);
  const auto search = last_search(lines);
  Words domains = search.empty() ? Words() : domains_of(resolv_conf_words(search));
  if (search.empty() && !ours.local_domain.empty()) domains.push_back(ours.local_domain);
  const auto fitted = fit_search({domains.begin(), domains.end()}, ours.search);
  domains.insert(domains.end(), fitted.added.begin(), fitted.added.end());

  ComposedConf out{{}, fitted.added, fitted.left_out};
  out.text = std::string(kResolvConfMark) + "\n" + std::string(kKeptLine) +
             std::string(kept_at) + "\n";
  if (const Address* server = first_server(ours.servers))
    out.text += "nameserver " + server->text() + "\n";
  if (search.empty() && !fitted.added.empty()) out.text += search_line(domains, "\n");
  for (const auto line : lines) {
    if (is_our_server(resolv_conf_words(line), ours)) continue;
    if (line.data() == search.data() && !fitted.added.empty())
      out.text += search_line(domains, line_end(line));
    else
      out.text += without_rotate(line);
  }
  return out;
}

bool is_our_conf(std::string_view text) { return text.starts_with(kResolvConfMark); }

bool has_our_lines(std::string_view text, const OurLines& ours) {
  return std::ranges::any_of(lines_of(text), [&](std::string_view line) {
    return is_our_comment(line) || is_our_server(resolv_conf_words(line), ours);
  });
}

std::string without_our_lines(std::string_view text, std::string_view base,
                              const OurLines& ours) {
  auto left = lines_of(base);  // not met yet
  const auto search = last_search(left);
  const Words base_domains =
      search.empty() ? Words() : domains_of(resolv_conf_words(search));
  const auto is_ours = [&](std::string_view d) {
    return !lists(base_domains, d) &&
           (lists(ours.search, d) || same_domain(d, ours.local_domain));
  };
  std::string out;
  for (const auto line : lines_of(text)) {
    const auto words = resolv_conf_words(line);
    if (is_our_comment(line) || is_our_server(words, ours)) continue;
    Words domains = is_search(words) ? domains_of(words) : Words();
    const size_t before = domains.size();
    std::erase_if(domains, is_ours);
    const auto comes_from = [&](std::string_view l) {
      return l == line || without_rotate(l) == line ||
             (l.data() == search.data() && before > 0 && domains == base_domains);
    };
    if (const auto at = std::ranges::find_if(left, comes_from); at != left.end()) {
      out += *at;
      left.erase(at);
    } else if (domains.size() == before) {
      out += line;
    } else if (!domains.empty()) {
      out += search_line(domains, line_end(line));
    }
  }
  return out;
}

}  // namespace wigeon::dns::os
