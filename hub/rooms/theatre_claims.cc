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
  if (absl::Status status = CheckClaim(theatre, holder.agent); !status.ok()) return status;
  holders_[theatre] = holder;
  return absl::OkStatus();
}

absl::Status TheatreClaims::CheckClaim(const std::string& theatre, const std::string& agent) const {
  const Holder* holder = Find(theatre);
  return holder == nullptr || holder->agent == agent ? absl::OkStatus() : Claimed(theatre, *holder);
}

absl::Status TheatreClaims::CheckFree(const CaseId& case_id, const std::string& theatre) const {
  const Holder* holder = Find(theatre);
  return holder == nullptr || holder->case_id == case_id ? absl::OkStatus()
                                                         : Claimed(theatre, *holder);
}

void TheatreClaims::Move(const CaseId& case_id, const std::string& theatre) {
  for (auto it = holders_.begin(); it != holders_.end(); ++it) {
    if (it->second.case_id != case_id || it->first == theatre) continue;
    Holder holder = std::move(it->second);
    holders_.erase(it);
    holders_[theatre] = std::move(holder);
    break;
  }
}

void TheatreClaims::Suspend(const CaseId& case_id) {
  for (auto it = holders_.begin(); it != holders_.end();) {
    if (it->second.case_id != case_id) {
      ++it;
      continue;
    }
    suspended_.push_back(std::move(it->second));
    it = holders_.erase(it);
  }
}

void TheatreClaims::Resume(const CaseId& case_id, const std::string& theatre) {
  for (auto it = suspended_.begin(); it != suspended_.end();) {
    if (it->case_id == case_id && Claim(theatre, *it).ok()) {
      it = suspended_.erase(it);
    } else {
      ++it;
    }
  }
}

void TheatreClaims::Wait(const Holder& holder) {
  Release(holder.session, holder.case_id);
  suspended_.push_back(holder);
}

void TheatreClaims::ReleaseAll(const void* session) {
  std::erase_if(holders_, [session](const auto& h) { return h.second.session == session; });
  std::erase_if(suspended_, [session](const Holder& h) { return h.session == session; });
}

void TheatreClaims::Release(const void* session, const CaseId& case_id) {
  std::erase_if(holders_, [&](const auto& h) {
    return h.second.session == session && h.second.case_id == case_id;
  });
  std::erase_if(suspended_,
                [&](const Holder& h) { return h.session == session && h.case_id == case_id; });
}

const TheatreClaims::Holder* TheatreClaims::Find(const std::string& theatre) const {
  auto it = holders_.find(theatre);
  return it == holders_.end() ? nullptr : &it->second;
}

}  // namespace remora::hub
