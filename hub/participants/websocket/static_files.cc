#include "hub/participants/websocket/static_files.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

namespace fs = std::filesystem;

constexpr char kNotBuilt[] =
    "The web workstation is not built.\n\n"
    "Run `npm ci && npm run build` in reader-client/web, then start remora-hub with\n"
    "`--web reader-client/web/dist`. Everything else of this hub works without it.";

struct FileType {
  absl::string_view suffix;
  absl::string_view content_type;
};
constexpr FileType kFileTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
    {".wav", "audio/wav"},
    {".mp3", "audio/mpeg"},
};

// Every part is a plain name.
bool IsPlainPath(absl::string_view path) {
  if (path.empty() || path[0] != '/' || absl::StrContains(path, '\\')) return false;
  for (absl::string_view part : absl::StrSplit(path.substr(1), '/')) {
    if (absl::StartsWith(part, ".")) return false;
  }
  return true;
}

// The file behind `path` with symbolic links followed, if it still lies within `root`.
fs::path ResolveWithin(const fs::path& root, absl::string_view path) {
  std::error_code error;
  const fs::path real_root = fs::canonical(root, error);
  if (error) return {};
  const fs::path real = fs::canonical(real_root / std::string(path.substr(1)), error);
  if (error) return {};
  const fs::path relative = real.lexically_relative(real_root);
  if (relative.empty() || *relative.begin() == "..") return {};
  return real;
}

}  // namespace

absl::string_view ContentTypeOf(absl::string_view path) {
  for (const FileType& type : kFileTypes) {
    if (absl::EndsWithIgnoreCase(path, type.suffix)) return type.content_type;
  }
  return "application/octet-stream";
}

HttpResponse StaticFiles::Serve(absl::string_view path_untrusted,
                                absl::string_view if_none_match) const {
  std::string path(path_untrusted);
  if (path == "/") path = "/index.html";
  if (!IsPlainPath(path)) return PlainResponse(404, "There is no such page on this hub.");
  fs::path file = directory_.empty() ? fs::path() : ResolveWithin(directory_, path);
  if (file.empty() && !absl::StrContains(path.substr(1), '.') && !directory_.empty()) {
    path += ".html";  // "/theatre" is the theatre's page
    file = ResolveWithin(directory_, path);
  }
  struct stat status {};
  if (file.empty() || stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    if (path == "/index.html") return PlainResponse(404, kNotBuilt);
    return PlainResponse(404, "There is no such page on this hub. The workstation is at /");
  }
  if (static_cast<size_t>(status.st_size) > kMaxStaticFileBytes) {
    return PlainResponse(404, "This file is too large to be served.");
  }

  HttpResponse response;
  const std::string tag =
      absl::StrCat("\"", absl::Hex(status.st_size), "-", absl::Hex(status.st_mtim.tv_sec), "-",
                   absl::Hex(status.st_mtim.tv_nsec), "\"");
  response.headers.emplace_back("ETag", tag);
  // The build names assets by their content.
  response.headers.emplace_back("Cache-Control", absl::StartsWith(path, "/assets/")
                                                     ? "public, max-age=31536000, immutable"
                                                     : "no-cache");
  response.content_type = std::string(ContentTypeOf(path));
  if (if_none_match == tag) {
    response.status = 304;
    return response;
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> stream(std::fopen(file.c_str(), "rb"), &std::fclose);
  if (stream == nullptr) return PlainResponse(404, "This file cannot be read by the hub.");
  response.body.resize(status.st_size);
  response.body.resize(std::fread(response.body.data(), 1, response.body.size(), stream.get()));
  return response;
}

}  // namespace remora::hub
