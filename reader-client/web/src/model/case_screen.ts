// How a person has set up the screen of a case: gain, timebase, what is held, what is being written.
// It belongs to the case and never changes by itself.

import { signal } from '@preact/signals';
import type { Id } from '../wire/record_id.js';
import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import { MessageKind } from '../wire/generated/remora/v1/message_pb.js';
import type { SweepView, TraceBook } from './traces.js';

export interface Draft {
  text: string;
  kind: MessageKind;
  urgent: boolean;
  about: Id | undefined;
}
export const EMPTY_DRAFT: Draft = { text: '', kind: MessageKind.CHAT, urgent: false, about: undefined };

export interface Held {
  // The hub's time when the view was held.
  atMs: number;
  sweeps: Map<string, { current: SweepView | undefined }>;
}

// What an annotation will be on.
export interface Target {
  words: string;
  about: Id | undefined;
  traceId: string;
  atLatencyMs: number | undefined;
}

// Fixed first settings: the same in every case, whatever the signals are.
const FIRST_GAIN_UV: Partial<Record<Modality, number>> = {
  [Modality.SEP_UPPER]: 1, [Modality.SEP_LOWER]: 1, [Modality.EMG_FREE_RUNNING]: 50,
};
const FIRST_SPAN_MS: Partial<Record<Modality, number>> = {
  [Modality.SEP_UPPER]: 60, [Modality.SEP_LOWER]: 100, [Modality.EMG_FREE_RUNNING]: 10_000,
};

export interface PaneSetting {
  uvPerDivision: number;
  spanMs: number;
}

interface Kept {
  panes: [Modality, PaneSetting][];
  draft: Draft;
}

export class CaseScreen {
  // undefined: all modalities.
  readonly only = signal<Modality | undefined>(undefined);
  // The pane that the arrow keys act on.
  readonly active = signal<Modality | undefined>(undefined);
  readonly panes = signal<ReadonlyMap<Modality, PaneSetting>>(new Map());
  readonly held = signal<Held | undefined>(undefined);
  readonly draft = signal<Draft>(EMPTY_DRAFT);
  readonly target = signal<Target | undefined>(undefined);
  readonly baselineOpen = signal(false);
  readonly undoable = signal<{ alert: Id; untilMs: number } | undefined>(undefined);

  constructor(private readonly caseHex: string) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.key()) ?? 'null') as Kept | null;
      if (kept) {
        this.panes.value = new Map(kept.panes);
        this.draft.value = { ...EMPTY_DRAFT, ...kept.draft };
      }
    } catch {
      // No store, or another version's: the first settings do.
    }
  }

  keep(): void {
    const kept: Kept = { panes: [...this.panes.value], draft: this.draft.value };
    try {
      sessionStorage.setItem(this.key(), JSON.stringify(kept));
    } catch {
      // Only convenience is lost.
    }
  }

  setting(modality: Modality): PaneSetting {
    return this.panes.value.get(modality) ?? {
      uvPerDivision: FIRST_GAIN_UV[modality] ?? 1, spanMs: FIRST_SPAN_MS[modality] ?? 60,
    };
  }

  change(modality: Modality, by: Partial<PaneSetting>): void {
    this.panes.value = new Map(this.panes.value).set(modality, { ...this.setting(modality), ...by });
    this.keep();
  }

  write(draft: Partial<Draft>): void {
    this.draft.value = { ...this.draft.value, ...draft };
    this.keep();
  }

  hold(atMs: number, traces: TraceBook): void {
    const sweeps = new Map(traces.list().map((t) => [t.id, { current: t.current }]));
    this.held.value = { atMs, sweeps };
  }

  live(): void {
    this.held.value = undefined;
  }

  private key(): string {
    return `remora-case-${this.caseHex}`;
  }
}
