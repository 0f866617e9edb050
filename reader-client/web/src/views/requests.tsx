// What the technologist is asked for, with a running clock until a trial answers it.

import { answerRequest } from '../model/acts.js';
import type { Desk, OpenCase } from '../model/desk.js';
import { stateWord } from '../model/requests.js';
import { RequestState } from '../wire/generated/remora/v1/message_pb.js';
import { Age } from './parts.js';

export function Requests({ desk, open }: { desk: Desk; open: OpenCase }) {
  void open.model.requests.version.value;
  const all = open.model.requests.open();
  if (all.length === 0) return null;
  return (
    <section class="requests" aria-label="Asked of the technologist">
      {all.map((r) => (
        <div key={r.id} class="request">
          <p><b>{r.request.test}</b> {stateWord(r.state)} <Age desk={desk} atMs={r.asked.atMs} />
            {r.request.actor ? <span class="calm"> by {r.request.actor}</span> : <span class="calm"> by rule</span>}</p>
          {r.reason && <p class="calm">{r.reason}</p>}
          {r.state === RequestState.ASKED && (
            <footer class="buttons">
              <button onClick={() => void answerRequest(desk, open, r.id, RequestState.ACCEPTED, '')}>Accept</button>
              <button onClick={() => void answerRequest(desk, open, r.id, RequestState.CANNOT, 'not possible now')}>Not possible now</button>
            </footer>
          )}
        </div>
      ))}
    </section>
  );
}
