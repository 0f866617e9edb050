#pragma once

// Immutable bytes with many owners: what one record costs, however many read it. Thread-safe.

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace remora {

class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::string bytes)
      : bytes_(std::make_shared<const std::string>(std::move(bytes))) {}

  absl::string_view view() const { return bytes_ ? absl::string_view(*bytes_) : ""; }
  size_t size() const { return bytes_ ? bytes_->size() : 0; }
  bool empty() const { return size() == 0; }
  // For transports that keep the bytes alive by themselves.
  const std::shared_ptr<const std::string>& owner() const { return bytes_; }

 private:
  std::shared_ptr<const std::string> bytes_;
};

}  // namespace remora
