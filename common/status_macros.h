#pragma once

// Named like Abseil's own, which Debian 12's version lacks: delete this file when it has them.

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define REMORA_STATUS_CONCAT_INNER_(a, b) a##b
#define REMORA_STATUS_CONCAT_(a, b) REMORA_STATUS_CONCAT_INNER_(a, b)

// Returns the status from the calling function unless it is OK.
#define RETURN_IF_ERROR(expr)                          \
  do {                                                 \
    if (::absl::Status remora_status_ = (expr); !remora_status_.ok()) return remora_status_; \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): x is F()'s value, or the calling function returns its status.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL_(REMORA_STATUS_CONCAT_(remora_statusor_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL_(statusor, lhs, expr) \
  auto statusor = (expr);                           \
  if (!statusor.ok()) return std::move(statusor).status(); \
  lhs = std::move(statusor).value()
