import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { CertificateSummarySchema } from '../wire/generated/remora/v1/directory_pb.js';
import { CertificateSchema, NamedGapCause } from '../wire/generated/remora/v1/link_pb.js';
import { certificateWords, missingSentence } from './certificate.js';

const certificate = (complete: boolean, gaps: [number, number, NamedGapCause][]) => create(CertificateSchema, {
  certificateIndex: 2, complete,
  heads: [{ lane: 5, gaps: gaps.map(([first, last, cause]) => ({ firstOriginSeq: BigInt(first), lastOriginSeq: BigInt(last), cause })) }],
});
const summary = (complete: boolean, missing = 0) =>
  create(CertificateSummarySchema, { certificateIndex: 2, complete, missingCount: BigInt(missing) });

describe('CertificateWords', () => {
  it('CompleteIsSaidAloneOnlyWhereNothingWasLeftOut', () => {
    expect(certificateWords(summary(true), certificate(true, []))).toBe('Certificate 2: complete');
    expect(certificateWords(summary(true), certificate(true, [
      [1, 12_000, NamedGapCause.DATA_GAP], [12_001, 12_003, NamedGapCause.REFUSED]])))
      .toBe('Certificate 2: complete but for 12000 given up, 3 refused');
  });

  it('WithoutTheCertificateItselfNothingIsClaimedOfWhatWasLeftOut', () => {
    expect(certificateWords(summary(true))).toBe('Certificate 2: none missing');
    const older = create(CertificateSchema, { certificateIndex: 1, complete: true });
    expect(certificateWords(summary(true), older)).toBe('Certificate 2: none missing');
  });

  it('TileSaysWhatWasGivenUpAndRefused', () => {
    const left = (complete: boolean) =>
      create(CertificateSummarySchema, { certificateIndex: 2, complete, givenUpCount: 12_000n, refusedCount: 3n });
    expect(certificateWords(left(true))).toBe('Certificate 2: none missing, 12000 given up, 3 refused');
    expect(certificateWords(left(false)))
      .toBe('Certificate 2: with gaps, an agent has not said what it made, 12000 given up, 3 refused');
  });

  it('WhoSealsIsToldHowManyAreMissing', () => {
    expect(missingSentence(summary(false, 12))).toBe('12 records are missing.');
    expect(missingSentence(summary(false, 1))).toBe('1 record is missing.');
    expect(missingSentence(summary(false))).toBe('An agent has not said what it made.');
    expect([missingSentence(summary(true)), missingSentence(undefined)]).toEqual(['', '']);
  });

  it('GapsAreCountedByWhyTheyAreThere', () => {
    expect(certificateWords(summary(false, 7), certificate(false, [
      [1, 7, NamedGapCause.MISSING], [8, 8, NamedGapCause.DATA_GAP]])))
      .toBe('Certificate 2: with gaps, 7 records missing, 1 given up');
    expect(certificateWords(summary(false), certificate(false, [])))
      .toBe('Certificate 2: with gaps, an agent has not said what it made');
    expect(certificateWords(summary(false))).toBe('Certificate 2: with gaps, an agent has not said what it made');
  });
});
