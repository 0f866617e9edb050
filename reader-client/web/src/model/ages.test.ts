import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ageWithin } from '../base/format.js';
import { Phase } from '../wire/generated/remora/v1/case_pb.js';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import { Modality, Side } from '../wire/generated/remora/v1/waveform_pb.js';
import { packMicrovolts } from '../wire/samples.js';
import { acquisitions, acquisitionWords, dueMs, oldest, responses, responseWords, wouldSee } from './ages.js';
import { CaseModel } from './case_model.js';

let seq = 0n;
const NOW = 1_000_000_000;
// A sweep whose last stimulus was so long ago; the origin's clock is not known: the stamp stands for it.
function sweep(model: CaseModel, modality: Modality, agoMs: number, more: { provisional?: boolean; rateHz?: number; side?: Side; site?: string; trace?: string } = {}): void {
  seq++;
  model.apply(create(RecordSchema, {
    origin: new Uint8Array(16).fill(2), lane: 3, originSeq: seq, stamp: { epoch: 1, seq, recordedUnixNs: BigInt(NOW - agoMs) * 1_000_000n },
    body: { case: 'sweep', value: {
      traceId: `${Modality[modality]}/${more.side ?? Side.LEFT}/${more.trace ?? 'X'}`, modality, side: more.side ?? Side.LEFT, derivation: 'X', sampleRateHz: 1000, provisional: more.provisional ?? false,
      average: packMicrovolts([1, 2], 0.1), blockIndex: Number(seq), stimulus: { rateHz: more.rateHz ?? 4.7, side: more.side ?? Side.LEFT, site: more.site ?? '' } } },
  }));
}

describe('Acquisition', () => {
  it('RunsWhileStimuliComeAndHasStoppedSoonAfterTheyDoNot', () => {
    const model = new CaseModel();
    sweep(model, Modality.SEP_UPPER, 1_200, { provisional: true });
    expect(acquisitionWords(acquisitions(model, NOW))).toEqual({ words: undefined, ageMs: 1_200 });
    const later = acquisitionWords(acquisitions(model, NOW + 46_800));
    expect(later).toEqual({ words: 'SEP arm stimulation stopped 00:48', ageMs: 48_000 });
  });
  it('IsNotSaidToHaveStoppedWhereThePageWouldNotSeeIt', () => {
    const model = new CaseModel();
    sweep(model, Modality.SEP_UPPER, 48_000, { provisional: true });
    expect(wouldSee({ kind: 'live', whose: 'hub' }, model)).toBe(true);
    expect(wouldSee({ kind: 'lost', whose: 'agent' }, model)).toBe(false);
    expect(acquisitionWords(acquisitions(model, NOW), false).words).toBe('last SEP arm stimulus 00:48 ago');
    model.leftOut.slowLink.value = true;
    expect(wouldSee({ kind: 'live', whose: 'hub' }, model)).toBe(false);
  });
  it('OfAResponseStimulatedByHandSaysNothing', () => {
    const model = new CaseModel();
    sweep(model, Modality.MEP_TRANSCRANIAL, 840_000, { rateHz: 0 });
    expect(acquisitions(model, NOW)).toEqual([]);
  });
});

describe('Response', () => {
  it('IsOfTheFinishedTrialNotOfTheOneThatRuns', () => {
    const model = new CaseModel();
    sweep(model, Modality.SEP_UPPER, 100_000);
    sweep(model, Modality.SEP_UPPER, 500, { provisional: true });
    expect(responses(model, Phase.EXPOSURE, NOW)).toEqual([{ modality: Modality.SEP_UPPER, where: '', ageMs: 100_000, dueMs: 180_000, overdue: false }]);
  });
  it('OfAnMepIsDueOnlyWhileThereIsARisk', () => {
    const model = new CaseModel();
    sweep(model, Modality.MEP_TRANSCRANIAL, 860_000, { rateHz: 0 });
    expect(responseWords(responses(model, Phase.EXPOSURE, NOW))).toEqual({ words: 'MEP 14:20 ago', overdue: false });
    expect(responseWords(responses(model, Phase.CORRECTION, NOW))).toEqual({ words: 'MEP 14:20 ago, due each 10 min', overdue: true });
    expect(dueMs(Modality.SEP_LOWER, Phase.EXPOSURE)).toBe(180_000);
  });
});

describe('Two sides', () => {
  it('AreStimulatedEachForItselfAndNoneSpeaksForTheOther', () => {
    const model = new CaseModel();
    sweep(model, Modality.SEP_UPPER, 300_000, { provisional: true });
    sweep(model, Modality.SEP_UPPER, 299_000, { provisional: true, trace: 'Y' });
    sweep(model, Modality.SEP_UPPER, 800, { provisional: true, side: Side.RIGHT });
    expect(acquisitions(model, NOW).map((a) => [a.where, a.ageMs, a.stopped])).toEqual([['LEFT', 299_000, true], ['RIGHT', 800, false]]);
    expect(acquisitionWords(acquisitions(model, NOW))).toEqual({ words: 'SEP arm LEFT stimulation stopped 04:59', ageMs: 299_000 });
  });
  it('AreDueEachForItself', () => {
    const model = new CaseModel();
    sweep(model, Modality.MEP_TRANSCRANIAL, 1_500_000, { rateHz: 0 });
    sweep(model, Modality.MEP_TRANSCRANIAL, 60_000, { rateHz: 0, side: Side.RIGHT });
    const all = responses(model, Phase.CORRECTION, NOW);
    expect(responseWords(all)).toEqual({ words: 'MEP LEFT 25:00 ago, due each 10 min', overdue: true });
    expect(oldest(all)!.ageMs).toBe(1_500_000);
  });
  it('OrTwoNervesOfOneSideAreNamed', () => {
    const model = new CaseModel();
    sweep(model, Modality.TRAIN_OF_FOUR, 60_000, { rateHz: 0, site: 'ulnar nerve' });
    sweep(model, Modality.TRAIN_OF_FOUR, 1_200_000, { rateHz: 0, site: 'tibial nerve', trace: 'Y' });
    expect(responses(model, Phase.EXPOSURE, NOW).filter((r) => r.overdue).map((r) => r.where)).toEqual(['LEFT tibial nerve']);
  });
});

describe('An age within a bound', () => {
  it('IsSaidToBeLessWhereItIsNoLargerAndNeverNegative', () => {
    expect([ageWithin(-3, 200), ageWithin(150, 200), ageWithin(500, 200), ageWithin(300, 2), ageWithin(300, Infinity), ageWithin(NaN, 2)])
      .toEqual(['< 0.2 s', '< 0.2 s', '0.5 s', '0.3 s', '~0.3 s', '\u2013']);
  });
});
