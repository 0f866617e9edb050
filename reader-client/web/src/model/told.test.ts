import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DrugChange, VitalKind } from '../wire/generated/remora/v1/case_pb.js';
import { EegActivityKind, MappingMethod, RelationKind, ThresholdState } from '../wire/generated/remora/v1/measurement_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { SnapshotSchema } from '../wire/generated/remora/v1/room_pb.js';
import { MarkConfidence, Modality, QualityFlag, Side } from '../wire/generated/remora/v1/waveform_pb.js';
import { CaseModel } from './case_model.js';
import { electrodeWords, KEPT_ELECTRODES, KEPT_EVENTS, KEPT_OF_KIND } from './told.js';
import type { ToldKind } from './told_words.js';

type Body = NonNullable<MessageInitShape<typeof RecordSchema>['body']>;
let seq = 0n;
function record(body: Body, more: { unrecorded?: boolean; originSeq?: bigint } = {}): CaseRecord {
  seq++;
  return create(RecordSchema, {
    caseId: new Uint8Array(16).fill(1), origin: new Uint8Array(16).fill(2), lane: 1, originSeq: more.originSeq ?? seq,
    capturedAt: { bootId: 3n, monotonicNs: seq * 1_000_000_000n }, body,
    stamp: { epoch: 1, seq: more.unrecorded ? 0n : seq, recordedUnixNs: 1_000_000_000_000n + seq * 1_000_000_000n, unrecorded: more.unrecorded ?? false },
  });
}
const told = (...bodies: Body[]): CaseModel => {
  const model = new CaseModel();
  for (const body of bodies) model.apply(record(body));
  return model;
};
const lines = (model: CaseModel, kind: ToldKind) => model.told.list(kind).map((v) => v.text);
const happened = (model: CaseModel) => model.told.events().map((e) => e.text);
const vital = (kind: VitalKind, value: number, site = ''): Body => ({ case: 'vitals', value: { source: 'monitor', vitals: [{ kind, value, site }] } });
const map = (value: number) => vital(VitalKind.MEAN_ARTERIAL_PRESSURE, value);
const tof = (twitchCount: number, ratio = 0, more = {}): Body => ({ case: 'trainOfFour', value: { limb: 'left hand', twitchCount, ratio, ...more } });
const edge = (percent: number, more = {}): Body => ({ case: 'spectralEdge', value: {
  traceId: 'EEG/L/F3-P3', side: Side.LEFT, sef95Hz: 11.24, medianHz: 4.5, burstSuppressionPercent: percent, suppressionOverS: 60, ...more } });

describe('What is told beside traces', () => {
  it('SaysEachKindInALineWithUnits', () => {
    const model = told(
      map(58), vital(VitalKind.LIMB_TEMPERATURE, 31, 'left foot'), vital(VitalKind.BISPECTRAL_INDEX, 45),
      { case: 'drugGiven', value: { drug: 'rocuronium', amount: 50, unit: 'mg', change: DrugChange.BOLUS, source: 'pump 2' } },
      { case: 'drugGiven', value: { drug: 'propofol', change: DrugChange.INFUSION_STOPPED } },
      { case: 'positionChange', value: { position: 'prone, head turned to the left', actor: 'Ines Ruiz' } },
      { case: 'stimulusChange', value: { modality: Modality.MEP_TRANSCRANIAL, stimulus: { electrodes: 'C3-C4', currentMa: 120, pulseCount: 5, deliveredMa: 40 },
        previous: { currentMa: 100 }, notAsAsked: true } },
      tof(4, 0.42, { t1PercentOfControl: 61 }), edge(12, { hasAsymmetry: true, asymmetry: 0.12 }),
      { case: 'eegActivity', value: { traceId: 'ECOG/L/G1-G2', kind: EegActivityKind.AFTER_DISCHARGE, durationMs: 4200, rateHz: 6, peakUv: 250, site: 'G1-G2', currentMa: 8 } },
      { case: 'stimulusThreshold', value: { level: 'L4 left', modality: Modality.PEDICLE_SCREW, state: ThresholdState.FOUND, thresholdMa: 7.2, ownCount: 5, ownMean: 12.4 } },
      { case: 'mappingContact', value: { strip: 'strip A', contactIndex: 3, amplitudeUv: 12.3, polarityRatio: -0.85 } },
      { case: 'mappingResult', value: { strip: 'strip A', method: MappingMethod.PHASE_REVERSAL, contactBefore: 4, contactAfter: 5, confidence: 0.93 } },
      { case: 'relation', value: { relationId: 'SEP_UPPER/R/cct', name: 'central conduction time', side: Side.RIGHT, kind: RelationKind.INTERVAL, value: 6.4 } });
    expect(lines(model, 'vital')).toEqual(['MAP 58 mmHg', 'left foot 31.0 \u00b0C', 'BIS of the monitor 45']);
    expect(lines(model, 'drug')).toEqual(['rocuronium 50 mg, bolus (pump 2)', 'propofol infusion stopped']);
    expect(lines(model, 'position')).toEqual(['prone, head turned to the left (Ines Ruiz)']);
    expect(lines(model, 'stimulus')).toEqual(['MEP C3-C4: 120.0 mA, 5 pulses, not as asked: delivered 40.0 mA; was 100.0 mA']);
    expect(lines(model, 'tof')).toEqual(['left hand 4/4, ratio 0.42, T1 61 % of control']);
    expect(lines(model, 'eeg')).toEqual(['F3-P3 L SEF95 11.2 Hz, median 4.5 Hz, suppression 12 % of 60 s, asymmetry +0.12',
      'G1-G2 after-discharge 4.2 s, 6.0 a second, 250 \u00b5V, after G1-G2 8.0 mA']);
    expect(lines(model, 'threshold')).toEqual(['Screw L4 left threshold 7.20 mA, own mean 12.40 mA of 5']);
    expect(lines(model, 'map')).toEqual(['strip A contact 3: 12.30 \u00b5V, polarity \u22120.85', 'strip A: polarity turns between contacts 4 and 5, confidence 0.93']);
    expect(lines(model, 'relation')).toEqual(['central conduction time R 6.40 ms']);
    expect(model.told.kinds()).toEqual(['position', 'drug', 'vital', 'tof', 'eeg', 'threshold', 'map', 'relation', 'stimulus']);
  });

  it('KeepsTheNewestOfEachThing', () => {
    const model = told(map(58), vital(VitalKind.HEART_RATE, 70), map(61));
    expect(lines(model, 'vital')).toEqual(['MAP 61 mmHg', 'heart rate 70 /min']);
  });

  it('ChangesNothingWhenARecordComesTwiceOrAnOlderOneLater', () => {
    const model = new CaseModel();
    const older = record(tof(4, 0.9));
    const newer = record(tof(1));
    model.apply(older);
    model.apply(newer);
    const before = [lines(model, 'tof'), happened(model)];
    model.apply(older);
    model.apply(newer);
    expect([lines(model, 'tof'), happened(model)]).toEqual(before);
    expect(lines(model, 'tof')).toEqual(['left hand 1/4']);
  });

  it('IsNoLongerUnrecordedOnceItIsOnRecord', () => {
    const model = new CaseModel();
    const body: Body = { case: 'positionChange', value: { position: 'prone' } };
    model.apply(record(body, { unrecorded: true, originSeq: 900n }));
    expect([model.told.list('position')[0]!.mark.unrecorded, model.told.events()[0]!.mark.unrecorded]).toEqual([true, true]);
    model.apply(record(body, { originSeq: 900n }));
    expect(model.told.events()).toHaveLength(1);
    expect([model.told.list('position')[0]!.mark.unrecorded, model.told.events()[0]!.mark.unrecorded]).toEqual([false, false]);
  });

  it('NeverShowsAThresholdWhereNothingAnsweredNorACountThatCannotBeReliedOn', () => {
    const at = (state: ThresholdState): Body => ({ case: 'stimulusThreshold', value: { level: 'L4', state, thresholdMa: 30, modality: Modality.PEDICLE_SCREW } });
    expect(lines(told(at(ThresholdState.NO_RESPONSE_AT_MAXIMUM)), 'threshold')).toEqual(['Screw L4 threshold no response at maximum, not verified']);
    expect(lines(told(at(ThresholdState.SEARCHING)), 'threshold')).toEqual(['Screw L4 threshold searched']);
    const doubtful = told(tof(4, 0.9), tof(4, 0.9, { quality: [QualityFlag.CLIPPED], reason: 'a sweep was clipped' }));
    expect(lines(doubtful, 'tof')).toEqual(['left hand no count: a sweep was clipped']);
    expect(lines(told(edge(50, { quality: [QualityFlag.DIATHERMY] })), 'eeg')).toEqual(['F3-P3 L no numbers: diathermy']);
    const relation: Body = { case: 'relation', value: { name: 'ratio', value: 1, confidence: MarkConfidence.NO_RESPONSE, reason: 'no response' } };
    expect(lines(told(relation), 'relation')).toEqual(['ratio no value; no response']);
  });
});

describe('An event of what is told', () => {
  it('OfVitalSignsIsAChangeThatIsWorthTelling', () => {
    expect(happened(told(map(80), map(78), map(74), map(69), map(62), map(58), map(80)))).toEqual(['MAP 69 mmHg', 'MAP 58 mmHg', 'MAP 80 mmHg']);
  });
  it('OfATrainOfFourIsAnotherCountOrFade', () => {
    expect(happened(told(tof(4, 0.95), tof(4, 0.9), tof(4, 0.5), tof(2), tof(2)))).toEqual(
      ['left hand 4/4, ratio 0.95', 'left hand 4/4, ratio 0.50', 'left hand 2/4']);
  });
  it('OfEegIsSuppressionThatBeginsAndEnds', () => {
    expect(happened(told(edge(0), edge(4), edge(12), edge(30), edge(5), edge(0))).map((t) => /suppression \d+/.exec(t)![0])).toEqual(['suppression 12', 'suppression 0']);
  });
  it('OfADischargeThatGoesOnIsOneUntilItsEnd', () => {
    const discharge = (durationMs: number, ongoing: boolean): Body => ({ case: 'eegActivity', value: {
      traceId: 'ECOG/L/G1', kind: EegActivityKind.AFTER_DISCHARGE, startedMonotonicNs: 5n, durationMs, ongoing } });
    const events = happened(told(discharge(2000, true), discharge(3000, true), discharge(3500, false)));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatch(/after-discharge 3\.5 s,/);
  });
  it('OfASearchIsItsEnd', () => {
    const at = (state: ThresholdState, thresholdMa = 0): Body => ({ case: 'stimulusThreshold', value: { level: 'L4', state, thresholdMa } });
    expect(happened(told(at(ThresholdState.SEARCHING), at(ThresholdState.FOUND, 7), at(ThresholdState.FOUND, 7), at(ThresholdState.INCONSISTENT)))).toHaveLength(2);
  });
  it('OfAStimulatedSiteIsWhatItAnswers', () => {
    const site = (contactIndex: number, response: string, currentMa: number, more = {}): Body => ({ case: 'mappingContact', value: {
      strip: 'grid', modality: Modality.MAP_CORTICAL_STIMULATION, contactIndex, response, currentMa, ...more } });
    const model = told(site(11, 'none', 8), site(11, 'none', 10), site(12, 'APB', 8), site(12, 'APB', 10), site(12, 'speech arrest', 10, { actor: 'Ines Ruiz' }),
      site(12, 'speech arrest', 10, { actor: 'Ines Ruiz' }), site(12, 'APB', 12));
    expect(lines(model, 'map')).toEqual(['grid contact 11: none, 10.0 mA', 'grid contact 12: APB, 12.0 mA',
      'grid contact 12: speech arrest, 10.0 mA, seen by Ines Ruiz']);
    expect(happened(model)).toEqual(['grid contact 11: none, 8.0 mA', 'grid contact 12: APB, 8.0 mA',
      'grid contact 12: speech arrest, 10.0 mA, seen by Ines Ruiz', 'grid contact 12: speech arrest, 10.0 mA, seen by Ines Ruiz']);
  });
  it('StandsWhereItWasAndNotWhereItWasTold', () => {
    const model = new CaseModel();
    model.apply(record({ case: 'clockEstimate', value: { bootId: 3n, offsetNs: 900_000_000_000n } }));
    model.apply(record({ case: 'drugGiven', value: { drug: 'a', givenMonotonicNs: 7_000_000_000n } }));
    expect(model.told.events()[0]!.atMs).toBe(907_000);
  });
  it('OutlastsASnapshotOfTheSameEpochOnly', () => {
    const model = new CaseModel();
    const snapshot = (epoch: number, atS = 0) => create(SnapshotSchema, { cursor: { epoch }, state: { summary: { lastRecordUnixNs: BigInt(atS) * 1_000_000_000n } } });
    model.onSnapshot(snapshot(1, 50));
    model.apply(record({ case: 'positionChange', value: { position: 'prone' } }));
    model.onSnapshot(snapshot(1, 60));
    expect([happened(model), model.told.sinceMs]).toEqual([['prone'], 50_000]);
    model.onSnapshot(snapshot(2, 70));
    expect([happened(model), model.told.kinds(), model.told.sinceMs]).toEqual([[], [], 70_000]);
  });
});

describe('Electrodes', () => {
  it('AreCountedAndTheOpenOnesNamed', () => {
    const model = told({ case: 'impedances', value: { electrodes: [{ electrode: 'Cz', kohm: 3.2 }, { electrode: 'Fz', open: true }, { electrode: 'C3', kohm: NaN }] } },
      { case: 'impedances', value: { electrodes: [{ electrode: 'C4', kohm: 12.4 }] } });
    expect(electrodeWords(model.told.list('impedance'))).toBe('4 electrodes, 1 open (Fz), highest 12.4 kOhm (C4)');
    expect(happened(model)).toEqual([]);
  });
});

describe('Hostile records', () => {
  const long = 'x'.repeat(50_000);
  it('HostileNumbersAreNoNumbers', () => {
    const model = told(map(NaN), vital(VitalKind.HAEMOGLOBIN, 1e300), vital(99 as VitalKind, -Infinity),
      tof(9), tof(4, NaN, { limb: 'foot' }), { case: 'drugGiven', value: { drug: 'x', amount: NaN, unit: 'mg' } },
      { case: 'relation', value: { relationId: 'r', value: Infinity } },
      { case: 'stimulusThreshold', value: { level: 'L5', state: ThresholdState.FOUND, thresholdMa: NaN } });
    expect(lines(model, 'vital')).toEqual(['MAP no number', 'haemoglobin 1.00e+300 g/dl', 'unknown vital sign no number']);
    expect(lines(model, 'tof')).toEqual(['left hand no count: not to be relied on', 'foot 4/4, ratio no number']);
    expect(lines(model, 'drug')).toEqual(['x, dose not said']);
    expect(lines(model, 'relation')).toEqual(['r no number']);
    expect(lines(model, 'threshold')[0]).toMatch(/no number$/);
  });

  it('HostileNumbersInVitalSignsMoveNoReference', () => {
    expect(happened(told(map(80), map(NaN), map(Infinity), map(78)))).toEqual([]);
  });

  it('HostileTextStaysOneLineOfBoundedLength', () => {
    const dirty = `a\n\u202eb\u0000${long}`;
    const model = told(
      { case: 'positionChange', value: { position: dirty, actor: dirty } }, { case: 'drugGiven', value: { drug: dirty, dose: dirty, unit: dirty, source: dirty, actor: dirty } },
      { case: 'mappingResult', value: { strip: dirty, reason: dirty } }, { case: 'spectralEdge', value: { traceId: dirty, quality: Array<QualityFlag>(5000).fill(QualityFlag.GAP) } },
      { case: 'eegActivity', value: { traceId: dirty, reason: dirty, site: dirty } }, { case: 'relation', value: { relationId: dirty, name: dirty, reason: dirty } },
      { case: 'impedances', value: { electrodes: [{ electrode: dirty }] } }, { case: 'stimulusChange', value: { modalityLabel: dirty, stimulus: { site: dirty, electrodes: dirty } } });
    const all = [...model.told.kinds().flatMap((k) => lines(model, k)), ...happened(model)];
    expect(all.length).toBeGreaterThan(8);
    for (const text of all) {
      expect([...text].length).toBeLessThanOrEqual(240);
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it('HostileEmptyBodiesHaveALineOrNone', () => {
    for (const kind of ['vitals', 'drugGiven', 'impedances', 'stimulusChange', 'positionChange', 'trainOfFour', 'stimulusThreshold',
      'mappingContact', 'mappingResult', 'spectralEdge', 'relation', 'eegActivity'] as const) {
      const model = told({ case: kind, value: {} } as Body);
      expect(model.told.kinds().length, kind).toBe(kind === 'vitals' || kind === 'impedances' ? 0 : 1);
    }
  });

  it('HostileTimesPutNoEventIntoTheFuture', () => {
    const model = new CaseModel();
    model.apply(record({ case: 'clockEstimate', value: { bootId: 3n, offsetNs: 1_000_000_000_000n } }));
    for (const at of [2n ** 63n - 1n, -(2n ** 63n)]) {
      const r = record({ case: 'drugGiven', value: { drug: 'a', givenMonotonicNs: at } });
      model.apply(r);
      expect(model.told.events().at(-1)!.atMs).toBe(Number(r.stamp!.recordedUnixNs / 1_000_000n));
    }
  });

  it('HostileFloodsStayWithinBounds', () => {
    const model = new CaseModel();
    for (let i = 0; i < 3 * KEPT_EVENTS; i++) model.apply(record({ case: 'drugGiven', value: { drug: `drug ${i}` } }));
    for (let i = 0; i < 3; i++) {
      model.apply(record({ case: 'impedances', value: { electrodes: Array.from({ length: 400 }, (_, e) => ({ electrode: `${i}/${e}`, kohm: 1 })) } }));
    }
    expect(model.told.list('drug')).toHaveLength(KEPT_OF_KIND);
    expect(lines(model, 'drug').at(-1)).toContain(`drug ${3 * KEPT_EVENTS - 1},`);
    expect(model.told.list('impedance').length).toBeLessThanOrEqual(KEPT_ELECTRODES);
    expect(model.told.events()).toHaveLength(KEPT_EVENTS);
    expect(happened(model).at(-1)).toContain(`drug ${3 * KEPT_EVENTS - 1},`);
  });

  it('HostileValuesOfAnyKindNeverReachTheScreenAsSuch', () => {
    const number = fc.double();
    fc.assert(fc.property(fc.record({ limb: fc.constantFrom('', 'left hand', '\u202e\n'), count: fc.nat(), ratio: number, t1: number, kind: fc.integer({ min: -5, max: 40 }), value: number, at: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }), (r) => {
      const model = told(tof(r.count, r.ratio, { limb: r.limb, t1PercentOfControl: r.t1 }),
        { case: 'vitals', value: { vitals: [{ kind: r.kind as VitalKind, value: r.value, site: r.limb, measuredMonotonicNs: r.at }] } });
      for (const text of [...lines(model, 'tof'), ...lines(model, 'vital')]) expect(text).not.toMatch(/NaN|Infinity|undefined|\[object/);
    }), { numRuns: 200 });
  });
});
