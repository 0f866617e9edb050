import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { Phase, Role } from '../wire/generated/remora/v1/case_pb.js';
import { LinkCondition, RecordingCondition } from '../wire/generated/remora/v1/link_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import { CapturedAtSchema } from '../wire/generated/remora/v1/reference_pb.js';
import { GapCause, GapSchema } from '../wire/generated/remora/v1/room_pb.js';
import { Modality, Side } from '../wire/generated/remora/v1/waveform_pb.js';
import { idOf, toReference } from '../wire/record_id.js';
import { packMicrovolts } from '../wire/samples.js';
import { CaseModel } from './case_model.js';
import { rateWords } from './left_out.js';
import { Review } from './review.js';

type Body = NonNullable<MessageInitShape<typeof RecordSchema>['body']>;
const record = (lane: number, seq: bigint, body: Body, more: { unrecorded?: boolean; originSeq?: bigint; atS?: number } = {}) => create(RecordSchema, {
  origin: new Uint8Array(16).fill(2), lane, originSeq: more.originSeq ?? seq,
  stamp: { epoch: 1, seq: more.unrecorded ? 0n : seq, recordedUnixNs: BigInt(more.atS ?? Number(seq)) * 1_000_000_000n, unrecorded: more.unrecorded ?? false }, body });
const readersLive: Body = { case: 'linkState', value: { participant: 'anna', condition: LinkCondition.LIVE, outageMs: 600_000, role: Role.NEUROPHYSIOLOGIST } };
const live = (outageMs: number, ownView = false): Body => ({ case: 'linkState', value: { participant: 'agent', condition: LinkCondition.LIVE, outageMs, ownView } });
const sweep = (block: number, atS: number): Body => ({ case: 'sweep', value: {
  traceId: 'SEP_UPPER/L/X', modality: Modality.SEP_UPPER, side: Side.LEFT, derivation: 'X', blockIndex: block, sampleRateHz: 1000,
  average: packMicrovolts([block, -block], 0.1), lastStimulusMonotonicNs: BigInt(atS) * 1_000_000_000n } });

describe('Intervals', () => {
  it('StayUnreadUntilAReaderSaysToHaveLookedThrough', () => {
    const model = new CaseModel();
    const outage = record(0, 100n, live(40_000));
    model.apply(outage);
    const nothing = record(1, 120n, { case: 'unrecordedInterval', value: { fromUnixNs: 1n, toUnixNs: 5_000_000_000n, cause: 'disk full', shownCount: 7 } });
    model.apply(nothing);
    expect(model.intervals.unread().map((i) => [i.kind, i.fromMs, i.toMs])).toEqual([['outage', 60_000, 100_000], ['unrecorded', 0, 5_000]]);
    model.apply(record(1, 130n, { case: 'backlogReviewed', value: { interval: toReference(idOf(outage)), actor: 'Maya' } }));
    model.apply(outage);
    expect(model.intervals.unread().map((i) => i.kind)).toEqual(['unrecorded']);
    expect(model.intervals.list()[0]!.reviewed?.actor).toBe('Maya');
  });
  it('AreNotOfAReadersLinkWhichIsNotTakenForTheAgents', () => {
    const model = new CaseModel();
    model.apply(record(0, 100n, live(0)));
    model.apply(record(0, 101n, { case: 'linkState', value: { participant: 'anna', condition: LinkCondition.LOST, role: Role.NEUROPHYSIOLOGIST } }));
    model.apply(record(0, 102n, readersLive));
    expect(model.intervals.list()).toEqual([]);
    model.apply(record(0, 103n, { case: 'linkState', value: { participant: 'anna', condition: LinkCondition.LOST, role: Role.CENTRE } }));
    expect(model.agentLink.value).toBe(LinkCondition.LIVE);
  });
  it('AreLookedThroughFromWhereTheirRecordBegins', () => {
    const model = new CaseModel();
    model.apply(record(0, 100n, { case: 'linkState', value: { participant: 'agent', condition: LinkCondition.LIVE, outageMs: 40_000, firstSeq: 61n } }));
    model.apply(record(1, 120n, { case: 'unrecordedInterval', value: { fromUnixNs: 101_000_000_000n, toUnixNs: 119_000_000_000n, firstSeq: 101n } }));
    model.apply(record(1, 121n, { case: 'unrecordedInterval', value: {} }));
    expect(model.intervals.list().map((i) => i.firstSeq)).toEqual([61n, 101n, 121n]);
  });
  it('EndWhenTheHubSaidSoAlsoWhereItCouldRecordThatOnlyLater', () => {
    const model = new CaseModel();
    const made = (r: ReturnType<typeof record>, s: number) => {
      r.capturedAt = create(CapturedAtSchema, { bootId: 1n, monotonicNs: BigInt(s) * 1_000_000_000n });
      return r;
    };
    model.apply(made(record(1, 4n, { case: 'presence', value: { participant: 'agent' } }, { atS: 60 }), 1_060));
    model.apply(made(record(0, 5n, live(40_000), { atS: 700 }), 1_100));
    model.apply(made(record(0, 6n, live(40_000), { atS: 900 }), 1_899));
    expect(model.intervals.list().map((i) => [i.fromMs, i.toMs])).toEqual([[60_000, 100_000], [860_000, 900_000]]);
  });
  it('StayUnreadUntilTheReviewItselfIsOnRecord', () => {
    const model = new CaseModel();
    const outage = record(0, 100n, live(40_000));
    model.apply(outage);
    const review: Body = { case: 'backlogReviewed', value: { interval: toReference(idOf(outage)), actor: 'Maya' } };
    const kept = record(1, 0n, review, { originSeq: 7n });
    delete kept.stamp;
    model.apply(kept);
    expect(model.intervals.unread().map((i) => i.reviewed?.mark.pending)).toEqual([true]);
    model.apply(record(1, 0n, review, { originSeq: 7n, unrecorded: true }));
    expect(model.intervals.unread().map((i) => i.reviewed?.mark.unrecorded)).toEqual([true]);
    model.apply(record(1, 120n, review, { originSeq: 7n }));
    expect(model.intervals.unread()).toEqual([]);
  });
  it('AreNeitherTheOwnViewOfAParticipantNorWhatWasOnlyStale', () => {
    const model = new CaseModel();
    model.apply(record(0, 1n, live(60_000, true)));
    model.apply(record(0, 2n, live(9_900)));
    expect(model.intervals.list()).toEqual([]);
  });
});

describe('What is shown and not on record', () => {
  it('IsCountedAndClearedWhenItComesAgainWithAPlaceOnRecord', () => {
    const model = new CaseModel();
    model.onRecording(RecordingCondition.UNRECORDED, 5_000, 'disk full');
    expect(model.recording.value).toEqual({ unrecorded: true, sinceMs: 5_000, cause: 'disk full' });
    // A heartbeat says no more than that it still is so.
    model.onRecording(RecordingCondition.UNRECORDED, 0, '');
    expect(model.recording.value.cause).toBe('disk full');
    const body: Body = { case: 'message', value: { text: 'x', sender: 'Ines' } };
    model.onRecord(record(0, 0n, body, { unrecorded: true, originSeq: 9n }));
    model.onRecord(record(3, 0n, sweep(1, 1), { unrecorded: true, originSeq: 4n }));
    expect(model.unrecorded.value).toBe(2);
    expect(model.traces.list()[0]!.current!.mark.unrecorded).toBe(true);
    model.onRecording(RecordingCondition.RECORDING, 6_000, '');
    model.onRecord(record(0, 10n, body, { originSeq: 9n }));
    expect(model.unrecorded.value).toBe(1);
    expect(model.talk.list()[0]!.mark.unrecorded).toBe(false);
    // Bulk that is offered again comes late, and not to a screen: the interval stands for it.
    model.onRecord(record(1, 11n, { case: 'unrecordedInterval', value: { fromUnixNs: 1n, toUnixNs: 2n } }));
    expect(model.unrecorded.value).toBe(0);
    expect(model.intervals.unread()).toHaveLength(1);
  });
  it('AMeasurementThatWasNotRecordedGivesWayToItsOwnRecordAndToALaterOne', () => {
    const model = new CaseModel();
    const measured = (percent: number): Body => ({ case: 'measurement', value: { traceId: 'SEP_UPPER/L/X', amplitudePercentOfBaseline: percent } });
    const shown = () => model.traces.get('SEP_UPPER/L/X')!.measurement!;
    model.onRecord(record(2, 0n, measured(90), { unrecorded: true, originSeq: 5n }));
    model.onRecord(record(2, 7n, measured(90), { originSeq: 5n }));
    expect(shown().mark.unrecorded).toBe(false);
    model.onRecord(record(2, 0n, measured(70), { unrecorded: true, originSeq: 6n }));
    model.onRecord(record(2, 8n, measured(40), { originSeq: 7n }));
    expect(shown().measurement.amplitudePercentOfBaseline).toBe(40);
    model.onRecord(record(2, 9n, measured(95), { originSeq: 4n }));
    model.onRecord(record(2, 0n, measured(60), { unrecorded: true, originSeq: 8n }));
    expect(shown().measurement.amplitudePercentOfBaseline).toBe(60);
  });
});

describe('A phase that was shown and not recorded', () => {
  it('IsTheOneOfNowAndTakesItsPlaceInTheRecordWhenItHasOne', () => {
    const model = new CaseModel();
    const phase = (p: Phase): Body => ({ case: 'phaseChange', value: { phase: p, actor: 'Ines' } });
    model.onRecord(record(1, 5n, phase(Phase.EXPOSURE)));
    model.onRecord(record(1, 0n, phase(Phase.CORRECTION), { originSeq: 6n, unrecorded: true }));
    expect(model.phaseNow()).toBe(Phase.CORRECTION);
    expect(model.events().map((e) => e.unrecorded).sort()).toEqual([false, true]);
    model.onRecord(record(1, 8n, phase(Phase.CORRECTION), { originSeq: 6n }));
    expect(model.events().map((e) => e.unrecorded)).toEqual([false, false]);
    const other = record(1, 9n, phase(Phase.CLOSURE));
    other.origin = new Uint8Array(16).fill(3);
    model.onRecord(other);
    expect(model.phaseNow()).toBe(Phase.CLOSURE);
  });
});

describe('News', () => {
  it('AreNotWhatScreensWriteByThemselvesOrViewsWouldCallForMoreOfThem', () => {
    const model = new CaseModel();
    model.onRecord(record(1, 5n, { case: 'annotation', value: { text: 'x' } }));
    model.onRecord(record(1, 6n, { case: 'viewSeen', value: { actor: 'Maya' } }));
    model.onRecord(record(1, 7n, { case: 'clockEstimate', value: { bootId: 1n } }));
    expect([model.newsSeq, model.controlSeq]).toEqual([5n, 7n]);
    // What is not on record moves no place, and is news all the same.
    model.onRecord(record(0, 0n, { case: 'alert', value: { summary: 'MEP lost' } }, { originSeq: 90n, unrecorded: true }));
    model.onRecord(record(1, 0n, { case: 'viewSeen', value: { actor: 'Maya' } }, { originSeq: 91n, unrecorded: true }));
    expect([model.newsSeq, model.unrecordedNews, model.hasUnrecordedNews()]).toEqual([5n, 1, true]);
    model.onRecord(record(0, 8n, { case: 'alert', value: { summary: 'MEP lost' } }, { originSeq: 90n }));
    expect(model.hasUnrecordedNews()).toBe(false);
  });
});

describe('Review', () => {
  it('ShowsTheTimeThatIsOverStepByStepWhateverTheOrderItCameIn', () => {
    const model = new CaseModel();
    model.apply(record(1, 1n, { case: 'clockEstimate', value: { bootId: 0n, offsetNs: 0n } }));
    model.apply(record(3, 2n, sweep(9, 900)));
    const late = [record(3, 30n, sweep(3, 60)), record(3, 31n, sweep(2, 40)), record(3, 32n, sweep(1, 20)), record(3, 33n, sweep(8, 500))];
    const review = new Review(model, late, { fromMs: 10_000, toMs: 70_000 }, undefined);
    expect([review.count, review.steps]).toEqual([3, [20_000, 40_000, 60_000]]);
    const trace = model.traces.list()[0]!;
    const block = () => review.shown(trace).current!.sweep.blockIndex;
    expect(block()).toBe(1);
    review.step(1);
    expect([block(), review.shown(trace).previous!.sweep.blockIndex]).toEqual([2, 1]);
    review.step(5);
    expect(block()).toBe(3);
    // The case itself has not moved.
    expect(trace.current!.sweep.blockIndex).toBe(9);
  });

  const clocked = () => {
    const model = new CaseModel();
    model.apply(record(1, 1n, { case: 'clockEstimate', value: { bootId: 0n, offsetNs: 0n } }));
    return model;
  };
  // A second of a muscle, as its agent sends it.
  const envelope = (atS: number, uv: number, muscle = 'APB'): Body => ({ case: 'envelope', value: { modality: Modality.EMG_FREE_RUNNING,
    traceId: `EMG_FREE_RUNNING/L/${muscle}`, side: Side.LEFT, startedMonotonicNs: BigInt(atS) * 1_000_000_000n, binMs: 100,
    minimum: packMicrovolts(Array(10).fill(-uv), 0.1), maximum: packMicrovolts(Array(10).fill(uv), 0.1) } });

  it('IsDoneWhenNoStepWasPassedOverAndAllCame', () => {
    const late = [20, 40, 60].map((s, i) => record(3, BigInt(30 + i), sweep(i, s)));
    const time = { fromMs: 10_000, toMs: 70_000 };
    const review = new Review(clocked(), late, time, undefined);
    review.step(2);
    expect([review.index.value, review.reached.value, review.isDone]).toEqual([2, 0, false]);
    review.step(-1);
    review.step(1);
    expect([review.index.value, review.isDone]).toEqual([2, true]);
    const part = new Review(clocked(), late.slice(0, 1), time, '7 records more are on record.');
    expect([part.steps.length, part.isDone]).toEqual([1, false]);
    expect(new Review(clocked(), [], time, undefined).isDone).toBe(false);
  });

  it('ShowsTheEmgOfThatTimeAndPassesOverNoneOfIt', () => {
    const model = clocked();
    // What is live on the page is not that time.
    model.apply(record(5, 2n, { case: 'sampleBlock', value: { modality: Modality.EMG_FREE_RUNNING, traceId: 'EMG_FREE_RUNNING/L/APB', side: Side.LEFT, sampleRateHz: 10,
      startedMonotonicNs: 900_000_000_000n, samples: packMicrovolts([1, 2], 0.1) } }));
    model.apply(record(5, 3n, { case: 'sampleBlock', value: { modality: Modality.EMG_FREE_RUNNING, traceId: 'EMG_FREE_RUNNING/L/Biceps', side: Side.LEFT, sampleRateHz: 10,
      startedMonotonicNs: 900_000_000_000n, samples: packMicrovolts([1, 2], 0.1) } }));
    const late = [record(3, 30n, sweep(3, 130)), ...Array.from({ length: 120 }, (_, s) => record(4, BigInt(40 + s), envelope(10 + s, s)))];
    const review = new Review(model, late.reverse(), { fromMs: 10_000, toMs: 131_000 }, undefined);
    expect(review.hasEmg).toBe(true);
    expect(review.steps.every((at, i) => at - (review.steps[i - 1] ?? 10_000) <= 28_000)).toBe(true);
    const seen = new Set<number>();
    for (let i = 0; i < review.steps.length; i++) {
      const [apb, biceps] = review.emgOf(model.emg.list());
      expect([apb!.derivation, biceps!.derivation, biceps!.blocks.length]).toEqual(['APB', 'Biceps', 0]);
      for (const b of apb!.blocks) {
        expect(b.fromMs + 1000).toBeLessThanOrEqual(review.atMs());
        // A painter that is EMG_SPAN_MS across, less the gap at its pen, draws these.
        if (b.fromMs > apb!.headMs - 29_000) seen.add(b.fromMs);
      }
      review.step(1);
    }
    expect([seen.size, review.isDone]).toEqual([120, true]);
    expect(model.emg.list()[0]!.blocks).toHaveLength(1);
  });
});

describe('What was left out', () => {
  it('IsToldByItsCause', () => {
    const { leftOut } = new CaseModel();
    const gap = (cause: GapCause, lane: number, count: number, fromSeq = 0n, toSeq = 0n) => leftOut.add(create(GapSchema, { cause, lane, count, fromSeq, toSeq }));
    gap(GapCause.LATE, 3, 4, 20n, 30n);
    gap(GapCause.LATE, 5, 6, 18n, 40n);
    gap(GapCause.REPLACED_BY_NEWER, 3, 50);
    gap(GapCause.SLOW_FOLLOWER, 5, 2);
    expect(leftOut.get(GapCause.LATE)).toMatchObject({ count: 10, fromSeq: 18n, toSeq: 40n });
    expect(leftOut.otherCount()).toBe(2);
    gap(GapCause.SLOW_LINK, 3, 0);
    expect(leftOut.slowLink.value).toBe(true);
    leftOut.came(2);
    expect(leftOut.slowLink.value).toBe(true);
    leftOut.came(3);
    expect(leftOut.slowLink.value).toBe(false);
    expect([rateWords(64_100), rateWords(1_940_000), rateWords(NaN)]).toEqual(['about 64 kbit/s', 'about 1.9 Mbit/s', '']);
  });
});
