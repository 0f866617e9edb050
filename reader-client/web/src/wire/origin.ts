// Which origin this tab publishes as. Two tabs never share one: a lock of the browser is held for as
// long as the tab lives. A tab takes over what a closed one left unacknowledged.

import { fromHex, randomBytes, toHex } from '../base/bytes.js';
import type { OutboxStore } from './outbox.js';

// True when the lock is this tab's until it closes. Without locks every tab draws a new origin.
export type Claim = (origin: string) => Promise<boolean>;

export const claimByLock: Claim = (origin) =>
  new Promise((resolve) => {
    if (!('locks' in navigator)) {
      resolve(false);
      return;
    }
    navigator.locks
      .request(`remora-origin-${origin}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise<void>(() => {}) : undefined;
      })
      .catch(() => resolve(false));
  });

export interface TabMemory {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const keyOf = (identity: string): string => `remora-origin-${identity}`;

// The hub knows the origin as somebody else's: the next load draws a new one.
export function forgetOrigin(identity: string, tab: TabMemory): void {
  tab.setItem(keyOf(identity), '');
}

export async function chooseOrigin(
  identity: string, store: OutboxStore, tab: TabMemory, claim: Claim): Promise<Uint8Array> {
  const key = keyOf(identity);
  const own = tab.getItem(key) ?? '';
  const left = await store.originsWithWaiting(identity);
  // The tab's own first, unless it is empty-handed and a closed tab left something.
  const candidates = left.includes(own) || left.length === 0 ? [own, ...left] : [...left, own];
  for (const origin of candidates) {
    // An origin whose numbers are not in the store any more would use them twice.
    if (fromHex(origin).length !== 16 || !(await store.knows(origin))) continue;
    if (await claim(origin)) {
      tab.setItem(key, origin);
      return fromHex(origin);
    }
  }
  const fresh = randomBytes(16);
  await store.register(toHex(fresh), identity);
  await claim(toHex(fresh));
  tab.setItem(key, toHex(fresh));
  return fresh;
}
