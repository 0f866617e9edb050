// Whether this page sounds. Silence is always visible, and says how long it lasts.

import { stopwatch } from '../base/format.js';
import type { Desk } from '../model/desk.js';
import type { Sounder } from '../render/sounder.js';

export function SoundView({ desk, sounder }: { desk: Desk; sounder: Sounder }) {
  void desk.beat.value;
  const state = sounder.state.value;
  const left = sounder.mutedUntilMs.value - desk.clock.now();
  switch (state) {
    case 'on':
      return <button class="sound" onClick={() => sounder.mute()} title="Silence alarm tones for 2 minutes">Sound on</button>;
    case 'muted':
      return (
        <button class="sound sound-off" onClick={() => sounder.mute()} title="Sound again">
          Sound off <span class="number">{stopwatch(left)}</span>
        </button>
      );
    case 'blocked':
      return <button class="sound sound-off" onClick={() => void sounder.test()}>Sound blocked: press to allow</button>;
    case 'settling':
      return <span class="sound quiet">Sound{'\u2026'}</span>;
    case 'elsewhere':
      return <span class="sound quiet">Another window sounds</span>;
    default:
      return <span class="sound sound-off">No sound here</span>;
  }
}
