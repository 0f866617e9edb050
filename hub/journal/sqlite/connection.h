#pragma once

// SQLite's C interface with RAII and absl::Status. Nothing here knows the journal's tables.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace remora::hub::sqlite {

// One connection. Thread-compatible: one thread at a time; must outlive its statements.
class Connection {
 public:
  // Opens an existing file for reading and writing. `vfs`: empty for SQLite's own.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path,
                                                          const std::string& vfs);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Statements without a result, separated by semicolons.
  absl::Status Execute(const char* sql);
  // The single number that `sql` gives.
  absl::StatusOr<int64_t> QueryNumber(const char* sql);
  // The last error as a status, with SQLite's name for it:
  //   ResourceExhausted  no space (SQLITE_FULL, ENOSPC, EDQUOT)
  //   DataLoss           the file is damaged (SQLITE_CORRUPT, SQLITE_NOTADB)
  //   Unavailable        any other
  absl::Status Error(absl::string_view doing) const;
  // True while the connection is inside BEGIN ... COMMIT.
  bool in_transaction() const;
  // Else nothing is moved out of the log when the last connection is closed, and it stays.
  void MoveLogWhenClosed();

  sqlite3* handle() const { return handle_; }
  const std::string& path() const { return path_; }

 private:
  Connection(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  sqlite3* const handle_;
  const std::string path_;
};

// A prepared statement, used again and again. Parameters and columns count from 1 and from 0, as
// SQLite does. Thread-compatible.
class Statement {
 public:
  static absl::StatusOr<Statement> Prepare(Connection& connection, absl::string_view sql);
  Statement() = default;
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  Statement& Bind(int parameter, int64_t value);
  // `bytes` must stay until Reset or Run.
  Statement& BindBlob(int parameter, absl::string_view bytes);

  // True: a row is there. False: done (and reset).
  absl::StatusOr<bool> Step();
  // Steps to the end and resets; for statements without a result.
  absl::Status Run();
  void Reset();

  // Of the current row; a view is valid until the next Step or Reset.
  int64_t Int(int column) const;
  absl::string_view Blob(int column) const;

 private:
  Statement(Connection* connection, sqlite3_stmt* statement)
      : connection_(connection), statement_(statement) {}

  Connection* connection_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int bind_result_ = 0;  // the first bind that failed
};

}  // namespace remora::hub::sqlite
