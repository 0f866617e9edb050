// Trends are shown so many at a time; every trace is on one of the pages.

import { MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { Side } from '../wire/generated/remora/v1/waveform_pb.js';
import { rostralRank } from './traces.js';
import type { Trace } from './traces.js';

const TROUBLED = [MeasurementState.RED, MeasurementState.AMBER, MeasurementState.NO_RESPONSE];

// First those beyond a limit and the rostral ones; within a page left before right.
export function trendPages(traces: Trace[], stateOf: (t: Trace) => MeasurementState, most: number): Trace[][] {
  const troubled = (t: Trace) => Number(TROUBLED.includes(stateOf(t)));
  const sorted = [...traces].sort((a, b) =>
    troubled(b) - troubled(a) || rostralRank(a.derivation) - rostralRank(b.derivation));
  const pages: Trace[][] = [];
  for (let i = 0; i < sorted.length; i += most) {
    const chosen = new Set(sorted.slice(i, i + most));
    const kept = traces.filter((t) => chosen.has(t));
    pages.push([...kept.filter((t) => t.side === Side.LEFT), ...kept.filter((t) => t.side !== Side.LEFT)]);
  }
  return pages;
}
