#include "hub/rooms/theatre_claims.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace remora::hub {
namespace {

absl::Status Claimed(const std::string& theatre, const TheatreClaims::Holder& holder) {
  return absl::AlreadyExistsError(absl::StrCat("theatre '", theatre, "' is claimed by ",
                                               holder.agent, " with case ", holder.case_id.Hex()));
}

}  // namespace

absl::Status TheatreClaims::Claim(const std::string& theatre, const Holder& holder) {
  auto [it, inserted] = holders_.try_emplace(theatre, holder);
  if (inserted) return absl::OkStatus();
  if (it->second.agent != holder.agent) return Claimed(theatre, it->second);
  it->second = holder;
  return absl::OkStatus();
}

absl::Status TheatreClaims::CheckFree(const CaseId& case_id, const std::string& theatre) const {
  const Holder* holder = Find(theatre);
  return holder == nullptr || holder->case_id == case_id ? absl::OkStatus()
                                                         : Claimed(theatre, *holder);
}

absl::Status TheatreClaims::Move(const CaseId& case_id, const std::string& theatre) {
  if (absl::Status status = CheckFree(case_id, theatre); !status.ok()) return status;
  for (auto it = holders_.begin(); it != holders_.end(); ++it) {
    if (it->second.case_id != case_id || it->first == theatre) continue;
    Holder holder = std::move(it->second);
    holders_.erase(it);
    holders_[theatre] = std::move(holder);
    break;
  }
  return absl::OkStatus();
}

void TheatreClaims::ReleaseAll(const void* session) {
  std::erase_if(holders_, [session](const auto& h) { return h.second.session == session; });
}

void TheatreClaims::Release(const void* session, const CaseId& case_id) {
  std::erase_if(holders_, [&](const auto& h) {
    return h.second.session == session && h.second.case_id == case_id;
  });
}

const TheatreClaims::Holder* TheatreClaims::Find(const std::string& theatre) const {
  auto it = holders_.find(theatre);
  return it == holders_.end() ? nullptr : &it->second;
}

}  // namespace remora::hub
