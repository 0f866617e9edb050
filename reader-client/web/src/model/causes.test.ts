// Rankings and picks of causes, and requests with what became of them.

import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { DifferentialSchema } from '../wire/generated/remora/v1/differential_pb.js';
import { RequestSchema, RequestState } from '../wire/generated/remora/v1/message_pb.js';
import { toReference } from '../wire/record_id.js';
import { CauseBook, pickWords } from './causes.js';
import { isOver, RequestBook } from './requests.js';
import type { Mark } from './stamp.js';

const ALERT = `${'a1'.repeat(16)}/0/1`;

const mark = (id: string, seq: bigint): Mark =>
  ({ id, seq, atMs: Number(seq) * 1000, unrecorded: false, pending: false }) as unknown as Mark;

const ranking = (key: string) => create(DifferentialSchema, {
  what: { case: 'ranking', value: { alert: toReference(ALERT), causes: [{ key, name: `Name of ${key}` }] } },
});

describe('causes', () => {
  it('shows the newest ranking of an alert, whatever comes late', () => {
    const book = new CauseBook();
    book.add(mark('x/1/2', 2n), ranking('cord'));
    book.add(mark('x/1/1', 1n), ranking('root'));
    expect(book.of(ALERT)?.ranking.causes[0]?.key).toBe('cord');
    book.add(mark('x/1/3', 3n), ranking('hypotension'));
    expect(book.of(ALERT)?.ranking.causes[0]?.key).toBe('hypotension');
    expect(book.of('other')).toBeUndefined();
  });

  it('keeps each pick with the words of its causes', () => {
    const book = new CauseBook();
    book.add(mark('x/1/1', 1n), ranking('cord'));
    book.add(mark('y/1/1', 2n), create(DifferentialSchema, {
      what: { case: 'pick', value: { alert: toReference(ALERT), causeKey: ['cord'], words: 'and the pressure', actor: 'Dr. A' } },
    }));
    const picks = book.picksOf(ALERT);
    expect(picks).toHaveLength(1);
    expect(pickWords(picks[0]!.pick, book.of(ALERT)?.ranking)).toBe('Dr. A: Name of cord; and the pressure');
    book.remove('y/1/1');
    expect(book.picksOf(ALERT)).toHaveLength(0);
  });
});

describe('requests', () => {
  const id = `${'b2'.repeat(16)}/0/1`;
  const asked = create(RequestSchema, { test: 'MEP again, left leg', state: RequestState.ASKED });
  const answer = (state: RequestState, reason = '') => create(RequestSchema, { request: toReference(id), state, reason });

  it('is open until a trial, a refusal or its author ends it', () => {
    const book = new RequestBook();
    book.add(mark(id, 1n), asked);
    expect(book.open()).toHaveLength(1);
    book.add(mark('t/0/1', 2n), answer(RequestState.ACCEPTED));
    expect(book.open()[0]?.state).toBe(RequestState.ACCEPTED);
    book.add(mark('t/0/2', 3n), answer(RequestState.DONE));
    expect(book.open()).toHaveLength(0);
    // What is over stays over.
    book.add(mark('t/0/3', 4n), answer(RequestState.CANNOT, 'late'));
    expect(book.list()[0]?.state).toBe(RequestState.DONE);
    expect(isOver(book.list()[0]!)).toBe(true);
  });

  it('knows an answer that came before its request', () => {
    const book = new RequestBook();
    book.add(mark('t/0/1', 2n), answer(RequestState.CANNOT, 'electrode off'));
    book.add(mark(id, 1n), asked);
    expect(book.list()[0]?.state).toBe(RequestState.CANNOT);
    expect(book.list()[0]?.reason).toBe('electrode off');
  });
});
