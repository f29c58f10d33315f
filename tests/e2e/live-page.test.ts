/** `tscc status --web` of a real build. */
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import t from 'tap';
import type { FeedMessage } from '../../src/client/live-feed.js';
import { BuildHost } from '../fixtures/build-host.js';
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
  t.match(page, /<style>[^]*<canvas\s+id="timeline"[^]*<script>[^]*new EventSource\('events'\)/);
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
