/* liquid-dsp's part of tests/bench/dsp, in the same words as main.cc. It has no filter in double
 * precision: floats, whose 30 Hz corner at 20 kHz is at the edge of what they hold. */
#include <complex.h>
#include <liquid/liquid.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kChannels = 32, kFrames = 2000, kMaxSections = 32 };

static iirfilt_rrrf filters[kChannels];
static float input[kChannels][kFrames];
static float output[kChannels][kFrames];

static double Now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void Once(void) {
  for (int c = 0; c < kChannels; ++c) {
    iirfilt_rrrf_execute_block(filters[c], input[c], kFrames, output[c]);
  }
}

static int Compare(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static double Measure(double seconds) {
  double parts[10];
  for (int part = 0; part < 10; ++part) {
    const double began = Now();
    double took = 0.0, times = 0.0;
    while (took < seconds / 10.0) {
      Once();
      times += 1.0;
      took = Now() - began;
    }
    parts[part] = 1e9 * took / (times * kChannels * kFrames);
  }
  qsort(parts, 10, sizeof(parts[0]), Compare);
  return parts[5];
}

/* Sections come as arguments, six numbers each: b0 b1 b2 a0 a1 a2. */
int main(int argc, char** argv) {
  float b[3 * kMaxSections], a[3 * kMaxSections];
  const int sections = (argc - 1) / 6;
  if (sections < 1 || sections > kMaxSections) return 2;
  for (int i = 0; i < 3 * sections; ++i) {
    b[i] = strtof(argv[1 + i / 3 * 6 + i % 3], NULL);
    a[i] = strtof(argv[1 + i / 3 * 6 + 3 + i % 3], NULL);
  }
  for (int c = 0; c < kChannels; ++c) {
    filters[c] = iirfilt_rrrf_create_sos(b, a, (unsigned)sections);
    for (int i = 0; i < kFrames; ++i) {
      const double t = 2.0 * M_PI * i / 20000.0;
      input[c][i] = (float)(50.0 * sin((37.0 + c) * t) + 20.0 * sin((1200.0 + 7.0 * c) * t));
    }
  }
  Once();
  double squares = 0.0;
  for (int c = 0; c < kChannels; ++c) {
    for (int i = 0; i < kFrames; ++i) squares += (double)output[c][i] * output[c][i];
  }
  const double check = sqrt(squares / (kChannels * kFrames));
  char task[64];
  double seconds;
  while (scanf("%63s %lf", task, &seconds) == 2) {
    if (strcmp(task, "bandpass") != 0) return 2;
    printf("{\"task\": \"bandpass\", \"ns\": %.4f, \"check\": %.9g}\n", Measure(seconds), check);
    fflush(stdout);
  }
  return 0;
}
