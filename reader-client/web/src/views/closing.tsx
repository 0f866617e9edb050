// Closing a case, by those who may: the hub closes one whose records are all there; for any other a
// person says why it is closed with gaps.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { closeCase, REASON_BYTES, takeStep } from '../model/acts.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { CaseStage, CaseTransition } from '../wire/generated/remora/v1/case_pb.js';
import { ByteCount, fits } from './byte_count.js';
import { summaryOf } from './case_header.js';

// As the hub permits (hub/identity/permissions.h).
const MAY_CLOSE = ['TECHNOLOGIST'];
const MAY_SEAL = ['TECHNOLOGIST', 'NEUROPHYSIOLOGIST', 'CENTRE'];
const may = (desk: Desk, roles: string[]): boolean => roles.some((role) => desk.identity.role.endsWith(role));
export const mayClose = (desk: Desk): boolean => may(desk, MAY_CLOSE);

export function Closing({ desk, open }: { desk: Desk; open: OpenCase }) {
  const asked = useSignal(false);
  const stage = summaryOf(desk, open)?.stage;
  const over = stage !== CaseStage.OPEN && stage !== CaseStage.CLOSING;
  // Closed, and perhaps opened again: to be asked anew.
  useEffect(() => {
    if (over) asked.value = false;
  }, [over]);
  if (!mayClose(desk) || over) return null;
  const refused = open.screen.closeRefused.value;
  const close = () => {
    asked.value = true;
    void closeCase(desk, open, stage === CaseStage.CLOSING);
  };
  return (
    <section class="closing" aria-label="Closing the case">
      {refused?.gaps ? <WithGaps desk={desk} open={open} refused={refused.text} />
        : refused ? (
          <p><b>The hub does not close it:</b> {refused.text}{' '}
            <button onClick={() => void closeCase(desk, open, stage === CaseStage.CLOSING)}>Ask the hub again</button></p>
        )
        : <button disabled={asked.value} onClick={close}>{asked.value ? 'Closing\u2026' : 'Close this case'}</button>}
    </section>
  );
}

// What may still be done with a case that is closed.
export function AfterClosing({ desk, open }: { desk: Desk; open: OpenCase }) {
  const asked = useSignal<'seal' | 'open' | undefined>(undefined);
  const stage = summaryOf(desk, open)?.stage;
  useEffect(() => void (asked.value = undefined), [stage]);
  if (!may(desk, MAY_SEAL) || stage !== CaseStage.CLOSED) return null;
  const back = () => (asked.value = undefined);
  return (
    <section class="closing" aria-label="The closed case">
      {asked.value === 'open' ? <OpenAgain desk={desk} open={open} back={back} />
        : asked.value === 'seal' ? (
          <div class="inline-form">
            <p>Sealed, the case takes nothing more from people and cannot be opened again. What its agent still holds comes behind it, marked late.</p>
            <div class="buttons">
              <button onClick={() => void takeStep(desk, open, CaseTransition.SEALED)}>Seal for good</button>
              <button onClick={back}>Cancel</button>
            </div>
          </div>
        ) : (
          <div class="buttons">
            <button onClick={() => (asked.value = 'seal')}>Seal this case</button>
            <button onClick={() => (asked.value = 'open')}>Open it again</button>
          </div>
        )}
    </section>
  );
}

function OpenAgain({ desk, open, back }: { desk: Desk; open: OpenCase; back: () => void }) {
  const reason = useSignal('');
  const words = reason.value.trim();
  const good = words !== '' && fits(words, REASON_BYTES);
  return (
    <form class="inline-form" aria-label="Open again" onSubmit={(e) => {
      e.preventDefault();
      if (good) void takeStep(desk, open, CaseTransition.REOPENED, words);
    }}>
      <label>
        <span>Reason to open the case again (required)</span>
        <input type="text" value={reason.value} onInput={(e) => (reason.value = e.currentTarget.value)} />
      </label>
      {reason.value !== '' && <ByteCount text={reason.value} limit={REASON_BYTES} />}
      <div class="buttons">
        <button type="submit" disabled={!good}>Open again</button>
        <button type="button" onClick={back}>Cancel</button>
      </div>
    </form>
  );
}

function WithGaps({ desk, open, refused }: { desk: Desk; open: OpenCase; refused: string }) {
  const reason = useSignal('');
  const words = reason.value.trim();
  return (
    <form class="inline-form" aria-label="Close with gaps" onSubmit={(e) => {
      e.preventDefault();
      if (words !== '' && fits(words, REASON_BYTES)) void closeCase(desk, open, true, words);
    }}>
      <p><b>The hub does not close it:</b> {refused}</p>
      <label>
        <span>Reason to close it with these gaps (required)</span>
        <input type="text" value={reason.value} onInput={(e) => (reason.value = e.currentTarget.value)} />
      </label>
      {reason.value !== '' && <ByteCount text={reason.value} limit={REASON_BYTES} />}
      <div class="buttons">
        <button type="submit" disabled={words === '' || !fits(words, REASON_BYTES)}>Close with gaps</button>
        <button type="button" onClick={() => void closeCase(desk, open, true)}>Ask the hub again</button>
      </div>
    </form>
  );
}
