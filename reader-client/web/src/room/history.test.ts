import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { RecordSchema } from '../wire/generated/remora/v1/record_pb.js';
import { DownSchema, RefusalReason } from '../wire/generated/remora/v1/room_pb.js';
import type { Session, SessionListener } from '../wire/session.js';
import { History } from './history.js';

class FakeSession {
  isOpen = true;
  asked: number[] = [];
  private listener: SessionListener | undefined;
  listen(listener: SessionListener): () => void {
    this.listener = listener;
    return () => {};
  }
  send(up: { control: { value: { requestId: number } } }): boolean {
    if (this.isOpen) this.asked.push(up.control.value.requestId);
    return this.isOpen;
  }
  down(message: Parameters<typeof create<typeof DownSchema>>[1]): void {
    this.listener!.onDown!(create(DownSchema, message));
  }
  lose(): void {
    this.listener!.onState!('waiting');
  }
}
const make = () => {
  const wire = new FakeSession();
  const history = new History(wire as unknown as Session);
  const ask = () => history.ask(new Uint8Array(16), [2], 1n, 9n);
  const page = (more: { records?: Uint8Array[]; last?: boolean; error?: string }) =>
    wire.down({ control: { case: 'historyPage', value: { requestId: wire.asked.at(-1)!, ...more } } });
  const refuse = (reason: RefusalReason) =>
    wire.down({ control: { case: 'refused', value: { requestId: wire.asked.at(-1)!, reason, text: 'no' } } });
  return { wire, ask, page, refuse };
};
const record = toBinary(RecordSchema, create(RecordSchema, { lane: 2, originSeq: 7n }));

describe('History', () => {
  it('AnswersWithAllPagesOnceTheLastOneCame', async () => {
    const { ask, page } = make();
    const answer = ask();
    page({ records: [record] });
    page({ records: [record, record], last: true });
    expect(await answer).toMatchObject({ records: { length: 3 }, error: undefined, failure: undefined });
  });

  it('SaysWhyItIsNotAll', async () => {
    const { wire, ask, page, refuse } = make();
    const failures: unknown[] = [];
    const fails = async (how: () => void) => {
      const answer = ask();
      how();
      const { error, failure } = await answer;
      expect(error).toBeTruthy();
      failures.push(failure);
    };
    await fails(() => wire.lose());
    await fails(() => refuse(RefusalReason.NOT_PERMITTED));
    await fails(() => refuse(RefusalReason.WRONG_STAGE));
    await fails(() => refuse(RefusalReason.TOO_MANY));
    await fails(() => refuse(RefusalReason.DRAINING));
    await fails(() => refuse(RefusalReason.NO_SUCH_CASE));
    await fails(() => page({ last: true, error: 'a bad sector' }));
    wire.isOpen = false;
    await fails(() => {});
    expect(failures).toEqual(['link', 'refused', 'refused', 'busy', 'busy', 'busy', 'unread', 'link']);
  });

  it('HostileRecordsThatAreNoneAreCountedAndTheOthersKept', async () => {
    const { ask, page } = make();
    const answer = ask();
    page({ records: [new Uint8Array([255, 255, 255]), record], last: true });
    expect(await answer).toMatchObject({ records: { length: 1 }, failure: 'more' });
  });
});
