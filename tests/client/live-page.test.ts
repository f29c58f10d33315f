/** The live page's server, asked over HTTP as browsers and others would. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { LiveFeed } from '../../src/client/live-feed.js';
import { LivePage } from '../../src/client/live-page.js';
import { LIVE } from '../../src/core/live-limits.js';
import type { Span } from '../../src/report/spans.js';
import { liveView } from '../fixtures/live-views.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { until } from '../fixtures/until.js';

const STYLE = 'p { color: red }';
const SCRIPT = "let a = '$& $1';";

const span = (id: number, source = 'x.c'): Span => ({
  session: 's',
  id,
  source,
  host: 'red',
  outcome: 'pump',
  reason: null,
  start: 1,
  end: 2,
});

async function serve(t: Test) {
  const clock = new ManualClock();
  const feed = new LiveFeed(clock, () => liveView());
  let ends = 0;
  const report = { made: async () => '<p>a report' };
  const page = new LivePage({
    clock,
    feed,
    source: { html: '<!-- style --><p><!-- script -->', style: STYLE, script: SCRIPT },
    report: () => report.made(),
    log: (message) => t.fail(message),
    onEnd: () => ends++,
  });
  t.teardown(() => page.close());
  const url = await page.listen();
  return { clock, feed, page, url, report, ends: () => ends };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Not fetch, which sends a Host of its own. */
async function ask(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  const response = await open(url, headers, method);
  let text = '';
  for await (const bytes of response) text += String(bytes);
  return { status: response.statusCode, headers: response.headers, text };
}

function open(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { headers, method, agent: false }, resolve).on('error', reject);
  });
}

await t.test('one document, which may load nothing', async (t) => {
  const { url } = await serve(t);
  t.match(url, /^http:\/\/127\.0\.0\.1:[0-9]+\/[0-9a-f]{32}\/$/);
  const { status, headers, text } = await ask(url);
  t.equal(status, 200);
  t.equal(text, `<style>${STYLE}</style><p><script>${SCRIPT}</script>`);
  const hash = (text: string) => createHash('sha256').update(text).digest('base64');
  t.strictSame(String(headers['content-security-policy']).split('; '), [
    "default-src 'none'",
    `style-src 'sha256-${hash(STYLE)}'`,
    `script-src 'sha256-${hash(SCRIPT)}'`,
    'img-src data:',
    "connect-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]);
  t.match(headers, {
    'cache-control': 'no-store',
    'content-type': 'text/html; charset=utf-8',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  t.notOk('access-control-allow-origin' in headers);
});

await t.test('nothing without the token, and nothing else with it', async (t) => {
  const { url } = await serve(t);
  const { origin, pathname } = new URL(url);
  const wrong = pathname.replace(/[0-9a-f]/, (digit) => (digit === '0' ? '1' : '0'));
  for (const path of [
    '/',
    '/events',
    '//',
    '//events',
    wrong,
    `${wrong}events`,
    pathname.slice(0, -1),
    `${pathname.slice(0, -2)}/`,
    `${pathname}x`,
    `${pathname}events/`,
    `${pathname}events?x`,
    `/x${pathname}`,
    pathname.toUpperCase(),
  ]) {
    // A token of digits alone is the same in capitals.
    if (path === pathname) continue;
    const { status, text } = await ask(origin + path);
    t.equal(status, 404, path);
    t.notMatch(text, /script/);
  }
  for (const method of ['POST', 'HEAD', 'PUT', 'OPTIONS']) {
    t.equal((await ask(url, {}, method)).status, 405, method);
  }
});

await t.test('only from here', async (t) => {
  const { url } = await serve(t);
  const { port, host } = new URL(url);
  for (const [status, headers] of [
    [200, { host }],
    [200, { host: `localhost:${port}` }],
    [200, { origin: `http://${host}` }],
    [200, { 'sec-fetch-site': 'none' }],
    [200, { 'sec-fetch-site': 'same-origin' }],
    [403, { host: `evil.example:${port}` }],
    [403, { host: '127.0.0.1' }],
    [403, { host: `127.0.0.1:${Number(port) - 1}` }],
    [403, { origin: 'http://evil.example' }],
    [403, { origin: 'null' }],
    [403, { origin: `https://${host}` }],
    [403, { origin: `http://localhost:${port}` }],
    [403, { 'sec-fetch-site': 'cross-site' }],
    [403, { 'sec-fetch-site': 'same-site' }],
  ] as const) {
    t.equal((await ask(url, headers)).status, status, JSON.stringify(headers));
    const events = await open(`${url}events`, headers);
    t.equal(events.statusCode, status, `events: ${JSON.stringify(headers)}`);
    events.destroy();
  }
});

await t.test('a request without a Host is refused', async (t) => {
  const { url } = await serve(t);
  const { port, pathname } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(`GET ${pathname} HTTP/1.0\r\n\r\n`);
  let text = '';
  for await (const bytes of socket) text += String(bytes);
  t.match(text, /^HTTP\/1\.[01] 403 /);
});

await t.test('events come as they happen', async (t) => {
  const { url, feed, clock } = await serve(t);
  feed.add(span(1));
  const events = await open(`${url}events`);
  t.equal(events.headers['content-type'], 'text/event-stream; charset=utf-8');
  let text = '';
  events.on('data', (bytes: Buffer) => (text += bytes.toString()));
  const messages = () =>
    text
      .split('\n\n')
      .slice(0, -1)
      .map((event) => JSON.parse(event.slice('data: '.length)) as { spans: Span[] });
  await until(() => messages().length === 1);
  t.match(messages()[0], { reset: true, view: { schema: 1 }, spans: [{ id: 1 }] });
  feed.add(span(2, 'a\n\ndata: b.c'));
  clock.advance(LIVE.pageTick);
  await until(() => messages().length === 2);
  t.match(messages()[1], { reset: false, spans: [{ id: 2, source: 'a\n\ndata: b.c' }] });
  events.destroy();
  await until(() => feed.readers === 0);
});

await t.test('the report is a page of its own, in a frame of this one at most', async (t) => {
  const { url, report } = await serve(t);
  const { status, headers, text } = await ask(`${url}report`);
  t.equal(status, 200);
  t.equal(text, '<p>a report');
  t.match(headers, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': /^frame-ancestors 'self'$/,
    'x-frame-options': 'SAMEORIGIN',
  });
  t.equal((await ask(`${url}report`, { origin: 'http://evil.example' })).status, 403);

  report.made = async () => {
    throw new Error('there is no session <b>yet');
  };
  const none = await ask(`${url}report`);
  t.equal(none.status, 503);
  t.equal(none.text, 'no report: there is no session <b>yet\n');
  t.equal(none.headers['content-type'], 'text/plain; charset=utf-8');
});

await t.test('of too many readers the last are sent away', async (t) => {
  const { url, feed } = await serve(t);
  const readers = [];
  for (let n = 0; n < LIVE.readers; n++) readers.push(await open(`${url}events`));
  t.equal((await ask(`${url}events`)).status, 503);
  readers[0]?.destroy();
  await until(() => feed.readers < LIVE.readers);
  const next = await open(`${url}events`);
  t.equal(next.statusCode, 200);
  for (const reader of [...readers, next]) reader.destroy();
});

await t.test('one that takes nothing holds one message, and is ended', async (t) => {
  const { url, feed, clock } = await serve(t);
  const { port, pathname } = new URL(url);
  // 5 MB: more than the kernel takes for a socket that nobody reads.
  for (let id = 0; id < LIVE.spans; id++) feed.add(span(id, 'x'.repeat(1_200)));
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`GET ${pathname}events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  socket.pause();
  await until(() => feed.readers === 1);
  const before = process.memoryUsage().arrayBuffers;
  for (let tick = 0; tick < 40; tick++) {
    for (let id = 0; id < 100; id++) feed.add(span(id, 'x'.repeat(1_200)));
    clock.advance(LIVE.pageTick);
    await new Promise((resolve) => void setImmediate(resolve));
  }
  t.ok(process.memoryUsage().arrayBuffers - before < 20 << 20, 'no queue of messages');
  clock.advance(LIVE.readerPatience);
  t.equal(feed.readers, 0);
  socket.resume();
  await once(socket, 'close');
});

await t.test('ends when nobody has looked for a while', async (t) => {
  const { url, clock, feed, page, ends } = await serve(t);
  clock.advance(LIVE.pageIdle - 1);
  t.equal((await ask(url)).status, 200);
  clock.advance(LIVE.pageIdle - 1);
  const events = await open(`${url}events`);
  events.resume();
  for (let passed = 0; passed <= LIVE.pageIdle; passed += LIVE.pageTick) {
    clock.advance(LIVE.pageTick);
    await new Promise((resolve) => void setImmediate(resolve));
  }
  t.equal(ends(), 0, 'somebody looks');
  events.destroy();
  await until(() => feed.readers === 0);
  clock.advance(LIVE.pageIdle - 1);
  page.restartIdleTimer();
  clock.advance(LIVE.pageIdle - 1);
  t.equal(ends(), 0, 'asked for again');
  clock.advance(1);
  t.equal(ends(), 1);
  await t.rejects(ask(url), { code: 'ECONNREFUSED' });
  t.equal(clock.pending, 0);
  page.close();
  t.equal(ends(), 1, 'once');
});
