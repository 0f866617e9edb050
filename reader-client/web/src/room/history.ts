// Parts of a case's record that a screen asks for by itself, beside what it follows.

import type { Record as CaseRecord } from '../wire/generated/remora/v1/record_pb.js';
import { RefusalReason } from '../wire/generated/remora/v1/room_pb.js';
import type { Down } from '../wire/generated/remora/v1/room_pb.js';
import type { Session, SessionListener } from '../wire/session.js';
import { decode } from './inbox.js';

// Why it is not all: there is no link; the hub does not answer it, ever or just now; its journal could not be
// read; it is more than a page takes, or not to be understood here.
export type HistoryFailure = 'link' | 'refused' | 'busy' | 'unread' | 'more';

export interface HistoryAnswer {
  records: CaseRecord[];
  // In words, where it is not all of what was asked for.
  error: string | undefined;
  failure?: HistoryFailure | undefined;
}

// After these it may be asked for again a while later.
const PASSING: ReadonlySet<RefusalReason> = new Set([RefusalReason.TOO_MANY, RefusalReason.NO_SUCH_CASE, RefusalReason.DRAINING]);

// What a page takes into its memory for one look back: 10 minutes of sweeps and envelopes.
export const MOST_RECORDS = 20_000;

interface Request {
  records: CaseRecord[];
  left: number;
  done: (answer: HistoryAnswer) => void;
}

export class History implements SessionListener {
  private readonly requests = new Map<number, Request>();
  private lastId = 0;

  constructor(private readonly session: Session) {
    session.listen(this);
  }

  // Records of these lanes, in the order of the record. `toSeq` 0n: up to the head.
  ask(caseId: Uint8Array, lanes: number[], fromSeq: bigint, toSeq: bigint): Promise<HistoryAnswer> {
    return new Promise((done) => {
      const requestId = ++this.lastId;
      const sent = this.session.send({ control: { case: 'historyRequest', value: { requestId, caseId, lanes, fromSeq, toSeq } } });
      if (!sent) done({ records: [], error: 'There is no link to the hub.', failure: 'link' });
      else this.requests.set(requestId, { records: [], left: 0, done });
    });
  }

  onDown(down: Down): void {
    const control = down.control;
    if (control.case === 'refused' && control.value.requestId !== 0) {
      this.finish(control.value.requestId, control.value.text, PASSING.has(control.value.reason) ? 'busy' : 'refused');
    } else if (control.case === 'historyPage') {
      const page = control.value;
      const request = this.requests.get(page.requestId);
      if (!request) return;
      for (const bytes of page.records) {
        const record = decode(bytes);
        if (record && request.records.length < MOST_RECORDS) request.records.push(record);
        else request.left++;
      }
      if (page.last) this.finish(page.requestId, page.error, page.error ? 'unread' : undefined);
    }
  }

  onState(state: string): void {
    if (state === 'open') return;
    for (const id of [...this.requests.keys()]) this.finish(id, 'The link to the hub was lost meanwhile.', 'link');
  }

  private finish(requestId: number, error: string, failure: HistoryFailure | undefined): void {
    const request = this.requests.get(requestId);
    if (!request || !this.requests.delete(requestId)) return;
    const left = request.left > 0 ? `${request.left} records more are on record.` : undefined;
    request.done({ records: request.records, error: error || left, failure: failure ?? (left ? 'more' : undefined) });
  }
}
