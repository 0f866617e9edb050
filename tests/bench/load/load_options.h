#pragma once

// What one process of a run is started with. tests/bench/run makes the command lines.

#include <cstdint>
#include <string>

#include "common/ids.h"

namespace remora::bench {

struct LoadOptions {
  std::string role;  // publish or follow
  // The file that the processes of a run share (control_page.h).
  std::string control;
  std::string grpc;           // HOST:PORT
  std::string http;           // HOST:PORT
  std::string tls_roots;      // PEM file: gRPC goes over TLS
  std::string over = "grpc";  // what followers speak: grpc or websocket
  // gRPC followers: library (gRPC's own, and nothing above it), lean (HTTP/2 and no more, all in
  // one thread), or sdk (the link that readers use).
  std::string client = "library";
  std::string delivery = "live";  // live or complete
  std::string nonce;              // makes the tokens: see Token
  int topics = 1;                 // theatres, each a case with an agent of its own
  int subs = 1;                   // followers; follower i reads case i % topics
  int size = 4096;                // encoded record in bytes, at most
  double rate = 0;                // records/s of each theatre; 0: as many as the window lets
  double warm = 0.5;              // seconds before what is measured
  double secs = 2.0;              // seconds measured
  int window = 256;               // rate 0: records ahead of the slowest follower
  int stall = 0;                  // the first so many followers stop reading while it is measured
  int leave = 0;                  // the first so many end their sessions instead, and come back
  double resume = 0;              // seconds published after that, with all reading again
  double alerts = 0;              // alerts/s of each theatre beside its blocks
  int hub_pid = 0, follow_pid = 0;

  // False, with the reason on standard error, for a command line that makes no sense.
  bool Parse(int argc, char** argv);

  int topic_of(int follower) const { return follower % topics; }
  bool leaves(int follower) const { return follower < leave; }
  // Does not read while it is measured, one way or the other.
  bool stalls(int follower) const { return follower < stall || leaves(follower); }
  bool live() const { return delivery == "live"; }
};

// gRPC's path of a session.
inline constexpr char kSessionMethod[] = "/remora.v1.SessionService/Session";

// Identities: "agent-K" in theatre "OR K", K from 1, and reader-0 to reader-99, which followers
// share: a case counts 128 participants. Their tokens are NAME-NONCE.
inline constexpr int kReaderIdentities = 100;
// The text of --tls-roots; empty without.
std::string TlsRootsText(const LoadOptions& options);
std::string TokenOfAgent(const LoadOptions& options, int topic);
std::string TokenOfFollower(const LoadOptions& options, int follower);
std::string TheatreOf(int topic);

// The same in all processes of a run: its hub's journal is new.
CaseId CaseOf(int topic);
OriginId AgentOriginOf(int topic);
OriginId FollowerOriginOf(int follower);

}  // namespace remora::bench
