#include "hub/journal/sqlite/log_checkpointer.h"

#include <sqlite3.h>

#include <utility>

namespace remora::hub::sqlite {

absl::Status MoveLog(Connection& connection, LogGate& gate) {
  if (!gate.Enter()) return absl::OkStatus();
  const int result = sqlite3_wal_checkpoint_v2(connection.handle(), nullptr,
                                               SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  // Busy: another process is at it; the next try will do.
  const bool ok = result == SQLITE_OK || result == SQLITE_BUSY;
  absl::Status status = ok ? absl::OkStatus() : connection.Error("checkpoint");
  gate.Leave(ok);
  return status;
}

LogCheckpointer::LogCheckpointer(int pages, LogGate& gate, Events events)
    : pages_(pages),
      gate_(gate),
      events_(std::move(events)),
      next_at_pages_(pages),
      thread_([this] { Run(); }) {}

LogCheckpointer::~LogCheckpointer() { Stop(); }

void LogCheckpointer::NotePages(int pages_in_log) {
  MutexLock lock(&mutex_);
  // The log has begun anew.
  if (pages_in_log < pages_) next_at_pages_ = pages_;
  if (pages_in_log < next_at_pages_) return;
  next_at_pages_ = pages_in_log + pages_ / 4;
  wanted_ = true;
  wake_.NotifyOne();
}

void LogCheckpointer::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
}

void LogCheckpointer::Run() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      while (!wanted_ && !stopping_) wake_.Wait(&mutex_);
      if (stopping_) return;
      wanted_ = false;
    }
    absl::Status status =
        slot_.Use([this](Connection& connection) { return MoveLog(connection, gate_); });
    ++checkpoints_;
    if (status.ok()) {
      events_.moved();
    } else {
      events_.failed(std::move(status));
    }
  }
}

}  // namespace remora::hub::sqlite
