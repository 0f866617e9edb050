#include "hub/rooms/origin_bindings.h"

#include "hub/rooms/limits.h"

namespace remora::hub {

bool OriginBindings::Bind(const OriginId& origin, const std::string& participant) {
  auto [it, inserted] = owners_.try_emplace(origin, participant);
  if (!inserted) return it->second == participant;
  oldest_first_.push_back(origin);
  if (oldest_first_.size() > kMaxBoundOrigins) {
    owners_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  return true;
}

}  // namespace remora::hub
