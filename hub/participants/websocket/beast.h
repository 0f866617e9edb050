#pragma once

// Boost.Beast for the few files here that need it. Its templates cost most of a minute a source
// file, so its plain functions are compiled once, in beast.cc.

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "hub/participants/websocket/asio.h"

namespace remora::hub {

namespace beast = boost::beast;

}  // namespace remora::hub
