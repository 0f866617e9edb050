// A hub without a journal, for the workstation's own tests and for work on its pages:
//   node tests/browser/fake_hub.mjs [--port N] [--dist DIR]
// Serves the pages with the headers that the real hub uses, three synthetic cases, and the session
// stream. It keeps nothing.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FakeCase } from './fake_case.mjs';
import { answerMotor, tellBeside } from './fake_told.mjs';
import { pb, protobuf, webFolder, webRequire } from './web_modules.mjs';

const { create, fromBinary, toBinary } = protobuf;
const { WebSocketServer } = webRequire('ws');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css',
  '.woff2': 'font/woff2', '.svg': 'image/svg+xml', '.png': 'image/png' };
const HEADERS = {
  'Content-Security-Policy': "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
  'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer',
};
const FIRST_BULK_LANE = 2;
const BULK_WINDOW_BYTES = 262144;
const nowNs = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));

export const IDENTITIES = [
  { name: 'maya', displayName: 'Dr Maya Lindqvist', role: pb.Role.NEUROPHYSIOLOGIST, token: 'reader-token-for-the-fake-hub-0001' },
  { name: 'ines', displayName: 'Ines Ruiz', role: pb.Role.TECHNOLOGIST, token: 'technologist-token-for-the-fake-hub' },
  { name: 'or3', displayName: 'OR 3 team', role: pb.Role.SURGICAL_TEAM, token: 'theatre-token-for-the-fake-hub-001', theatre: 'OR 3' },
];
// As the hub tells it (hub/participants/websocket/web_api.h).
const publicPart = (i) => ({ name: i.name, displayName: i.displayName, role: pb.Role[i.role].toLowerCase() });

export async function startFakeHub({ port = 0, dist = join(webFolder, 'dist'), alertAfterS = 14 } = {}) {
  const cases = [
    new FakeCase({ theatre: 'OR 3', procedure: 'T4\u2013L2 scoliosis correction',
      derivations: ['CPc-Front', 'Cv5-Front', 'EPi-EPc', 'CPz-Fz', 'PFd-PFp'], phase: pb.Phase.CORRECTION, seed: 3, alertAfterS }),
    new FakeCase({ theatre: 'OR 5', procedure: 'L4\u2013S1 decompression',
      derivations: ['CPz-Fz', 'PFd-PFp'], phase: pb.Phase.DECOMPRESSION, seed: 5 }),
    new FakeCase({ theatre: 'OR 7', procedure: 'Vestibular schwannoma, left',
      derivations: ['CPc-Front', 'EPi-EPc'], phase: pb.Phase.RESECTION, seed: 7, emgTrainAfterS: 20 }),
  ];
  const cookies = new Map();
  const sockets = new Set();
  const hub = { cases, cookies, quiet: false, still: false, bulk: {}, seen: [], drop: () => sockets.forEach((s) => s.terminate()) };

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://hub');
    const answer = (status, body, headers = {}) => {
      response.writeHead(status, { ...HEADERS, 'Content-Type': 'application/json', ...headers });
      response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    };
    if (url.pathname === '/v1/session' && request.method === 'POST') {
      let text = '';
      request.on('data', (part) => (text += part));
      request.on('end', () => {
        let token;
        try { token = JSON.parse(text).token; } catch { token = ''; }
        const identity = IDENTITIES.find((i) => i.token === token);
        if (!identity) return answer(401, { error: 'not known' });
        const secret = randomBytes(16).toString('hex');
        cookies.set(`${identity.name}=${secret}`, identity);
        answer(200, publicPart(identity),
          { 'Set-Cookie': `remora_${identity.name}=${secret}; HttpOnly; SameSite=Strict; Path=/` });
      });
      return;
    }
    if (url.pathname === '/v1/session') {
      const identity = whoIs(request, url.searchParams.get('identity'));
      return identity ? answer(200, publicPart(identity)) : answer(401, { error: 'not signed in' });
    }
    const path = url.pathname === '/' ? '/index.html' : url.pathname === '/theatre' ? '/theatre.html' : url.pathname;
    const file = join(dist, normalize(path));
    if (!file.startsWith(dist) || !existsSync(file)) return answer(404, { error: 'not found' });
    answer(200, readFileSync(file), { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
  });

  function whoIs(request, name) {
    for (const part of (request.headers.cookie ?? '').split(/;\s*/)) {
      const identity = cookies.get(part.replace(/^remora_/, ''));
      if (identity && identity.name === name) return identity;
    }
    return undefined;
  }

  const sessions = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url, 'http://hub');
    const identity = hub.quiet ? undefined : whoIs(request, url.searchParams.get('identity'));
    if (url.pathname !== '/v1/stream' || !identity) {
      socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
      return;
    }
    sessions.handleUpgrade(request, socket, head, (ws) => {
      sockets.add(ws);
      ws.on('close', () => sockets.delete(ws));
      serve(ws, identity, cases, hub, (hub.bulk[identity.name] = { sent: 0, shown: 0, reports: 0, withheld: 0 }));
    });
  });

  let n = 0;
  const timer = setInterval(() => {
    n++;
    for (const c of cases) c.tick(n, hub.still);
    if (hub.still) return;
    tellBeside(cases[0], n);
    answerMotor(cases[1], n);
  }, 100);
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  hub.url = `http://127.0.0.1:${server.address().port}`;
  hub.stop = async () => {
    clearInterval(timer);
    hub.drop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return hub;
}

function serve(ws, identity, cases, hub, bulk) {
  const hex = (b) => Buffer.from(b).toString('hex');
  const send = (down) => { if (ws.readyState === 1) ws.send(toBinary(pb.DownSchema, create(pb.DownSchema, down))); };
  const control = (name, value) => send({ control: { case: name, value } });
  const visible = cases.filter((c) => !identity.theatre || c.theatre === identity.theatre);
  const find = (id) => visible.find((c) => hex(c.caseId) === hex(id));
  const stops = new Map();
  const joined = new Set();
  let origin;
  let directory = 0;

  const heartbeat = setInterval(() => control('heartbeat', { hubUnixNs: nowNs(),
    heads: visible.map((c) => ({ caseId: c.caseId, headSeq: c.seq, laneSeq: c.laneSeq, recording: c.recordingNow().condition })) }), 1000);
  const listing = setInterval(() => {
    if (directory) control('directory', { followId: directory, cases: visible.map((c) => c.summary()), complete: false });
  }, 2000);
  ws.on('close', () => {
    clearInterval(heartbeat);
    clearInterval(listing);
    for (const stop of stops.values()) stop();
    for (const c of joined) c.participants.delete(identity.name);
  });

  const held = (c) => {
    const prefix = `${hex(origin)}/`;
    return [...c.held.entries()].filter(([k]) => k.startsWith(prefix)).map(([k, last]) =>
      ({ lane: Number(k.split('/')[1]), ranges: [{ first: 1n, last: BigInt(last) }] }));
  };

  function publish(bytes) {
    const record = fromBinary(pb.RecordSchema, bytes);
    const c = find(record.caseId);
    if (c?.heldSteps && record.body.case === 'caseLifecycle') return void c.heldSteps.push(() => publish(bytes));
    const key = `${hex(record.origin)}/${record.lane}`;
    const last = c?.held.get(key) ?? 0;
    const seq = Number(record.originSeq);
    const refuse = (reason, text) => control('recordRefused',
      { caseId: record.caseId, lane: record.lane, originSeq: record.originSeq, reason, text });
    if (!c || !joined.has(c)) return refuse(pb.RefusalReason.NOT_PERMITTED, 'join the case first');
    if (hex(record.origin) !== hex(origin)) return refuse(pb.RefusalReason.ORIGIN_BOUND, 'not your origin');
    if (record.body.case === 'message' && record.body.value.sender !== identity.displayName) {
      return refuse(pb.RefusalReason.NOT_PERMITTED, 'the sender is not you');
    }
    const against = record.body.case === 'caseLifecycle' ? c.close(record.body.value) : undefined;
    if (against) {
      c.held.set(key, seq);
      return refuse(pb.RefusalReason.WRONG_STAGE, against);
    }
    if (seq > last + 1) return refuse(pb.RefusalReason.OUT_OF_ORDER, `expected ${last + 1}`);
    if (seq === last + 1) {
      c.held.set(key, seq);
      if (record.body.case === 'viewSeen') hub.seen.push({ who: identity.name, view: record.body.value });
      c.append(record);
      if (record.body.case === 'baselineSet') carryOut(c, record);
    }
    control('acknowledge', { caseId: c.caseId, held: held(c) });
  }

  function carryOut(c, record) {
    const asked = record.body.value;
    for (const [side, derivation] of c.eachTrace()) {
      if (c.traceId(side, derivation) !== asked.traceId) continue;
      c.setBaseline(side, derivation, performance.timeOrigin + performance.now(),
        { kind: asked.kind, reason: asked.reason, actor: asked.actor, id: c.idOf(record) });
    }
  }

  const controls = {
    hello(value) {
      origin = value.origin;
      control('welcome', { version: Math.min(2, value.maximumVersion), participant: identity.name, displayName: identity.displayName,
        role: identity.role, hubUnixNs: nowNs(), heartbeatIntervalMs: 1000, bulkWindowBytes: BULK_WINDOW_BYTES,
        software: 'fake hub', hubBootId: 1n });
    },
    join(value) {
      const c = find(value.caseId);
      if (!c) return control('refused', { reason: pb.RefusalReason.NO_SUCH_CASE, text: 'no such case', caseId: value.caseId });
      if (c.holdsJoins) return;
      joined.add(c);
      c.participants.set(identity.name, { participant: identity.name, displayName: identity.displayName, role: identity.role, connected: true });
      control('joined', { caseId: c.caseId, epoch: 7, held: held(c), stage: pb.CaseStage.OPEN });
    },
    leave(value) {
      const c = find(value.caseId);
      if (c && joined.delete(c)) c.participants.delete(identity.name);
    },
    follow(value) {
      if (value.target.case === 'directory') {
        directory = value.followId;
        return control('directory', { followId: directory, cases: visible.map((c) => c.summary()), complete: true });
      }
      const c = find(value.target.value);
      if (!c) return control('refused', { reason: pb.RefusalReason.NO_SUCH_CASE, text: 'no such case', followId: value.followId });
      const listener = (entry) => {
        if (entry.record.lane >= FIRST_BULK_LANE) {
          // A page that does not say what it has shown gets no more bulk.
          if (bulk.sent - bulk.shown + entry.bytes.length > BULK_WINDOW_BYTES) {
            bulk.withheld++;
            return;
          }
          bulk.sent += entry.bytes.length;
        }
        send({ records: [entry.bytes] });
      };
      stops.get(value.followId)?.();
      if (value.cursor) {
        const at = new Map(value.cursor.lanes.map((l) => [l.lane, l.seq]));
        const missed = c.journal.filter((e) => e.record.lane < FIRST_BULK_LANE && e.seq > (at.get(e.record.lane) ?? 0n));
        if (missed.length > 0) send({ records: missed.map((e) => e.bytes) });
      }
      control('snapshot', c.snapshot(value.followId, value.cursor ? 'resumed' : 'joined'));
      // A control message that names a follow names this one.
      const tell = (name, what) => control(name, name === 'gap' ? { ...what, followId: value.followId } : what);
      if (c.recordingNow().condition === pb.RecordingCondition.UNRECORDED) tell('recording', c.recordingNow());
      c.listeners.add(listener);
      c.tell.add(tell);
      stops.set(value.followId, () => { c.listeners.delete(listener); c.tell.delete(tell); });
    },
    cancelFollow(value) {
      stops.get(value.followId)?.();
      stops.delete(value.followId);
    },
    clockProbe(value) {
      const t = nowNs();
      control('clockReply', { probeId: value.probeId, sentMonotonicNs: value.sentMonotonicNs, receivedUnixNs: t, repliedUnixNs: t });
    },
    shown(value) {
      bulk.shown = Number(value.bulkBytesTotal);
      if (bulk.shown > bulk.sent) throw new Error(`${identity.name} has shown ${bulk.shown} of ${bulk.sent} bytes`);
      bulk.reports++;
    },
    historyRequest(value) {
      const c = find(value.caseId);
      const inside = (c?.journal ?? []).filter((e) => e.seq >= value.fromSeq && (value.toSeq === 0n || e.seq <= value.toSeq) &&
        (value.lanes.length === 0 || value.lanes.includes(e.record.lane)));
      control('historyPage', { requestId: value.requestId, records: inside.map((e) => e.bytes), last: true });
    },
    heartbeat() {},
  };

  ws.on('message', (bytes) => {
    const up = fromBinary(pb.UpSchema, new Uint8Array(bytes));
    for (const record of up.records) publish(record);
    if (up.control.case) controls[up.control.case](up.control.value);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, otherwise) => {
    const at = process.argv.indexOf(`--${name}`);
    return at > 0 ? process.argv[at + 1] : otherwise;
  };
  const hub = await startFakeHub({ port: Number(option('port', 8099)), dist: option('dist', undefined) });
  for (const i of IDENTITIES) {
    const page = i.role === pb.Role.SURGICAL_TEAM ? '/theatre.html' : '/';
    console.log(`${i.displayName}: ${hub.url}${page}#token=${i.token}&identity=${i.name}`);
  }
}
