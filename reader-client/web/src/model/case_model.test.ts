import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { AlertActionKind, AlertCondition, AlertPriority, Place } from '../wire/generated/remora/v1/alert_pb.js';
import { ReceiptKind } from '../wire/generated/remora/v1/message_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { GapCause, SnapshotSchema, GapSchema } from '../wire/generated/remora/v1/room_pb.js';
import { MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { Modality, Side } from '../wire/generated/remora/v1/waveform_pb.js';
import { idOf, toReference } from '../wire/record_id.js';
import { packMicrovolts } from '../wire/samples.js';
import { acquisitions } from './ages.js';
import { isAcknowledged, isActive } from './alerts.js';
import { CaseModel } from './case_model.js';
import { CaseScreen } from './case_screen.js';
import { caseSentence } from './sentence.js';
import { deliveredTo, readBy } from './talk.js';
import { previousOf } from './traces.js';

type Body = NonNullable<MessageInitShape<typeof RecordSchema>['body']>;
let seq = 0n;
function record(lane: number, body: Body, by: Partial<{ stamp: 'none' | 'unrecorded' | 'yes'; originSeq: bigint; origin: number }> = {}): CaseRecord {
  seq++;
  const stamp = by.stamp ?? 'yes';
  return create(RecordSchema, {
    caseId: new Uint8Array(16).fill(1), origin: new Uint8Array(16).fill(by.origin ?? 2), lane,
    originSeq: by.originSeq ?? seq, capturedAt: { bootId: 3n, monotonicNs: seq * 1_000_000_000n }, body,
    stamp: stamp === 'none' ? undefined
      : { epoch: 1, seq: stamp === 'yes' ? seq : 0n, recordedUnixNs: seq * 1_000_000_000n, unrecorded: stamp === 'unrecorded' },
  });
}
const alert = (more = {}): Body => ({ case: 'alert', value: {
  priority: AlertPriority.HIGH, condition: AlertCondition.RAISED, summary: 'SEP down', ...more } });
const action = (id: string, kind: AlertActionKind, place = Place.READER, actor = 'Maya'): Body =>
  ({ case: 'alertAction', value: { alert: toReference(id), kind, place, actor } });
const sweep = (block: number, provisional: boolean, uv = 1): Body => ({ case: 'sweep', value: {
  traceId: 'SEP_UPPER/L/CPc-Front', blockIndex: block, provisional, sampleRateHz: 1000, average: packMicrovolts([uv, -uv], 0.1) } });

describe('CaseModel', () => {
  it('FoldsAnAlertItsUpdatesAndItsRecovery', () => {
    const model = new CaseModel();
    const raised = record(0, alert());
    model.apply(raised);
    model.apply(record(0, alert({ raisedBy: toReference(idOf(raised)), condition: AlertCondition.UPDATED, summary: 'worse' })));
    model.apply(raised);
    expect(model.alerts.list()).toHaveLength(1);
    expect(model.alerts.list()[0]!.alert.summary).toBe('worse');
    model.apply(record(0, alert({ raisedBy: toReference(idOf(raised)), condition: AlertCondition.RECOVERED })));
    expect(isActive(model.alerts.list()[0]!)).toBe(false);
  });

  it('KeepsAcknowledgementsOfReaderAndTheatreApart', () => {
    const model = new CaseModel();
    const raised = record(0, alert());
    model.apply(raised);
    const id = idOf(raised);
    model.apply(record(0, action(id, AlertActionKind.ACKNOWLEDGED, Place.THEATRE, 'OR 3')));
    expect(isAcknowledged(model.alerts.get(id)!, Place.THEATRE)).toBe(true);
    expect(isAcknowledged(model.alerts.get(id)!, Place.READER)).toBe(false);
  });

  it('UndoTakesBackTheActorsLastActionAndNobodyElses', () => {
    const model = new CaseModel();
    const raised = record(0, alert());
    model.apply(raised);
    const id = idOf(raised);
    model.apply(record(0, action(id, AlertActionKind.ACKNOWLEDGED, Place.READER, 'Tom')));
    model.apply(record(0, action(id, AlertActionKind.ACKNOWLEDGED)));
    model.apply(record(0, action(id, AlertActionKind.UNDONE)));
    expect(model.alerts.get(id)!.actions.map((a) => a.action.actor)).toEqual(['Tom']);
    expect(isAcknowledged(model.alerts.get(id)!, Place.READER)).toBe(true);
  });

  it('SortsWhatIsNotAcknowledgedFirstThenByPriority', () => {
    const model = new CaseModel();
    const low = record(0, alert({ priority: AlertPriority.LOW, summary: 'low' }));
    const high = record(0, alert({ summary: 'high' }));
    model.apply(high);
    model.apply(low);
    expect(model.alerts.list().map((a) => a.alert.summary)).toEqual(['high', 'low']);
    model.apply(record(0, action(idOf(high), AlertActionKind.ACKNOWLEDGED)));
    expect(model.alerts.list().map((a) => a.alert.summary)).toEqual(['low', 'high']);
  });

  it('ShowsAMessageOnceWhetherPendingUnrecordedOrOnRecord', () => {
    const model = new CaseModel();
    const body: Body = { case: 'message', value: { text: 'hello', sender: 'Maya' } };
    model.apply(record(0, body, { stamp: 'none', originSeq: 1n, origin: 5 }));
    expect(model.talk.list()[0]!.mark.pending).toBe(true);
    model.apply(record(0, body, { stamp: 'unrecorded', originSeq: 1n, origin: 5 }));
    expect(model.talk.list()).toHaveLength(1);
    expect(model.talk.list()[0]!.mark.unrecorded).toBe(true);
    expect(model.unrecorded.value).toBe(1);
    model.apply(record(0, body, { originSeq: 1n, origin: 5 }));
    expect(model.talk.list()).toHaveLength(1);
    expect(model.talk.list()[0]!.mark).toMatchObject({ pending: false, unrecorded: false });
    expect(model.unrecorded.value).toBe(0);
    model.apply(record(0, body, { stamp: 'none', originSeq: 1n, origin: 5 }));
    expect(model.talk.list()[0]!.mark.pending).toBe(false);
  });

  it('TakesAReceiptThatComesBeforeItsMessage', () => {
    const model = new CaseModel();
    const message = record(0, { case: 'message', value: { text: 'hello', sender: 'Maya' } });
    const receipt = (kind: ReceiptKind): Body =>
      ({ case: 'messageReceipt', value: { message: toReference(idOf(message)), kind, recipient: 'OR 3' } });
    model.apply(record(0, receipt(ReceiptKind.DELIVERED)));
    model.apply(message);
    model.apply(record(0, receipt(ReceiptKind.READ)));
    model.apply(record(0, receipt(ReceiptKind.READ)));
    expect(deliveredTo(model.talk.list()[0]!)).toHaveLength(1);
    expect(readBy(model.talk.list()[0]!)).toHaveLength(1);
    expect(model.talk.hasReceipt(idOf(message), ReceiptKind.READ, 'OR 3')).toBe(true);
  });

  it('ShowsTheGrowingAverageAndKeepsTheFinishedOneBeforeItAsGhost', () => {
    const model = new CaseModel();
    const trace = () => model.traces.get('SEP_UPPER/L/CPc-Front')!;
    const done = record(3, sweep(0, false, 5));
    model.apply(done);
    model.apply(record(3, sweep(1, true, 1)));
    expect(trace().current!.sweep.provisional).toBe(true);
    expect(previousOf(trace(), trace().current)!.mark.id).toBe(idOf(done));
    const second = record(3, sweep(1, false, 4));
    model.apply(second);
    model.apply(record(3, sweep(1, true, 1)));
    expect(trace().current!.mark.id).toBe(idOf(second));
    expect(trace().finished).toHaveLength(2);
    model.apply(second);
    expect(trace().finished).toHaveLength(2);
  });

  it('ReplacesEverythingBySnapshotButWhatIsStillOnItsWay', () => {
    const mine = record(0, { case: 'message', value: { text: 'on its way', sender: 'Maya' } }, { stamp: 'none', origin: 5 });
    const model = new CaseModel(() => [toBinary(RecordSchema, mine)]);
    model.apply(record(0, { case: 'message', value: { text: 'old epoch', sender: 'OR 3' } }));
    const kept = record(0, { case: 'message', value: { text: 'kept', sender: 'OR 3' } });
    model.onSnapshot(create(SnapshotSchema, { state: { messages: [toBinary(RecordSchema, kept)] } }));
    expect(model.talk.list().map((m) => m.message.text)).toEqual(['kept', 'on its way']);
    expect(model.ready.value).toBe(true);
  });

  it('KeepsNothingOfTracesAcrossASnapshotWhoseNumbersMayStartAnew', () => {
    const model = new CaseModel();
    const old = record(3, sweep(7, false, 5));
    model.apply(old);
    model.apply(record(2, { case: 'measurement', value: { traceId: 'SEP_UPPER/L/CPc-Front', component: 'N20-P25' } }));
    const again = record(3, sweep(2, false, 1));
    again.stamp!.epoch = 2;
    again.stamp!.seq = 1n;
    model.onSnapshot(create(SnapshotSchema, { records: [toBinary(RecordSchema, again)] }));
    const trace = model.traces.get('SEP_UPPER/L/CPc-Front')!;
    expect(trace.current!.mark.id).toBe(idOf(again));
    expect(trace.finished.map((s) => s.mark.id)).toEqual([idOf(again)]);
    expect(trace.measurement).toBeUndefined();
    model.onSnapshot(create(SnapshotSchema, {}));
    expect(model.traces.list()).toHaveLength(0);
  });

  it('HoldsAWholeViewMeasurementAndBaselineWithTheSweep', () => {
    const model = new CaseModel();
    const id = 'SEP_UPPER/L/CPc-Front';
    const measured = (state: MeasurementState): Body => ({ case: 'measurement', value: { traceId: id, component: 'N20-P25', state } });
    const baseline = (uv: number): Body => ({ case: 'baselineSet', value: { traceId: id, average: packMicrovolts([uv, -uv], 0.1) } });
    model.apply(record(1, baseline(3)));
    model.apply(record(3, sweep(0, false, 3)));
    model.apply(record(3, sweep(1, false, 2)));
    model.apply(record(2, measured(MeasurementState.WITHIN_LIMITS)));
    const screen = new CaseScreen('aa');
    screen.hold(5_000, model.traces);
    model.apply(record(3, sweep(2, false, 1)));
    model.apply(record(2, measured(MeasurementState.RED)));
    model.apply(record(1, baseline(1)));
    const trace = model.traces.get(id)!;
    const held = screen.shown(trace);
    expect(held.measurement!.measurement.state).toBe(MeasurementState.WITHIN_LIMITS);
    expect(held.baseline!.values[0]).toBeCloseTo(3);
    expect([held.current!.sweep.blockIndex, held.previous!.sweep.blockIndex]).toEqual([1, 0]);
    screen.live();
    expect(screen.shown(trace).measurement!.measurement.state).toBe(MeasurementState.RED);
    expect(screen.shown(trace).previous!.sweep.blockIndex).toBe(1);
  });

  it('EndsAndIsWholeAgainWithTheNextSnapshot', () => {
    const model = new CaseModel();
    model.onSnapshot(create(SnapshotSchema, {}));
    model.onEnded('the case is busy');
    expect(model.ended.value).toBe('the case is busy');
    model.onSnapshot(create(SnapshotSchema, {}));
    expect(model.ended.value).toBeUndefined();
  });

  it('TellsTheAgeOfAStimulusByItsOriginsClock', () => {
    const model = new CaseModel();
    model.apply(record(1, { case: 'clockEstimate', value: { bootId: 3n, offsetNs: 500_000_000_000n } }));
    const body = sweep(0, false);
    if (body.case === 'sweep') (body.value as { lastStimulusMonotonicNs: bigint }).lastStimulusMonotonicNs = 2_000_000_000n;
    model.apply(record(3, body));
    expect(model.traces.get('SEP_UPPER/L/CPc-Front')!.current!.stimulusMs).toBe(502_000);
    expect(model.acquiredMs).toBe(502_000);
  });

  const eeg = (sampleRateHz: number): Body => ({ case: 'sampleBlock', value: { traceId: 'EEG/L/F3-P3', modality: Modality.EEG,
    side: Side.LEFT, sampleRateHz, startedMonotonicNs: 1_000_000_000n, samples: packMicrovolts([1, 2, 3, 4], 0.1) } });
  it('TakesEegForASignOfAcquisitionAndForNoMuscle', () => {
    const model = new CaseModel();
    model.apply(record(1, { case: 'clockEstimate', value: { bootId: 3n, offsetNs: 500_000_000_000n } }));
    model.apply(record(5, eeg(4)));
    expect(model.emg.list()).toEqual([]);
    expect(model.acquiredMs).toBe(502_000);
    expect(acquisitions(model, 900_000)).toEqual([]);
    expect(caseSentence(model, 900_000)).not.toContain('F3-P3');
  });

  it('HostileRatesOfSamplesLeaveTheAgeOfAcquisitionAsItWas', () => {
    const model = new CaseModel();
    model.apply(record(1, { case: 'clockEstimate', value: { bootId: 3n, offsetNs: 500_000_000_000n } }));
    model.apply(record(5, eeg(4)));
    for (const rate of [NaN, 0, -0, Infinity]) model.apply(record(5, eeg(rate)));
    expect(model.acquiredMs).toBe(502_000);
  });

  it('CountsWhatWasLeftOutButNotWhatANewerOneReplaced', () => {
    const model = new CaseModel();
    model.onGap(create(GapSchema, { count: 9, cause: GapCause.REPLACED_BY_NEWER }));
    model.onGap(create(GapSchema, { count: 4, cause: GapCause.SLOW_FOLLOWER }));
    expect(model.leftOut.otherCount()).toBe(4);
  });

  it('HostileRecordsOfASnapshotAreSkipped', () => {
    const model = new CaseModel();
    model.onSnapshot(create(SnapshotSchema, { records: [Uint8Array.from([0xff, 1, 2])], state: { alerts: [new Uint8Array(3)] } }));
    expect(model.ready.value).toBe(true);
  });
});
