// An amplifier for Remora in one file: two channels of a sine at 2 kHz, a stimulus four times a
// second. docs/feed-protocol.md says what each message must hold; copy this and put your device's
// samples in.
//
//   feed-driver ENDPOINT [--key DEVICE.key_secret --allow AGENT.key] [--seconds S]
//               [--skip-every N] [--ppm X]
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>
#include <zmq_addon.hpp>

#include "google/protobuf/text_format.h"
#include "remora/feed/v1/feed.pb.h"

using namespace remora::feed::v1;

constexpr int64_t kStepNs = 500'000;  // from sample to sample: 2 kHz
constexpr int kBlock = 40;            // 20 ms

// A key of a certificate: the line `    secret-key = "..."`.
static std::string FromFile(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t at = line.find(name + " = \"");
    if (at != std::string::npos) return line.substr(at + name.size() + 4, 40);
  }
  throw std::runtime_error(path + ": no " + name);
}

// ZeroMQ asks here (RFC 27) whether a listener may connect: only who has the key `allowed`.
static void AnswerWhoMayListen(zmq::socket_t* socket, const std::string& allowed) {
  std::string right(32, '\0');
  zmq_z85_decode(reinterpret_cast<uint8_t*>(right.data()), allowed.c_str());
  for (;;) {
    // Version, request, domain, address, identity, mechanism, key.
    std::vector<zmq::message_t> asked;
    if (!zmq::recv_multipart(*socket, std::back_inserter(asked)) || asked.size() < 2) return;
    const bool may = asked.size() == 7 && asked[6].to_string() == right;
    const std::string request = asked[1].to_string();
    std::vector<zmq::const_buffer> answer(6);  // version, request, code, text, user, metadata
    answer[0] = zmq::str_buffer("1.0");
    answer[1] = zmq::buffer(request);
    answer[2] = may ? zmq::str_buffer("200") : zmq::str_buffer("400");
    zmq::send_multipart(*socket, answer);
  }
}

class Device {
 public:
  Device(zmq::socket_t& socket, double ppm)
      : socket_(socket), ns_a_second_(1e9 * (1 + ppm * 1e-6)) {}

  // The device's clock: monotonic, here on purpose a little fast.
  int64_t Now() const {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - start_;
    return static_cast<int64_t>(since.count() * ns_a_second_);
  }

  // `lost`: it counts, and never arrives.
  void Send(Envelope message, bool lost = false) {
    message.set_session_id(session_);
    message.set_seq(++seq_);
    message.set_sent_ns(Now());
    if (lost) return;
    socket_.send(zmq::str_buffer("remora.feed.1"), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(message.SerializeAsString()), zmq::send_flags::none);
  }

  void SendText(const std::string& text) {
    Envelope message;
    google::protobuf::TextFormat::ParseFromString(text, &message);
    Send(message);
  }

  void SendDescription(uint64_t next_sample) {
    SendText(R"(describe {
      protocol_version: 1 minimum_version: 1 tells_stimuli: true
      device: "Example amplifier" serial: "0001" firmware: "example 1"
      rate_groups { sample_rate_hz: 2000 }
     channels { label: "C3'" unit: "uV" value_per_count: 0.1 lowest_count: -999 highest_count: 999 }
     channels { label: "Fz" unit: "uV" value_per_count: 0.1 lowest_count: -999 highest_count: 999 }
    })");
    SendText("heartbeat { next_sample_index: " + std::to_string(next_sample) + " }");
  }

  void SendBlock(uint64_t index, bool lost) {
    Envelope message;
    Samples& samples = *message.mutable_samples();
    samples.set_first_sample_index(index);
    samples.set_first_sample_ns(static_cast<int64_t>(index) * kStepNs);
    samples.set_samples_count(kBlock);
    samples.set_format(SAMPLE_FORMAT_INT16);
    for (int i = 0; i < 2 * kBlock; ++i) {  // both channels of a sample, then the next sample
      const double place = static_cast<double>(index) + i / 2;
      const int count = static_cast<int>(200 * std::sin(0.0314159265 * place));
      samples.mutable_packed()->push_back(static_cast<char>(count));
      samples.mutable_packed()->push_back(static_cast<char>(count >> 8));
    }
    Send(message, lost);
  }

 private:
  zmq::socket_t& socket_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const double ns_a_second_;
  const uint64_t session_ = uint64_t{std::random_device()()} << 32 | std::random_device()();
  uint64_t seq_ = 0;
};

int main(int argc, char** argv) {
  std::map<std::string, std::string> is = {
      {"--skip-every", "0"}, {"--ppm", "0"}, {"--seconds", "1e9"}, {"--key", ""}, {"--allow", ""}};
  for (int i = 2; i + 1 < argc; i += 2) is[argv[i]] = argv[i + 1];
  if (argc < 2 || argc % 2 != 0 || is.size() != 5) return std::cerr << "see driver.cc\n", 2;
  static zmq::context_t& context = *new zmq::context_t(1);  // ends with the process
  zmq::socket_t socket(context, zmq::socket_type::pub);
  if (!is["--key"].empty()) {
    auto* asked = new zmq::socket_t(context, zmq::socket_type::rep);
    asked->bind("inproc://zeromq.zap.01");
    std::thread(AnswerWhoMayListen, asked, FromFile(is["--allow"], "public-key")).detach();
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::curve_secretkey, FromFile(is["--key"], "secret-key"));
  }
  socket.bind(argv[1]);
  Device device(socket, std::stod(is["--ppm"]));
  const uint64_t skip_every = std::stoul(is["--skip-every"]);
  uint64_t index = 0;  // of the next sample, since the start
  for (uint64_t block = 0; device.Now() < std::stod(is["--seconds"]) * 1e9; ++block) {
    if (block % 50 == 0) device.SendDescription(index);
    // A block is sent when its last sample was taken, and stimuli before the block they are in.
    const int64_t end_ns = static_cast<int64_t>(index + kBlock) * kStepNs;
    while (device.Now() < end_ns) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (block % 12 == 11)
      device.SendText("trigger { code: 1 label: 'MED R' delivered_ma: 15 at_ns: " +
                      std::to_string(end_ns - 10'000'000) + " }");
    device.SendBlock(index, skip_every > 0 && block % skip_every == skip_every - 1);
    index += kBlock;
  }
  device.SendText("end { reason: 'the example is over' }");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // what is queued leaves
}
