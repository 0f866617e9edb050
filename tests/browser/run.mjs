// The workstation in Chromium: wall, case, alert, acknowledge, annotate, message to the theatre, the
// answer back, receipts. A picture of each step; no console errors; axe finds nothing serious.
//
//   node tests/browser/run.mjs [--url URL --reader-token T --theatre-token T]
//                              [--theatre-name "OR 3"] [--wait SECONDS] [--out DIR]
//
// Each option is also an environment variable (REMORA_URL, REMORA_READER_TOKEN, ...). Without a URL
// it runs against the fake hub, with the states that only it can make (lost link, narrow, zoomed).
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
const hub = real ? undefined : await startFakeHub({ dist: option('dist') });
const url = (real ?? hub.url).replace(/\/$/, '');
const readerToken = option('reader-token', hub && IDENTITIES[0].token);
const theatreToken = option('theatre-token', hub && IDENTITIES[1].token);
let theatreName = option('theatre-name', hub && 'OR 3');

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
  await reader.bringToFront();
  await reader.keyboard.press(slot);
  await reader.locator('.case').waitFor();
  await reader.locator('.sweep-pane .row').first().waitFor();
  await reader.locator('.emg-pane canvas').first().waitFor();
  await reader.locator('.row .readout .value').first().waitFor({ timeout: waitMs });
  await reader.waitForTimeout(4000);
  await accessible(reader, 'case');
  await photo(reader, '02-case');
});

await step('a trace that is not touched keeps its gain', async () => {
  const gain = () => reader.locator('.sweep-pane .pane-head .facts span').first().textContent();
  const before = await gain();
  await reader.locator('.sweep-pane .pane-head h2').first().click();
  await reader.keyboard.press('ArrowDown');
  expect(await gain() !== before, 'the arrow did not change the gain');
  await reader.keyboard.press('ArrowUp');
  expect(await gain() === before, 'the gain did not come back');
});

await step('the alert appears with its evidence', async () => {
  await reader.locator('.alert-open').first().waitFor({ timeout: waitMs });
  await reader.waitForTimeout(1500);
  const words = await reader.locator('.alert-open').first().textContent();
  expect(/limit/i.test(words), `the alert names no limit: ${words}`);
  await accessible(reader, 'case with an alert');
  await photo(reader, '03-alert');
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
  const before = await reader.locator('.alert-open').count();
  await reader.keyboard.press('a');
  await reader.getByRole('button', { name: /^Undo/ }).click();
  await reader.waitForFunction((n) => document.querySelectorAll('.alert-open').length >= n, before);
  await reader.keyboard.press('a');
  await reader.locator('.history', { hasText: /Acknowledged by/ }).first().waitFor();
  await reader.locator('.history li:not(.pending)', { hasText: /Acknowledged by/ }).first().waitFor();
  await reader.getByRole('button', { name: /^Undo/ }).first().waitFor();
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
  expect((await field.inputValue()).includes(theatreName), 'the room is not in the message');
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
  await reader.locator('.message.theirs', { hasText: 'Stopping now' }).waitFor();
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
  await photo(reader, '09-held');
  await reader.keyboard.press('l');
  await reader.waitForFunction(() => document.querySelectorAll('.held').length === 0);
});

await step('B sets a baseline with a reason', async () => {
  await reader.keyboard.press('b');
  await reader.getByLabel('Reason (required)').fill(`after repositioning (${mark})`);
  await photo(reader, '10-baseline');
  await accessible(reader, 'case with the baseline form');
  await reader.keyboard.press('Escape');
  await reader.waitForFunction(() => !document.querySelector('form[aria-label="New baseline"]'));
});

await step('narrow and zoomed screens stay readable', async () => {
  await reader.setViewportSize({ width: 1366, height: 768 });
  await reader.waitForTimeout(800);
  await photo(reader, '11-case-1366');
  await reader.setViewportSize({ width: 960, height: 540 });
  await reader.waitForTimeout(800);
  const wide = await reader.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide <= 1, `the page scrolls sideways by ${wide} px at 200 %`);
  await photo(reader, '11-case-zoom-200', { fullPage: true });
  await reader.setViewportSize({ width: 1920, height: 1080 });
});

await step('W goes back to the wall, where the tile kept its slot', async () => {
  await reader.locator('.sentence').click();
  await reader.keyboard.press('w');
  await tile().waitFor();
  await reader.waitForTimeout(1200);
  await accessible(reader, 'wall with an alert');
  await photo(reader, '12-wall');
});

if (hub) {
  await step('what is shown is reported, and nothing is withheld for want of it', () => {
    const bulk = hub.bulk[IDENTITIES[0].name];
    expect(bulk.reports > 20 && bulk.shown > 100_000, `reported ${bulk.reports} times, ${bulk.shown} of ${bulk.sent} bytes`);
    expect(bulk.withheld === 0, `${bulk.withheld} bulk records were withheld`);
    expect(bulk.sent - bulk.shown < 65_536, `${bulk.sent - bulk.shown} bytes are not reported`);
  });

  await step('a lost link covers the page with words, and nothing written is lost', async () => {
    complaints.forgive = /WebSocket|401|Failed to load/;
    await reader.keyboard.press(await tile().locator('.slot').textContent());
    await reader.locator('.row .readout .value').first().waitFor();
    hub.quiet = true;
    hub.drop();
    await reader.locator('.stale-stale').waitFor();
    await photo(reader, '13-stale');
    await reader.locator('.compose textarea').fill(`written without a link (${mark})`);
    await reader.locator('.compose textarea').press('Enter');
    await reader.locator('.message.mine', { hasText: 'written without' }).locator('.pending').waitFor();
    await reader.locator('.stale-lost').waitFor();
    await accessible(reader, 'case, link lost');
    await photo(reader, '14-lost');
    hub.quiet = false;
    await reader.locator('.link-live').waitFor({ timeout: 20_000 });
    await reader.locator('.message.mine', { hasText: 'written without' }).locator('.receipts', { hasText: 'On record' }).waitFor();
    expect(await reader.locator('.message.mine', { hasText: 'written without' }).count() === 1, 'it is there twice');
    await photo(reader, '15-again');
    complaints.forgive = undefined;
  });
}

await step('no console errors', () => expect(complaints.length === 0, complaints.join('\n')));

await browser.close();
await hub?.stop();
console.log(`pictures in ${out}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
