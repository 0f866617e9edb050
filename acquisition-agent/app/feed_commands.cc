#include "acquisition-agent/app/feed_commands.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/sources/feed/keys.h"
#include "acquisition-agent/sources/feed/open_feed.h"
#include "acquisition-agent/sources/feed/zmq_transport.h"
#include "common/file_system.h"

namespace remora::agent {
namespace {

constexpr Duration kListenStep = Duration::Milliseconds(50);

int Fail(const absl::Status& status, int code) {
  std::fprintf(stderr, "remora-agent: %s\n", std::string(status.message()).c_str());
  return code;
}

// Nothing: go on.
std::optional<int> Parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

int RunCheck(int argc, char** argv) {
  CLI::App app{"Listens to a device and says whether it keeps to the feed protocol.",
               "remora-agent feed-check"};
  app.footer("Exit codes: 0 it conforms, 1 it does not, 2 usage, 5 nothing came");
  feed::FeedPlace place;
  double seconds = 20;
  app.add_option("endpoint", place.endpoints,
                 "where the device listens: tcp://HOST:PORT or ipc://PATH")
      ->required()
      ->type_name("ENDPOINT");
  app.add_option("--seconds", seconds, "how long to listen")
      ->check(CLI::Range(1.0, 86400.0))
      ->capture_default_str()
      ->type_name("S");
  app.add_option("--key", place.key_file, "this side's certificate with its secret key")
      ->type_name("FILE");
  app.add_option("--server-key", place.server_key_files, "the device's certificate")
      ->type_name("FILE");
  if (const std::optional<int> code = Parse(app, argc, argv)) return *code;
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  const std::shared_ptr<const Clock> clock = MakeSystemClock();
  absl::StatusOr<std::unique_ptr<feed::Transport>> transport =
      feed::OpenFeedTransport(*files, place, clock);
  if (!transport.ok()) return Fail(transport.status(), 2);
  if ((*transport)->addresses().size() != 1)
    return Fail(absl::InvalidArgumentError("feed-check listens to one device"), 2);
  feed::ConformanceJudge judge;
  const std::string notice = Listen(**transport, *clock, Duration::FromSeconds(seconds), &judge);
  if (!judge.anything_came()) {
    std::printf("%s: nothing came in %g s%s%s\n", place.endpoints.c_str(), seconds,
                notice.empty() ? ". Is the device switched on and its feed started?" : ": ",
                notice.c_str());
    return 5;
  }
  const std::vector<feed::Finding> findings = judge.Judge(clock->Now().nanoseconds());
  std::printf("%s, %g s\n%s", place.endpoints.c_str(), seconds, FormatFindings(findings).c_str());
  return feed::ConformanceJudge::Conforms(findings) ? 0 : 1;
}

int RunKeys(int argc, char** argv) {
  CLI::App app{"Makes the keys of an agent and of a device.", "remora-agent feed-keys"};
  std::string folder;
  app.add_option("folder", folder,
                 "where agent.key, agent.key_secret, device.key and "
                 "device.key_secret are written; nothing is replaced")
      ->required()
      ->type_name("DIR");
  if (const std::optional<int> code = Parse(app, argc, argv)) return *code;
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  for (const char* name : {"agent", "device"}) {
    const absl::StatusOr<feed::CurveKey> key = feed::MakeCurveKey();
    absl::Status status = key.status();
    if (status.ok()) status = feed::WriteCertificates(*files, folder, name, *key);
    if (!status.ok()) return Fail(status, 1);
  }
  std::printf(
      "%s: keys of an agent and a device.\n"
      "The agent keeps agent.key_secret and needs device.key:\n"
      "  remora-agent --source 'feed:tcp://DEVICE:PORT?key=%s/agent.key_secret&"
      "server_key=%s/device.key' ...\n"
      "The device keeps device.key_secret and needs agent.key. Move device.key_secret there, and "
      "remove it here.\n",
      folder.c_str(), folder.c_str(), folder.c_str());
  return 0;
}

}  // namespace

std::optional<int> RunFeedCommand(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "feed-check") return RunCheck(argc - 1, argv + 1);
  if (command == "feed-keys") return RunKeys(argc - 1, argv + 1);
  return std::nullopt;
}

std::string Listen(feed::Transport& transport, const Clock& clock, Duration time,
                   feed::ConformanceJudge* judge) {
  std::string notice;
  const DeviceTime end = clock.Now() + time;
  while (clock.Now() < end) {
    const std::optional<feed::Arrival> arrival = transport.Receive(kListenStep);
    if (!arrival) continue;
    if (arrival->frames.empty()) {
      notice = arrival->notice;
    } else {
      judge->OnMessage(arrival->frames, arrival->arrived.nanoseconds());
    }
  }
  return notice;
}

std::string FormatFindings(const std::vector<feed::Finding>& findings) {
  std::string text;
  int count[3] = {};
  for (const feed::Finding& finding : findings) {
    constexpr const char* kWords[] = {"PASS", "FAIL", "SKIP"};
    const auto verdict = static_cast<size_t>(finding.verdict);
    ++count[verdict];
    absl::StrAppend(
        &text, absl::StrFormat("%s  %-24s  %s\n", kWords[verdict], finding.what, finding.figure));
    if (!finding.advice.empty()) absl::StrAppend(&text, "      ", finding.advice, "\n");
  }
  absl::StrAppend(&text, count[0], " pass, ", count[1], " fail, ", count[2], " skipped\n");
  return text;
}

}  // namespace remora::agent
