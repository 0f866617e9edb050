// Synthetic waveforms for the fake hub: seeded, so that pictures are the same each time.
import { pb, protobuf } from './web_modules.mjs';

export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function gaussian(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

// DELTA_PACKED, written on its own: a second opinion of the workstation's decoder.
export function pack(values, uvPerCount) {
  const bits = [];
  const out = [];
  const flush = () => {
    while (bits.length % 8) bits.push(0);
    for (let i = 0; i < bits.length; i += 8) {
      out.push(bits.slice(i, i + 8).reduce((sum, b, n) => sum | (b << n), 0));
    }
    bits.length = 0;
  };
  let previous = 0;
  for (let start = 0; start < values.length; start += 128) {
    const zigzags = [];
    for (const v of Array.from(values).slice(start, start + 128)) {
      const count = Math.round(v / uvPerCount);
      const delta = count - previous;
      previous = count;
      zigzags.push(delta >= 0 ? 2 * delta : -2 * delta - 1);
    }
    const width = Math.max(...zigzags) === 0 ? 0 : Math.floor(Math.log2(Math.max(...zigzags))) + 1;
    out.push(width);
    for (const z of zigzags) for (let n = 0; n < width; n++) bits.push(Math.floor(z / 2 ** n) % 2);
    flush();
  }
  return protobuf.create(pb.PackedSamplesSchema, {
    encoding: pb.SampleEncoding.DELTA_PACKED, sampleCount: values.length, uvPerCount,
    packed: Uint8Array.from(out),
  });
}

export const SWEEP_RATE_HZ = 5000;
export const FIRST_MS = -10;

// A somatosensory response: peaks as [latency ms, width ms, uV].
export function evoked(peaks, amplitude, latencyFactor, noiseUv, lengthMs, random) {
  const count = Math.round((lengthMs * SWEEP_RATE_HZ) / 1000);
  const values = new Float64Array(count);
  let slow = 0;
  for (let i = 0; i < count; i++) {
    const t = FIRST_MS + (1000 * i) / SWEEP_RATE_HZ;
    slow = 0.86 * slow + 0.5 * noiseUv * gaussian(random);
    let v = slow;
    for (const [at, width, uv] of peaks) {
      const z = (t - at * latencyFactor) / width;
      v += amplitude * uv * Math.exp(-z * z / 2);
    }
    if (Math.abs(t) < 1.2) v += 1.5 * Math.sin(t * 6) * (1.2 - Math.abs(t));
    values[i] = v;
  }
  return values;
}

const UPPER = pb.Modality.SEP_UPPER;
const LOWER = pb.Modality.SEP_LOWER;
export const RESPONSES = {
  'CPc-Front': { modality: UPPER, label: 'N20', next: 'P25', first: 20.1, second: 25.2,
    peaks: [[14.5, 1.0, 0.3], [20.1, 1.3, -1.55], [25.2, 1.9, 1.7], [33, 3.4, -0.8], [44, 5, 0.5]] },
  'Cv5-Front': { modality: UPPER, label: 'N13', next: 'P14', first: 13.2, second: 15.6,
    peaks: [[9.5, 0.9, -0.5], [13.2, 1.2, -1.3], [15.6, 1.4, 0.8]] },
  'EPi-EPc': { modality: UPPER, label: 'N9', next: 'P11', first: 9.4, second: 11.3,
    peaks: [[9.4, 0.7, -2.2], [11.3, 0.9, 1.4]] },
  'CPz-Fz': { modality: LOWER, label: 'P37', next: 'N45', first: 38.6, second: 46.0,
    peaks: [[30, 3, -0.3], [38.6, 2.4, 1.0], [46, 3, -0.9], [58, 4, 0.4]] },
  'PFd-PFp': { modality: LOWER, label: 'N8', next: 'P10', first: 8.4, second: 10.4,
    peaks: [[8.4, 0.8, -1.6], [10.4, 1, 0.9]] },
};

// One block of a muscle at rest, with what is scripted for it.
export function emgBlock(random, count, rateHz, startS, script) {
  const values = new Float64Array(count);
  let slow = 0;
  for (let i = 0; i < count; i++) {
    const t = startS + i / rateHz;
    slow = 0.5 * slow + gaussian(random);
    let v = 2.2 * slow;
    for (const { fromS, toS, uv, hz } of script) {
      if (t < fromS || t > toS) continue;
      const phase = ((t - fromS) * hz) % 1;
      v += uv * Math.exp(-phase * 14) * Math.sin(phase * 46);
    }
    values[i] = v;
  }
  return values;
}
