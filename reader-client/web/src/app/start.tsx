// What both pages do first: find out who this is, choose the origin, make the desk.

import { create, toBinary } from '@bufbuild/protobuf';
import { render } from 'preact';
import { randomU64, toHex } from '../base/bytes.js';
import { pageClock } from '../base/clock.js';
import { FrameLoop } from '../base/frame.js';
import { Presence } from '../base/presence.js';
import { WorkerTicker } from '../base/ticker.js';
import { Desk } from '../model/desk.js';
import { SignIn } from '../views/sign_in.js';
import { signIn, streamUrl, takeFragment, whoAmI } from '../wire/identity.js';
import type { Identity } from '../wire/identity.js';
import { RefusalReason, UpSchema } from '../wire/generated/remora/v1/room_pb.js';
import { LeftOver } from '../wire/left_over.js';
import { chooseOrigin, claimByLock, forgetOrigin } from '../wire/origin.js';
import { IndexedDbOutbox, MemoryOutbox } from '../wire/outbox.js';
import type { OutboxStore } from '../wire/outbox.js';
import type { Socket } from '../wire/session.js';

export interface Page {
  // Under which this page remembers who was here: "reader" or "theatre".
  name: string;
  where: string;
  show: (desk: Desk, parts: { ticker: WorkerTicker }) => preact.VNode;
}

// How often a page whose connections fail asks whether it is still signed in.
const ASK_AGAIN_MS = 10_000;

export async function start(page: Page): Promise<void> {
  const root = document.getElementById('app')!;
  const ticker = new WorkerTicker();
  const frame = new FrameLoop(ticker);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) frame.resume();
  });
  const memory = `remora-identity-${page.name}`;

  const ask = (trouble: string | undefined) =>
    render(<SignIn where={page.where} trouble={trouble} onSignedIn={(identity) => void begin(identity)} />, root);

  const begin = async (identity: Identity): Promise<void> => {
    localStorage.setItem(memory, identity.name);
    sessionStorage.setItem(memory, identity.name);
    const { store, trouble } = await openOutbox();
    const origin = await chooseOrigin(identity.name, store, sessionStorage, claimByLock);
    let askedMs = -Infinity;
    const url = streamUrl(window.location, identity.name);
    const open = (to: string) => new WebSocket(to) as unknown as Socket;
    const desk = await Desk.create({
      identity, origin, store, ticker, frame, url, open,
      clock: pageClock,
      random: Math.random,
      presence: new Presence(pageClock, window),
      hidden: () => document.hidden,
      screenId: randomU64(),
      onSignedOut: () => {
        if (pageClock.now() - askedMs < ASK_AGAIN_MS) return;
        askedMs = pageClock.now();
        void whoAmI(identity.name).then((known) => {
          // A fresh page: nothing of this one goes on listening, ticking or sounding beside it.
          if (!known) window.location.reload();
        }).catch(() => {});
      },
    });
    if (trouble) desk.notify(trouble);
    const leftOver = new LeftOver({
      identity: identity.name, own: toHex(origin), store, ticker, url, open,
      clock: pageClock,
      random: Math.random,
      software: 'remora-web 0.1.0',
      claim: claimByLock,
      onRefused: (refused) => desk.notify(`Something written in a page that was closed is not on record: ${refused.text}`),
      onSetAside: () => void desk.readUnsent(),
      // As they would have gone to the hub: a v1.Up with its records.
      onArchived: ({ caseHex, text, records }) => desk.notify(
        `${records.length} of what you wrote in a page that was closed is not on record, and stays in this browser: ${text}`,
        { name: `remora-case-${caseHex}-not-on-record.up`, bytes: toBinary(UpSchema, create(UpSchema, { records })) }),
    });
    desk.session.listen({
      onWelcome: () => void leftOver.publish().catch(() => {}),
      onState: (state) => {
        if (state !== 'refused') return;
        const refused = desk.session.refused;
        if (refused?.reason === RefusalReason.ORIGIN_BOUND) forgetOrigin(identity.name, sessionStorage);
        desk.notify(`The hub refused this page: ${refused?.text ?? ''} Load the page anew to try again.`);
      },
    });
    window.addEventListener('online', () => desk.session.hurry());
    document.addEventListener('visibilitychange', () => desk.session.hurry());
    render(page.show(desk, { ticker }), root);
  };

  const given = takeFragment(window.location, window.history);
  try {
    if (given?.token) {
      await begin(await signIn(given.token));
      return;
    }
    const name = given?.identity || sessionStorage.getItem(memory) || localStorage.getItem(memory);
    const known = name ? await whoAmI(name) : undefined;
    if (known) await begin(known);
    else ask(name ? 'The hub asks you to sign in again. What you wrote is kept.' : undefined);
  } catch (error) {
    ask(error instanceof Error ? error.message : 'The hub does not answer.');
  }
}

async function openOutbox(): Promise<{ store: OutboxStore; trouble: string | undefined }> {
  try {
    return { store: await IndexedDbOutbox.open(), trouble: undefined };
  } catch {
    return {
      store: new MemoryOutbox(),
      trouble: 'This browser keeps nothing: what you write is lost if the page closes before the hub has it.',
    };
  }
}
