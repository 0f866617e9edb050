// Compiled once for each kind of vectors; the best that the processor has is chosen at run time
// (Highway). The compiler must not fuse multiplications and additions here (-ffp-contract=off):
// results are then those of StreamingFilter to the bit, on each machine.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/filter/sos_kernel.cc"
#include "hwy/foreach_target.h"  // includes this file again for each target
#include "hwy/highway.h"

#include "dsp/filter/sos_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace remora::dsp {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<double>;
using Vector = hn::Vec<Tag>;

struct Coefficients {
  Vector b0, b1, b2, a1, a2;
};

// One sample of each lane through one section: transposed direct form II, in the order of
// operations of StreamingFilter.
HWY_INLINE Vector Step(const Coefficients& c, Vector x, Vector& z0, Vector& z1) {
  const Vector y = hn::Add(hn::Mul(c.b0, x), z0);
  z0 = hn::Add(hn::Sub(hn::Mul(c.b1, x), hn::Mul(c.a1, y)), z1);
  z1 = hn::Sub(hn::Mul(c.b2, x), hn::Mul(c.a2, y));
  return y;
}

// Four vectors side by side: a sample waits for the one before it in its lane, and meanwhile the
// other lanes go on. State stays in registers.
void RunFour(const Coefficients& c, std::size_t frames, std::size_t lanes, double* first,
             double* second, double* samples) {
  const Tag tag;
  const std::size_t n = hn::Lanes(tag);
  Vector p0 = hn::Load(tag, first);
  Vector p1 = hn::Load(tag, first + n);
  Vector p2 = hn::Load(tag, first + 2 * n);
  Vector p3 = hn::Load(tag, first + 3 * n);
  Vector q0 = hn::Load(tag, second);
  Vector q1 = hn::Load(tag, second + n);
  Vector q2 = hn::Load(tag, second + 2 * n);
  Vector q3 = hn::Load(tag, second + 3 * n);
  for (std::size_t frame = 0; frame < frames; ++frame, samples += lanes) {
    hn::Store(Step(c, hn::Load(tag, samples), p0, q0), tag, samples);
    hn::Store(Step(c, hn::Load(tag, samples + n), p1, q1), tag, samples + n);
    hn::Store(Step(c, hn::Load(tag, samples + 2 * n), p2, q2), tag, samples + 2 * n);
    hn::Store(Step(c, hn::Load(tag, samples + 3 * n), p3, q3), tag, samples + 3 * n);
  }
  hn::Store(p0, tag, first);
  hn::Store(p1, tag, first + n);
  hn::Store(p2, tag, first + 2 * n);
  hn::Store(p3, tag, first + 3 * n);
  hn::Store(q0, tag, second);
  hn::Store(q1, tag, second + n);
  hn::Store(q2, tag, second + 2 * n);
  hn::Store(q3, tag, second + 3 * n);
}

void RunOne(const Coefficients& c, std::size_t frames, std::size_t lanes, double* first,
            double* second, double* samples) {
  const Tag tag;
  Vector p = hn::Load(tag, first);
  Vector q = hn::Load(tag, second);
  for (std::size_t frame = 0; frame < frames; ++frame, samples += lanes) {
    hn::Store(Step(c, hn::Load(tag, samples), p, q), tag, samples);
  }
  hn::Store(p, tag, first);
  hn::Store(q, tag, second);
}

void RunSectionsOn(const Section* sections, std::size_t section_count, std::size_t frames,
                   std::size_t lanes, double* states, double* samples) {
  const Tag tag;
  const std::size_t n = hn::Lanes(tag);
  for (std::size_t i = 0; i < section_count; ++i) {
    const Section& s = sections[i];
    const Coefficients c{hn::Set(tag, s.b0), hn::Set(tag, s.b1), hn::Set(tag, s.b2),
                         hn::Set(tag, s.a1), hn::Set(tag, s.a2)};
    double* first = states + 2 * i * lanes;
    double* second = first + lanes;
    std::size_t lane = 0;
    for (; lane + 4 * n <= lanes; lane += 4 * n) {
      RunFour(c, frames, lanes, first + lane, second + lane, samples + lane);
    }
    for (; lane < lanes; lane += n) {
      RunOne(c, frames, lanes, first + lane, second + lane, samples + lane);
    }
  }
}

bool AllWithinOn(const double* samples, std::size_t count, double limit) {
  const Tag tag;
  const Vector most = hn::Set(tag, limit);
  auto beyond = hn::Gt(hn::Zero(tag), hn::Zero(tag));
  for (std::size_t i = 0; i < count; i += hn::Lanes(tag)) {
    beyond = hn::Or(beyond, hn::Not(hn::Le(hn::Abs(hn::Load(tag, samples + i)), most)));
  }
  return hn::AllFalse(tag, beyond);
}

const char* VectorsHere() { return hwy::TargetName(HWY_TARGET); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace remora::dsp
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace remora::dsp {

HWY_EXPORT(RunSectionsOn);
HWY_EXPORT(AllWithinOn);
HWY_EXPORT(VectorsHere);

void RunSections(const Section* sections, std::size_t section_count, std::size_t frames,
                 std::size_t lanes, double* states, double* samples) {
  HWY_DYNAMIC_DISPATCH(RunSectionsOn)(sections, section_count, frames, lanes, states, samples);
}

bool AllWithin(const double* samples, std::size_t count, double limit) {
  return HWY_DYNAMIC_DISPATCH(AllWithinOn)(samples, count, limit);
}

const char* SosVectors() { return HWY_DYNAMIC_DISPATCH(VectorsHere)(); }

}  // namespace remora::dsp
#endif  // HWY_ONCE
