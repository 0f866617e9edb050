// Tests that a reader or a rule asked the technologist for, each with how it stands. Never a command to
// a stimulator.

import { signal } from '@preact/signals';
import type { Request } from '../wire/generated/remora/v1/message_pb.js';
import { RequestState } from '../wire/generated/remora/v1/message_pb.js';
import { idFrom } from '../wire/record_id.js';
import type { Id } from '../wire/record_id.js';
import { better, byOrder } from './stamp.js';
import type { Mark } from './stamp.js';

export interface RequestView {
  id: Id;
  asked: Mark;
  request: Request;
  state: RequestState;
  // The record that said so last.
  latest: Mark;
  reason: string;
}

export class RequestBook {
  readonly version = signal(0);
  private readonly records = new Map<Id, { mark: Mark; request: Request }>();

  clear(): void {
    this.records.clear();
    this.version.value++;
  }

  add(mark: Mark, request: Request): void {
    if (!better(mark, this.records.get(mark.id)?.mark)) return;
    this.records.set(mark.id, { mark, request });
    this.version.value++;
  }

  remove(id: Id): void {
    if (this.records.delete(id)) this.version.value++;
  }

  // The newest first.
  list(): RequestView[] {
    const all = [...this.records.values()].sort((a, b) => byOrder(a.mark, b.mark));
    const views = new Map<Id, RequestView>();
    for (const { mark, request } of all) {
      if (request.state === RequestState.ASKED) {
        views.set(mark.id, { id: mark.id, asked: mark, request, state: request.state, latest: mark, reason: request.reason });
      }
    }
    for (const { mark, request } of all) {
      const view = views.get(idFrom(request.request) ?? '');
      if (!view || request.state === RequestState.ASKED || isOver(view)) continue;
      views.set(view.id, { ...view, state: request.state, latest: mark, reason: request.reason || view.reason });
    }
    return [...views.values()].reverse();
  }

  open(): RequestView[] {
    return this.list().filter((v) => !isOver(v));
  }
}

export const isOver = (v: RequestView): boolean =>
  v.state === RequestState.DONE || v.state === RequestState.CANNOT || v.state === RequestState.WITHDRAWN;

export function stateWord(state: RequestState): string {
  switch (state) {
    case RequestState.ASKED: return 'asked for';
    case RequestState.ACCEPTED: return 'accepted';
    case RequestState.RUNNING: return 'running';
    case RequestState.DONE: return 'done';
    case RequestState.CANNOT: return 'cannot be done';
    case RequestState.WITHDRAWN: return 'withdrawn';
    default: return '';
  }
}
