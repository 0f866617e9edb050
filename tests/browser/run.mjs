// The workstation in Chromium: wall, case, alert, acknowledge, annotate, message to the theatre, the
// answer back, receipts. A picture of each step; no console errors; axe finds nothing serious.
//
//   node tests/browser/run.mjs [--url URL --reader-token T --theatre-token T] [--hub-pid PID]
//                              [--technologist-token T] [--theatre-name "OR 3"] [--wait SECONDS] [--out DIR]
//
// Each option is also an environment variable (REMORA_URL, REMORA_READER_TOKEN, ...). Without a URL
// it runs against the fake hub. With the process id of a hub on this machine, that hub is stopped
// (SIGSTOP) for a while; without either, there are no steps about a lost link.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { axe, launch, photographer, watch } from './browser.mjs';
import { IDENTITIES, startFakeHub } from './fake_hub.mjs';

function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  if (at > 0) return process.argv[at + 1];
  return process.env[`REMORA_${name.toUpperCase().replaceAll('-', '_')}`] ?? otherwise;
}

const root = join(fileURLToPath(import.meta.url), '../../..');
const out = option('out', join(root, 'build/browser'));
const waitMs = 1000 * Number(option('wait', 120));
const real = option('url');
// The fall comes when the first pictures are taken.
const hub = real ? undefined : await startFakeHub({ dist: option('dist'), alertAfterS: 60 });
const hubPid = Number(option('hub-pid', 0));
const outage = hub ? { begin: () => { hub.quiet = true; hub.drop(); }, end: () => { hub.quiet = false; } }
  : hubPid > 0 ? { begin: () => process.kill(hubPid, 'SIGSTOP'), end: () => process.kill(hubPid, 'SIGCONT') }
    : undefined;
const url = (real ?? hub.url).replace(/\/$/, '');
const readerToken = option('reader-token', hub && IDENTITIES[0].token);
const theatreToken = option('theatre-token', hub && IDENTITIES.find((i) => i.theatre).token);
const technologistToken = option('technologist-token', hub && IDENTITIES.find((i) => i.name === 'ines').token);
let theatreName = option('theatre-name', hub && 'OR 3');

const began = performance.now();
let passed = 0;
let failed = 0;
async function step(name, run) {
  const start = performance.now();
  try {
    await run();
    passed++;
    console.log(`ok    ${name} (${Math.round(performance.now() - start)} ms)`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}: ${error.message.split('\n').slice(0, 6).join('\n      ')}`);
    for (const page of pages) await page.screenshot({ path: join(out, `failed-${failed}-${pages.indexOf(page)}.png`) }).catch(() => {});
  }
}
function expect(condition, words) {
  if (!condition) throw new Error(words);
}

const complaints = [];
const photo = photographer(out);
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1920, height: 1080 }, locale: 'en-GB' });
context.setDefaultTimeout(15_000);
const reader = await context.newPage();
const theatre = await context.newPage();
const pages = [reader, theatre];
watch(reader, 'reader', complaints);
watch(theatre, 'theatre', complaints);
const accessible = async (page, name) => {
  const found = await axe(page);
  expect(found.length === 0, `axe on ${name}: ${found.join('\n')}`);
};
// What the test writes names itself, so that it is found again on a hub that holds more.
const mark = Math.random().toString(36).slice(2, 7);
const question = `Left leg response is down (${mark}). What was done just before?`;
// The sweeps as they are drawn: by row, its scale and how tall the current trace stands, in pixels.
const drawn = (page) => page.evaluate(() => {
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--trace').trim();
  probe.fillRect(0, 0, 1, 1);
  const want = probe.getImageData(0, 0, 1, 1).data;
  const rows = {};
  for (const column of document.querySelectorAll('.sweep-pane .column')) {
    for (const row of column.querySelectorAll('.row')) {
      const canvas = row.querySelector('.trace canvas');
      const { width, height } = canvas;
      // The whole trace from 10 ms after the stimulus: before that, an artefact may stand.
      const from = Math.round(width / 4);
      const { data } = canvas.getContext('2d').getImageData(from, 0, width - from, height);
      let top = height;
      let bottom = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (Math.abs(data[i] - want[0]) + Math.abs(data[i + 1] - want[1]) + Math.abs(data[i + 2] - want[2]) > 24) continue;
        const y = Math.floor(i / 4 / (width - from));
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
      const name = `${column.querySelector('h3').textContent} ${row.querySelector('.row-name b').textContent}`;
      rows[name] = { scale: row.querySelector('.scale-bar').textContent.trim(),
        barPx: row.querySelector('.scale-bar i').getBoundingClientRect().height, heightPx: Math.max(0, bottom - top) };
    }
  }
  return rows;
});
// Presses A until nothing calls: what was not looked at is brought into view first, and looked at.
async function acknowledgeAll(page) {
  for (let i = 0; i < 12 && await page.locator('.alert-calling').count() > 0; i++) {
    await page.waitForTimeout(1400);
    await page.keyboard.press('a');
    await page.waitForTimeout(200);
  }
  await page.waitForFunction(() => document.querySelectorAll('.alert-calling').length === 0);
}
const slotsOnWall = async () => Object.fromEntries(await reader.locator('.tile').evaluateAll(
  (tiles) => tiles.map((t) => [t.querySelector('h2').textContent, t.querySelector('.slot').textContent])));
// "right Cv5-Fz SEP median" of the form: the derivation is its second word.
const chosenName = async (words) => words.split(/\s+/)[1];
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
let slotsBefore;
let drawnBefore;
let wantedId;
const wanted = () => reader.locator(`[id="${wantedId}"]`);
const tile = () => reader.locator('.tile').filter({ has: reader.locator('h2', { hasText: new RegExp(`^${theatreName}$`) }) });

await step('the page asks who one is, and says when a token is not known', async () => {
  const stranger = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await stranger.newPage();
  await page.goto(`${url}/`);
  await page.getByLabel('Token').fill('this is not a token that the hub knows');
  await photo(page, '00-sign-in');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  await accessible(page, 'sign-in');
  await stranger.close();
});

await step('the wall shows the cases, and the token leaves the address', async () => {
  await reader.goto(`${url}/#token=${encodeURIComponent(readerToken)}`);
  await reader.locator('.tile').first().waitFor();
  await reader.locator('.link-live').waitFor();
  expect(!reader.url().includes('token'), `the token is still in ${reader.url()}`);
  await accessible(reader, 'wall');
  await photo(reader, '01-wall');
});

await step('the theatre page says who is reading', async () => {
  await theatre.goto(`${url}/theatre.html#token=${encodeURIComponent(theatreToken)}`);
  await theatre.locator('.theatre').first().waitFor();
  if (theatreName) {
    const choose = theatre.locator('.theatre-choose button', { hasText: theatreName });
    await theatre.locator('.theatre-link, .theatre-choose button').first().waitFor();
    if (await choose.count()) await choose.click();
  }
  await accessible(theatre, 'theatre, at the start');
});

await step('a case opens by key and shows sweeps, EMG, trends and ages', async () => {
  if (!theatreName) {
    await reader.locator('.tile-calling').first().waitFor({ timeout: waitMs });
    theatreName = await reader.locator('.tile-calling h2').first().textContent();
  }
  await tile().waitFor();
  const slot = await tile().locator('.slot').textContent();
  slotsBefore = await slotsOnWall();
  await reader.bringToFront();
  await reader.keyboard.press(slot);
  await reader.locator('.case').waitFor();
  await reader.locator('.sweep-pane .row').first().waitFor();
  await reader.locator('.emg-pane canvas').first().waitFor();
  await reader.locator('.row .readout .value').first().waitFor({ timeout: waitMs });
  await reader.waitForTimeout(4000);
  drawnBefore = await drawn(reader);
  await accessible(reader, 'case');
  await photo(reader, '02-case');
});

if (hub) await step('what is told beside the traces has its line, and EEG is no muscle', async () => {
  const panel = reader.getByRole('region', { name: 'Beside the traces' });
  await panel.getByText(/F3-P3 L SEF95 11\.2 Hz/).waitFor();
  await panel.getByText('MAP 58 mmHg').first().waitFor();
  await panel.getByText('left hand 4/4, ratio 0.91').first().waitFor({ timeout: 30_000 });
  // They were told once, before this page came.
  await panel.getByText('prone').first().waitFor();
  await panel.getByText(/L1 left threshold 11\.50 mA/).first().waitFor();
  expect(!/F3-P3|EEG/.test(await reader.locator('.emg-pane').textContent()), 'EEG stands in the EMG pane');
  expect(await reader.locator('.event-told').count() > 0, 'no event on the time line');
  hub.cases[0].write(1, { case: 'drugGiven', value: { drug: 'rocuronium', dose: '50 mg', change: 1 } });
  await reader.locator('.event-told[title*="rocuronium 50 mg, bolus"]').waitFor();
  await accessible(reader, 'case with what is told beside the traces');
});

await step('an arrow changes the gain of its pane, and the scale with it', async () => {
  const gain = () => reader.locator('.sweep-pane .pane-head .facts span').first().textContent();
  const scale = () => reader.locator('.sweep-pane .scale-bar').first().textContent();
  const before = await gain();
  const scaleBefore = await scale();
  await reader.locator('.sweep-pane .pane-head h2').first().click();
  await reader.keyboard.press('ArrowDown');
  expect(await gain() !== before, 'the arrow did not change the gain');
  expect(await scale() !== scaleBefore, 'the scale bar did not follow');
  await reader.keyboard.press('ArrowUp');
  expect(await gain() === before, 'the gain did not come back');
  expect(await scale() === scaleBefore, 'the scale bar did not come back');
});

await step('the alert appears with its evidence', async () => {
  // Chosen by its words: other alerts (a train of discharges, a link) may stand above or below.
  const found = reader.locator('.alert-high.alert-open').filter({ has: reader.locator('h3', { hasText: /^SEP/ }) }).first();
  await found.waitFor({ timeout: waitMs });
  wantedId = await found.getAttribute('id');
  await reader.waitForTimeout(1500);
  const words = await wanted().textContent();
  expect(/limit/i.test(words), `the alert names no limit: ${words}`);
  expect(await reader.locator('.alert').first().locator('h3', { hasText: /^SEP/ }).count() === 1, 'a lesser alert stands above it');
  await accessible(reader, 'case with an alert');
  await photo(reader, '03-alert');
});

await step('a trace that falls is drawn smaller, at the scale it had', async () => {
  const [, side, derivation] = /\b(left|right)\s+([^:]+):/.exec(await wanted().locator('h3').textContent()) ?? [];
  const name = `${side?.toUpperCase()} ${derivation}`;
  const before = drawnBefore?.[name];
  expect(before?.heightPx > 8, `nothing was drawn before the fall in ${name} of ${Object.keys(drawnBefore ?? {})}`);
  let after;
  for (let i = 0; i < 40; i++) {
    after = await drawn(reader);
    if (after[name].heightPx < 0.75 * before.heightPx) break;
    await reader.waitForTimeout(1000);
  }
  expect(after[name].heightPx < 0.75 * before.heightPx, `${name} is drawn ${after[name].heightPx} px tall, before ${before.heightPx} px`);
  for (const row of Object.keys(drawnBefore)) {
    expect(after[row].scale === drawnBefore[row].scale && after[row].barPx === drawnBefore[row].barPx,
      `the scale of ${row} was ${drawnBefore[row].scale}, is ${after[row].scale}`);
  }
});

await step('the theatre sees it as not yet interpreted', async () => {
  if (await theatre.locator('.theatre-choose button').count()) {
    await theatre.locator('.theatre-choose button', { hasText: theatreName }).click();
  }
  await theatre.locator('.theatre-alert .headline').waitFor();
  expect(/not yet interpreted/i.test(await theatre.locator('.theatre-alert').textContent()), 'it is said to be interpreted');
  await accessible(theatre, 'theatre with an alert');
  await photo(theatre, '03-alert-theatre');
});

await step('A acknowledges, undo takes it back, A acknowledges again', async () => {
  await reader.bringToFront();
  await reader.locator('.sentence').click();
  await acknowledgeAll(reader);
  await wanted().getByRole('button', { name: /^Undo/ }).click();
  await reader.locator(`[id="${wantedId}"].alert-open`).waitFor();
  await acknowledgeAll(reader);
  await wanted().locator('.history li:not(.pending):not(.past)', { hasText: /Acknowledged by/ }).first().waitFor();
  await wanted().getByRole('button', { name: /^Undo/ }).waitFor();
  await photo(reader, '04-acknowledged');
  await theatre.locator('.interpretation', { hasText: 'has it since' }).first().waitFor();
});

await step('a click on a trace annotates that place', async () => {
  const trace = reader.locator('.row .trace canvas').first();
  const box = await trace.boundingBox();
  await trace.click({ position: { x: box.width * 0.4, y: box.height * 0.5 } });
  await reader.getByLabel(/^Annotation on/).fill(`N20 smaller, retractor in place (${mark})`);
  await photo(reader, '05-annotating');
  await reader.keyboard.press('Enter');
  await reader.locator('.notes li:not(.pending)', { hasText: mark }).waitFor();
  await photo(reader, '05-annotated');
});

await step('a letter without focus sends nothing; T writes to the team', async () => {
  await reader.locator('.sentence').click();
  await reader.keyboard.type('hello');
  await reader.keyboard.press('Enter');
  expect(await reader.locator('.message', { hasText: 'hello' }).count() === 0, 'it was sent');
  await reader.locator('.sentence').click();
  await reader.keyboard.press('t');
  const field = reader.locator('.compose textarea');
  await reader.waitForFunction(() => document.activeElement?.matches('.compose textarea'));
  const draft = await field.inputValue();
  expect(draft.includes(theatreName), 'the room is not in the message');
  expect(draft.includes('SEP'), `T writes about another alert than the one that is there: ${draft}`);
  await reader.keyboard.type(` ${question}`);
  await photo(reader, '06-tell-team');
  await reader.keyboard.press('Enter');
  await reader.locator('.message.mine', { hasText: mark }).waitFor();
});

await step('the theatre reads it large, and it is delivered', async () => {
  await theatre.locator('.theatre-message .words', { hasText: mark }).waitFor();
  await reader.locator('.message.mine', { hasText: mark }).locator('.receipts', { hasText: 'Delivered to' }).waitFor();
  await accessible(theatre, 'theatre with a message');
  await photo(theatre, '07-theatre-message');
});

await step('"Seen" and an answer come back with their receipts', async () => {
  await theatre.bringToFront();
  await theatre.getByRole('button', { name: 'Seen' }).click();
  await theatre.getByRole('button', { name: 'Stopping now' }).click();
  await theatre.locator('.answered', { hasText: 'Stopping now' }).waitFor();
  await reader.bringToFront();
  // Read is what stood before somebody: the message in view, and a hand on the mouse.
  const answer = reader.locator('.message.theirs', { hasText: 'Stopping now' }).last();
  await answer.waitFor();
  await answer.scrollIntoViewIfNeeded();
  await reader.mouse.move(600, 500);
  await reader.mouse.move(640, 520);
  await reader.locator('.message.mine', { hasText: mark }).locator('.receipts .read').waitFor();
  await theatre.locator('.answered .receipts .read').waitFor();
  await photo(theatre, '08-theatre-answered');
  await reader.waitForTimeout(1500);
  await accessible(reader, 'case with messages');
  await photo(reader, '08-receipts');
});

await step('a reload comes back signed in, to the same case, with what was said', async () => {
  await reader.reload();
  await reader.locator('.message.mine', { hasText: mark }).waitFor();
  await reader.locator('.message.mine', { hasText: mark }).locator('.receipts .read').waitFor();
  await reader.locator('.history li', { hasText: /Acknowledged by/ }).first().waitFor();
  expect(await reader.locator('.message.mine', { hasText: mark }).count() === 1, 'the message is there twice');
});

await step('Space holds the view with a frame, L looks at it live', async () => {
  await reader.locator('.sentence').click();
  await reader.keyboard.press(' ');
  await reader.locator('.held').first().waitFor();
  await reader.waitForTimeout(1200);
  // What is looked at for a moment only is in no view.
  for (let i = 0; hub && i < 50 && !hub.seen.some((s) => s.view.mode === 2); i++) await reader.waitForTimeout(200);
  await photo(reader, '09-held');
  await reader.keyboard.press('l');
  await reader.waitForFunction(() => document.querySelectorAll('.held').length === 0);
});

await step('B sets a baseline with a reason, and the trace is measured against it', async () => {
  await reader.keyboard.press('b');
  const form = reader.locator('form[aria-label="New baseline"]');
  const submit = form.locator('button[type=submit]');
  const all = form.locator('label.check');
  // One trace, of the side that has not fallen.
  const spared = /\bleft\b/i.test(await wanted().locator('h3').textContent()) ? /right/i : /left/i;
  const chosen = all.filter({ hasText: spared }).first();
  const words = (await chosen.textContent()).trim();
  for (let i = 0; i < await all.count(); i++) {
    if ((await all.nth(i).textContent()).trim() !== words) await all.nth(i).locator('input').uncheck();
  }
  expect(await submit.isDisabled(), 'it can be set without a reason');
  await reader.getByLabel('Reason (required)').fill(`after repositioning (${mark})`);
  await photo(reader, '10-baseline');
  await accessible(reader, 'case with the baseline form');
  expect(/^Set 1 in/.test((await submit.textContent()).trim()), `the button says: ${await submit.textContent()}`);
  await submit.click();
  await form.waitFor({ state: 'detached' });
  // The agent has set it, the hub has recorded it, the page has read it back: no other way to here.
  const derivation = (await chosenName(words)).trim();
  const column = reader.locator('.sweep-pane .column').filter({ has: reader.locator('h3', { hasText: spared }) });
  const row = column.locator('.row').filter({ has: reader.locator('.row-name b', { hasText: new RegExp(`^${escaped(derivation)}$`) }) });
  await row.locator('.component', { hasText: /re-?baseline/i }).first().waitFor({ timeout: waitMs });
  await photo(reader, '10-baseline-set');
});

await step('narrow and zoomed screens stay readable', async () => {
  await reader.setViewportSize({ width: 1366, height: 768 });
  await reader.waitForTimeout(800);
  await photo(reader, '11-case-1366');
  await reader.setViewportSize({ width: 960, height: 540 });
  await reader.waitForTimeout(800);
  // A rail that is too low scrolls; its buttons do not lie on each other.
  const squeezed = await reader.evaluate(() => [...document.querySelectorAll('.rail button')]
    .filter((button) => button.scrollHeight > button.clientHeight + 1).length);
  expect(squeezed === 0, `${squeezed} buttons of the rail have no room for their words`);
  const wide = await reader.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide <= 1, `the page scrolls sideways by ${wide} px at 200 %`);
  await photo(reader, '11-case-zoom-200', { fullPage: true });
  await reader.setViewportSize({ width: 1920, height: 1080 });
});

await step('W goes back to the wall, where each tile kept its slot', async () => {
  await reader.locator('.sentence').click();
  await reader.keyboard.press('w');
  await tile().waitFor();
  await reader.waitForTimeout(1200);
  const slots = await slotsOnWall();
  expect(JSON.stringify(slots) === JSON.stringify(slotsBefore),
    `slots were ${JSON.stringify(slotsBefore)}, are ${JSON.stringify(slots)}`);
  await accessible(reader, 'wall with an alert');
  await photo(reader, '12-wall');
});

if (technologistToken) {
  await step('a technologist is offered to close the case, by the role that the hub tells', async () => {
    const page = await (await browser.newContext({ viewport: { width: 1920, height: 1080 }, locale: 'en-GB' })).newPage();
    await page.goto(`${url}/#token=${encodeURIComponent(technologistToken)}`);
    await page.locator('.tile', { hasText: theatreName }).first().locator('.tile-open').click();
    await page.getByRole('button', { name: 'Close this case' }).waitFor();
    expect(await reader.getByRole('button', { name: 'Close this case' }).count() === 0, 'a reader is offered to close it');
    await page.context().close();
  });
}

if (hub) {
  await step('what is shown is reported, and nothing is withheld for want of it', () => {
    const bulk = hub.bulk[IDENTITIES[0].name];
    expect(bulk.reports > 20 && bulk.shown > 100_000, `reported ${bulk.reports} times, ${bulk.shown} of ${bulk.sent} bytes`);
    expect(bulk.withheld === 0, `${bulk.withheld} bulk records were withheld`);
    expect(bulk.sent - bulk.shown < 65_536, `${bulk.sent - bulk.shown} bytes are not reported`);
  });
}

if (hub) {
  const fake = hub.cases[0];
  const openCase = async () => {
    await reader.bringToFront();
    if (await reader.locator('.case').count()) return;
    await reader.keyboard.press(await tile().locator('.slot').textContent());
    await reader.locator('.row .readout .value').first().waitFor();
  };

  await step('stimulation that stops is told, and its traces do not look live', async () => {
    await openCase();
    fake.stimulating = false;
    try {
      await reader.locator('.row-stopped').first().waitFor();
      await reader.locator('.ages', { hasText: /stimulation stopped 00:/ }).waitFor();
      await theatre.locator('.theatre-ages', { hasText: /stopped/ }).waitFor();
      await accessible(reader, 'case, stimulation stopped');
      await photo(reader, '16-stimulation-stopped');
      expect(await reader.locator('.link-live').count() === 1, 'the link is said to be bad');
    } finally {
      fake.stimulating = true;
    }
    await reader.waitForFunction(() => document.querySelectorAll('.row-stopped').length === 0);
  });

  await step('what is shown and not recorded is marked, everywhere, and cleared when it is recorded', async () => {
    await openCase();
    fake.failJournal('disk full: /var/lib/remora');
    try {
      await reader.locator('.strip-now', { hasText: 'disk full' }).waitFor();
      await reader.locator('.row-unrecorded').first().waitFor();
      await theatre.locator('.strip-now').waitFor();
      await reader.locator('.muscle-covers .not-recorded').first().waitFor();
      const field = reader.locator('.compose textarea');
      await field.fill(`written while nothing is recorded (${mark})`);
      await field.press('Enter');
      await reader.waitForTimeout(1500);
      await accessible(reader, 'case, not recorded');
      await accessible(theatre, 'theatre, not recorded');
      await photo(reader, '17-not-recorded');
      await photo(theatre, '17-not-recorded-theatre');
      await reader.locator('.sentence').click();
      await reader.keyboard.press('w');
      await tile().locator('.tile-strip', { hasText: 'NOT RECORDED' }).waitFor();
      await accessible(reader, 'wall, not recorded');
      await photo(reader, '17-not-recorded-wall');
    } finally {
      fake.mendJournal();
    }
    await tile().locator('.tile-strip', { hasText: '1 outage not looked through' }).waitFor();
    await openCase();
    await reader.waitForFunction(() => document.querySelectorAll('.strip-now').length === 0);
    const mine = reader.locator('.message.mine', { hasText: `written while nothing is recorded (${mark})` });
    await mine.locator('.receipts', { hasText: 'On record' }).waitFor();
    expect(await mine.count() === 1, 'it is there twice');
    await reader.locator('.strip-unread', { hasText: 'Nothing was recorded' }).waitFor();
  });

  await step('after an outage of the agent the backlog is looked through and ticked', async () => {
    await openCase();
    fake.cutAgent();
    await reader.locator('.stale-lost').waitFor({ timeout: 20_000 });
    expect(!/stopped/i.test(await reader.locator('.case').textContent()), 'what nobody can see is said to have stopped');
    await photo(reader, '18-agent-lost');
    // Longer than one page of a review shows.
    await reader.waitForTimeout(22_000);
    fake.mendAgent();
    const strip = reader.locator('.strip-unread', { hasText: 'agent\u2019s link was away' });
    await strip.waitFor();
    expect(/came late/.test(await strip.textContent()), `it does not say what came late: ${await strip.textContent()}`);
    await photo(reader, '18-came-late');
    const ticks = reader.getByRole('button', { name: /Reviewed backlog/ });
    for (let i = 0; i < 2; i++) expect(await ticks.nth(i).isDisabled(), 'it can be ticked before it was looked through');
    await strip.getByRole('button', { name: 'Look through' }).click();
    await reader.locator('.strip-review', { hasText: 'came late' }).waitFor();
    await reader.locator('.sweep-pane .held').first().waitFor();
    await reader.waitForTimeout(800);
    await accessible(reader, 'case, looking through');
    await photo(reader, '19-review');
    // It can be ticked once its last step was on the screen.
    const later = reader.locator('.strip-review').getByRole('button', { name: 'Later' });
    expect(await later.isEnabled(), 'it is on one page');
    expect(await ticks.isDisabled(), 'it can be ticked before its last page');
    for (let i = 0; i < 40 && await later.isEnabled(); i++) await later.click();
    expect(await reader.locator('.emg-pane .muscle-covers b').count() === 0, 'muscles of that time are missing');
    await photo(reader, '19-review-end');
    expect(await ticks.isEnabled(), 'it cannot be ticked after it was looked through');
    await reader.locator('.strip-review').getByRole('button', { name: /Back to live/ }).click();
    for (const [i, words] of ['was away', 'Nothing was recorded'].entries()) {
      const one = reader.locator('.strip-unread', { hasText: words });
      if (i === 1) {
        await one.getByRole('button', { name: /Without looking through/ }).click();
        const say = one.getByRole('button', { name: 'Reviewed without looking through' });
        expect(await say.isDisabled(), 'it can be ticked without a look and without a reason');
        await one.getByLabel(/Why it need not be/).fill(`seen in theatre (${mark})`);
        await accessible(reader, 'ticking without a look');
        await photo(reader, '19-without-look');
        await say.click();
      } else {
        await one.getByRole('button', { name: /Reviewed backlog/ }).click();
      }
      await one.waitFor({ state: 'detached' });
      if (i === 0) expect(await reader.locator('.strip-unread').count() === 1, 'a tick took both');
    }
    await reader.locator('.notes li', { hasText: `reviewed without looking through: seen in theatre (${mark})` }).waitFor();
    await reader.locator('.sentence').click();
    await reader.keyboard.press('w');
    await reader.waitForFunction(() => document.querySelectorAll('.tile-strip').length === 0);
  });

  await step('a clock that stepped is told, and no age moves by it', async () => {
    await openCase();
    fake.tellClock(0);
    fake.tellClock(600_000);
    await reader.locator('.notes .technical', { hasText: 'Clock of OR 3\u2019s computer stepped by +10 min' }).waitFor();
    await accessible(reader, 'case, a clock stepped');
    await photo(reader, '18-clock');
    const ages = await reader.locator('.ages').textContent();
    expect(!/\b(09|1\d):\d\d|\d min/.test(ages), `an age moved by it: ${ages}`);
    fake.tellClock(0);
  });

  await step('a slow link is told with what it carries', async () => {
    await openCase();
    // The fake's bulk goes on beside it, and each record says that the link is slow no more.
    const saying = setInterval(() => fake.say('gap', { caseId: fake.caseId, lane: 3, count: 0, cause: 4 + 1 }), 100);
    await reader.locator('.strip', { hasText: /SLOW LINK.*carries about \d+ [kM]bit\/s/ }).waitFor()
      .finally(() => clearInterval(saying));
    // Less can be asked for, is said as long as it is so, and is undone. (What this screen says of
    // EMG then is what it asked for, not that the muscles are quiet.)
    const asking = setInterval(() => fake.say('gap', { caseId: fake.caseId, lane: 3, count: 0, cause: 4 + 1 }), 100);
    await reader.waitForFunction(() => {
      const lighter = [...document.querySelectorAll('.strip button')].find((b) => b.textContent === 'Lighter');
      lighter?.click();
      return lighter !== undefined;
    }).finally(() => clearInterval(asking));
    await reader.locator('.strip', { hasText: /LIGHTER.*no EMG/ }).waitFor();
    await reader.locator('.emg-review', { hasText: 'set lighter' }).waitFor();
    await photo(reader, '18-lighter');
    await reader.getByRole('button', { name: 'Everything again' }).click();
    await reader.locator('.strip', { hasText: 'LIGHTER' }).waitFor({ state: 'detached' });
    // Less can be asked for of any link, before it is slow.
    await reader.getByRole('button', { name: /LIVE/ }).click();
    const menu = reader.getByRole('dialog', { name: 'The link of this screen' });
    await accessible(reader, 'the link');
    await photo(reader, '18-link');
    await menu.getByRole('button', { name: 'Lighter' }).click();
    await reader.locator('.strip', { hasText: 'LIGHTER' }).waitFor();
    await menu.getByRole('button', { name: 'Everything again' }).click();
    await reader.locator('.strip', { hasText: 'LIGHTER' }).waitFor({ state: 'detached' });
    await reader.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
    // Bulk comes again: it is over.
    await reader.waitForFunction(() => ![...document.querySelectorAll('.strip')].some((s) => /SLOW LINK/.test(s.textContent)));
  });

  await step('what was seen is on record: live, in review, on the wall, with its ages', async () => {
    const mine = hub.seen.filter((s) => s.who === IDENTITIES[0].name).map((s) => s.view);
    const modes = new Set(mine.map((v) => v.mode));
    for (const mode of [1, 2, 4]) expect(modes.has(mode), `no view of mode ${mode} among ${[...modes]}`);
    const live = mine.filter((v) => v.mode === 1);
    expect(live.every((v) => v.traces.length <= 64 && v.actor === IDENTITIES[0].displayName), 'a view is not as the contract has it');
    expect(live.some((v) => v.traces.length > 10 && v.controlSeq > 0n && v.linkAgeMs >= 0 && v.linkAgeMs < 2000 && v.acquisitionAgeMs > 0), 'no view has its ages');
    expect(live.some((v) => v.unrecorded), 'that something was not recorded is not in any view');
    expect(hub.seen.some((s) => s.who === 'or3'), 'the theatre wrote none');
    const seconds = (performance.now() - began) / 1000;
    expect(mine.length <= seconds / 2 + 10, `${mine.length} views in ${seconds.toFixed(0)} s`);
    // A screen on which nothing happens writes one each half minute: neither a running average nor its own views
    // are news to it.
    await openCase();
    hub.still = true;
    try {
      await reader.waitForTimeout(4_000);
      const before = hub.seen.length;
      await reader.waitForTimeout(12_000);
      expect(hub.seen.length - before <= 2, `${hub.seen.length - before} views of two quiet screens in 12 s`);
    } finally {
      hub.still = false;
    }
  });
}

if (outage) {
  await step('a lost link covers the page with words, and nothing written is lost', async () => {
    complaints.forgive = /WebSocket|401|Failed to load/;
    await reader.bringToFront();
    if (await reader.locator('.case').count() === 0) await reader.keyboard.press(await tile().locator('.slot').textContent());
    await reader.locator('.row .readout .value').first().waitFor();
    const mine = reader.locator('.message.mine', { hasText: `written without a link (${mark})` });
    outage.begin();
    try {
      await reader.locator('.stale-stale').waitFor();
      await photo(reader, '13-stale');
      await reader.locator('.compose textarea').fill(`written without a link (${mark})`);
      await reader.locator('.compose textarea').press('Enter');
      await mine.locator('.pending').waitFor();
      await reader.locator('.stale-lost').waitFor();
      await theatre.locator('.theatre-link-lost').waitFor();
      await accessible(reader, 'case, link lost');
      await photo(reader, '14-lost');
      // Told in lane 2, once, and of lane 1 something behind it.
      hub?.cases[0].write(2, { case: 'trainOfFour', value: { limb: 'right foot', twitchCount: 1 } });
      hub?.cases[0].write(1, { case: 'drugGiven', value: { drug: 'sugammadex', dose: '200 mg', change: 1 } });
    } finally {
      outage.end();
    }
    await reader.locator('.link-live').waitFor({ timeout: 20_000 });
    await mine.locator('.receipts', { hasText: 'On record' }).waitFor({ timeout: 20_000 });
    expect(await mine.count() === 1, 'it is there twice');
    if (hub) {
      const panel = reader.getByRole('region', { name: 'Beside the traces' });
      for (const words of ['right foot 1/4', 'sugammadex 200 mg']) await panel.getByText(words).first().waitFor();
    }
    await theatre.locator('.theatre-link-live').waitFor({ timeout: 20_000 });
    await theatre.getByText(`written without a link (${mark})`).first().waitFor();
    await photo(reader, '15-again');
    complaints.forgive = undefined;
  });

  await step('what was on record before the loss is there after a reload', async () => {
    await reader.reload();
    for (const words of [question, `written without a link (${mark})`]) {
      const message = reader.locator('.message.mine', { hasText: words });
      await message.waitFor();
      expect(await message.count() === 1, `"${words}" is there ${await message.count()} times`);
    }
  });
}

if (hub) {
  await step('a case whose records are missing is closed with a reason, and its certificate says so', async () => {
    const fake = hub.cases[1];
    fake.missing = 12;
    const page = await (await browser.newContext({ viewport: { width: 1920, height: 1080 }, locale: 'en-GB' })).newPage();
    await page.goto(`${url}/#token=${encodeURIComponent(IDENTITIES.find((i) => i.name === 'ines').token)}`);
    await page.locator('.tile', { hasText: fake.theatre }).first().locator('.tile-open').click();
    await page.getByRole('button', { name: 'Close this case' }).click();
    const form = page.locator('form[aria-label="Close with gaps"]');
    await form.waitFor();
    expect(/12 records/.test(await form.textContent()), 'it does not say what is missing');
    const close = form.getByRole('button', { name: 'Close with gaps' });
    expect(await close.isDisabled(), 'it can be closed without a reason');
    await form.locator('input').fill('The theatre computer was lost in a power cut.');
    await accessible(page, 'closing with gaps');
    await photo(page, '20-closing');
    await close.click();
    await page.locator('.certificate-gaps', { hasText: '12 records missing' }).waitFor();
    await photo(page, '20-closed');
    await page.locator('.gap-span').first().waitFor();
    await page.locator('button.certificate').focus();
    await page.keyboard.press('Enter');
    const sheet = page.getByRole('dialog', { name: 'What the certificate names' });
    await sheet.waitFor();
    const named = await sheet.locator('tbody tr').allTextContents();
    expect(named.length === 2 && /samples.*given up: its disk was short of space.*\d\d:\d\d:\d\d/.test(named[0]) &&
      /12.*missing/.test(named[1]), `the gaps are listed as ${JSON.stringify(named)}`);
    await accessible(page, 'the certificate');
    await photo(page, '20-certificate');
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    // Nothing of it is due any more, and its agent has gone.
    expect(/^CLOSED \d\d:\d\d, 12 records missing$/.test(await page.locator('.case-over').textContent()),
      `the header says: ${await page.locator('.case-over').textContent()}`);
    await page.waitForTimeout(11_000);
    const said = await page.locator('.case').textContent();
    const alarm = /stopped \d|STOPPED|OVERDUE|NO DATA|no data of|STALE|LINK LOST|does not hear/.exec(said);
    expect(!alarm, `a closed case says: ${alarm?.[0]}`);
    expect(await page.locator('.case.is-stale').count() === 0, 'a closed case looks stale');
    const after = page.locator('section[aria-label="The closed case"]');
    await after.getByText('12 records are missing.').waitFor();
    await photo(page, '20-closed-later');
    // Without a live link nothing is asked for, and it says why.
    complaints.forgive = /WebSocket|401|Failed to load/;
    outage.begin();
    try {
      await after.getByText('no live link to the hub').waitFor();
      for (const name of ['Seal this case', 'Open it again']) expect(await after.getByRole('button', { name }).isDisabled(), `"${name}" without a link`);
      await accessible(page, 'a closed case without a link');
      await photo(page, '20-closed-no-link');
    } finally {
      outage.end();
    }
    await page.locator('.link-live').waitFor({ timeout: 20_000 });
    await reader.locator('.link-live').waitFor({ timeout: 20_000 });
    complaints.forgive = undefined;
    expect(await after.getByText('no live link to the hub').count() === 0, 'the link is live, and said not to be');
    await after.getByRole('button', { name: 'Open it again' }).click();
    expect(await after.getByRole('button', { name: 'Open again' }).isDisabled(), 'it can be opened again without a reason');
    await after.getByRole('button', { name: 'Cancel' }).click();
    await after.getByRole('button', { name: 'Seal this case' }).click();
    await accessible(page, 'sealing');
    await photo(page, '20-sealing');
    fake.heldSteps = [];
    fake.refuses = 'the journal cannot be written now';
    await after.getByRole('button', { name: 'Seal for good' }).click();
    await after.getByText('The hub is asked').waitFor();
    expect(await after.getByRole('button').count() === 0, 'it can be asked for twice');
    await photo(page, '20-asked');
    for (const answer of fake.heldSteps.splice(0)) answer();
    fake.heldSteps = undefined;
    await after.getByText('the journal cannot be written now').waitFor();
    await photo(page, '20-refused');
    await after.getByText('12 records are missing.').waitFor();
    fake.refuses = undefined;
    // A step that could not be sent, and whose page is gone: it is offered and not sent.
    fake.holdsJoins = true;
    await page.reload();
    await after.getByRole('button', { name: 'Seal this case' }).click();
    await after.getByRole('button', { name: 'Seal for good' }).click();
    await after.getByText('The hub is asked').waitFor();
    await page.goto('about:blank');
    fake.holdsJoins = false;
    await page.goto(`${url}/`);
    await page.locator('.strip', { hasText: /NOT SENT.*OR 5.*seal this case, asked/ }).waitFor();
    await accessible(page, 'the wall with a step that was not sent');
    await photo(page, '21-not-sent-wall');
    await page.getByRole('button', { name: 'Open the case' }).click();
    const unsent = page.locator('.case .strip', { hasText: 'NOT SENT' });
    await unsent.waitFor();
    await page.locator('.notes li:not(.pending)', { hasText: /not done: seal this case/ }).waitFor();
    expect(/^CLOSED/.test(await page.locator('.case-over').textContent()), 'it was sent by itself');
    await accessible(page, 'a step that was not sent');
    await photo(page, '21-not-sent');
    // Sent now, and not answered when its page is gone: the next page offers the same again, and the hub answers.
    fake.heldSteps = [];
    await unsent.getByRole('button', { name: 'Send now' }).click();
    await unsent.waitFor({ state: 'detached' });
    await after.getByText('The hub is asked').waitFor();
    const heldFor = async (count) => {
      for (let i = 0; i < 100 && fake.heldSteps.length < count; i++) await page.waitForTimeout(100);
      expect(fake.heldSteps.length >= count, `${fake.heldSteps.length} steps came`);
    };
    await heldFor(1);
    await page.goto('about:blank');
    fake.heldSteps = [];
    await page.goto(`${url}/`);
    const sent = page.locator('.strip', { hasText: /OR 5.*SENT, NOT ANSWERED.*seal this case, asked/ });
    await sent.waitFor();
    await accessible(page, 'the wall with a step that is not answered');
    await photo(page, '21-not-answered-wall');
    await sent.getByRole('button', { name: 'Open the case' }).click();
    await page.locator('.case .strip', { hasText: 'SENT, NOT ANSWERED' }).waitFor();
    expect(await unsent.count() === 0, 'a step that was sent is offered as not sent');
    await heldFor(1);
    await photo(page, '21-not-answered');
    for (const answer of fake.heldSteps.splice(0)) answer();
    fake.heldSteps = undefined;
    await page.locator('.case .strip', { hasText: 'SENT, NOT ANSWERED' }).waitFor({ state: 'detached' });
    await after.waitFor({ state: 'detached' });
    expect(/^SEALED \d\d:\d\d, 12 records missing$/.test(await page.locator('.case-over').textContent()),
      `the header says: ${await page.locator('.case-over').textContent()}`);
    await photo(page, '20-sealed');
    await page.locator('.sentence').click();
    await page.keyboard.press('w');
    await page.locator('.closed-cases summary').click();
    await page.locator('.closed-cases .certificate-gaps').waitFor();
    expect(/SEALED.*12 records missing/.test(await page.locator('.closed-cases').textContent()), 'the wall does not say what the case is');
    await photo(page, '20-closed-wall');
    await page.context().close();
  });
}

await step('no console errors', () => expect(complaints.length === 0, complaints.join('\n')));

await browser.close();
await hub?.stop();
console.log(`pictures in ${out}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
