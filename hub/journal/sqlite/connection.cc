#include "hub/journal/sqlite/connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status_macros.h"
#include "hub/journal/sqlite/limits.h"

namespace remora::hub::sqlite {
namespace {

const char* ErrorName(int extended) {
  switch (extended) {
    case SQLITE_FULL:
      return "SQLITE_FULL";
    case SQLITE_BUSY:
      return "SQLITE_BUSY";
    case SQLITE_READONLY:
      return "SQLITE_READONLY";
    case SQLITE_CANTOPEN:
      return "SQLITE_CANTOPEN";
    case SQLITE_CORRUPT:
      return "SQLITE_CORRUPT";
    case SQLITE_NOTADB:
      return "SQLITE_NOTADB";
    case SQLITE_IOERR_READ:
      return "SQLITE_IOERR_READ";
    case SQLITE_IOERR_SHORT_READ:
      return "SQLITE_IOERR_SHORT_READ";
    case SQLITE_IOERR_WRITE:
      return "SQLITE_IOERR_WRITE";
    case SQLITE_IOERR_FSYNC:
      return "SQLITE_IOERR_FSYNC";
    case SQLITE_IOERR_TRUNCATE:
      return "SQLITE_IOERR_TRUNCATE";
    default:
      return "SQLite error";
  }
}

absl::Status ToStatus(int extended, int system_errno, absl::string_view text) {
  const bool no_space =
      (extended & 0xff) == SQLITE_FULL ||
      ((extended & 0xff) == SQLITE_IOERR && (system_errno == ENOSPC || system_errno == EDQUOT));
  if (no_space) return absl::ResourceExhaustedError(text);
  switch (extended & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(text);
    default:
      return absl::UnavailableError(text);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path,
                                                             const std::string& vfs) {
  sqlite3* handle = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                      vfs.empty() ? nullptr : vfs.c_str());
  if (handle == nullptr) return absl::UnavailableError("SQLite: out of memory");
  std::unique_ptr<Connection> connection(new Connection(handle, path));
  sqlite3_extended_result_codes(handle, 1);
  if (result != SQLITE_OK) return connection->Error("open");
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // The file may come from a backup or another hand: its schema runs nothing.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  RETURN_IF_ERROR(connection->Execute(
      "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL;"
      "PRAGMA wal_autocheckpoint = 0"));
  return connection;
}

Connection::~Connection() {
  REMORA_CHECK(sqlite3_close(handle_) == SQLITE_OK, "statements end before their connection");
}

absl::Status Connection::Execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Error(sql);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Connection::QueryNumber(const char* sql) {
  ASSIGN_OR_RETURN(Statement statement, Statement::Prepare(*this, sql));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return absl::NotFoundError(absl::StrCat("no row from: ", sql));
  return statement.Int(0);
}

absl::Status Connection::Error(absl::string_view doing) const {
  const int extended = sqlite3_extended_errcode(handle_);
  const int system_errno = sqlite3_system_errno(handle_);
  std::string text = absl::StrCat("journal ", path_, ": ", doing, ": ", sqlite3_errmsg(handle_),
                                  " (", ErrorName(extended), " ", extended, ")");
  if (system_errno != 0) absl::StrAppend(&text, ", errno ", system_errno);
  return ToStatus(extended, system_errno, text);
}

void Connection::MoveLogWhenClosed() {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

absl::StatusOr<Statement> Statement::Prepare(Connection& connection, absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return connection.Error(sql);
  }
  return Statement(&connection, statement);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_result_(other.bind_result_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(statement_, other.statement_);
  std::swap(bind_result_, other.bind_result_);
  return *this;
}

Statement& Statement::Bind(int parameter, int64_t value) {
  const int result = sqlite3_bind_int64(statement_, parameter, value);
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
  return *this;
}

Statement& Statement::BindBlob(int parameter, absl::string_view bytes) {
  // A null pointer would bind NULL.
  const char* data = bytes.empty() ? "" : bytes.data();
  const int result = sqlite3_bind_blob64(statement_, parameter, data, bytes.size(), SQLITE_STATIC);
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  const bool bound = bind_result_ == SQLITE_OK;
  const int result = bound ? sqlite3_step(statement_) : bind_result_;
  if (result == SQLITE_ROW) return true;
  absl::Status status;
  if (result != SQLITE_DONE) {
    status = bound ? connection_->Error(sqlite3_sql(statement_))
                   : absl::UnavailableError(absl::StrCat("SQLite: bind: ", sqlite3_errstr(result)));
  }
  Reset();
  if (!status.ok()) return status;
  return false;
}

absl::Status Statement::Run() {
  while (true) {
    ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

void Statement::Reset() {
  sqlite3_reset(statement_);
  bind_result_ = SQLITE_OK;
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

absl::string_view Statement::Blob(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int bytes = sqlite3_column_bytes(statement_, column);
  return absl::string_view(static_cast<const char*>(data), data == nullptr ? 0 : bytes);
}

}  // namespace remora::hub::sqlite
