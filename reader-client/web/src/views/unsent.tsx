// A step of a case that was asked for while the hub could not take it: sent when somebody says so, and else never.

import { dayAndTime } from '../base/format.js';
import { sendUnsent } from '../model/acts.js';
import { missingSentence } from '../model/certificate.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { STEP_WORD } from '../wire/set_aside.js';
import type { Unsent } from '../wire/set_aside.js';
import { CaseTransition } from '../wire/generated/remora/v1/case_pb.js';
import { summaryOf } from './case_header.js';

const words = ({ step, askedAtMs }: Unsent): string => `${STEP_WORD[step.transition] ?? 'a step'}, asked ${dayAndTime(askedAtMs)}`;

export function UnsentHere({ desk, open }: { desk: Desk; open: OpenCase }) {
  const found = desk.unsent.value.find((u) => u.last.entry.caseId === open.hex);
  if (!found) return null;
  const { last, all } = found;
  const live = desk.link.value === 'live';
  const missing = last.step.transition === CaseTransition.SEALED ? missingSentence(summaryOf(desk, open)?.certificate) : '';
  return (
    <p class="strip strip-unread" role="status">
      <b>NOT SENT</b> {words(last)}. {last.step.reason && <>Reason: {last.step.reason}. </>}{missing && <b>{missing} </b>}
      <button disabled={!live} onClick={() => void sendUnsent(desk, open, last, all)}>Send now</button>{' '}
      <button onClick={() => void desk.dropUnsent(all)}>Drop</button>{' '}
      {!live && <small>No live link to the hub.</small>}
    </p>
  );
}

export function UnsentOnWall({ desk, onOpen }: { desk: Desk; onOpen: (hex: string) => void }) {
  return (
    <>
      {desk.unsent.value.map(({ last, all }) => {
        const c = desk.directory.cases.value.get(last.entry.caseId);
        return (
          <p key={last.entry.caseId} class="strip strip-unread" role="status">
            <b>NOT SENT</b> {c ? `${c.theatre} ${c.procedure}` : 'A case that the hub does not list'}: {words(last)}.{' '}
            {c && <button onClick={() => onOpen(last.entry.caseId)}>Open the case</button>}{' '}
            <button onClick={() => void desk.dropUnsent(all)}>Drop</button>
          </p>
        );
      })}
    </>
  );
}
