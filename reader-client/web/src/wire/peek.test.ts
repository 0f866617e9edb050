import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordSchema } from './generated/remora/v1/record_pb.js';
import { peekLane } from './peek.js';

describe('peekLane', () => {
  it('ReadsTheLaneThatDecodingWouldRead', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 5 }), fc.bigInt({ min: 0n, max: 2n ** 60n }), (lane, originSeq) => {
      const bytes = toBinary(RecordSchema, create(RecordSchema, {
        caseId: new Uint8Array(16).fill(3), origin: new Uint8Array(16).fill(4), lane, originSeq,
        capturedAt: { bootId: 1n, monotonicNs: 5n }, body: { case: 'message', value: { text: 'x' } },
      }));
      expect(peekLane(bytes)).toBe(lane);
    }));
  });

  it('HostileBytesGiveNoLaneAndNoHang', () => {
    expect(peekLane(new Uint8Array(0))).toBe(-1);
    expect(peekLane(Uint8Array.from([0x18, 0x09]))).toBe(-1);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const lane = peekLane(bytes);
      expect(lane >= -1 && lane <= 5).toBe(true);
    }));
  });
});
