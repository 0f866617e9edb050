// A step of a case that was asked for and could not be sent: sent when somebody says so, and else never. One that was
// sent and is not answered is the hub's to take or refuse: nothing is asked of anybody.

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
  void desk.beat.value;
  const sent = desk.unanswered().find((u) => u.entry.caseId === open.hex);
  return <>{sent && <p class="strip" role="status"><Unanswered step={sent} /></p>}<NotSent desk={desk} open={open} /></>;
}

const Unanswered = ({ step }: { step: Unsent }) =>
  <><b>SENT, NOT ANSWERED</b> {words(step)}. The hub may do it still. It is offered to the hub again, unchanged.</>;

function NotSent({ desk, open }: { desk: Desk; open: OpenCase }) {
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
  void desk.beat.value;
  const listed = (step: Unsent) => desk.directory.cases.value.get(step.entry.caseId);
  const title = (step: Unsent) => {
    const c = listed(step);
    return c ? `${c.theatre} ${c.procedure}` : 'A case that the hub does not list';
  };
  const toCase = (step: Unsent) => listed(step) && <button onClick={() => onOpen(step.entry.caseId)}>Open the case</button>;
  return (
    <>
      {desk.unanswered().map((step) => (
        <p key={`sent/${step.entry.caseId}`} class="strip" role="status">{title(step)}: <Unanswered step={step} /> {toCase(step)}</p>
      ))}
      {desk.unsent.value.map(({ last, all }) => (
        <p key={last.entry.caseId} class="strip strip-unread" role="status">
          <b>NOT SENT</b> {title(last)}: {words(last)}. {toCase(last)}{' '}
          <button onClick={() => void desk.dropUnsent(all)}>Drop</button>
        </p>
      ))}
    </>
  );
}
