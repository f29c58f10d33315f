import { writeFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { readReportAssets } from '../../../src/platform/page-assets.js';
import { buildModel } from '../../../src/report/analysis/build-model.js';
import { buildReport } from '../../../src/report/analysis/build-report.js';
import type { JournalLine } from '../../../src/report/events.js';
import { reportPage } from '../../../src/report/page/report-page.js';
import { artefacts, openPage, startBrowser } from '../../fixtures/browser.js';
import {
  compileLine,
  localEnd,
  localLine,
  sessionLines,
  SMALL_BUILD,
} from '../../fixtures/build-lines.js';
import { scratchDirectory } from '../../fixtures/commands.js';
import { without } from '../../fixtures/tools.js';

const pageOf = (lines: readonly JournalLine[], session = 's') =>
  reportPage(buildReport(buildModel(session, lines), []), readReportAssets());

const EVIL = `</script><script>globalThis.pwned=1</script><img src=x onerror="globalThis.pwned=1">'"`;

/** That in each place that a journal has for text. */
const evilPage = pageOf(
  sessionLines(0, 900, [
    {
      v: 1,
      time: 0,
      event: 'files',
      first: 0,
      files: [
        [`/${EVIL}.h`, 100, 'x'],
        ['/b.h', 1, 'y'],
      ],
    },
    compileLine(1, EVIL, 100, { closure: 10, remote: 80 }, { host: EVIL, cwd: EVIL, reads: '0' }),
    compileLine(2, `2${EVIL}`, 100, { remote: 80 }, { argv: [EVIL], host: EVIL, reads: '0-1' }),
    localLine(3, EVIL, 100, 5, { decline: `option:${EVIL}` }),
    localEnd(3, 800, 700),
    localLine(4, EVIL, 100, 5, { fallback: 'no-server' }),
    { v: 1, time: 200, event: 'host', host: EVIL, state: 'down', detail: EVIL },
  ]),
  EVIL,
);

await t.test(
  'one file: nothing is fetched, and only this page’s own scripts may run',
  async (t) => {
    const page = pageOf(SMALL_BUILD);
    const markup = page.replaceAll(/<(script|style)[^]*?<\/\1>/g, '');
    t.notMatch(markup, /<(?:script|style|link|img)|\s(?:src|style|on[a-z]+)=/);
    t.notMatch(markup, /href="(?!#)/);
    const [, policy = ''] = /Content-Security-Policy" content="([^"]+)"/.exec(page) ?? [];
    t.match(policy, /^default-src &#39;none&#39;; script-src &#39;sha256-/);
    t.notMatch(policy, 'unsafe');
    t.equal(page.match(/<script>/g)?.length, 2);
  },
);

await t.test('text of a journal is no markup', async (t) => {
  t.notMatch(evilPage, '<img');
  t.equal(evilPage.match(/<script/g)?.length, 3, 'data and the two scripts');
  t.ok((evilPage.match(/&lt;img src=x/g)?.length ?? 0) > 10, 'it is shown in many places');
});

await t.test('an asset that would end its element is a fault', async (t) => {
  const report = buildReport(buildModel('s', []), []);
  const assets = { chartScript: '', chartStyle: '', pageScript: 'a = "</script>"' };
  t.throws(() => reportPage(report, assets), /cannot stand/);
});

/** Opens a page as a file. */
function open(browser: Browser, html: string, scheme: 'light' | 'dark') {
  const path = `${scratchDirectory()}/report.html`;
  writeFileSync(path, html);
  return openPage(browser, `file://${path}`, scheme);
}

/** Elements that would be met without being told what they are. */
const NAMELESS = `[...document.querySelectorAll(
  'section, [role=region], [role=group], table, input, select, nav, th')]
  .filter((element) => {
    const by = element.getAttribute('aria-labelledby');
    const name = element.getAttribute('aria-label') ??
      (by === null ? undefined : document.getElementById(by)?.textContent) ??
      element.querySelector('caption')?.textContent ??
      (element.tagName === 'TH' ? element.textContent : '');
    return name.trim() === '';
  })
  .map((element) => element.outerHTML.slice(0, 80))`;

const said = (page: Page) => page.locator('#timeline-chart-selected').textContent();

await t.test('in a browser', { skip: without('chromium') }, async (t) => {
  const browser = await startBrowser(t);

  for (const scheme of ['light', 'dark'] as const) {
    await t.test(`${scheme}: charts, tables, no fault`, async (t) => {
      const { page, faults } = await open(browser, pageOf(SMALL_BUILD), scheme);
      for (const chart of ['timeline', 'utilisation', 'what-if']) {
        t.equal(await page.locator(`#${chart}-chart canvas`).count(), 1, chart);
      }
      t.match(await page.locator('.tiles').innerText(), /200 ms[^]*0\.8 ×[^]*75 ms/);
      t.match(await page.locator('#what-if .scroll table').innerText(), /1\s+1\s+2\s+310 ms/);
      t.equal(await page.locator('#command-list tbody tr').count(), 5);
      const paper = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      t.equal(paper, scheme === 'dark' ? 'rgb(22, 24, 28)' : 'rgb(255, 255, 255)');
      await page.screenshot({ path: `${artefacts}/report-${scheme}.png`, fullPage: true });
      t.strictSame(faults, []);
    });
  }

  await t.test('by keyboard: commands, rows, zoom; told as text', async (t) => {
    const { page, faults } = await open(browser, pageOf(SMALL_BUILD), 'light');
    await page.locator('#timeline-chart').focus();
    await page.keyboard.press('ArrowDown');
    t.match(await said(page), /^b\.o: pump on blue, took 0\.06 s from 0\.00 s$/);
    await page.keyboard.press('ArrowRight');
    t.match(await said(page), /^c\.o: pump on blue/);
    for (const key of ['+', '+', '-', '0', 'ArrowDown']) await page.keyboard.press(key);
    t.match(await said(page), /^a\.o: pump on red/, 'what ran then');
    t.strictSame(faults, []);
  });

  await t.test('by mouse: the command below the pointer is told', async (t) => {
    const { page } = await open(browser, pageOf(SMALL_BUILD), 'light');
    const box = await page.locator('#timeline-chart .u-over').boundingBox();
    // The last of three rows (red), a third into the build.
    await page.mouse.move(
      (box?.x ?? 0) + (box?.width ?? 0) / 3,
      (box?.y ?? 0) + (box?.height ?? 0) * 0.85,
    );
    t.match(await said(page), /^a\.o: pump on red/);
  });

  await t.test('for a screen reader: every part has a name, every chart a table', async (t) => {
    const { page } = await open(browser, pageOf(SMALL_BUILD), 'light');
    const parts = await page.evaluate(NAMELESS);
    t.strictSame(parts, [], 'regions, groups, tables, inputs and headings of columns');
    const headings = await page.getByRole('heading').allInnerTexts();
    t.equal(headings.length, (await page.getByRole('region').count()) > 0 ? 14 : 0);
    for (const chart of ['timeline', 'utilisation', 'what-if']) {
      t.match(await page.locator(`#${chart}-chart`).getAttribute('aria-label'), / table /, chart);
    }
  });

  await t.test('by keyboard alone: first to the advice, then from part to part', async (t) => {
    const { page } = await open(browser, pageOf(SMALL_BUILD), 'light');
    await page.keyboard.press('Tab');
    t.equal(await page.evaluate('document.activeElement.textContent'), 'To the recommendations');
    await page.keyboard.press('Enter');
    t.equal(await page.evaluate('location.hash'), '#advice');
    const reached = new Set<unknown>();
    for (let step = 0; step < 60; step++) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate('document.activeElement.closest("section")?.id'));
    }
    for (const part of ['timeline', 'utilisation', 'chain', 'what-if', 'commands']) {
      t.ok(reached.has(part), part);
    }
  });

  await t.test('what a journal has does not run', async (t) => {
    const { page, faults } = await open(browser, evilPage, 'light');
    t.equal(await page.evaluate('globalThis.pwned'), undefined);
    t.equal(await page.locator('img').count(), 0);
    t.match(await page.locator('#command-list tbody').innerText(), 'onerror');
    t.strictSame(faults, []);
  });

  await t.test('nothing to show', async (t) => {
    const { faults } = await open(browser, pageOf([]), 'light');
    t.strictSame(faults, []);
  });

  await t.test('ten thousand compiles: the list and the timeline answer at once', async (t) => {
    const many = Array.from({ length: 10_000 }, (_, n) =>
      compileLine(
        n,
        `d/${n}`,
        50 * n,
        { closure: 20, remote: 1_500 },
        { host: `h${n % 32}`, slots: 4 },
      ),
    );
    const { page, faults } = await open(browser, pageOf(many), 'light');
    t.equal(await page.locator('#command-list tbody tr').count(), 100);
    await page.getByLabel('Only commands with').fill('d/9999.');
    t.equal(await page.locator('#command-list tbody tr').count(), 1);
    // Each redraws all of the timeline, in a frame of its own. Far more than it takes on a slow machine.
    const took = await page.evaluate(`(async () => {
      const chart = document.getElementById('timeline-chart');
      const began = performance.now();
      for (let i = 0; i < 10; i++) {
        chart.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }));
        await new Promise(requestAnimationFrame);
      }
      return (performance.now() - began) / 10;
    })()`);
    t.ok(Number(took) < 500, `${String(took)} ms a key`);
    t.comment(`${String(took)} ms a key`);
    t.strictSame(faults, []);
  });
});
