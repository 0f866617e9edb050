// Steps in the life of a case, by those who may: closing it, sealing it, opening it again. The hub closes a case
// whose records are all there; for any other a person says why it is closed with gaps. Each step is asked of the
// hub while its link is live, and what the hub says is shown here.

import { useSignal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { closeCase, REASON_BYTES, takeStep } from '../model/acts.js';
import { missingSentence } from '../model/certificate.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { CaseStage, CaseTransition, Role } from '../wire/generated/remora/v1/case_pb.js';
import { ByteCount, fits } from './byte_count.js';
import { summaryOf } from './case_header.js';

// As the hub permits (hub/identity/permissions.h).
const MAY_CLOSE = [Role.TECHNOLOGIST];
const MAY_SEAL = [Role.TECHNOLOGIST, Role.NEUROPHYSIOLOGIST, Role.CENTRE];
const may = (desk: Desk, roles: Role[]): boolean => roles.includes(desk.identity.role);
const isAsked = (desk: Desk, open: OpenCase): boolean =>
  (void desk.beat.value, open.screen.stepAsked.value || desk.isStepWaiting(open.hex));

export function Closing({ desk, open }: { desk: Desk; open: OpenCase }) {
  const stage = summaryOf(desk, open)?.stage;
  // What was about to be confirmed belongs to the stage in which it was begun.
  const confirming = useSignal<'seal' | 'open' | undefined>(undefined);
  useEffect(() => {
    confirming.value = undefined;
    open.screen.cameToStage(stage);
  }, [stage]);
  if (stage === CaseStage.CLOSED) return may(desk, MAY_SEAL) ? <AfterClosing desk={desk} open={open} confirming={confirming} /> : null;
  const runs = stage === CaseStage.OPEN || stage === CaseStage.CLOSING;
  return runs && may(desk, MAY_CLOSE) ? <BeforeClosing desk={desk} open={open} isClosing={stage === CaseStage.CLOSING} /> : null;
}

function BeforeClosing({ desk, open, isClosing }: { desk: Desk; open: OpenCase; isClosing: boolean }) {
  const refused = open.screen.stepRefused.value;
  const close = () => void closeCase(desk, open);
  return (
    <section class="closing" aria-label="Closing the case">
      {isAsked(desk, open) ? <Asked desk={desk} />
        : refused?.gaps && isClosing ? <WithGaps desk={desk} open={open} refused={refused.text} />
          : (
            <>
              {refused && <p><b>The hub does not close it:</b> {refused.text}</p>}
              <Step desk={desk} onStep={close}>{refused ? 'Ask the hub again' : 'Close this case'}</Step>
              <NoLink desk={desk} />
            </>
          )}
    </section>
  );
}

// What may still be done with a case that is closed.
function AfterClosing({ desk, open, confirming }:
    { desk: Desk; open: OpenCase; confirming: Signal<'seal' | 'open' | undefined> }) {
  const missing = missingSentence(summaryOf(desk, open)?.certificate);
  const refused = open.screen.stepRefused.value;
  const back = () => (confirming.value = undefined);
  return (
    <section class="closing" aria-label="The closed case">
      {refused && <p><b>The hub refuses:</b> {refused.text}</p>}
      {isAsked(desk, open) ? <Asked desk={desk} />
        : confirming.value === 'open' ? <OpenAgain desk={desk} open={open} back={back} />
          : confirming.value === 'seal' ? (
            <div class="inline-form">
              {missing && <p><b>{missing}</b></p>}
              <p>Sealed, the case takes nothing more from people and cannot be opened again. What its agent still holds comes behind it, marked late.</p>
              <div class="buttons">
                <Step desk={desk} onStep={() => void takeStep(desk, open, CaseTransition.SEALED)}>Seal for good</Step>
                <button onClick={back}>Cancel</button>
              </div>
              <NoLink desk={desk} />
            </div>
          ) : (
            <>
              <div class="buttons">
                <Step desk={desk} onStep={() => (confirming.value = 'seal')}>Seal this case</Step>
                {missing && <b class="missing">{missing}</b>}
                <Step desk={desk} onStep={() => (confirming.value = 'open')}>Open it again</Step>
              </div>
              <NoLink desk={desk} />
            </>
          )}
    </section>
  );
}

// A step is taken with the hub, or not at all: what is asked now is not to come true some time later.
function Step({ desk, onStep, children }: { desk: Desk; onStep: () => void; children: ComponentChildren }) {
  return <button disabled={desk.link.value !== 'live'} onClick={onStep}>{children}</button>;
}

const NoLink = ({ desk }: { desk: Desk }) =>
  (desk.link.value === 'live' ? null : <p class="no-link" role="status">Not now: no live link to the hub.</p>);

const Asked = ({ desk }: { desk: Desk }) => (
  <p role="status">The hub is asked{'\u2026'}{desk.link.value !== 'live' && ' No live link to the hub: it has not answered.'}</p>
);

function ReasonForm({ desk, label, words, step, onStep, children, other }: {
  desk: Desk; label: string; words: string; step: string; onStep: (reason: string) => void;
  children?: ComponentChildren; other: ComponentChildren;
}) {
  const reason = useSignal('');
  const text = reason.value.trim();
  const good = text !== '' && fits(text, REASON_BYTES) && desk.link.value === 'live';
  return (
    <form class="inline-form" aria-label={label} onSubmit={(e) => {
      e.preventDefault();
      if (good) onStep(text);
    }}>
      {children}
      <label>
        <span>{words} (required)</span>
        <input type="text" value={reason.value} onInput={(e) => (reason.value = e.currentTarget.value)} />
      </label>
      {reason.value !== '' && <ByteCount text={reason.value} limit={REASON_BYTES} />}
      <div class="buttons">
        <button type="submit" disabled={!good}>{step}</button>
        {other}
      </div>
      <NoLink desk={desk} />
    </form>
  );
}

function OpenAgain({ desk, open, back }: { desk: Desk; open: OpenCase; back: () => void }) {
  return (
    <ReasonForm desk={desk} label="Open again" words="Reason to open the case again" step="Open again"
      onStep={(reason) => void takeStep(desk, open, CaseTransition.REOPENED, reason)}
      other={<button type="button" onClick={back}>Cancel</button>} />
  );
}

function WithGaps({ desk, open, refused }: { desk: Desk; open: OpenCase; refused: string }) {
  return (
    <ReasonForm desk={desk} label="Close with gaps" words="Reason to close it with these gaps" step="Close with gaps"
      onStep={(reason) => void closeCase(desk, open, reason)}
      other={<button type="button" disabled={desk.link.value !== 'live'} onClick={() => void closeCase(desk, open)}>Ask the hub again</button>}>
      <p><b>The hub does not close it:</b> {refused}</p>
    </ReasonForm>
  );
}
