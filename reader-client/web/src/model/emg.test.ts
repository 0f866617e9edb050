import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { EmgActivityKind, EmgActivitySchema, TrainPattern } from '../wire/generated/remora/v1/measurement_pb.js';
import { EnvelopeSchema, Modality, SampleBlockSchema, Side } from '../wire/generated/remora/v1/waveform_pb.js';
import { packMicrovolts } from '../wire/samples.js';
import { EmgBook, KEPT_MS, stalest, supplyOf } from './emg.js';
import type { Mark } from './stamp.js';
import { activityWord } from './words.js';

const TRACE = 'EMG_FREE_RUNNING/L/Tib ant';
const mark = (atMs: number): Mark => ({ id: `x/5/${atMs}`, seq: BigInt(atMs + 1), atMs, unrecorded: false, pending: false });
const ns = (ms: number) => BigInt(ms) * 1_000_000n;
const envelope = (fromMs: number, traceId = TRACE) => create(EnvelopeSchema, {
  traceId, modality: Modality.EMG_FREE_RUNNING, side: Side.LEFT, startedMonotonicNs: ns(fromMs), binMs: 500,
  minimum: packMicrovolts([-1, -1], 0.1), maximum: packMicrovolts([1, 1], 0.1) });
const block = (fromMs: number) => create(SampleBlockSchema, {
  traceId: TRACE, modality: Modality.EMG_FREE_RUNNING, side: Side.LEFT, startedMonotonicNs: ns(fromMs), sampleRateHz: 10,
  samples: packMicrovolts([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.1) });

describe('EmgBook', () => {
  it('KeepsNoMoreOfEightHoursOfEnvelopesThanASweepShows', () => {
    const book = new EmgBook();
    for (let s = 0; s < 8 * 3600; s++) book.addEnvelope(mark(s * 1000), 'b', envelope(s * 1000), s * 1000);
    const { blocks, headMs } = book.list()[0]!;
    expect(blocks.length).toBeLessThanOrEqual(KEPT_MS / 1000 + 1);
    expect(blocks[0]!.fromMs).toBeGreaterThanOrEqual(headMs - KEPT_MS);
  });

  it('KeepsBlocksInTheOrderOfTheirTimeAndNumbersThemInTheOrderInWhichTheyCame', () => {
    const book = new EmgBook();
    for (const at of [0, 2000, 1000]) book.addBlock(mark(at), 'b', block(at), at);
    const { blocks } = book.list()[0]!;
    expect(blocks.map((b) => b.fromMs)).toEqual([0, 1000, 2000]);
    expect([...blocks].sort((a, b) => a.serial - b.serial).map((b) => b.fromMs)).toEqual([0, 2000, 1000]);
  });

  it('TakesNoSamplesOfAnotherModality', () => {
    const book = new EmgBook();
    let painted = 0;
    book.listeners.add(() => painted++);
    for (const modality of [Modality.EEG, Modality.ECOG, Modality.UNSPECIFIED, 99 as Modality]) {
      book.addBlock(mark(0), 'b', create(SampleBlockSchema, { ...block(0), traceId: 'EEG/L/F3-P3', modality }), 0);
      book.addEnvelope(mark(0), 'b', create(EnvelopeSchema, { ...envelope(0, 'EEG/L/F3-P3'), modality }), 0);
    }
    expect([book.list(), painted, book.channelsVersion.value]).toEqual([[], 0, 0]);
  });

  it('TakesNothingThatIsOlderThanWhatItKeeps', () => {
    const book = new EmgBook();
    book.addEnvelope(mark(1), 'b', envelope(200_000), 200_000);
    book.addEnvelope(mark(2), 'b', envelope(100_000), 200_000);
    expect(book.list()[0]!.blocks).toHaveLength(1);
  });
});

describe('A train that is told of again while nothing is recorded', () => {
  const train = (durationMs: number, ongoing: boolean) => create(EmgActivitySchema, {
    traceId: TRACE, kind: EmgActivityKind.TRAIN, startedMonotonicNs: ns(1000), durationMs, ongoing });
  const said = (originSeq: number, seq: bigint): Mark =>
    ({ id: `aa/2/${originSeq}`, seq, atMs: originSeq, unrecorded: seq === 0n, pending: false });
  it('EndsWhenItsEndIsShownAndAnOlderStateThatIsRecordedLaterDoesNotBringItBack', () => {
    const book = new EmgBook();
    book.addActivity(said(5, 50n), 'b', train(100, true));
    book.addActivity(said(6, 0n), 'b', train(400, true));
    book.addActivity(said(7, 0n), 'b', train(900, false));
    const view = () => book.latestActivity()!;
    expect([view().activity.ongoing, view().activity.durationMs]).toEqual([false, 900]);
    book.addActivity(said(6, 60n), 'b', train(400, true));
    expect([view().activity.ongoing, view().mark.unrecorded]).toEqual([false, true]);
    book.addActivity(said(7, 61n), 'b', train(900, false));
    expect(view().mark.unrecorded).toBe(false);
    book.addActivity(said(5, 50n), 'b', train(100, true));
    expect(view().activity.durationMs).toBe(900);
  });
});

describe('A train with a name', () => {
  it('StandsBesideTheDischargesThatItIsMadeOf', () => {
    const book = new EmgBook();
    const says = (trainPattern: TrainPattern, durationMs: number) => create(EmgActivitySchema, {
      traceId: TRACE, kind: EmgActivityKind.TRAIN, startedMonotonicNs: ns(1000), durationMs, trainPattern });
    book.addBlock(mark(0), 'b', block(0), 0);
    book.addActivity(mark(10), 'b', says(TrainPattern.UNSPECIFIED, 1200));
    book.addActivity(mark(11), 'b', says(TrainPattern.A, 160));
    book.addActivity(mark(12), 'b', says(TrainPattern.A, 1150));
    const shown = book.activitiesOf(book.list()[0]!).map((v) => `${activityWord(v.activity)} ${v.activity.durationMs}`);
    expect(shown.sort()).toEqual(['A-train 1150', 'train 1200']);
  });
});

describe('A muscle whose agent started anew', () => {
  it('IsNotThrownBackByWhatIsFilledInOfBefore', () => {
    const book = new EmgBook();
    book.addBlock(mark(1), 'old', block(500_000), 50_000);
    book.addBlock(mark(2), 'new', block(1000), 60_000);
    book.addBlock(mark(3), 'old', block(501_000), 51_000);
    book.addEnvelope(mark(4), 'old', envelope(502_000), 52_000);
    const { boot, blocks } = book.list()[0]!;
    expect([boot, blocks.map((b) => b.fromMs)]).toEqual(['new', [1000]]);
  });
});

describe('The supply of a muscle', () => {
  it('IsLiveForTwoSecondsThenStaleThenLost', () => {
    const book = new EmgBook();
    book.addBlock(mark(0), 'b', block(0), 50_000);
    const muscle = book.list()[0]!;
    expect([51_999, 52_000, 59_999, 60_000].map((now) => supplyOf(muscle, now).state)).toEqual(['live', 'stale', 'stale', 'lost']);
    expect(supplyOf(muscle, 63_000).ageMs).toBe(13_000);
  });
  it('DoesNotGrowYoungerByWhatIsFilledIn', () => {
    const book = new EmgBook();
    book.addBlock(mark(5000), 'b', block(5000), 50_000);
    book.addBlock(mark(9000), 'b', block(1000), 59_000);
    expect(supplyOf(book.list()[0]!, 60_000).ageMs).toBe(10_000);
  });
  it('OfAModalityIsThatOfItsWorstMuscle', () => {
    const book = new EmgBook();
    book.addBlock(mark(0), 'b', block(0), 50_000);
    book.addEnvelope(mark(0), 'b', envelope(0, 'EMG_FREE_RUNNING/R/APB'), 58_000);
    expect(stalest(book.list(), 61_000)!.channel.derivation).toBe('Tib ant');
    expect(stalest([], 61_000)).toBeUndefined();
  });
});
