import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCounts, encodeCounts, packMicrovolts, SampleError, toMicrovolts } from './samples.js';

const bytes = (...values: number[]) => Uint8Array.from(values);
const counts = (...values: number[]) => Int32Array.from(values);

describe('DELTA_PACKED', () => {
  it('MatchesVectorsMadeByHand', () => {
    // Deltas 1, -1, 2, -2 are 2, 1, 4, 3 in zigzag: 3 bits each, 010 001 100 011 from the low end.
    expect(encodeCounts(counts(1, 0, 2, 0))).toEqual(bytes(3, 0b00001010, 0b00000111));
    // The example of docs/sample-codec.md.
    expect(encodeCounts(counts(1, 2, -1, -1))).toEqual(bytes(0x03, 0x52, 0x01));
    expect(decodeCounts(bytes(0x03, 0x52, 0x01), 4)).toEqual(counts(1, 2, -1, -1));
    expect(encodeCounts(counts(0, 0, 0))).toEqual(bytes(0));
    expect(encodeCounts(counts())).toEqual(bytes());
    expect(encodeCounts(counts(-1))).toEqual(bytes(1, 1));
    expect(encodeCounts(counts(-2147483648))).toEqual(bytes(32, 255, 255, 255, 255));
    // 2^31-1 then -2^31: the difference wraps to +1.
    expect(encodeCounts(counts(2147483647, -2147483648))).toEqual(
      bytes(32, 0xfe, 0xff, 0xff, 0xff, 2, 0, 0, 0));
  });

  it('StartsANewGroupAfter128Samples', () => {
    const many = new Int32Array(129).fill(5);
    const packed = encodeCounts(many);
    expect(packed[0]).toBe(4);
    expect(packed.length).toBe(1 + 64 + 1);
    expect(packed[65]).toBe(0);
    expect(decodeCounts(packed, 129)).toEqual(many);
  });

  it('ReturnsEverySequence', () => {
    const extreme = fc.oneof(
      fc.integer({ min: -2147483648, max: 2147483647 }),
      fc.integer({ min: -40, max: 40 }),
      fc.constantFrom(-2147483648, 2147483647, 0, -1));
    fc.assert(
      fc.property(fc.array(extreme, { maxLength: 400 }), (values) => {
        const source = Int32Array.from(values);
        expect(decodeCounts(encodeCounts(source), source.length)).toEqual(source);
      }),
      { numRuns: 300 });
  });

  it('HostileInputIsRefusedAndNeverReadBeyondItsEnd', () => {
    expect(() => decodeCounts(bytes(33, 1, 2, 3, 4, 5), 1)).toThrow(SampleError);
    expect(() => decodeCounts(bytes(8), 1)).toThrow(SampleError);
    expect(() => decodeCounts(bytes(8, 1, 1), 1)).toThrow(SampleError);
    expect(() => decodeCounts(bytes(), 1)).toThrow(SampleError);
    expect(() => decodeCounts(bytes(0), 70_000)).toThrow(SampleError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 300 }), (raw, n) => {
        try {
          expect(decodeCounts(raw, n).length).toBe(n);
        } catch (e) {
          expect(e).toBeInstanceOf(SampleError);
        }
      }));
  });

  it('ShowsDamagedSamplesAsMissing', () => {
    const packed = packMicrovolts([1, -2.5, 0.5], 0.5);
    expect(Array.from(toMicrovolts(packed))).toEqual([1, -2.5, 0.5]);
    expect(toMicrovolts({ ...packed, uvPerCount: NaN }).length).toBe(0);
    expect(toMicrovolts({ ...packed, sampleCount: 9000 }).length).toBe(0);
    expect(toMicrovolts(undefined).length).toBe(0);
  });
});
