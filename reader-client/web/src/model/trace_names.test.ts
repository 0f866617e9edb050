import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataGapSchema } from '../wire/generated/remora/v1/link_pb.js';
import { MeasurementSchema, MeasurementState, ThresholdState } from '../wire/generated/remora/v1/measurement_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import { Modality, Side, SweepSchema } from '../wire/generated/remora/v1/waveform_pb.js';
import { packMicrovolts } from '../wire/samples.js';
import { dataGapWords } from './gap_words.js';
import type { Mark } from './stamp.js';
import { fullName, modalityOfTrace, nameOf, sidedName, siteWords } from './trace_names.js';
import { isSingle, previousOf, sweepView, TraceBook } from './traces.js';
import { toldOf } from './told_words.js';

const named = (id: string, derivation = '') => fullName(nameOf(id, derivation));
const mark = (seq: number): Mark => ({ id: `a/3/${seq}`, seq: BigInt(seq), atMs: 1000 * seq, pending: false, unrecorded: false });
const response = (seq: number, traceId: string, more: { site?: string; derivation?: string; modality?: Modality; side?: Side } = {}) =>
  sweepView(mark(seq), create(SweepSchema, {
    traceId, derivation: 'TA', modality: Modality.MEP_TRANSCRANIAL, side: Side.RIGHT, sampleRateHz: 5000, requestedCount: 1,
    acceptedCount: 1, blockIndex: seq, average: packMicrovolts([1, 2], 0.1), ...more }), undefined);

describe('A trace’s name', () => {
  it('SaysTheStimulusOfAMuscleThatAnswersSeveral', () => {
    expect(named('MEP_TRANSCRANIAL/R/TA/C3-C4')).toBe('TA · after TES C3-C4');
    expect(named('MEP_DIRECT_CORTICAL/R/TA/G5')).toBe('TA · after DCS G5');
    expect(named('MEP_TRANSCRANIAL/R/TA/scalp')).toBe('TA · after scalp');
    expect(named('MEP_TRANSCRANIAL/R/TA/MEP C4-C3')).toBe('TA · after MEP C4-C3');
    expect(named('PEDICLE_SCREW/L/TA/SCREW L')).toBe('TA · after SCREW L');
    expect(named('PEDICLE_SCREW/L/TA/code 7')).toBe('TA · after stimulus code 7');
    expect(sidedName(nameOf('MEP_TRANSCRANIAL/R/TA/C3-C4'), Side.RIGHT)).toBe('TA R · after TES C3-C4');
    expect(sidedName(nameOf('MEP_TRANSCRANIAL/R/TA R/C3-C4'), Side.RIGHT)).toBe('TA R · after TES C3-C4');
  });
  it('SaysTheContactOfAMap', () => {
    expect(named('MAP_MIDLINE/L/C3-Fz/5', 'C3-Fz')).toBe('C3-Fz · contact 5');
  });
  it('IsTheDerivationWhereThatTellsIt', () => {
    expect(named('SEP_UPPER/R/CPc-Front', 'CPc-Front')).toBe('CPc-Front');
    expect(named('SEP_UPPER/R/CPc-Front')).toBe('CPc-Front');
    expect(named('acquisition')).toBe('acquisition');
  });
  it('LeavesASlashToADerivationThatHasOne', () => {
    expect(named('EMG_TRIGGERED/L/VL/RF', 'VL/RF')).toBe('VL/RF');
    expect(named('EMG_TRIGGERED/L/VL/RF/hook', 'VL/RF')).toBe('VL/RF · after hook');
  });
  it('TellsTwoTracesOfOneDerivationApartWhereverTheyAreListed', () => {
    const book = new TraceBook();
    book.addSweep(response(1, 'MEP_TRANSCRANIAL/R/TA/C4-C3'));
    book.addSweep(response(2, 'MEP_TRANSCRANIAL/R/TA/C3-C4'));
    book.addMeasurement(mark(3), create(MeasurementSchema, {
      traceId: 'MEP_TRANSCRANIAL/R/APB/C3-C4', modality: Modality.MEP_TRANSCRANIAL, side: Side.RIGHT, state: MeasurementState.NO_BASELINE }));
    expect(book.list().map((t) => t.name)).toEqual(['APB · after TES C3-C4', 'TA · after TES C3-C4', 'TA · after TES C4-C3']);
    expect(book.list().map((t) => t.derivation)).toEqual(['APB', 'TA', 'TA']);
  });
  it('IsMendedByTheFirstSweepOfATraceThatWasMeasuredBefore', () => {
    const book = new TraceBook();
    book.addMeasurement(mark(1), create(MeasurementSchema, { traceId: 'EMG_TRIGGERED/L/VL/RF/hook', modality: Modality.EMG_TRIGGERED }));
    expect(book.list()[0]!.name).toBe('VL · after RF/hook');
    book.addSweep(response(2, 'EMG_TRIGGERED/L/VL/RF/hook', { derivation: 'VL/RF' }));
    expect(book.list()[0]!.name).toBe('VL/RF · after hook');
  });
  it('StandsInGapsAndThresholdsToo', () => {
    expect(dataGapWords(create(DataGapSchema, { traceId: 'MEP_TRANSCRANIAL/L/TA/C3-C4' }), undefined)).toMatch(/^MEP TA left after TES C3-C4 samples missing/);
    expect(dataGapWords(create(DataGapSchema, { traceId: 'EMG_FREE_RUNNING/L/TA' }), undefined)).toMatch(/^EMG TA left samples missing/);
    const body = create(RecordSchema, { body: { case: 'stimulusThreshold', value: {
      traceId: 'MEP_TRANSCRANIAL/R/TA/C3-C4', side: Side.RIGHT, modality: Modality.MEP_TRANSCRANIAL, state: ThresholdState.FOUND, thresholdV: 220 } } }).body;
    expect(toldOf(body)[0]!.text).toBe('MEP TA R · after TES C3-C4 threshold 220 V');
  });
  it('HostileIdsHaveANameAllTheSame', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (id, derivation) => {
      expect(typeof named(id, derivation)).toBe('string');
      expect(modalityOfTrace(id)).toBeTypeOf('number');
      if (id !== '') expect(named(id)).not.toBe('');
    }));
    expect(named('constructor/L/TA/C3-C4')).toBe('TA · after C3-C4');
    expect(modalityOfTrace('toString/L')).toBe(Modality.UNSPECIFIED);
    expect(modalityOfTrace('4/L')).toBe(Modality.UNSPECIFIED);
  });
});

describe('A single response', () => {
  const TOF = 'TRAIN_OF_FOUR/L/APB';
  const twitch = (seq: number, site: string) => response(seq, TOF, { site, derivation: 'APB', modality: Modality.TRAIN_OF_FOUR, side: Side.LEFT });
  it('OfATrainSaysWhichTwitchItIs', () => {
    expect(['T1', 'T2', 'T3', 'T4'].map((site) => siteWords({ modality: Modality.TRAIN_OF_FOUR, site } as never))).toEqual(
      ['twitch 1 of 4', 'twitch 2 of 4', 'twitch 3 of 4', 'twitch 4 of 4']);
    expect(siteWords({ modality: Modality.PEDICLE_SCREW, site: 'T4' } as never)).toBe('T4');
    expect(siteWords({ modality: Modality.PEDICLE_SCREW, site: 'L4 L' } as never)).toBe('L4 L');
    expect(siteWords({ modality: Modality.TRAIN_OF_FOUR, site: '' } as never)).toBe('');
  });
  it('IsSeenBesideTheOneBeforeAtTheSamePlace', () => {
    const book = new TraceBook();
    ['T1', 'T2', 'T3', 'T4', 'T1', 'T2'].forEach((site, i) => book.addSweep(twitch(i + 1, site)));
    const trace = book.get(TOF)!;
    expect(trace.current!.sweep.site).toBe('T2');
    expect(previousOf(trace, trace.current)!.mark.seq).toBe(2n);
    expect(previousOf(trace, trace.finished[2])).toBeUndefined();
  });
  it('IsNoAverage', () => {
    expect(isSingle(twitch(1, 'T1').sweep)).toBe(true);
    expect(isSingle({ requestedCount: 200, provisional: false })).toBe(false);
    expect(isSingle({ requestedCount: 0, provisional: true })).toBe(false);
  });
});
