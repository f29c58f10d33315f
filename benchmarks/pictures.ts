/**
 * `npm run pictures`: makes the pictures of docs/report.md anew, of a build that never was
 * (tests/fixtures/invented-build.ts), in Debian's Chromium.
 *
 *   node build/benchmarks/pictures.js DIRECTORY
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { LiveFeed } from '../src/client/live-feed.js';
import { LivePage } from '../src/client/live-page.js';
import { realClock } from '../src/platform/clock.js';
import { readLiveAssets, readReportAssets } from '../src/platform/page-assets.js';
import { buildModel } from '../src/report/analysis/build-model.js';
import { buildReport } from '../src/report/analysis/build-report.js';
import type { LiveView } from '../src/report/live.js';
import { PAGE_STYLE } from '../src/report/page/page-style.js';
import { reportPage } from '../src/report/page/report-page.js';
import { SpanFold } from '../src/report/spans.js';
import { INVENTED_HOSTS, INVENTED_START, inventedBuild } from '../tests/fixtures/invented-build.js';
import { liveCommand, liveHost, liveSession, liveView } from '../tests/fixtures/live-views.js';

const SIZE = { width: 1240, height: 800 };
/** Bytes that a picture in a repository may have. */
const MOST = 150 * 1024;
/** Milliseconds into the build at which the live page is looked at. */
const LOOK = 10_500;

/** Parts of the report's page, each a picture: what stands between the tops of these sections. */
const PICTURES = {
  'what-to-do': ['head', 'timeline'],
  timeline: ['timeline', 'utilisation'],
  utilisation: ['utilisation', 'reasons'],
  'stayed-here': ['reasons', 'hosts'],
  hosts: ['hosts', 'chain'],
  chain: ['chain', 'slowest'],
  slowest: ['slowest', 'headers'],
  headers: ['headers', 'rebuilds'],
  rebuilds: ['rebuilds', 'directories'],
  directories: ['directories', 'what-if'],
  'other-farms': ['what-if', 'difference'],
  difference: ['difference', 'commands'],
} as const;

async function pictureReport(browser: Browser, directory: string): Promise<void> {
  const [before, now] = [
    buildModel('yesterday', inventedBuild(1)),
    buildModel('today', inventedBuild(2)),
  ];
  const path = `${directory}/report.html`;
  writeFileSync(path, reportPage(buildReport(now, [before]), readReportAssets()));
  const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light' });
  await page.goto(`file://${path}`);
  for (const [name, [from, to]] of Object.entries(PICTURES)) {
    const top = from === 'head' ? 0 : await topOf(page, from);
    // The first rows say what a table tells.
    const height = Math.min(700, (await topOf(page, to)) - top);
    await shoot(page, name, { x: 0, y: top, width: SIZE.width, height });
  }
  const dark = await browser.newPage({ viewport: SIZE, colorScheme: 'dark' });
  await dark.goto(`file://${path}`);
  const height = (await topOf(dark, 'utilisation')) - (await topOf(dark, 'advice'));
  const clip = { x: 0, y: await topOf(dark, 'advice'), width: SIZE.width, height };
  await shoot(dark, 'dark', clip);
}

async function topOf(page: Page, id: string): Promise<number> {
  const box = await page.locator(`#${id}`).boundingBox();
  if (box === null) throw new Error(`the page has no #${id}`);
  return box.y;
}

interface Clip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

async function shoot(page: Page, name: string, clip?: Clip): Promise<void> {
  const path = `${place}/${name}.png`;
  await page.screenshot(clip === undefined ? { path } : { path, clip, fullPage: true });
  checkSize(name);
}

function checkSize(name: string): void {
  const path = `${place}/${name}.png`;
  const { size } = statSync(path);
  process.stdout.write(`${name}.png: ${Math.round(size / 1024)} KiB\n`);
  if (size > MOST) throw new Error(`${path} has more than ${MOST / 1024} KiB`);
}

/** What the daemon would have told in the middle of that build. */
function middle(): { readonly feed: LiveFeed; readonly view: LiveView } {
  const until = INVENTED_START + LOOK;
  const { commands } = buildModel('today', inventedBuild(2));
  const running = commands.flatMap((command) => {
    const { id, source, start, end, busy, host, remote } = command;
    if (start > LOOK || end <= LOOK || remote === null) return [];
    const isThere = busy.from <= LOOK;
    return [
      liveCommand({
        ...{ id, name: source, phase: isThere ? 'remote' : 'remote-queue' },
        ...{ host: isThere ? host : null, elapsed: LOOK - start },
        inPhase: LOOK - (isThere ? busy.from : start),
      }),
    ];
  });
  const ended = commands.filter(({ end }) => end <= LOOK);
  const count = (outcome: string) => ended.filter((command) => command.outcome === outcome).length;
  const view = liveView({
    time: until,
    sessions: [
      liveSession({
        ...{ session: 'today', started: INVENTED_START, running: running.length },
        outcomes: { pump: count('pump'), plain: count('plain'), cache: 0, local: count('local') },
        declines: { lto: ended.filter(({ reason }) => reason?.name === 'lto').length },
      }),
    ],
    queued: running.filter(({ phase }) => phase === 'remote-queue').length,
    hosts: INVENTED_HOSTS.map((name, n) => {
      const mine = running.filter(({ host }) => host === name).length;
      return liveHost({ name, slots: 4, mine, others: n % 2, load: mine + 0.25 * n });
    }),
    commands: running,
  });
  const feed = new LiveFeed(realClock, () => view);
  const fold = new SpanFold('today');
  for (const line of inventedBuild(2)) {
    const span = line.time <= until ? fold.add(line, line.time) : undefined;
    if (span !== undefined) feed.add(span);
  }
  return { feed, view };
}

async function pictureLivePage(browser: Browser): Promise<void> {
  const { html, chartScript, chartStyle, pageScript } = readLiveAssets();
  const live = new LivePage({
    clock: realClock,
    feed: middle().feed,
    source: {
      html,
      style: `${chartStyle}\n${PAGE_STYLE}`,
      script: `${chartScript}\n${pageScript}`,
    },
    report: async () => {
      const lines = inventedBuild(2).filter(({ time }) => time <= INVENTED_START + LOOK);
      return reportPage(buildReport(buildModel('today', lines), []), readReportAssets());
    },
    log: (message) => void process.stderr.write(`${message}\n`),
    onEnd: () => {},
  });
  try {
    const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light' });
    await page.goto(await live.listen());
    await page.locator('#timeline-chart canvas').waitFor();
    await shoot(page, 'live', { x: 0, y: 0, width: SIZE.width, height: 860 });
    await page.locator('#report-show').click();
    const frame = page.frameLocator('#report-frame');
    await frame.locator('#utilisation').scrollIntoViewIfNeeded();
    await frame.locator('#utilisation-chart canvas').waitFor();
    const section = page.locator('section', { has: page.locator('#report-title') });
    await section.screenshot({ path: `${place}/live-report.png` });
    checkSize('live-report');
  } finally {
    live.close();
  }
}

const place = resolve(process.argv[2] ?? 'docs/pictures');
mkdirSync(place, { recursive: true });
const scratch = mkdtempSync(`${tmpdir()}/tscc-pictures-`);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  await pictureReport(browser, scratch);
  await pictureLivePage(browser);
} finally {
  await browser.close();
  rmSync(scratch, { recursive: true, force: true });
}
