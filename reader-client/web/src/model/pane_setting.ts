// How a pane opens: microvolts a division and milliseconds across, by modality. Fixed numbers, the same in
// every case, whatever the signals are; from then on only a person changes them.

import { Modality } from '../wire/generated/remora/v1/waveform_pb.js';

export interface PaneSetting {
  uvPerDivision: number;
  spanMs: number;
}

// Scalp responses of one to some microvolts.
const SEP: PaneSetting = { uvPerDivision: 2, spanMs: 60 };
// Muscle responses to the cortex: a hand of 800 uV stays within its row; legs answer until 80 ms.
const MEP: PaneSetting = { uvPerDivision: 500, spanMs: 100 };
// Muscle responses to a nerve or root, which come early.
const NERVE: PaneSetting = { uvPerDivision: 200, spanMs: 50 };

const FIRST: Partial<Record<Modality, PaneSetting>> = {
  [Modality.SEP_UPPER]: SEP,
  [Modality.SEP_LOWER]: { uvPerDivision: 2, spanMs: 100 },
  [Modality.SEP_DERMATOMAL]: SEP,
  [Modality.MEP_TRANSCRANIAL]: MEP,
  [Modality.MEP_DIRECT_CORTICAL]: MEP,
  [Modality.MAP_CORTICAL_STIMULATION]: MEP,
  [Modality.MAP_SUBCORTICAL]: MEP,
  // 5 to 100 uV at 3 to 10 ms.
  [Modality.D_WAVE]: { uvPerDivision: 10, spanMs: 20 },
  [Modality.EMG_FREE_RUNNING]: { uvPerDivision: 50, spanMs: 10_000 },
  [Modality.EMG_TRIGGERED]: NERVE,
  [Modality.DIRECT_NERVE_STIMULATION]: NERVE,
  [Modality.PEDICLE_SCREW]: NERVE,
  [Modality.RLN_INTERMITTENT]: NERVE,
  [Modality.RLN_CONTINUOUS]: NERVE,
  // Wave V of 0.1 to 0.5 uV before 7 ms.
  [Modality.BAEP]: { uvPerDivision: 0.2, spanMs: 15 },
  [Modality.ECOCHG]: { uvPerDivision: 0.5, spanMs: 10 },
  [Modality.VEP]: { uvPerDivision: 5, spanMs: 300 },
  // A whole twitch of a hand or foot is some mV.
  [Modality.TRAIN_OF_FOUR]: { uvPerDivision: 2000, spanMs: 50 },
  [Modality.MAP_MIDLINE]: SEP,
  // On the cortex itself, ten times what the scalp has.
  [Modality.MAP_CORTICAL_PHASE_REVERSAL]: { uvPerDivision: 20, spanMs: 60 },
};

export const firstSetting = (modality: Modality): PaneSetting => FIRST[modality] ?? SEP;

// What is shown before the stimulus, in ms: a tenth, and no more than tells where the stimulus was.
export const beforeMs = (spanMs: number): number => Math.min(5, spanMs / 10);
