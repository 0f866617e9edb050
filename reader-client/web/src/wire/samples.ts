// DELTA_PACKED samples: int32 counts as differences from the one before (the first from 0, all
// modulo 2^32), zigzag, in groups of 128 (the last may be shorter). A group is one byte, the width
// w of 0 to 32 bits, then its values of w bits each, least significant bit first, without gaps,
// padded with zero bits to a whole byte.

import { create } from '@bufbuild/protobuf';
import { PackedSamplesSchema, SampleEncoding } from './generated/remora/v1/waveform_pb.js';
import type { PackedSamples } from './generated/remora/v1/waveform_pb.js';

export const GROUP_SAMPLES = 128;
// As PackedSamples.sample_count says.
export const MAXIMUM_SAMPLES = 65_536;

export class SampleError extends Error {}

const zigzag = (delta: number): number => ((delta << 1) ^ (delta >> 31)) >>> 0;
const unzigzag = (value: number): number => (value >>> 1) ^ -(value & 1);

export function encodeCounts(counts: Int32Array): Uint8Array {
  const out: number[] = [];
  const group = new Uint32Array(GROUP_SAMPLES);
  let previous = 0;
  for (let start = 0; start < counts.length; start += GROUP_SAMPLES) {
    const size = Math.min(GROUP_SAMPLES, counts.length - start);
    let all = 0;
    for (let i = 0; i < size; i++) {
      const count = counts[start + i]!;
      const value = zigzag((count - previous) | 0);
      previous = count;
      group[i] = value;
      all |= value;
    }
    const width = 32 - Math.clz32(all);
    out.push(width);
    let bits = 0;
    let held = 0;
    // `held` keeps fewer than 8 bits between values; 40 bits need arithmetic instead of shifts.
    for (let i = 0; i < size; i++) {
      held += group[i]! * 2 ** bits;
      bits += width;
      while (bits >= 8) {
        out.push(held % 256);
        held = Math.floor(held / 256);
        bits -= 8;
      }
    }
    if (bits > 0) out.push(held);
  }
  return Uint8Array.from(out);
}

// Throws SampleError where `packed` does not hold exactly `sampleCount` values.
export function decodeCounts(packed: Uint8Array, sampleCount: number): Int32Array {
  if (sampleCount < 0 || sampleCount > MAXIMUM_SAMPLES) {
    throw new SampleError(`sample count ${sampleCount} is not within 0 to ${MAXIMUM_SAMPLES}`);
  }
  const counts = new Int32Array(sampleCount);
  let at = 0;
  let previous = 0;
  for (let start = 0; start < sampleCount; start += GROUP_SAMPLES) {
    const size = Math.min(GROUP_SAMPLES, sampleCount - start);
    if (at >= packed.length) throw new SampleError(`group at sample ${start} is missing`);
    const width = packed[at++]!;
    if (width > 32) throw new SampleError(`width ${width} at byte ${at - 1} is over 32`);
    const end = at + Math.ceil((size * width) / 8);
    if (end > packed.length) throw new SampleError(`group at sample ${start} is cut short`);
    const limit = 2 ** width;
    let held = 0;
    let bits = 0;
    for (let i = 0; i < size; i++) {
      while (bits < width) {
        held += packed[at++]! * 2 ** bits;
        bits += 8;
      }
      const value = held % limit;
      held = Math.floor(held / limit);
      bits -= width;
      previous = (previous + unzigzag(value >>> 0)) | 0;
      counts[start + i] = previous;
    }
    at = end;
  }
  if (at !== packed.length) throw new SampleError(`${packed.length - at} bytes too many`);
  return counts;
}

// The physical values in microvolts. Empty where there are none or they cannot be read: a damaged
// trace is shown as missing, never as zero.
export function toMicrovolts(samples: PackedSamples | undefined): Float32Array {
  if (!samples || samples.encoding !== SampleEncoding.DELTA_PACKED) return new Float32Array(0);
  if (!(samples.uvPerCount > 0) || !Number.isFinite(samples.uvPerCount)) return new Float32Array(0);
  let counts: Int32Array;
  try {
    counts = decodeCounts(samples.packed, samples.sampleCount);
  } catch (e) {
    if (e instanceof SampleError) return new Float32Array(0);
    throw e;
  }
  const out = new Float32Array(counts.length);
  for (let i = 0; i < counts.length; i++) out[i] = counts[i]! * samples.uvPerCount;
  return out;
}

export function packMicrovolts(values: ArrayLike<number>, uvPerCount: number): PackedSamples {
  const counts = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) counts[i] = Math.round(values[i]! / uvPerCount);
  return create(PackedSamplesSchema, {
    encoding: SampleEncoding.DELTA_PACKED,
    sampleCount: values.length,
    uvPerCount,
    packed: encodeCounts(counts),
  });
}
