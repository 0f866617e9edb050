// What a case tells beside its SEP and EMG: vital signs, drugs, position, train-of-four, a screw, a map,
// EEG. Numbers of an operation that goes well, but for a pressure that falls.
import { pack } from './fake_signals.mjs';
import { pb } from './web_modules.mjs';

const EEG_RATE_HZ = 256;
const EEG = 'EEG/L/F3-P3';

// Called ten times a second, as FakeCase.tick.
export function tellBeside(c, n) {
  if (n === 5) once(c);
  if (n % 20 === 6) eeg(c);
  if (n % 100 === 7) {
    const map = n < 200 ? 78 : 58;
    c.write(1, { case: 'vitals', value: { source: 'monitor', vitals: [
      vital(c, pb.VitalKind.MEAN_ARTERIAL_PRESSURE, map), vital(c, pb.VitalKind.CORE_TEMPERATURE, 35.9)] } });
  }
  if (n % 150 === 8) {
    c.write(2, { case: 'trainOfFour', value: { limb: 'left hand', twitchCount: 4, ratio: 0.91, side: pb.Side.LEFT } });
  }
}

const vital = (c, kind, value) => ({ kind, value, measuredMonotonicNs: c.mono() });

function once(c) {
  c.write(1, { case: 'positionChange', value: { position: 'prone', changedMonotonicNs: c.mono() } });
  c.write(1, { case: 'drugGiven', value: { drug: 'propofol', amount: 6, unit: 'mg/kg/h', change: pb.DrugChange.INFUSION_RATE,
    source: 'pump 1', givenMonotonicNs: c.mono() } });
  c.write(1, { case: 'impedances', value: { measuredMonotonicNs: c.mono(), electrodes: [
    { electrode: 'CPz', kohm: 2.1 }, { electrode: 'Fz', kohm: 3.4 }, { electrode: 'C3', open: true }] } });
  c.write(2, { case: 'stimulusThreshold', value: { level: 'L1 left', modality: pb.Modality.PEDICLE_SCREW, side: pb.Side.LEFT,
    traceId: 'PEDICLE_SCREW/L/Tib ant', state: pb.ThresholdState.FOUND, thresholdMa: 11.5, largestWithoutResponse: 11 } });
  c.write(2, { case: 'relation', value: { relationId: 'SEP_UPPER/R/central conduction', name: 'central conduction time',
    kind: pb.RelationKind.INTERVAL, side: pb.Side.RIGHT, value: 6.9, confidence: pb.MarkConfidence.CLEAR } });
}

function eeg(c) {
  const started = c.mono();
  const samples = Array.from({ length: 2 * EEG_RATE_HZ }, (_, i) => 20 * Math.sin((2 * Math.PI * 10 * i) / EEG_RATE_HZ));
  c.write(5, { case: 'sampleBlock', value: { traceId: EEG, modality: pb.Modality.EEG, side: pb.Side.LEFT, sampleRateHz: EEG_RATE_HZ,
    startedMonotonicNs: started, samples: pack(samples, 0.1) } });
  c.write(2, { case: 'spectralEdge', value: { traceId: EEG, modality: pb.Modality.EEG, side: pb.Side.LEFT, startedMonotonicNs: started,
    windowMs: 4000, sef95Hz: 11.2, medianHz: 4.6, suppressionOverS: 60 } });
}

// Single responses of 800 uV, after a stimulus each 15 s.
export function answerMotor(c, n) {
  if (n % 150 !== 4) return;
  const trial = Math.floor(n / 150);
  for (const [side, letter] of [[pb.Side.LEFT, 'L'], [pb.Side.RIGHT, 'R']]) {
    const values = Array.from({ length: 900 }, (_, i) => {
      const ms = i / 5 - 30 - 35;
      return 400 * Math.exp(-((ms / 8) ** 2)) * Math.cos((2 * Math.PI * ms) / 9);
    });
    c.write(3, { case: 'sweep', value: { traceId: `MEP_TRANSCRANIAL/${letter}/Tib ant`, modality: pb.Modality.MEP_TRANSCRANIAL, side,
      derivation: 'Tib ant', sampleRateHz: 5000, firstSampleMs: -30, average: pack(values, 0.1), requestedCount: 1, acceptedCount: 1,
      noiseUvRms: 3, blockIndex: trial, trialIndex: trial, firstStimulusMonotonicNs: c.mono(), lastStimulusMonotonicNs: c.mono(),
      filter: { highPassHz: 10, lowPassHz: 3000, order: 4 }, stimulus: { electrodes: 'C3-C4', currentMa: 120, pulseCount: 5 } } });
  }
}
