// A shared library that has none of liblsl's functions but one. Test-only.
#include <cstdint>

extern "C" int32_t lsl_library_version() { return 1; }
