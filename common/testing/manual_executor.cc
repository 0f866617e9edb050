#include "common/testing/manual_executor.h"

#include <algorithm>

#include "common/check.h"

namespace remora {

void ManualExecutor::PostAfter(Duration delay, Task task) {
  const DeviceTime due = clock_.Now() + std::max(delay, Duration());
  tasks_.emplace(std::make_pair(due, next_order_++), std::move(task));
}

bool ManualExecutor::NextDue(DeviceTime* due) const {
  if (tasks_.empty()) return false;
  *due = tasks_.begin()->first.first;
  return true;
}

int ManualExecutor::RunUntilIdle(int limit) {
  int ran = 0;
  while (!tasks_.empty() && tasks_.begin()->first.first <= clock_.Now()) {
    REMORA_CHECK(ran < limit, "tasks that post themselves without end: a busy loop");
    auto first = tasks_.extract(tasks_.begin());
    first.mapped()();
    ++ran;
  }
  return ran;
}

bool ManualExecutor::RunNext() {
  if (tasks_.empty()) return false;
  auto first = tasks_.extract(tasks_.begin());
  clock_.Advance(std::max(first.key().first - clock_.Now(), Duration()));
  first.mapped()();
  return true;
}

int ManualExecutor::RunFor(Duration time) {
  const DeviceTime end = clock_.Now() + time;
  int ran = RunUntilIdle();
  while (!tasks_.empty() && tasks_.begin()->first.first <= end) {
    clock_.Advance(std::max(tasks_.begin()->first.first - clock_.Now(), Duration()));
    ran += RunUntilIdle();
  }
  clock_.Advance(std::max(end - clock_.Now(), Duration()));
  return ran;
}

}  // namespace remora
