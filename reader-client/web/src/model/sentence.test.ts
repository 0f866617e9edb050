import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import { MeasurementState } from '../wire/generated/remora/v1/measurement_pb.js';
import { Modality, Side } from '../wire/generated/remora/v1/waveform_pb.js';
import { packMicrovolts } from '../wire/samples.js';
import { CaseModel } from './case_model.js';
import { caseSentence } from './sentence.js';

function withEmg(): CaseModel {
  const model = new CaseModel();
  const record = { origin: new Uint8Array(16).fill(2), capturedAt: { bootId: 3n }, originSeq: 1n };
  const stamp = (seq: bigint, atMs: number) => ({ epoch: 1, seq, recordedUnixNs: BigInt(atMs) * 1_000_000n });
  model.apply(create(RecordSchema, { ...record, lane: 2, stamp: stamp(1n, 1000), body: { case: 'measurement', value: {
    traceId: 'SEP_UPPER/L/CPc', modality: Modality.SEP_UPPER, side: Side.LEFT, state: MeasurementState.NO_BASELINE } } }));
  model.apply(create(RecordSchema, { ...record, lane: 5, stamp: stamp(2n, 50_000), body: { case: 'sampleBlock', value: { modality: Modality.EMG_FREE_RUNNING,
    traceId: 'EMG_FREE_RUNNING/L/APB', side: Side.LEFT, sampleRateHz: 10, startedMonotonicNs: 1n,
    samples: packMicrovolts([1, 2], 0.1) } } }));
  return model;
}

describe('The sentence of a case', () => {
  it('SaysThatEmgIsQuietOnlyWhileItComes', () => {
    const model = withEmg();
    expect(caseSentence(model, 51_000)).toContain('EMG without alert');
    expect(caseSentence(model, 53_000)).not.toContain('EMG without alert');
    expect(caseSentence(model, 63_000)).toContain('No EMG of APB L for 13 s');
    expect(caseSentence(model, 63_000, true)).not.toContain('EMG');
  });
});
