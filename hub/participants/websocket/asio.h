#pragma once

// Boost.Asio for the files of the transports that need it; its plain functions are compiled once,
// in asio.cc.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "common/time.h"

namespace remora::hub {

namespace net = boost::asio;
using tcp = net::ip::tcp;
using boost::system::error_code;

inline std::chrono::nanoseconds ToChrono(Duration duration) {
  return std::chrono::nanoseconds(duration.nanoseconds());
}

}  // namespace remora::hub
