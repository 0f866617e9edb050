#pragma once

// What every journal must do: instantiated for each engine by a test of its own. An engine gives a
// type `Bench` with
//
//   Journal& journal();
//   WaitingExecutor& executor();
//   bool Reopen();                        closes and opens; false: the engine keeps nothing
//   void FailCommits(bool disk_full);     every commit fails from now on
//   void StopFailing();

#include "hub/journal/testing/append_conformance.h"
#include "hub/journal/testing/checkpoint_conformance.h"
#include "hub/journal/testing/failure_conformance.h"
#include "hub/journal/testing/leaving_conformance.h"
#include "hub/journal/testing/origin_conformance.h"
#include "hub/journal/testing/read_conformance.h"

#define REMORA_INSTANTIATE_JOURNAL_CONFORMANCE(engine, Bench)           \
  INSTANTIATE_TYPED_TEST_SUITE_P(engine, AppendConformance, Bench);     \
  INSTANTIATE_TYPED_TEST_SUITE_P(engine, ReadConformance, Bench);       \
  INSTANTIATE_TYPED_TEST_SUITE_P(engine, CheckpointConformance, Bench); \
  INSTANTIATE_TYPED_TEST_SUITE_P(engine, OriginConformance, Bench);     \
  INSTANTIATE_TYPED_TEST_SUITE_P(engine, FailureConformance, Bench);    \
  INSTANTIATE_TYPED_TEST_SUITE_P(engine, LeavingConformance, Bench)
