import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { AlertPriority } from '../wire/generated/remora/v1/alert_pb.js';
import { CaseStage, Phase } from '../wire/generated/remora/v1/case_pb.js';
import { CaseSummarySchema, ModalitySummarySchema } from '../wire/generated/remora/v1/directory_pb.js';
import { LinkCondition } from '../wire/generated/remora/v1/link_pb.js';
import { MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import { agentTrouble, byUrgency, isCallingCase, modalityLook, soundingPriority, technicalPriority } from './attention.js';

const summary = (more: MessageInitShape<typeof CaseSummarySchema>) =>
  create(CaseSummarySchema, { stage: CaseStage.OPEN, agentLink: LinkCondition.LIVE, ...more });
const acknowledgedHigh = { worstPriority: AlertPriority.HIGH, openAlertCount: 2, unacknowledgedAlertCount: 1 };

describe('What sounds', () => {
  it('IsWhatCallsAndNotTheWorstThatSomebodyHasAlready', () => {
    const low = summary({ ...acknowledgedHigh, callingPriority: AlertPriority.LOW });
    expect(soundingPriority([low])).toBe(AlertPriority.LOW);
    expect(soundingPriority([summary(acknowledgedHigh)])).toBe(AlertPriority.UNSPECIFIED);
  });
  it('IsNothingForInformationNorForACaseThatIsOver', () => {
    expect(soundingPriority([summary({ callingPriority: AlertPriority.INFORMATION })])).toBe(AlertPriority.UNSPECIFIED);
    expect(soundingPriority([summary({ callingPriority: AlertPriority.HIGH, stage: CaseStage.CLOSED })]))
      .toBe(AlertPriority.UNSPECIFIED);
    expect(isCallingCase(summary({ callingPriority: AlertPriority.INFORMATION }))).toBe(false);
  });
});

describe('Who needs somebody', () => {
  it('IsInTheOrderOfWhatCallsThenOfTheLinkThenByTime', () => {
    const cases = [
      summary({ theatre: 'link', agentLink: LinkCondition.LOST, worstPriority: AlertPriority.HIGH }),
      summary({ theatre: 'newer', callingPriority: AlertPriority.MEDIUM, callingAlertUnixNs: 9n }),
      summary({ theatre: 'older', callingPriority: AlertPriority.MEDIUM, callingAlertUnixNs: 5n }),
      summary({ theatre: 'high', callingPriority: AlertPriority.HIGH }),
    ];
    expect(cases.sort(byUrgency).map((c) => c.theatre)).toEqual(['high', 'older', 'newer', 'link']);
  });
  it('IsACaseWhoseAgentNeverCame', () => {
    expect(agentTrouble(summary({ agentLink: LinkCondition.UNSPECIFIED }))).toBe('agent not connected');
    expect(agentTrouble(summary({ agentLink: LinkCondition.UNSPECIFIED, stage: CaseStage.SCHEDULED }))).toBeUndefined();
    expect(agentTrouble(summary({}))).toBeUndefined();
  });
});

describe('A glyph of the wall', () => {
  const at = (modality: Modality, state: MeasurementState, ageS: number) => modalityLook(
    { modality, worstState: state, lastUnixNs: 1_000_000_000_000n } as never, true, 1_000_000 + ageS * 1000);
  it('SaysItsAgeWhenItIsOld', () => {
    expect(at(Modality.SEP_UPPER, MeasurementState.WITHIN_LIMITS, 59)).toMatchObject({ glyph: 'ok', old: undefined });
    expect(at(Modality.SEP_UPPER, MeasurementState.WITHIN_LIMITS, 61)).toMatchObject({ glyph: 'ok', css: 'quiet', old: '1 min' });
    expect(at(Modality.SEP_UPPER, MeasurementState.RED, 61)).toMatchObject({ glyph: '!!!', css: 'high', old: '1 min' });
  });
  it('NeverSaysOkOfEmgThatDoesNotCome', () => {
    expect(at(Modality.EMG_FREE_RUNNING, MeasurementState.WITHIN_LIMITS, 9)).toMatchObject({ glyph: 'ok', old: undefined });
    expect(at(Modality.EMG_FREE_RUNNING, MeasurementState.WITHIN_LIMITS, 11))
      .toMatchObject({ glyph: '?', css: 'quiet', word: 'no data for 11 s', old: '11 s' });
  });
  it('SaysNothingOfTheAgeOfWhatNeverCame', () => {
    expect(modalityLook({ modality: Modality.SEP_UPPER, worstState: 0, lastUnixNs: 0n } as never, true, 5_000_000))
      .toMatchObject({ old: undefined, word: 'nothing measured' });
  });
});

describe('What must be heard though no response has changed', () => {
  it('IsALinkThatIsLostAndACaseThatIsNotRecorded', () => {
    expect(technicalPriority('lost', true, false)).toBe(AlertPriority.MEDIUM);
    expect(technicalPriority('unsupervised', true, false)).toBe(AlertPriority.MEDIUM);
    expect(technicalPriority('lost', false, false)).toBe(AlertPriority.UNSPECIFIED);
    expect(technicalPriority('stale', true, false)).toBe(AlertPriority.UNSPECIFIED);
    expect(technicalPriority('live', true, true)).toBe(AlertPriority.MEDIUM);
  });
  it('AWallTileSaysWhatIsOverdueWhileThereIsARisk', () => {
    const mep = create(ModalitySummarySchema, { modality: Modality.MEP_TRANSCRANIAL, lastUnixNs: 1_000_000n });
    expect(modalityLook(mep, false, 660_000, Phase.CORRECTION).old).toBe('overdue 10 min');
    expect(modalityLook(mep, false, 660_000, Phase.EXPOSURE).old).toBe('10 min');
  });
});
