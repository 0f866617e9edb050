// One synthetic case of the fake hub: a journal in memory, an agent that writes into it, and the
// fold that a snapshot and the directory need.
import { randomBytes } from 'node:crypto';
import { emgBlock, evoked, FIRST_MS, pack, RESPONSES, seeded, SWEEP_RATE_HZ } from './fake_signals.mjs';
import { pb, protobuf } from './web_modules.mjs';

const { create, toBinary } = protobuf;
const EPOCH = 7;
const EMG_RATE_HZ = 2000;
const MUSCLES = ['Deltoid', 'Biceps', 'APB', 'Tib ant'];
const nowMs = () => performance.timeOrigin + performance.now();
const ns = (ms) => BigInt(Math.round(ms * 1e6));

export class FakeCase {
  constructor({ theatre, procedure, derivations, phase, seed, alertAfterS, emgTrainAfterS }) {
    Object.assign(this, { theatre, procedure, derivations, phase, alertAfterS, emgTrainAfterS });
    this.caseId = new Uint8Array(randomBytes(16));
    this.origin = new Uint8Array(randomBytes(16));
    this.bootId = 77n;
    this.random = seeded(seed);
    this.seq = 0n;
    this.originSeq = [0, 0, 0, 0, 0, 0];
    this.laneSeq = [0n, 0n, 0n, 0n, 0n, 0n];
    this.journal = [];
    this.participants = new Map();
    this.listeners = new Set();
    this.held = new Map();
    this.startMs = nowMs();
    this.zeroMs = this.startMs - 3_600_000;
    this.blocks = new Map();
    this.lastFinished = new Map();
    this.baselines = new Map();
    this.alerts = new Map();
    this.stage = pb.CaseStage.OPEN;
    // Since when nothing is recorded, and what waits for it.
    this.unrecordedSinceMs = undefined;
    this.waiting = [];
    // Since when the agent's link is away; it goes on and keeps what it makes.
    this.awaySinceMs = undefined;
    this.backlog = [];
    this.stimulating = true;
    // Told to who follows: control messages.
    this.tell = new Set();
    this.missing = 0;
    // What the hub says against each step; and steps that it has not answered yet, while it holds them.
    this.refuses = undefined;
    this.heldSteps = undefined;
    // Nobody is let in to publish: a join is not answered.
    this.holdsJoins = false;
    this.agentLink = pb.LinkCondition.LIVE;
    this.hit = this.derivations.includes('CPz-Fz') ? /^CPz/ : /^(CP|Cv)/;
    this.begin();
  }

  mono(ms = nowMs()) {
    return ns(ms - this.zeroMs);
  }

  // `aheadMs`: of the machine's wall clock.
  write(lane, body, atMs = nowMs(), aheadMs = 0) {
    const record = create(pb.RecordSchema, {
      caseId: this.caseId, origin: this.origin, lane, originSeq: BigInt(++this.originSeq[lane]),
      capturedAt: { bootId: this.bootId, monotonicNs: this.mono(atMs), wallUnixNs: ns(atMs + aheadMs) }, body,
    });
    return this.append(record, atMs);
  }

  append(record, atMs = nowMs()) {
    // Each body on its way through a hub that cannot record: shown, and kept by whoever wrote it.
    if (this.unrecordedSinceMs !== undefined) {
      this.waiting.push({ record, atMs });
      record.stamp = create(pb.StampSchema, { epoch: EPOCH, recordedUnixNs: ns(atMs), unrecorded: true });
      const entry = { record, bytes: toBinary(pb.RecordSchema, record), seq: 0n, atMs };
      for (const listener of this.listeners) listener(entry);
      return { entry, id: this.idOf(record) };
    }
    if (this.awaySinceMs !== undefined && Buffer.from(record.origin).equals(Buffer.from(this.origin))) {
      this.backlog.push({ record, atMs });
      return { entry: { record, atMs, seq: 0n }, id: this.idOf(record) };
    }
    return this.put(record, atMs);
  }

  // `quietly`: late bulk is on record and comes to nobody as live.
  put(record, atMs, quietly = false) {
    this.seq++;
    record.stamp = create(pb.StampSchema, { epoch: EPOCH, seq: this.seq, recordedUnixNs: ns(atMs) });
    this.laneSeq[record.lane] = this.seq;
    const bytes = toBinary(pb.RecordSchema, record);
    const entry = { record, bytes, seq: this.seq, atMs };
    if (record.lane <= 2 || (quietly && record.lane === 4) || (record.body.case === 'sweep' && !record.body.value.provisional)) this.journal.push(entry);
    if (quietly && record.body.case === 'sweep' && !record.body.value.provisional) this.lastFinished.set(record.body.value.traceId, entry);
    if (!quietly) for (const listener of this.listeners) listener(entry);
    return { entry, id: this.idOf(record) };
  }

  say(name, value) {
    for (const tell of this.tell) tell(name, value);
  }

  // The journal fails, and works again.
  failJournal(cause) {
    this.unrecordedSinceMs = nowMs();
    this.unrecordedFrom = this.seq + 1n;
    this.unrecordedCause = cause;
    this.say('recording', this.recordingNow());
  }

  recordingNow() {
    const bad = this.unrecordedSinceMs !== undefined;
    return { caseId: this.caseId, condition: bad ? pb.RecordingCondition.UNRECORDED : pb.RecordingCondition.RECORDING,
      sinceUnixNs: ns(this.unrecordedSinceMs ?? nowMs()), cause: bad ? this.unrecordedCause : '' };
  }

  mendJournal() {
    const from = this.unrecordedSinceMs;
    const waiting = this.waiting;
    this.unrecordedSinceMs = undefined;
    this.waiting = [];
    // What was offered again is on record by then.
    this.takeLate(waiting, (e) => nowMs() - e.atMs > 2000);
    this.say('recording', this.recordingNow());
    this.write(1, { case: 'unrecordedInterval', value: { fromUnixNs: ns(from), toUnixNs: ns(nowMs()),
      cause: this.unrecordedCause, shownCount: waiting.length, firstSeq: this.unrecordedFrom } });
  }

  // The agent's link goes, and comes back with what it kept.
  cutAgent() {
    this.awaySinceMs = nowMs();
    this.awayFrom = this.seq + 1n;
  }

  mendAgent(outageMs = nowMs() - this.awaySinceMs) {
    const backlog = this.backlog;
    this.backlog = [];
    this.awaySinceMs = undefined;
    this.agentLink = pb.LinkCondition.LIVE;
    this.write(0, { case: 'linkState', value: { participant: 'agent', condition: pb.LinkCondition.LIVE, outageMs, firstSeq: this.awayFrom } });
    this.takeLate(backlog, () => true);
  }

  takeLate(entries, isLate) {
    for (const e of entries.filter((e) => e.record.lane <= 2)) this.put(e.record, nowMs());
    const gaps = new Map();
    for (const e of entries.filter((e) => e.record.lane > 2).reverse()) {
      const late = isLate(e);
      this.put(e.record, nowMs(), late);
      if (!late) continue;
      const gap = gaps.get(e.record.lane) ?? { caseId: this.caseId, lane: e.record.lane, fromSeq: this.seq, toSeq: this.seq, count: 0, cause: pb.GapCause.LATE };
      gaps.set(e.record.lane, { ...gap, toSeq: this.seq, count: gap.count + 1 });
    }
    for (const gap of gaps.values()) this.say('gap', gap);
  }

  // Intervals that no review names: outages of the agent's link, and what was not recorded.
  unreviewed() {
    const key = (id) => `${id.lane}/${id.originSeq}/${Buffer.from(id.origin).toString('hex')}`;
    const named = new Set(this.journal.filter((e) => e.record.body.case === 'backlogReviewed').map((e) => key(e.record.body.value.interval)));
    return this.journal.filter((e) => {
      const body = e.record.body;
      const interval = body.case === 'unrecordedInterval' || (body.case === 'linkState' && body.value.outageMs >= 10_000);
      return interval && !named.has(key(this.idOf(e.record)));
    }).length;
  }

  isOver() {
    return this.stage >= pb.CaseStage.CLOSED;
  }

  // Undefined: closed. Else what the hub has against it.
  close(step) {
    if (this.refuses) return this.refuses;
    if (step.transition === pb.CaseTransition.CLOSING) this.stage = pb.CaseStage.CLOSING;
    if (step.transition === pb.CaseTransition.SEALED) this.stage = pb.CaseStage.SEALED;
    if (step.transition !== pb.CaseTransition.CLOSED) return undefined;
    if (this.missing > 0 && !step.withGaps) return `${this.missing} records of the agent are not here yet. Wait for them, or close it with gaps and a reason`;
    this.stage = pb.CaseStage.CLOSED;
    this.certificate = { certificateIndex: 1, complete: this.missing === 0, missingCount: BigInt(this.missing), givenUpCount: 8n };
    this.certify(step);
    return undefined;
  }

  // Names what is missing, and a block of samples that the agent gave up and said so.
  certify(step) {
    const last = BigInt(this.originSeq[5]) + BigInt(this.missing);
    const told = this.write(1, { case: 'dataGap', value: { cause: pb.DataGapCause.SPOOL_SHORT, origin: this.origin, lane: 5,
      firstOriginSeq: 1n, lastOriginSeq: 8n, fromMonotonicNs: this.mono(this.startMs - 90_000), toMonotonicNs: this.mono(this.startMs - 30_000) } });
    const gaps = [{ firstOriginSeq: 1n, lastOriginSeq: 8n, cause: pb.NamedGapCause.DATA_GAP, dataGap: told.id }];
    if (this.missing > 0) gaps.push({ firstOriginSeq: BigInt(this.originSeq[5]) + 1n, lastOriginSeq: last, cause: pb.NamedGapCause.MISSING });
    this.write(1, { case: 'certificate', value: { certificateIndex: 1, complete: this.missing === 0, recordCount: this.seq,
      seq: this.seq, reason: step.reason, actor: step.actor,
      heads: [{ origin: this.origin, participant: 'agent-or4', lane: 5, lastOriginSeq: last, gaps }] } });
  }

  idOf(record) {
    return create(pb.RecordIdSchema,
      { origin: record.origin, lane: record.lane, originSeq: record.originSeq });
  }

  traceId(side, derivation) {
    return `${pb.Modality[RESPONSES[derivation].modality]}/${side === pb.Side.LEFT ? 'L' : 'R'}/${derivation}`;
  }

  begin() {
    const t0 = this.startMs - 40 * 60_000;
    this.write(1, { case: 'caseLifecycle', value: {
      transition: pb.CaseTransition.OPENED, theatre: this.theatre, procedure: this.procedure } }, t0);
    this.tellClock(0, t0);
    this.write(1, { case: 'phaseChange', value: { phase: pb.Phase.PRE_INCISION, actor: 'plan' } }, t0);
    for (const [side, derivation] of this.eachTrace()) this.setBaseline(side, derivation, t0 + 60_000);
    this.write(1, { case: 'phaseChange', value: { phase: pb.Phase.EXPOSURE, actor: 'Ines Ruiz' } },
      t0 + 8 * 60_000);
    for (let minute = 2; minute < 40; minute += 1.5) {
      if (minute > 21 && minute < 25) continue;
      for (const [side, derivation] of this.eachTrace()) this.measure(side, derivation, t0 + minute * 60_000);
    }
    this.phaseAtMs = this.startMs - 42_000;
    this.write(1, { case: 'phaseChange', value: { phase: this.phase, actor: 'Ines Ruiz' } }, this.phaseAtMs);
    for (const [side, derivation] of this.eachTrace()) this.finish(side, derivation, this.startMs - 21_000);
  }

  // What its agent knows of its clock.
  tellClock(aheadMs, atMs = nowMs()) {
    this.write(1, { case: 'clockEstimate', value: { bootId: this.bootId, offsetNs: ns(this.zeroMs), errorBoundNs: 400_000n } }, atMs, aheadMs);
  }

  *eachTrace() {
    for (const derivation of this.derivations) {
      yield [pb.Side.LEFT, derivation];
      yield [pb.Side.RIGHT, derivation];
    }
  }

  // Part of the baseline's amplitude, and of its latency, that is there at a time.
  truth(side, derivation, atMs) {
    const wobble = 1 + 0.05 * Math.sin(atMs / 240_000 + side + derivation.length) +
      0.05 * (this.random() - 0.5);
    const s = (atMs - this.startMs) / 1000;
    const hit = this.alertAfterS !== undefined && s > this.alertAfterS - 6 && this.hit.test(derivation) &&
      side === pb.Side.LEFT;
    return hit ? { amplitude: 0.34 * wobble, latency: 1.07 } : { amplitude: wobble, latency: 1 + 0.01 * (wobble - 1) };
  }

  sweepBody(side, derivation, atMs, accepted, provisional) {
    const r = RESPONSES[derivation];
    const { amplitude, latency } = this.truth(side, derivation, atMs);
    const length = r.modality === pb.Modality.SEP_UPPER ? 70 : 110;
    const noise = 0.9 / Math.sqrt(Math.max(accepted, 4)) * 2;
    const values = evoked(r.peaks, amplitude, latency, noise, length, this.random);
    const traceId = this.traceId(side, derivation);
    const [, , first] = r.peaks.find((p) => p[0] === r.first);
    const [, , second] = r.peaks.find((p) => p[0] === r.second);
    return {
      traceId, modality: r.modality, side, derivation, levelRole: pb.LevelRole.ABOVE,
      sampleRateHz: SWEEP_RATE_HZ, firstSampleMs: FIRST_MS, average: pack(values, 0.01),
      requestedCount: 200, acceptedCount: accepted, rejected: { overAmplitudeCount: Math.round(accepted / 31) },
      noiseUvRms: noise / 2, oddEvenCorrelation: 0.93, provisional,
      blockIndex: this.blocks.get(traceId) ?? 0,
      firstStimulusMonotonicNs: this.mono(atMs - 20_000), lastStimulusMonotonicNs: this.mono(atMs - 120),
      filter: { highPassHz: 30, lowPassHz: 500, order: 4, zeroPhase: true },
      stimulus: { site: 'median nerve', side, currentMa: 14, rateHz: 4.7, pulseUs: 200 },
      marks: accepted < 40 ? [] : [
        { label: r.label, latencyMs: r.first * latency, amplitudeUv: first * amplitude, confidence: pb.MarkConfidence.CLEAR },
        { label: r.next, latencyMs: r.second * latency, amplitudeUv: second * amplitude, confidence: pb.MarkConfidence.CLEAR }],
      quality: [],
    };
  }

  setBaseline(side, derivation, atMs, asked) {
    const body = this.sweepBody(side, derivation, atMs, 200, false);
    const r = RESPONSES[derivation];
    const sweep = this.write(3, { case: 'sweep', value: body }, atMs);
    const [n, p] = body.marks;
    const { id } = this.write(1, { case: 'baselineSet', value: {
      traceId: body.traceId, kind: asked?.kind ?? pb.BaselineKind.PRE_INCISION, sweeps: [sweep.id],
      amplitudeUv: p.amplitudeUv - n.amplitudeUv, latencyMs: n.latencyMs, component: `${r.label}-${r.next}`,
      reason: asked?.reason ?? '', actor: asked?.actor ?? 'plan', askedBy: asked?.id,
      average: body.average, firstSampleMs: FIRST_MS, sampleRateHz: SWEEP_RATE_HZ, filter: body.filter,
      stimulus: body.stimulus } }, atMs);
    this.baselines.set(body.traceId, { id, amplitude: p.amplitudeUv - n.amplitudeUv, latency: n.latencyMs,
      average: body.average });
  }

  measure(side, derivation, atMs, sweepId) {
    const r = RESPONSES[derivation];
    const traceId = this.traceId(side, derivation);
    const baseline = this.baselines.get(traceId);
    const { amplitude, latency } = this.truth(side, derivation, atMs);
    const [, , first] = r.peaks.find((p) => p[0] === r.first);
    const [, , second] = r.peaks.find((p) => p[0] === r.second);
    const amplitudeUv = amplitude * (second - first) * (second > first ? 1 : -1);
    const percent = 100 * amplitudeUv / Math.abs(baseline.amplitude);
    const value = {
      traceId, modality: r.modality, side, sweep: sweepId, baseline: baseline.id,
      component: `${r.label}-${r.next}`, amplitudeUv, latencyMs: r.first * latency,
      amplitudePercentOfBaseline: percent, latencyChangePercent: 100 * (r.first * latency / baseline.latency - 1),
      state: percent < 50 ? pb.MeasurementState.RED : pb.MeasurementState.WITHIN_LIMITS,
      confidence: pb.MarkConfidence.CLEAR, blockIndex: this.blocks.get(traceId) ?? 0,
    };
    this.write(2, { case: 'measurement', value }, atMs);
    return value;
  }

  finish(side, derivation, atMs = nowMs()) {
    const traceId = this.traceId(side, derivation);
    const body = this.sweepBody(side, derivation, atMs, 200, false);
    const { id, entry } = this.write(3, { case: 'sweep', value: body }, atMs);
    if (entry.seq > 0n) this.lastFinished.set(traceId, entry);
    this.blocks.set(traceId, (this.blocks.get(traceId) ?? 0) + 1);
    const m = this.measure(side, derivation, atMs, id);
    if (m.state === pb.MeasurementState.RED) this.alarm(side, derivation, body, id, m);
  }

  alarm(side, derivation, sweep, sweepId, m) {
    const raisedBy = this.alerts.get(m.traceId);
    const baseline = this.baselines.get(m.traceId);
    const fall = Math.round(100 - m.amplitudePercentOfBaseline);
    const { id } = this.write(0, { case: 'alert', value: {
      raisedBy, priority: derivation.startsWith('CP') ? pb.AlertPriority.HIGH : pb.AlertPriority.MEDIUM,
      kind: pb.AlertKind.ABSOLUTE, alertClass: pb.AlertClass.PHYSIOLOGICAL,
      condition: raisedBy ? pb.AlertCondition.UPDATED : pb.AlertCondition.RAISED,
      traceId: m.traceId, modality: m.modality, side, derivation,
      criterion: { key: 'SEP.amp_abs', limits: 'amplitude \u221250 % or latency +10 %',
        source: 'MacDonald 2019; ACNS 2009', version: 'demo 1' },
      evidence: { component: m.component, amplitudeUv: m.amplitudeUv,
        baselineAmplitudeUv: Math.abs(baseline.amplitude), amplitudePercentOfBaseline: m.amplitudePercentOfBaseline,
        latencyMs: m.latencyMs, baselineLatencyMs: baseline.latency, latencyChangePercent: m.latencyChangePercent,
        baseline: baseline.id, sweep: sweepId, reducedTrace: sweep.average, reducedFirstSampleMs: FIRST_MS,
        reducedSampleIntervalMs: 1000 / SWEEP_RATE_HZ, reducedBaseline: baseline.average, acceptedCount: 200,
        noiseUvRms: sweep.noiseUvRms },
      summary: `SEP ${m.modality === pb.Modality.SEP_UPPER ? 'median' : 'tibial'} left ${derivation}: ${m.component} \u2212${fall} % (limit \u221250 %)`,
      onsetMonotonicNs: this.mono() } });
    if (!raisedBy) this.alerts.set(m.traceId, id);
  }

  // Called ten times a second. `still`: averages run on and none is finished.
  tick(n, still = false) {
    const now = nowMs();
    const s = (now - this.startMs) / 1000;
    if (this.isOver()) return;
    if (this.awaySinceMs !== undefined) {
      const s = (now - this.awaySinceMs) / 1000;
      this.agentLink = s >= 10 ? pb.LinkCondition.LOST : s >= 2 ? pb.LinkCondition.STALE : this.agentLink;
    }
    if (n % 10 === 3 && this.stimulating) {
      const step = Math.floor(s) % 21;
      for (const [side, derivation] of this.eachTrace()) {
        if (step === 20) { if (!still) this.finish(side, derivation); }
        else this.write(3, { case: 'sweep', value:
          this.sweepBody(side, derivation, now, Math.min(199, 10 + step * 10), true) });
      }
    }
    if (this.alertAfterS !== undefined && !this.alarmed && s >= this.alertAfterS) {
      this.alarmed = true;
      for (const [side, derivation] of this.eachTrace()) if (side === pb.Side.LEFT) this.finish(side, derivation);
    }
    if (n % 2 === 0) this.emg(now, s);
  }

  emg(now, s) {
    const count = EMG_RATE_HZ / 5;
    // Samples are counted: blocks join without a seam, whenever the timer calls.
    this.emgIndex ??= Math.floor((s * EMG_RATE_HZ) / count) * count;
    while (this.emgIndex + count <= s * EMG_RATE_HZ) {
      const startS = this.emgIndex / EMG_RATE_HZ;
      for (const side of [pb.Side.LEFT, pb.Side.RIGHT]) {
        MUSCLES.forEach((muscle, m) => {
          const script = [];
          if (side === pb.Side.LEFT && m === 3) {
            const beat = Math.floor(startS / 9) * 9;
            script.push({ fromS: beat + 2, toS: beat + 2.25, uv: 90, hz: 20 });
            if (this.emgTrainAfterS !== undefined) {
              script.push({ fromS: this.emgTrainAfterS, toS: this.emgTrainAfterS + 3, uv: 160, hz: 60 });
            }
          }
          this.write(5, { case: 'sampleBlock', value: {
            traceId: `EMG_FREE_RUNNING/${side === 1 ? 'L' : 'R'}/${muscle}`,
            modality: pb.Modality.EMG_FREE_RUNNING, side, sampleRateHz: EMG_RATE_HZ,
            firstSampleIndex: BigInt(this.emgIndex),
            startedMonotonicNs: this.mono(this.startMs + startS * 1000),
            samples: pack(emgBlock(this.random, count, EMG_RATE_HZ, startS, script), 0.1),
            filter: { highPassHz: 20, lowPassHz: 800, order: 4 } } });
        });
      }
      this.envelopes(startS, count);
      const beat = Math.floor(startS / 9) * 9 + 2;
      if (startS <= beat && beat < startS + count / EMG_RATE_HZ) {
        this.write(2, { case: 'emgActivity', value: {
          traceId: 'EMG_FREE_RUNNING/L/Tib ant', side: pb.Side.LEFT, kind: pb.EmgActivityKind.BURST,
          startedMonotonicNs: this.mono(this.startMs + beat * 1000), durationMs: 250, peakUv: 92 } });
      }
      this.emgIndex += count;
    }
  }

  // Smallest and largest of bins of 20 ms; as live they add nothing to the samples.
  envelopes(startS, count) {
    if (this.awaySinceMs === undefined && this.unrecordedSinceMs === undefined) return;
    for (const side of [pb.Side.LEFT, pb.Side.RIGHT]) {
      MUSCLES.forEach((muscle, m) => {
        const burst = side === pb.Side.LEFT && m === 3 && Math.floor(startS) % 9 === 2;
        const most = Array.from({ length: (count / EMG_RATE_HZ) * 50 }, () => (burst ? 80 : 6) + 3 * this.random());
        this.write(4, { case: 'envelope', value: {
          traceId: `EMG_FREE_RUNNING/${side === 1 ? 'L' : 'R'}/${muscle}`, modality: pb.Modality.EMG_FREE_RUNNING, side,
          startedMonotonicNs: this.mono(this.startMs + startS * 1000), binMs: 20,
          minimum: pack(most.map((v) => -v), 0.1), maximum: pack(most, 0.1) } });
      });
    }
  }

  of(...kinds) {
    return this.journal.filter((e) => kinds.includes(e.record.body.case)).map((e) => e.bytes);
  }

  summary() {
    const alerts = new Map();
    const actions = new Map();
    let message;
    const key = (id) => `${id.lane}/${id.originSeq}/${Buffer.from(id.origin).toString('hex')}`;
    for (const e of this.journal) {
      const body = e.record.body;
      if (body.case === 'alert') {
        const id = key(body.value.raisedBy ?? this.idOf(e.record));
        alerts.set(id, { id, record: e.record, atMs: alerts.get(id)?.atMs ?? e.atMs });
      }
      if (body.case === 'message') message = body.value;
      if (body.case === 'alertAction' && body.value.place === pb.Place.READER) {
        const standing = actions.get(key(body.value.alert)) ?? [];
        actions.set(key(body.value.alert), standing);
        if (body.value.kind === pb.AlertActionKind.ACKNOWLEDGED) standing.push(key(this.idOf(e.record)));
        if (body.value.kind !== pb.AlertActionKind.UNDONE) continue;
        // One action, not all.
        const at = body.value.undone ? standing.indexOf(key(body.value.undone)) : standing.length - 1;
        if (at >= 0) standing.splice(at, 1);
      }
    }
    // Of this case's alerts none comes back: the record that raised one is its call.
    const open = [...alerts.values()].sort((a, b) =>
      b.record.body.value.priority - a.record.body.value.priority || b.atMs - a.atMs);
    const unacknowledged = open.filter(({ id }) => !actions.get(id)?.length);
    const worst = open[0];
    const calling = unacknowledged[0];
    const measured = this.journal.filter((e) => e.record.body.case === 'measurement').slice(-120);
    const perTime = new Map();
    for (const e of measured) {
      const at = Math.round(e.atMs / 1000);
      perTime.set(at, Math.min(perTime.get(at) ?? 999, e.record.body.value.amplitudePercentOfBaseline));
    }
    const red = this.alerts.size > 0;
    return create(pb.CaseSummarySchema, {
      caseId: this.caseId, stage: this.stage, recording: this.recordingNow().condition,
      unreviewedIntervalCount: this.unreviewed(), certificate: this.certificate, theatre: this.theatre, procedure: this.procedure,
      phase: this.phase, headSeq: this.seq, openedUnixNs: ns(this.startMs - 40 * 60_000),
      phaseUnixNs: ns(this.phaseAtMs), lastRecordUnixNs: ns(nowMs() - 150),
      participants: [
        { participant: 'agent', displayName: 'Agent', role: pb.Role.AGENT, connected: true },
        { participant: 'ines', displayName: 'Ines Ruiz', role: pb.Role.TECHNOLOGIST, connected: true },
        ...this.participants.values()],
      modalities: [
        ...[...new Set(this.derivations.map((d) => RESPONSES[d].modality))].map((modality) => ({ modality,
          worstState: red && this.derivations.some((d) => this.hit.test(d) && RESPONSES[d].modality === modality)
            ? pb.MeasurementState.RED : pb.MeasurementState.WITHIN_LIMITS, lastUnixNs: ns(nowMs()) })),
        { modality: pb.Modality.EMG_FREE_RUNNING, worstState: pb.MeasurementState.WITHIN_LIMITS, lastUnixNs: ns(nowMs()) }],
      openAlertCount: open.length,
      unacknowledgedAlertCount: unacknowledged.length,
      callingPriority: calling?.record.body.value.priority ?? 0,
      callingAlert: calling?.record.body.value.summary ?? '', callingAlertUnixNs: ns(calling?.atMs ?? 0),
      worstPriority: worst?.record.body.value.priority ?? 0,
      worstAlert: worst?.record.body.value.summary ?? '', worstAlertUnixNs: ns(worst?.atMs ?? 0),
      lastMessage: message?.text ?? '', lastMessageSender: message?.sender ?? '',
      // Of a case that is over the agent has gone.
      agentLink: this.isOver() ? pb.LinkCondition.LOST : this.agentLink, worstAmplitudePercent: [...perTime.values()].slice(-40),
    });
  }

  snapshot(followId, cause) {
    const newest = new Map();
    const trends = new Map();
    for (const e of this.journal) {
      const body = e.record.body;
      if (body.case !== 'measurement') continue;
      newest.set(body.value.traceId, e);
      const m = body.value;
      if (!trends.has(m.traceId)) trends.set(m.traceId, { traceId: m.traceId, component: m.component, points: [] });
      trends.get(m.traceId).points.push({ recordedUnixNs: ns(e.atMs), amplitudeUv: m.amplitudeUv,
        latencyMs: m.latencyMs, amplitudePercentOfBaseline: m.amplitudePercentOfBaseline,
        latencyChangePercent: m.latencyChangePercent, state: m.state, seq: e.seq });
    }
    const records = [...this.lastFinished.values(), ...newest.values()].sort((a, b) => Number(a.seq - b.seq));
    return create(pb.SnapshotSchema, {
      followId, caseId: this.caseId, cause, headSeq: this.seq, records: records.map((e) => e.bytes),
      cursor: { epoch: EPOCH, lanes: this.laneSeq.map((seq, lane) => ({ lane, seq, digest: 0n })) },
      state: { summary: this.summary(), alerts: this.of('alert'), alertActions: this.of('alertAction'),
        messages: this.of('message'), receipts: this.of('messageReceipt'), baselines: this.of('baselineSet'),
        annotations: this.of('annotation'), trends: [...trends.values()], phases: this.of('phaseChange'),
        activities: this.of('emgActivity').slice(-50), clockEstimates: this.of('clockEstimate'),
        outages: this.of('linkState'), unrecordedIntervals: this.of('unrecordedInterval'), backlogReviews: this.of('backlogReviewed'),
        viewsSeen: this.of('viewSeen').slice(-8),
        lifecycle: this.of('caseLifecycle'), seq: this.seq },
    });
  }
}
