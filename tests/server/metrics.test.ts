import { get, request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import t from 'tap';
import { Metrics } from '../../src/server/metrics.js';
import { NO_SANDBOX } from '../../src/server/sandbox.js';
import { StatusEndpoint } from '../../src/server/status-endpoint.js';

/** Samples by name and labels. */
function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

const FIGURES = {
  slots: 4,
  running: 3,
  waiting: 2,
  connections: 1,
  receivedBytes: 1000,
  sentBytes: 2000,
};

await t.test('what happened and what is', async (t) => {
  const metrics = await Metrics.open();
  let figures = FIGURES;
  const sandbox = {
    ...NO_SANDBOX,
    tier: 3,
    plainTier: 2,
    failure: undefined as string | undefined,
  };
  const store = { bytes: 5000, evicted: 6 };
  metrics.measure({
    figures: () => figures,
    sandbox,
    store,
    storeLimit: 9000,
    version: '1.2.3',
    resources: () => ({
      cpuSeconds: 1.5,
      residentBytes: 70e6,
      heapBytes: 10e6,
      startTime: 1e9,
      busySeconds: 0.5,
    }),
  });
  const idle = samples(await metrics.text());
  t.equal(idle.get('tscc_jobs_total{mode="pump",outcome="done"}'), 0);
  t.equal(idle.get('tscc_refused_connections_total{reason="address"}'), 0);
  t.equal(idle.get('tscc_info{version="1.2.3"}'), 1);

  metrics.jobOver('pump', { outcome: 'done', times: { queue: 20, wall: 2000 } });
  metrics.jobOver('pump', { outcome: 'done', times: { queue: 0, wall: 500 } });
  metrics.jobOver('plain', { outcome: 'busy' });
  metrics.refused('key');
  figures = { ...FIGURES, receivedBytes: 1500 };
  sandbox.failure = 'it got out';
  const busy = samples(await metrics.text());
  const expected = {
    'tscc_jobs_total{mode="pump",outcome="done"}': 2,
    'tscc_jobs_total{mode="plain",outcome="busy"}': 1,
    'tscc_refused_connections_total{reason="key"}': 1,
    'tscc_job_compile_seconds_sum{mode="pump"}': 2.5,
    'tscc_job_compile_seconds_count{mode="pump"}': 2,
    'tscc_job_compile_seconds_bucket{le="1",mode="pump"}': 1,
    'tscc_job_queue_seconds_sum{mode="pump"}': 0.02,
    tscc_slots: 4,
    tscc_jobs_running: 3,
    tscc_jobs_waiting: 2,
    tscc_connections: 1,
    tscc_received_bytes_total: 1500,
    tscc_sent_bytes_total: 2000,
    'tscc_sandbox_tier{mode="pump"}': 3,
    'tscc_sandbox_tier{mode="plain"}': 2,
    tscc_sandbox_holds: 0,
    tscc_store_bytes: 5000,
    tscc_store_limit_bytes: 9000,
    tscc_store_evictions_total: 6,
    process_cpu_seconds_total: 1.5,
    process_resident_memory_bytes: 70e6,
  };
  for (const [name, value] of Object.entries(expected)) t.equal(busy.get(name), value, name);
});

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

function ask(url: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, agent: false }, (response) => {
      let body = '';
      response.on('data', (bytes: Buffer) => (body += bytes.toString()));
      response.on('end', () => {
        resolve({ status: response.statusCode, type: response.headers['content-type'], body });
      });
    });
    asked.on('error', reject).end();
  });
}

const NOTHING = {
  contentType: '',
  metrics: () => Promise.resolve(''),
  ailment: () => undefined,
};

await t.test('the port', async (t) => {
  let ailment: string | undefined;
  let metrics = async () => 'a 1\n';
  const endpoint = await StatusEndpoint.open(0, {
    contentType: 'text/plain; version=0.0.4',
    metrics: () => metrics(),
    ailment: () => ailment,
  });
  t.teardown(() => endpoint.close());
  const { url } = endpoint;
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  t.match(await ask(`${url}/metrics?x=1`), {
    status: 200,
    type: 'text/plain; version=0.0.4',
    body: 'a 1\n',
  });
  t.match(await ask(`${url}/healthz`), { status: 200, body: 'ok\n' });
  t.match(await ask(`${url}/healthz`, 'HEAD'), { status: 200, body: '' });
  ailment = 'the server is about to end';
  t.match(await ask(`${url}/healthz`), { status: 503, body: 'the server is about to end\n' });
  t.match(await ask(`${url}/`), { status: 404 });
  t.match(await ask(`${url}/healthz`, 'POST'), { status: 405 });
  metrics = () => Promise.reject(new Error('cannot count'));
  t.match(await ask(`${url}/metrics`), { status: 500, body: 'cannot count\n' });

  const [, port = ''] = /:(\d+)$/.exec(url) ?? [];
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  for (const { address } of [...others, { address: '127.0.0.2' }]) {
    await t.rejects(ask(`http://${address}:${port}/healthz`), { code: 'ECONNREFUSED' }, address);
  }
  await t.rejects(StatusEndpoint.open(Number(port), NOTHING), { code: 'EADDRINUSE' });
});

await t.test('ends under open connections', async (t) => {
  const endpoint = await StatusEndpoint.open(0, NOTHING);
  const port = Number(endpoint.url.split(':').at(-1));
  const silent = connect(port, '127.0.0.1').resume();
  const gone = new Promise((resolve) => silent.on('close', resolve));
  // An answer to a later connection: the silent one has been accepted.
  await new Promise<void>((resolve, reject) => {
    get(`${endpoint.url}/healthz`, (response) => response.resume().on('end', resolve)).on(
      'error',
      reject,
    );
  });
  await endpoint.close();
  await gone;
  t.pass();
});
