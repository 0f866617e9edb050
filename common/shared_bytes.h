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
      : owner_(std::make_shared<const std::string>(std::move(bytes))), view_(*owner_) {}

  absl::string_view view() const { return owner_ ? view_ : ""; }
  size_t size() const { return view().size(); }
  bool empty() const { return size() == 0; }
  // `size` of these bytes from `offset` on; keeps all of them alive.
  SharedBytes Part(size_t offset, size_t size) const {
    SharedBytes part = *this;
    part.view_ = view_.substr(offset, size);
    return part;
  }
  // Takes `next` in behind these bytes, where it is the part that follows: what was written
  // together leaves together. False: it is not.
  bool ExtendBy(const SharedBytes& next) {
    if (owner_ != next.owner_ || view_.data() + view_.size() != next.view_.data()) return false;
    view_ = absl::string_view(view_.data(), view_.size() + next.view_.size());
    return true;
  }
  // For transports that keep the bytes alive by themselves, and for tests that count owners.
  const std::shared_ptr<const std::string>& owner() const { return owner_; }

 private:
  std::shared_ptr<const std::string> owner_;
  absl::string_view view_;
};

}  // namespace remora
