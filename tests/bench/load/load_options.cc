#include "tests/bench/load/load_options.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace remora::bench {
namespace {

// Four letters that name what it is of, zeros, and a number.
std::string NumberedId(const char* kind, int number) {
  return absl::StrCat(kind, absl::Dec(number, absl::kZeroPad12));
}

}  // namespace

bool LoadOptions::Parse(int argc, char** argv) {
  const std::map<std::string, std::string*> texts = {
      {"--role", &role},         {"--control", &control}, {"--grpc", &grpc},
      {"--http", &http},         {"--over", &over},       {"--client", &client},
      {"--delivery", &delivery}, {"--nonce", &nonce},     {"--tls-roots", &tls_roots}};
  const std::map<std::string, int*> numbers = {
      {"--topics", &topics},   {"--subs", &subs},
      {"--size", &size},       {"--window", &window},
      {"--stall", &stall},     {"--leave", &leave},
      {"--hub-pid", &hub_pid}, {"--follow-pid", &follow_pid}};
  const std::map<std::string, double*> seconds = {{"--rate", &rate},
                                                  {"--warm", &warm},
                                                  {"--secs", &secs},
                                                  {"--resume", &resume},
                                                  {"--alerts", &alerts}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    bool good = true;
    if (texts.count(name) != 0) {
      *texts.at(name) = value;
    } else if (numbers.count(name) != 0) {
      good = absl::SimpleAtoi(value, numbers.at(name));
    } else {
      good = seconds.count(name) != 0 && absl::SimpleAtod(value, seconds.at(name));
    }
    if (!good) {
      std::fprintf(stderr, "remora-bench-load: %s %s makes no sense\n", name.c_str(),
                   value.c_str());
      return false;
    }
  }
  if (argc % 2 == 1 && (role == "publish" || role == "follow") && !control.empty() &&
      !grpc.empty() && topics > 0) {
    return true;
  }
  std::fprintf(stderr, "remora-bench-load is started by tests/bench/run\n");
  return false;
}

std::string TlsRootsText(const LoadOptions& options) {
  std::ifstream file(options.tls_roots);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string TokenOfAgent(const LoadOptions& options, int topic) {
  return absl::StrCat("agent-", topic + 1, "-", options.nonce);
}

std::string TokenOfFollower(const LoadOptions& options, int follower) {
  return absl::StrCat("reader-", follower % kReaderIdentities, "-", options.nonce);
}

std::string TheatreOf(int topic) { return absl::StrCat("OR ", topic + 1); }

CaseId CaseOf(int topic) { return CaseId::FromBytes(NumberedId("case", topic)); }
OriginId AgentOriginOf(int topic) { return OriginId::FromBytes(NumberedId("agnt", topic)); }
OriginId FollowerOriginOf(int follower) {
  // An origin belongs to one identity.
  return OriginId::FromBytes(NumberedId("read", follower));
}

}  // namespace remora::bench
