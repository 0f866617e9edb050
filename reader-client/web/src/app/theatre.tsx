// The theatre's page.

import { isCalling } from '../model/alerts.js';
import { technicalPriority } from '../model/attention.js';
import { ChimePlan, theatreTalk } from '../model/theatre.js';
import { Sounder } from '../render/sounder.js';
import { SoundView } from '../views/sound_view.js';
import { Theatre } from '../views/theatre.js';
import { Place } from '../wire/generated/remora/v1/alert_pb.js';
import { start } from './start.js';
import './styles/index.css';

void start({
  name: 'theatre',
  where: 'Theatre display',
  show: (desk, { ticker }) => {
    const sounder = new Sounder(desk.clock, ticker, 'theatre', () => Math.max(
      technicalPriority(desk.link.value, desk.directory.known.value, desk.openCases().some((o) => o.model.recording.value.unrecorded)),
      ...desk.openCases().flatMap((open) =>
        open.model.alerts.list().filter((a) => isCalling(a, Place.THEATRE)).map((a) => a.alert.priority))));
    const chimes = new ChimePlan();
    ticker.every(() => {
      // What could not be heard is due when it can be.
      if (sounder.state.value !== 'on') return;
      const unseen = desk.openCases().flatMap((open) =>
        theatreTalk(open.model.talk.list(), desk.displayName.value).unseen);
      if (chimes.isDue(unseen, desk.clock.now())) sounder.chime();
    });
    return <Theatre desk={desk} sound={<SoundView desk={desk} sounder={sounder} />} />;
  },
});
