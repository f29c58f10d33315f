/** A server as it is run: configured by a file, watched, and told to read all again. */
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Servers } from '../../benchmarks/servers.js';
import { formatKey, generateKey } from '../../src/protocol/key-file.js';
import { BuildHost } from '../fixtures/build-host.js';
import { until } from '../fixtures/until.js';

interface LogLine {
  readonly level: string;
  readonly where: string;
  readonly msg: string;
  readonly refused?: string;
}

/** A server with a configuration file, and what it writes. */
class Operated {
  readonly host: BuildHost;
  readonly #config: string;
  readonly #log: string;
  #servers: Servers | undefined;

  constructor(t: Test) {
    this.host = new BuildHost(t);
    this.host.env['TSCC_MODE'] = 'pump';
    this.#config = `${this.host.directory}/tsccd.toml`;
    this.#log = `${this.host.directory}/tsccd.log`;
  }

  configure(text: string): void {
    writeFileSync(this.#config, `log-file = "tsccd.log"\nlog-format = "json"\n${text}`);
  }

  async start(): Promise<void> {
    this.#servers = await this.host.startServers(['127.0.0.1'], ['--config', this.#config]);
  }

  get hosts(): string {
    return this.#servers?.hosts ?? '';
  }

  /** SIGHUP; resolves with the lines that come of it, up to one that matches. */
  async reload(last: RegExp): Promise<string[]> {
    const before = this.lines().length;
    const news = () =>
      this.lines()
        .slice(before)
        .map(({ msg }) => msg);
    this.#servers?.processes[0]?.kill('SIGHUP');
    await until(() => news().some((line) => last.test(line)));
    return news();
  }

  rotate(): void {
    renameSync(this.#log, `${this.#log}.1`);
  }

  /** All of the log, each line of which must be JSON. */
  lines(): LogLine[] {
    // Not there for a moment after it was rotated.
    const text = existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : '';
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** A sample of /metrics, undefined if there is none of that name. */
  async metric(name: string): Promise<number | undefined> {
    const [, body] = await this.ask('/metrics');
    const line = body.split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length));
  }

  /** Resolves when a sample has this value: what is counted after an answer comes a bit later. */
  async reaches(name: string, value: number): Promise<void> {
    while ((await this.metric(name)) !== value) await setTimeout(2);
  }

  ask(path: string): Promise<[status: number | undefined, body: string]> {
    const line = this.lines().find(({ msg }) => msg.startsWith('metrics: '));
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line?.msg ?? '')?.[0];
    return new Promise((resolve, reject) => {
      get(`${url}${path}`, { agent: false }, (response) => {
        let body = '';
        response.on('data', (bytes: Buffer) => (body += bytes.toString()));
        response.on('end', () => resolve([response.statusCode, body]));
      }).on('error', reject);
    });
  }

  writeKey(name: string): string {
    const path = `${this.host.directory}/${name}`;
    writeFileSync(path, formatKey(generateKey()), { mode: 0o600 });
    return path;
  }
}

/** Compiles on the server, from a build host of its own or an old one. */
async function compile(t: Test, host: BuildHost, name: string): Promise<void> {
  writeFileSync(`${host.directory}/${name}.c`, `#include <stdio.h>\nint ${name};\n`);
  const env = { TSCC_FALLBACK: '0' };
  const { status, stderr } = await host.run('tscc', ['gcc', '-c', `${name}.c`], { env });
  t.equal(stderr, '');
  t.equal(status, 0, `${name} was compiled there`);
}

await t.test('configured by a file, watched while it compiles', async (t) => {
  const server = new Operated(t);
  server.configure('jobs = 3\nmetrics-port = 0\nstore-size = "500M"\nscratch = "jobs"\n');
  await server.start();
  const { host } = server;
  t.equal(await server.metric('tscc_slots'), 3);
  t.equal(await server.metric('tscc_jobs_total{mode="pump",outcome="done"}'), 0);
  t.same(await server.ask('/healthz'), [200, 'ok\n']);

  await compile(t, host, 'a');
  await compile(t, host, 'b');
  t.match(await host.status(), { outcomes: { pump: 2, local: 0 } });
  const sample = (name: string) => server.metric(name);
  await server.reaches('tscc_jobs_total{mode="pump",outcome="done"}', 2);
  await server.reaches('tscc_jobs_running', 0);
  t.equal(await sample('tscc_job_compile_seconds_count{mode="pump"}'), 2);
  t.ok(((await sample('tscc_job_compile_seconds_sum{mode="pump"}')) ?? 0) > 0.001);
  t.equal(await sample('tscc_connections'), 1);
  t.equal(await sample('tscc_sandbox_tier{mode="pump"}'), 3);
  t.equal(await sample('tscc_store_limit_bytes'), 500 * 1024 ** 2);
  t.ok(((await sample('tscc_store_bytes')) ?? 0) > 1_000_000, 'a compiler and its headers');
  t.ok(((await sample('tscc_received_bytes_total')) ?? 0) > 100);
  t.ok(((await sample('tscc_sent_bytes_total')) ?? 0) > 100);
  t.ok(((await sample('process_resident_memory_bytes')) ?? 0) > 1e7);
  t.match(
    server.lines().map(({ msg }) => msg),
    [/^metrics: http/, /listening on 127\.0\.0\.1:\d+$/, /^sandbox: tier 3/],
  );
});

await t.test('keys change while a client builds', async (t) => {
  const server = new Operated(t);
  const { host } = server;
  const old = server.writeKey('old');
  const next = server.writeKey('next');
  server.configure('key-file = "old"\nmetrics-port = 0\n');
  await server.start();
  host.env['TSCC_KEY_FILE'] = old;
  await compile(t, host, 'a');
  const [{ where } = { where: '' }] = server.lines();
  t.equal(where, 'tsccd');

  const other = new BuildHost(t);
  const { env } = other;
  Object.assign(env, { TSCC_MODE: 'pump', TSCC_HOSTS: server.hosts, TSCC_KEY_FILE: next });
  writeFileSync(`${other.directory}/x.c`, 'int x;\n');
  const refused = await other.run('tscc', ['gcc', '-c', 'x.c'], { env: { TSCC_FALLBACK: '0' } });
  t.not(refused.status, 0, 'the next key is not known yet');
  // The client may hear of it before the server has written it down.
  await until(() => server.lines().some(({ refused }) => refused !== undefined));
  t.match(server.lines().at(-1), { level: 'warn', refused: 'key', msg: /key of an unknown id/ });
  t.ok(((await server.metric('tscc_refused_connections_total{reason="key"}')) ?? 0) > 0);
  await other.run('tscc', ['stop']);

  server.configure('key-file = ["old", "next"]\nmetrics-port = 0\nallow = ["127.0.0.0/8"]\n');
  const both = await server.reload(/read again/);
  t.match(both, [/tsccd\.toml; \d+ slots, those of --allow may connect, with key \w+, \w+$/]);
  await compile(t, other, 'b');
  await compile(t, host, 'c');
  await server.reaches('tscc_connections', 2);

  // Wrong in one place: nothing of it counts, not even what is right.
  const wrong: [text: string, mode: number, complaint: RegExp][] = [
    [
      'key-file = "next"\nmetrics-port = 0\njobs = "many"\n',
      0o600,
      /toml:5: 'jobs' must be a whole/,
    ],
    ['key-file = "next"\nmetrics-port = 0\nallow = ["10/8"]\n', 0o600, /toml:5: 'allow': '10\/8'/],
    ['key-file = ["next", "none"]\nmetrics-port = 0\n', 0o600, /key file .*none cannot be read/],
    ['key-file = "next"\nmetrics-port = 0\n', 0o644, /key file .*next can be read by others/],
    ['metrics-port = 0\n', 0o600, /to do without a key takes a restart/],
    ['key-file = [\n', 0o600, /toml:4:1: Invalid TOML/],
  ];
  for (const [text, mode, complaint] of wrong) {
    server.configure(text);
    chmodSync(next, mode);
    t.match((await server.reload(/all stays as it was/)).at(-1), complaint);
  }
  chmodSync(next, 0o600);
  await other.run('tscc', ['stop']);
  other.env['TSCC_KEY_FILE'] = old;
  await compile(t, other, 'd');

  server.rotate();
  server.configure('key-file = "next"\nmetrics-port = 0\nnice = 6\n');
  const rotated = await server.reload(/take a restart: nice$/);
  t.equal(rotated.length, 2, 'the new file has only what came since');
  await compile(t, host, 'e');
  t.match(await host.status(), { outcomes: { pump: 3, local: 0 } }, 'who was connected stays');
  await other.run('tscc', ['stop']);
  writeFileSync(`${other.directory}/y.c`, 'int y;\n');
  const late = await other.run('tscc', ['gcc', '-c', 'y.c'], { env: { TSCC_FALLBACK: '0' } });
  t.not(late.status, 0, 'the old key opens nothing any more');
  other.env['TSCC_KEY_FILE'] = next;
  await other.run('tscc', ['stop']);
  await compile(t, other, 'f');
});
