// Messages that are no samples, as items of a source. Stateless; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "acquisition-agent/sources/feed/message.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent::feed {

// Device time of a Trigger, Impedance, Vital, Drug or Note; sent_ns of anything else.
int64_t EventTimeOf(const wire::Envelope& envelope);

// The item of one of these, at the agent's time. `device` is the source of a value that names none.
Item MakeEventItem(const wire::Envelope& envelope, int64_t time_ns, const std::string& device);

}  // namespace remora::agent::feed
