// The reader's page: the wall, and a case.

import { signal } from '@preact/signals';
import type { AlertPriority } from '../wire/generated/remora/v1/alert_pb.js';
import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';
import { isUnrecorded, soundingPriority, technicalPriority } from '../model/attention.js';
import type { Desk } from '../model/desk.js';
import { Sounder } from '../render/sounder.js';
import { acknowledgeTop, alertToTell, focusCompose, tellTeam } from '../views/alert_list.js';
import { CaseView, modalitiesOf } from '../views/case_view.js';
import { KeySheet } from '../views/key_sheet.js';
import { changeGain, changeSpan, isEmg } from '../views/pane_frame.js';
import { SoundView } from '../views/sound_view.js';
import { inSlots, Wall } from '../views/wall.js';
import { Keys } from './keys.js';
import type { KeyMap } from './keys.js';
import { start } from './start.js';
import './styles/index.css';

const sheet = signal(false);
const shownCase = signal<string | undefined>(undefined);

const caseInAddress = (): string | undefined => /^#\/case\/([0-9a-f]{32})$/.exec(window.location.hash)?.[1];

function follow(desk: Desk): void {
  const next = caseInAddress();
  if (shownCase.value && shownCase.value !== next) desk.close(shownCase.value, next === undefined);
  shownCase.value = next;
}

const openCase = (hex: string): void => {
  window.location.hash = `/case/${hex}`;
};
const toWall = (): void => {
  window.location.hash = '';
};

function keyMap(desk: Desk): KeyMap {
  const map: KeyMap = { '?': () => (sheet.value = !sheet.value), Escape: () => (sheet.value = false) };
  const hex = shownCase.value;
  const digit = (press: (n: number) => void) => {
    for (let n = 1; n <= 9; n++) map[String(n)] = () => press(n);
  };
  if (!hex) {
    digit((n) => {
      const entry = inSlots(desk.directory.cases.value)[n - 1];
      if (entry) openCase(entry[0]);
    });
    return map;
  }
  const open = desk.open(hex);
  const { screen } = open;
  const pane = (): Modality => screen.active.value ?? screen.only.value ??
    modalitiesOf(open).find((m) => !isEmg(m)) ?? Modality.EMG_FREE_RUNNING;
  digit((n) => {
    const m = modalitiesOf(open)[n - 1];
    if (m === undefined) return;
    screen.only.value = screen.only.value === m ? undefined : m;
    screen.active.value = m;
  });
  Object.assign(map, {
    a: () => acknowledgeTop(desk, open),
    t: () => tellTeam(desk, open, alertToTell(open)),
    m: () => focusCompose(),
    n: () => (screen.target.value = { words: 'this case', about: undefined, traceId: '', atLatencyMs: undefined }),
    b: () => (screen.baselineOpen.value = !screen.baselineOpen.value),
    ' ': () => (screen.held.value || screen.review.value ? screen.live() : screen.hold(desk.hubNow(), open.model.traces)),
    l: () => screen.live(),
    w: toWall,
    ArrowUp: () => changeGain(open, pane(), 1),
    ArrowDown: () => changeGain(open, pane(), -1),
    ArrowLeft: () => changeSpan(open, pane(), -1),
    ArrowRight: () => changeSpan(open, pane(), 1),
  });
  return map;
}

// Nothing is recorded, or nothing comes: that is heard too.
const technical = (desk: Desk): AlertPriority => technicalPriority(desk.link.value, desk.directory.known.value,
  [...desk.directory.cases.value.values()].some(isUnrecorded) || desk.openCases().some((o) => o.model.recording.value.unrecorded));

function ReaderPage({ desk, sounder, keys }: { desk: Desk; sounder: Sounder; keys: Keys }) {
  const hex = shownCase.value;
  const sound = <SoundView desk={desk} sounder={sounder} />;
  return (
    <>
      {hex ? <CaseView key={hex} desk={desk} open={desk.open(hex)} sound={sound} onWall={toWall} onOpen={openCase} />
        : <Wall desk={desk} onOpen={openCase} sound={sound} />}
      {sheet.value && (
        <KeySheet enabled={keys.enabled} onToggle={(on) => keys.setEnabled(on)} onClose={() => (sheet.value = false)} />
      )}
    </>
  );
}

void start({
  name: 'reader',
  where: 'Reader\u2019s workstation',
  show: (desk, { ticker }) => {
    follow(desk);
    window.addEventListener('hashchange', () => follow(desk));
    const sounder = new Sounder(desk.clock, ticker, 'reader', () =>
      Math.max(soundingPriority(desk.directory.cases.value.values()), technical(desk)));
    const keys = new Keys(() => keyMap(desk));
    return <ReaderPage desk={desk} sounder={sounder} keys={keys} />;
  },
});
