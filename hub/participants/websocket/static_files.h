#pragma once

// Serves the built web workstation from one directory: its pages, and its assets with a cache life.
// Asked by the web server's thread for every path that is no part of the API. Reads the files at
// each request, so that a new build shows at once. Thread-safe.
//
// Nothing outside the directory is ever served: not by "..", not by a symbolic link, not by an
// absolute path; nor anything whose name begins with a dot.

#include <string>

#include "absl/strings/string_view.h"
#include "hub/participants/websocket/http_message.h"

namespace remora::hub {

class StaticFiles {
 public:
  // Empty: no pages; every path answers how to get them.
  explicit StaticFiles(std::string directory) : directory_(std::move(directory)) {}

  // GET or HEAD of a decoded path. 404 with a reason that helps; 304 by entity tag.
  HttpResponse Serve(absl::string_view path_untrusted, absl::string_view if_none_match) const;

 private:
  const std::string directory_;
};

// "text/html; charset=utf-8" for "index.html"; "application/octet-stream" for what is not known.
absl::string_view ContentTypeOf(absl::string_view path);

}  // namespace remora::hub
