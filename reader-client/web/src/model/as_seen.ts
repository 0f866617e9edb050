// What this page had before somebody's eyes, as records (docs/freshness.md): written when something of it
// changes, at most each 2 s, and at least each 30 s, so that a replay can show it again.

import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Clock } from '../base/clock.js';
import { LinkCondition, SeenMode } from '../wire/generated/remora/v1/link_pb.js';
import type { ViewSeenSchema } from '../wire/generated/remora/v1/link_pb.js';
import type { LinkPhase } from '../wire/link_age.js';
import { toReference } from '../wire/record_id.js';
import { acquisitions, acquisitionWords, oldest, responses } from './ages.js';
import type { Response } from './ages.js';
import type { OpenCase } from './desk.js';

export type ViewSeenInit = MessageInitShape<typeof ViewSeenSchema>;

export const AT_MOST_EACH_MS = 2_000;
export const AT_LEAST_EACH_MS = 30_000;
// Views of a case that wait here for the hub. Ten minutes of changes are kept each; then one each 30 s, which still
// is what was seen at that time; beyond it (some 8 h, 3 MiB) none.
export const MOST_WAITING_CHANGES = 300;
export const MOST_WAITING_SEEN = 1_200;
// As the contract has it.
export const MOST_TRACES = 64;

const LINK: Record<LinkPhase, LinkCondition> = {
  connecting: LinkCondition.UNSPECIFIED, live: LinkCondition.LIVE, stale: LinkCondition.STALE, lost: LinkCondition.LOST,
  unsupervised: LinkCondition.UNSUPERVISED,
};

// What is on the screen of a case. `change`: a new record is due when it is another one.
export interface Seen {
  view: ViewSeenInit;
  change: string;
}

// The records that are drawn, and how old each is.
export function seenOf(open: OpenCase, mode: SeenMode, link: LinkPhase, linkAgeMs: number, hubNowMs: number): Seen {
  const { model, screen } = open;
  const only = screen.only.value;
  const traces: { traceId: string; newest: string; ageMs: number; settled: string }[] = [];
  let unrecorded = model.hasUnrecordedNews();
  for (const trace of model.traces.list()) {
    if (only !== undefined && trace.modality !== only) continue;
    const shown = screen.shown(trace).current;
    if (!shown) continue;
    unrecorded ||= shown.mark.unrecorded;
    traces.push({
      traceId: trace.id, newest: shown.mark.id, ageMs: hubNowMs - shown.stimulusMs,
      // A running average grows each second: that is no change worth a record.
      settled: shown.sweep.provisional ? '' : shown.mark.id,
    });
  }
  for (const channel of model.emg.list()) {
    if (!channel.newest || screen.review.value) continue;
    unrecorded ||= channel.blocks.some((b) => b.unrecorded);
    traces.push({ traceId: channel.traceId, newest: channel.newest, ageMs: hubNowMs - channel.headHubMs, settled: '' });
  }
  const acquired = acquisitionWords(acquisitions(model, hubNowMs)).ageMs;
  const answered = answeredMs(responses(model, model.phaseNow(), hubNowMs));
  const known = (ms: number) => (Number.isFinite(ms) ? Math.max(0, ms) : -1);
  const drawn = traces.slice(0, MOST_TRACES);
  return {
    change: [mode, link, unrecorded, model.recording.value.unrecorded, model.newsSeq, model.unrecordedNews,
      ...drawn.map((t) => `${t.traceId} ${t.settled}`)].join('|'),
    view: {
      mode, link: LINK[link], controlSeq: model.controlSeq, headSeq: model.headSeq, unrecorded,
      linkAgeMs: known(linkAgeMs), acquisitionAgeMs: known(acquired), responseAgeMs: known(answered),
      traces: drawn.map((t) => ({ traceId: t.traceId, newest: toReference(t.newest), ageMs: Math.max(0, t.ageMs) })),
    },
  };
}

// As a header says it: of what is overdue the oldest, else the newest.
function answeredMs(all: Response[]): number {
  const overdue = oldest(all.filter((r) => r.overdue));
  return overdue ? overdue.ageMs : Math.min(...all.map((r) => r.ageMs));
}

// When the next ViewSeen of each case is due.
export class SeenLog {
  private readonly last = new Map<string, { atMs: number; change: string }>();

  // `write`: false when it could not be written now. `waiting`: how many views of the case are not on record.
  constructor(private readonly clock: Clock, private readonly write: (caseHex: string, view: ViewSeenInit) => boolean,
              private readonly waiting: (caseHex: string) => number = () => 0) {}

  look(caseHex: string, seen: Seen): void {
    const now = this.clock.now();
    const last = this.last.get(caseHex);
    const passed = last ? now - last.atMs : Infinity;
    if (passed < AT_MOST_EACH_MS) return;
    if (passed < AT_LEAST_EACH_MS && (last?.change === seen.change || this.waiting(caseHex) >= MOST_WAITING_CHANGES)) return;
    if (this.write(caseHex, seen.view)) this.last.set(caseHex, { atMs: now, change: seen.change });
  }

  // The case leaves the screen: said at once.
  leave(caseHex: string, view: ViewSeenInit): void {
    if (this.last.delete(caseHex)) this.write(caseHex, view);
  }
}

export const seenMode = (open: OpenCase, hidden: boolean): SeenMode =>
  hidden ? SeenMode.HIDDEN : open.screen.held.value || open.screen.review.value ? SeenMode.REVIEW : SeenMode.LIVE;
