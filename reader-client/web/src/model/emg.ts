// Free-running EMG: the last seconds of each muscle, and the discharges found in it.

import { signal } from '@preact/signals';
import { nsToMs } from '../base/format.js';
import { ArtefactClass, EmgActivityKind, TrainPattern } from '../wire/generated/remora/v1/measurement_pb.js';
import type { EmgActivity } from '../wire/generated/remora/v1/measurement_pb.js';
import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import type { Envelope, SampleBlock, Side } from '../wire/generated/remora/v1/waveform_pb.js';
import { toMicrovolts } from '../wire/samples.js';
import { LOST_MS, STALE_MS } from '../wire/link_age.js';
import type { Id } from '../wire/record_id.js';
import { byOrder } from './stamp.js';
import type { Mark } from './stamp.js';

// A sweep shows at most so much; older samples go.
export const KEPT_MS = 65_000;
const KEPT_ACTIVITIES = 400;

export interface Block {
  // On the origin's monotonic clock, in ms.
  fromMs: number;
  stepMs: number;
  values: Float32Array;
  // From an envelope: stands in until the samples come, which it often overtakes.
  coarse: boolean;
  // In the order in which blocks came, which is not that of their time.
  serial: number;
  // Shown, and not on record (yet).
  unrecorded?: boolean;
}

export interface EmgChannel {
  traceId: string;
  derivation: string;
  side: Side;
  boot: string;
  blocks: Block[];
  // Time of the newest sample on the origin's clock, and in the hub's time.
  headMs: number;
  headHubMs: number;
  // End of the newest samples, for gaps; 0 before any came.
  samplesToMs: number;
  filterWords: string;
  sampleRateHz: number;
  gapCount: number;
  // The record that holds the newest samples.
  newest: Id | undefined;
}

export interface ActivityView {
  mark: Mark;
  boot: string;
  activity: EmgActivity;
  fromMs: number;
  toMs: number;
}

// A train that has a name stands beside the discharges that it is made of; that all muscles are
// active, beside those of each.
export function standsBeside(activity: EmgActivity): boolean {
  return activity.trainPattern !== TrainPattern.UNSPECIFIED ||
    activity.artefactClass === ArtefactClass.SHIVERING;
}

export class EmgBook {
  // Changes when there is a new channel.
  readonly channelsVersion = signal(0);
  readonly activitiesVersion = signal(0);
  // Called with each block: painting does not go through signals.
  readonly listeners = new Set<() => void>();
  private order: string[] = [];
  private readonly channels = new Map<string, EmgChannel>();
  private readonly activities = new Map<string, ActivityView>();
  private serial = 0;

  // Muscles as the plan names them, head to foot.
  setOrder(derivations: string[]): void {
    this.order = derivations;
    this.channelsVersion.value++;
  }

  clear(): void {
    this.activities.clear();
    this.activitiesVersion.value++;
  }

  // Samples of another modality, EEG among them, are none of a muscle.
  addBlock(mark: Mark, boot: string, block: SampleBlock, headHubMs: number | undefined): void {
    if (block.modality !== Modality.EMG_FREE_RUNNING) return;
    const values = toMicrovolts(block.samples);
    if (values.length === 0 || !(block.sampleRateHz > 0)) return;
    const channel = this.channel(block.traceId, block.side, boot, headHubMs ?? mark.atMs);
    if (!channel) return;
    const fromMs = nsToMs(block.startedMonotonicNs);
    const stepMs = 1000 / block.sampleRateHz;
    const toMs = fromMs + values.length * stepMs;
    const same = channel.blocks.find((b) => !b.coarse && b.fromMs === fromMs);
    if (same) {
      this.nowRecorded(same, mark);
      return;
    }
    if (channel.samplesToMs > 0 && fromMs - channel.samplesToMs > 2 * stepMs) channel.gapCount++;
    channel.samplesToMs = Math.max(channel.samplesToMs, toMs);
    this.keep(channel, { fromMs, stepMs, values, coarse: false, serial: ++this.serial, unrecorded: mark.unrecorded },
      toMs, headHubMs ?? mark.atMs, mark.id);
    channel.sampleRateHz = block.sampleRateHz;
    const f = block.filter;
    if (f) {
      channel.filterWords = `${f.highPassHz}\u2013${f.lowPassHz} Hz` +
        (f.notchHz > 0 ? `, notch ${f.notchHz} Hz` : '');
    }
    for (const call of this.listeners) call();
  }

  // An envelope stands in where samples did not come: two values a bin.
  addEnvelope(mark: Mark, boot: string, envelope: Envelope, headHubMs: number | undefined): void {
    if (envelope.modality !== Modality.EMG_FREE_RUNNING) return;
    const low = toMicrovolts(envelope.minimum);
    const high = toMicrovolts(envelope.maximum);
    if (low.length === 0 || low.length !== high.length || !(envelope.binMs > 0)) return;
    const channel = this.channel(envelope.traceId, envelope.side, boot, headHubMs ?? mark.atMs);
    if (!channel) return;
    const fromMs = nsToMs(envelope.startedMonotonicNs);
    const toMs = fromMs + low.length * envelope.binMs;
    const same = channel.blocks.find((b) => b.coarse && b.fromMs === fromMs);
    if (same) this.nowRecorded(same, mark);
    if (same || channel.samplesToMs >= toMs) return;
    const values = new Float32Array(2 * low.length);
    for (let i = 0; i < low.length; i++) {
      values[2 * i] = low[i]!;
      values[2 * i + 1] = high[i]!;
    }
    const block = { fromMs, stepMs: envelope.binMs / 2, values, coarse: true, serial: ++this.serial, unrecorded: mark.unrecorded };
    this.keep(channel, block, toMs, headHubMs ?? mark.atMs, mark.id);
    for (const call of this.listeners) call();
  }

  addActivity(mark: Mark, boot: string, activity: EmgActivity): void {
    const fromMs = nsToMs(activity.startedMonotonicNs);
    // A later record with the same start replaces this.
    const key = `${boot}/${activity.traceId}/${standsBeside(activity)}/${activity.startedMonotonicNs}`;
    const known = this.activities.get(key);
    if (known && (known.mark.id === mark.id ? known.mark.seq > mark.seq : byOrder(mark, known.mark) < 0)) return;
    this.activities.set(key, { mark, boot, activity, fromMs, toMs: fromMs + activity.durationMs });
    if (this.activities.size > KEPT_ACTIVITIES) {
      this.activities.delete(this.activities.keys().next().value!);
    }
    this.activitiesVersion.value++;
  }

  // Left first, in the plan's order.
  list(): EmgChannel[] {
    const rank = (c: EmgChannel) => (this.order.indexOf(c.derivation) + 1 || this.order.length + 1);
    return [...this.channels.values()].sort(
      (a, b) => a.side - b.side || rank(a) - rank(b) || a.derivation.localeCompare(b.derivation));
  }

  activitiesOf(channel: EmgChannel): ActivityView[] {
    return [...this.activities.values()].filter(
      (v) => v.activity.traceId === channel.traceId && v.boot === channel.boot);
  }

  // What is going on in any muscle, the worst first; artefacts are left out.
  latestActivity(): ActivityView | undefined {
    return [...this.activities.values()]
      .filter((v) => v.activity.kind !== EmgActivityKind.ARTEFACT)
      .sort((a, b) => b.fromMs - a.fromMs)[0];
  }

  // The same samples again: the journal has them by now.
  private nowRecorded(block: Block, mark: Mark): void {
    if (!block.unrecorded || mark.unrecorded || mark.pending) return;
    block.unrecorded = false;
    for (const call of this.listeners) call();
  }

  // Back-fill comes late and in any order: blocks are kept in the order of their time.
  private keep(channel: EmgChannel, block: Block, toMs: number, headHubMs: number, id: Id): void {
    const { blocks } = channel;
    let place = blocks.length;
    while (place > 0 && blocks[place - 1]!.fromMs > block.fromMs) place--;
    blocks.splice(place, 0, block);
    if (toMs > channel.headMs) {
      channel.headMs = toMs;
      channel.headHubMs = headHubMs;
      channel.newest = id;
    }
    while (blocks.length > 0 && blocks[0]!.fromMs < channel.headMs - KEPT_MS) blocks.shift();
  }

  // None for what is filled in of a boot that is over.
  private channel(traceId: string, side: Side, boot: string, headHubMs: number): EmgChannel | undefined {
    let channel = this.channels.get(traceId);
    if (!channel) {
      const parts = traceId.split('/');
      channel = {
        traceId, side, boot, derivation: parts[parts.length - 1] || traceId, blocks: [], headMs: 0,
        headHubMs: 0, samplesToMs: 0, filterWords: '', sampleRateHz: 0, gapCount: 0,
        newest: undefined,
      };
      this.channels.set(traceId, channel);
      this.channelsVersion.value++;
    }
    if (channel.boot !== boot) {
      if (headHubMs <= channel.headHubMs) return undefined;
      // Times of different boots do not compare.
      channel.boot = boot;
      channel.blocks = [];
      channel.headMs = channel.samplesToMs = 0;
    }
    return channel;
  }
}

// How old the newest sample of a muscle is, and what that means.
export interface Supply {
  channel: EmgChannel;
  ageMs: number;
  state: 'live' | 'stale' | 'lost';
}

export function supplyOf(channel: EmgChannel, hubNowMs: number): Supply {
  const ageMs = hubNowMs - channel.headHubMs;
  return { channel, ageMs, state: ageMs >= LOST_MS ? 'lost' : ageMs >= STALE_MS ? 'stale' : 'live' };
}

// The muscle that has been silent for longest.
export function stalest(channels: EmgChannel[], hubNowMs: number): Supply | undefined {
  return channels.map((c) => supplyOf(c, hubNowMs)).sort((a, b) => b.ageMs - a.ageMs)[0];
}
