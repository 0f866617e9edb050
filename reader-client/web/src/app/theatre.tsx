// The theatre's page.

import { isCalling } from '../model/alerts.js';
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
    const sounder = new Sounder(desk.clock, ticker, () => Math.max(0, ...desk.openCases().flatMap((open) =>
      open.model.alerts.list().filter((a) => isCalling(a, Place.THEATRE)).map((a) => a.alert.priority))));
    return <Theatre desk={desk} sound={<SoundView desk={desk} sounder={sounder} />} />;
  },
});
