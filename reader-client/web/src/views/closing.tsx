// Closing a case, by those who may: the hub closes one whose records are all there; for any other a
// person says why it is closed with gaps.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { closeCase, REASON_BYTES } from '../model/acts.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { CaseStage } from '../wire/generated/remora/v1/case_pb.js';
import { ByteCount, fits } from './byte_count.js';
import { summaryOf } from './case_header.js';

const MAY_CLOSE = ['TECHNOLOGIST'];
export const mayClose = (desk: Desk): boolean => MAY_CLOSE.some((role) => desk.identity.role.endsWith(role));

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
