import { IDBFactory } from 'fake-indexeddb';
import { describe, expect, it } from 'vitest';
import { toHex } from '../base/bytes.js';
import { chooseOrigin, forgetOrigin } from './origin.js';
import { IndexedDbOutbox, MemoryOutbox } from './outbox.js';
import type { Waiting } from './outbox.js';

// One browser: locks are shared by its tabs, and a tab that closes lets go of its own.
class Browser {
  readonly locks = new Map<string, number>();
  private tabs = 0;
  tab() {
    const number = ++this.tabs;
    const memory = new Map<string, string>();
    return {
      memory: { getItem: (k: string) => memory.get(k) ?? null, setItem: (k: string, v: string) => void memory.set(k, v) },
      claim: async (origin: string) => {
        if ((this.locks.get(origin) ?? number) !== number) return false;
        this.locks.set(origin, number);
        return true;
      },
      close: () => this.locks.forEach((owner, origin) => owner === number && this.locks.delete(origin)),
    };
  }
}

const waiting = (origin: string): Waiting => ({
  id: `c/${origin}/0/1`, origin, caseId: 'c', lane: 0, originSeq: 1, bytes: new Uint8Array([1]),
});

for (const [name, make] of [
  ['memory', async () => new MemoryOutbox()],
  ['IndexedDB', async () => IndexedDbOutbox.open(new IDBFactory())],
] as const) {
  describe(`chooseOrigin with ${name}`, () => {
    it('GivesTwoTabsTwoOriginsAndATabItsOwnAfterAReload', async () => {
      const store = await make();
      const browser = new Browser();
      const a = browser.tab();
      const b = browser.tab();
      const first = toHex(await chooseOrigin('maya', store, a.memory, a.claim));
      const second = toHex(await chooseOrigin('maya', store, b.memory, b.claim));
      expect(first).toMatch(/^[0-9a-f]{32}$/);
      expect(second).not.toBe(first);
      expect(toHex(await chooseOrigin('maya', store, a.memory, a.claim))).toBe(first);
    });

    it('DrawsAnewWhereADuplicatedTabBroughtTheOriginOfALivingOne', async () => {
      const store = await make();
      const browser = new Browser();
      const a = browser.tab();
      const first = toHex(await chooseOrigin('maya', store, a.memory, a.claim));
      const copy = browser.tab();
      expect(toHex(await chooseOrigin('maya', store, a.memory, copy.claim))).not.toBe(first);
    });

    it('TakesOverWhatAClosedTabLeftButNotOfAnotherIdentity', async () => {
      const store = await make();
      const browser = new Browser();
      const a = browser.tab();
      const left = toHex(await chooseOrigin('maya', store, a.memory, a.claim));
      await store.put(waiting(left));
      a.close();
      const other = browser.tab();
      expect(toHex(await chooseOrigin('or3', store, other.memory, other.claim))).not.toBe(left);
      const b = browser.tab();
      expect(toHex(await chooseOrigin('maya', store, b.memory, b.claim))).toBe(left);
    });

    it('KeepsAStepThatWasSetAsideBesideItsNoteAndTouchesNoNumber', async () => {
      const store = await make();
      await store.register('aa', 'maya');
      for (const n of [1, 2]) await store.put({ ...waiting('aa'), id: `${n}`, originSeq: n });
      const step = { ...waiting('aa'), id: '1', originSeq: 1 };
      await store.replace({ ...step, unsent: true });
      expect((await store.waiting('aa')).map((e) => [e.id, e.unsent])).toEqual([['1', true], ['2', undefined]]);
      await store.setAside({ ...step, bytes: new Uint8Array([9]) }, { ...step, id: 'offered/1', kind: 'offered' });
      expect((await store.waiting('aa')).map((e) => [e.id, e.bytes[0]])).toEqual([['1', 9], ['2', 1]]);
      expect((await store.heads('aa')).get('c/0')).toBe(2);
      expect([(await store.offered('maya')).map((e) => e.id), await store.offered('or3')]).toEqual([['offered/1'], []]);
      await store.remove(await store.waiting('aa'));
      expect(await store.originsWithWaiting('maya')).toEqual([]);
      await store.remove(await store.offered('maya'));
      expect(await store.offered('maya')).toEqual([]);
    });

    it('NeverUsesAnOriginWhoseNumbersAreNotInTheStore', async () => {
      const store = await make();
      const browser = new Browser();
      const a = browser.tab();
      a.memory.setItem('remora-origin-maya', 'ab'.repeat(16));
      expect(toHex(await chooseOrigin('maya', store, a.memory, a.claim))).not.toBe('ab'.repeat(16));
      forgetOrigin('maya', a.memory);
      expect(a.memory.getItem('remora-origin-maya')).toBe('');
    });

    it('KeepsRecordsAndNumbersUntilTheyAreRemoved', async () => {
      const store = await make();
      await store.register('aa', 'maya');
      await store.put(waiting('aa'));
      expect(await store.waiting('aa')).toHaveLength(1);
      expect(await store.waiting('bb')).toHaveLength(0);
      expect((await store.heads('aa')).get('c/0')).toBe(1);
      await store.remove(await store.waiting('aa'));
      expect(await store.waiting('aa')).toHaveLength(0);
      expect((await store.heads('aa')).get('c/0')).toBe(1);
    });
  });
}
