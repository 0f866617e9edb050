#include "hub/app/ports_file.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace remora::hub {
namespace {

// Addresses hold nothing that JSON would need to escape but a Unix socket's path.
std::string JsonText(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace

absl::Status WritePortsFile(FileSystem& files, const std::string& path, const ListenAddress& grpc,
                            const ListenAddress& http, int64_t pid) {
  const std::string next = path + ".new";
  if (files.Exists(next)) RETURN_IF_ERROR(files.Remove(next));
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file, files.OpenAppend(next));
    RETURN_IF_ERROR(file->Append(absl::StrCat(
        "{\"grpc\":", JsonText(grpc.ToString()), ",\"http\":", JsonText(http.ToString()),
        ",\"grpc_port\":", grpc.port, ",\"http_port\":", http.port, ",\"pid\":", pid, "}\n")));
    RETURN_IF_ERROR(file->Sync());
  }
  return files.Rename(next, path);
}

}  // namespace remora::hub
