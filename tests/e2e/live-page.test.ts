/** `tscc status --web` of a real build. */
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import t from 'tap';
import type { FeedMessage } from '../../src/client/live-feed.js';
import { artefacts, openPage, startBrowser } from '../fixtures/browser.js';
import { BuildHost } from '../fixtures/build-host.js';
import { without } from '../fixtures/tools.js';
import { until } from '../fixtures/until.js';

await t.test('a page that sees a compile happen, and those before it', async (t) => {
  const host = new BuildHost(t);
  host.env['TSCC_MODE'] = 'plain';
  const web = () => host.run('tscc', ['status', '--web']);
  t.match(await web(), { status: 117, stderr: /^tscc: no session daemon runs, / });
  await host.startServers(['127.0.0.1']);
  for (const name of ['a', 'b', 'c'])
    writeFileSync(`${host.directory}/${name}.c`, `int ${name};\n`);
  await host.run('tscc', ['gcc', '-c', 'a.c']);
  await host.run('tscc', ['gcc', '-flto', '-c', 'b.c']);
  const { status, stdout } = await web();
  t.equal(status, 0);
  t.match(stdout, /^http:\/\/127\.0\.0\.1:[0-9]+\/[0-9a-f]{32}\/\n$/);
  const url = stdout.trim();
  t.equal((await web()).stdout, stdout, 'one for all who ask');

  const page = await (await fetch(url)).text();
  t.match(page, /<style>[^]*id="timeline-chart"[^]*<script>[^]*new EventSource\('events'\)/);
  t.notMatch(page, /<!-- (?:style|script) -->/);

  const messages: FeedMessage[] = [];
  const closed = new Promise<void>((resolve, reject) => {
    get(`${url}events`, (response) => {
      let text = '';
      response.on('data', (bytes: Buffer) => {
        const events = (text + bytes.toString()).split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) messages.push(JSON.parse(event.slice(6)) as FeedMessage);
      });
      // The daemon's end cuts it off.
      response.on('error', () => resolve());
      response.on('close', resolve);
    }).on('error', reject);
  });
  await until(() => messages.length > 0);
  t.match(messages[0], {
    reset: true,
    view: { sessions: [{ outcomes: { plain: 1, local: 1 } }] },
    spans: [
      { id: 1, source: 'a.c', host: /^127\.0\.0\.1:/, outcome: 'plain', reason: null },
      { id: 2, source: 'b.c', host: null, outcome: 'local', reason: 'lto' },
    ],
  });
  await host.run('tscc', ['gcc', '-c', 'c.c']);
  await until(() => messages.some(({ spans }) => spans.some(({ id }) => id === 3)));
  const [span] = messages.flatMap(({ spans }) => spans.filter(({ id }) => id === 3));
  t.match(span, { source: 'c.c', outcome: 'plain', start: Number, end: Number });
  t.ok(span !== undefined && span.start < span.end);

  await host.run('tscc', ['stop']);
  await closed;
  await t.rejects(fetch(url), 'it ends with the daemon');
});

await t.test('in a browser', { skip: without('chromium') }, async (t) => {
  const host = new BuildHost(t);
  host.env['TSCC_MODE'] = 'plain';
  await host.startServers(['127.0.0.1']);
  const evil = '<img src=x onerror=document.title=1>.c';
  for (const name of ['a.c', evil]) writeFileSync(`${host.directory}/${name}`, 'int x;\n');
  await host.run('tscc', ['gcc', '-c', 'a.c']);
  const url = (await host.run('tscc', ['status', '--web'])).stdout.trim();
  const { page, faults } = await openPage(await startBrowser(t), url);
  const text = (id: string) => page.locator(`#${id}`).innerText();
  const builds = (hasText: RegExp) => page.locator('#builds', { hasText }).waitFor();
  await builds(/: 1 plain$/);
  t.equal(await text('state'), '0 running');
  t.match(await text('hosts'), /127\.0\.0\.1:[0-9]+\s+up\s+0 \/ [0-9]+\s+0\s+[0-9.]+\s*$/);

  // A bar of the timeline tells, gone to, which compile it is: that of the only row.
  await page.locator('#timeline-chart').focus();
  await page.keyboard.press('ArrowRight');
  const said = page.locator('#timeline-chart-selected');
  t.match(await said.textContent(), /^a\.c: plain, 127\.0\.0\.1:[0-9]+, [0-9.]+ s$/);

  // What happens while it is looked at, in a file whose name would like to be more than text.
  await host.run('tscc', ['gcc', '-flto', '-c', evil]);
  await builds(/: 1 plain, 1 local \(1 × lto\)$/);
  // It is counted when it begins, and has its bar when it has ended.
  await page.locator('#state', { hasText: /^0 running$/ }).waitFor();
  t.match(await said.textContent(), /^a\.c: plain/, 'it is still told');
  // This host's row is the first.
  await page.keyboard.press('ArrowUp');
  t.match(await said.textContent(), /^<img .*: local \(lto\), this host, /);
  t.equal(await page.locator('img').count(), 0);
  t.equal(await page.title(), 'tscc: live');

  // The same charts as a report's, of the build so far.
  await page.locator('#report-show').click();
  const report = page.frameLocator('#report-frame');
  await report.locator('#utilisation-chart canvas').waitFor();
  await report.locator('#what-if-chart canvas').waitFor();
  t.match(await report.locator('header').innerText(), /, and it goes on; tscc /);
  t.match(await report.locator('#reasons').innerText(), /\blto\b/);
  t.equal(await report.locator('img').count(), 0);
  await page.screenshot({ path: `${artefacts}/live.png`, fullPage: true });
  t.strictSame(faults, [], 'no error, and nothing that its own policy forbids');

  await host.run('tscc', ['stop']);
  await page.locator('#state', { hasText: /^not connected: / }).waitFor();
});
