#include "acquisition-agent/sources/lsl/api.h"

#include <dlfcn.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "acquisition-agent/sources/text.h"

namespace remora::agent::lsl {
namespace {

// Fills entries of the table, and remembers the first function that is not there.
class Filler {
 public:
  explicit Filler(void* library) : library_(library) {}

  template <typename Function>
  void Fill(const char* name, Function* entry) {
    *entry = reinterpret_cast<Function>(dlsym(library_, name));
    if (*entry == nullptr && missing_.empty()) missing_ = name;
  }
  const std::string& missing() const { return missing_; }

 private:
  void* const library_;
  std::string missing_;
};

std::string FillAll(void* library, LslApi* api) {
  Filler filler(library);
  filler.Fill("lsl_library_version", &api->library_version);
  filler.Fill("lsl_local_clock", &api->local_clock);
  filler.Fill("lsl_resolve_all", &api->resolve_all);
  filler.Fill("lsl_resolve_byprop", &api->resolve_byprop);
  filler.Fill("lsl_destroy_streaminfo", &api->destroy_streaminfo);
  filler.Fill("lsl_get_name", &api->get_name);
  filler.Fill("lsl_get_type", &api->get_type);
  filler.Fill("lsl_get_hostname", &api->get_hostname);
  filler.Fill("lsl_get_channel_count", &api->get_channel_count);
  filler.Fill("lsl_get_nominal_srate", &api->get_nominal_srate);
  filler.Fill("lsl_get_channel_format", &api->get_channel_format);
  filler.Fill("lsl_get_desc", &api->get_desc);
  filler.Fill("lsl_child", &api->child);
  filler.Fill("lsl_next_sibling_n", &api->next_sibling_n);
  filler.Fill("lsl_empty", &api->empty);
  filler.Fill("lsl_child_value_n", &api->child_value_n);
  filler.Fill("lsl_create_inlet", &api->create_inlet);
  filler.Fill("lsl_destroy_inlet", &api->destroy_inlet);
  filler.Fill("lsl_get_fullinfo", &api->get_fullinfo);
  filler.Fill("lsl_open_stream", &api->open_stream);
  filler.Fill("lsl_time_correction", &api->time_correction);
  filler.Fill("lsl_was_clock_reset", &api->was_clock_reset);
  filler.Fill("lsl_pull_chunk_d", &api->pull_chunk_d);
  filler.Fill("lsl_pull_sample_str", &api->pull_sample_str);
  filler.Fill("lsl_destroy_string", &api->destroy_string);
  return filler.missing();
}

}  // namespace

std::vector<std::string> LibraryNames() { return {"liblsl.so.2", "liblsl.so"}; }

absl::StatusOr<LslApi> LoadLsl(const std::vector<std::string>& names) {
  std::string why;
  for (const std::string& name : names) {
    void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      if (const char* error = dlerror(); error != nullptr && why.empty()) why = CleanText(error);
      continue;
    }
    LslApi api;
    const std::string missing = FillAll(library, &api);
    if (missing.empty()) return api;
    return absl::UnavailableError(absl::StrCat(
        CleanText(name), " has no function ", missing,
        "; install liblsl 1.13 or later from https://github.com/sccn/liblsl/releases"));
  }
  return absl::UnavailableError(absl::StrCat(
      "liblsl is not installed (looked for ", CleanText(absl::StrJoin(names, ", ")),
      why.empty() ? "" : absl::StrCat(": ", why),
      "); install it from https://github.com/sccn/liblsl/releases, name it with library=PATH, or "
      "use feed:"));
}

}  // namespace remora::agent::lsl
