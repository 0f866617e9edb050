// The causes that explain a change, beside its alert: for, against, missing, and the one observation
// that would tell the first two apart. A person picks.

import { useSignal } from '@preact/signals';
import { timeOfDay } from '../base/format.js';
import { pickCauses } from '../model/acts.js';
import { groupWord, pickWords, supportWord } from '../model/causes.js';
import type { AlertView } from '../model/alerts.js';
import type { Desk, OpenCase } from '../model/desk.js';
import type { CauseEvidence, RankedCause } from '../wire/generated/remora/v1/differential_pb.js';
import { cls } from './parts.js';

export function Causes({ desk, open, view }: { desk: Desk; open: OpenCase; view: AlertView }) {
  void open.model.causes.version.value;
  const picked = useSignal<readonly string[]>([]);
  const found = open.model.causes.of(view.id);
  const picks = open.model.causes.picksOf(view.id);
  if (!found && picks.length === 0) return null;
  const toggle = (key: string) => {
    const has = picked.value.includes(key);
    picked.value = has ? picked.value.filter((k) => k !== key) : [...picked.value, key];
  };
  const ranking = found?.ranking;
  return (
    <section class="causes" aria-label="What it may come from">
      {ranking && (
        <>
          <h4>May come from</h4>
          <ol>
            {ranking.causes.map((cause) => (
              <Cause key={cause.key} cause={cause} picked={picked.value.includes(cause.key)} onPick={() => toggle(cause.key)} />
            ))}
          </ol>
          {ranking.separatingTest && <p class="separating"><b>Would tell them apart:</b> {ranking.separatingTest}</p>}
          <p class="calm">Evidence, not a diagnosis. Causes can coexist. {ranking.table}, {timeOfDay(found!.mark.atMs, true)}</p>
          <footer class="buttons">
            <button disabled={picked.value.length === 0} onClick={() => {
              void pickCauses(desk, open, view, found!.mark.id, picked.value);
              picked.value = [];
            }}>Record my reading</button>
          </footer>
        </>
      )}
      {picks.map((p) => (
        <p key={p.mark.id} class="alert-note">{pickWords(p.pick, ranking)} <small>{timeOfDay(p.mark.atMs, true)}</small></p>
      ))}
    </section>
  );
}

function Cause({ cause, picked, onPick }: { cause: RankedCause; picked: boolean; onPick: () => void }) {
  return (
    <li class={cls('cause', picked && 'cause-picked')}>
      <label>
        <input type="checkbox" checked={picked} onChange={onPick} />
        <b>{cause.name}</b> <span class="calm">{groupWord(cause.group)}, {supportWord(cause.support)}</span>
      </label>
      <Evidence sign="+" name="for" all={cause.evidenceFor} />
      <Evidence sign={'\u2212'} name="against" all={cause.evidenceAgainst} />
      {cause.missing.length > 0 && <p class="missing"><span aria-hidden="true">? </span>missing: {cause.missing.join('; ')}</p>}
      {cause.keptBy && <p class="missing">kept here: {cause.keptBy}</p>}
    </li>
  );
}

function Evidence({ sign, name, all }: { sign: string; name: string; all: readonly CauseEvidence[] }) {
  if (all.length === 0) return null;
  return (
    <ul aria-label={name}>
      {all.map((e) => (
        <li key={e.feature}><span aria-hidden="true">{sign} </span>{e.words}{e.seenOn && <small> ({e.seenOn})</small>}</li>
      ))}
    </ul>
  );
}
