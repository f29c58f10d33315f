/** Which host does what, with a compiler that waits for the test's orders. */
import { readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { OWN_STORE } from '../../benchmarks/servers.js';
import type { HostReport } from '../../src/cli/hosts.js';
import { BREAKER, STRAGGLER } from '../../src/core/scheduling-limits.js';
import { parseJournal } from '../../src/report/journal.js';
import { BuildHost, finish, type Finished } from '../fixtures/build-host.js';
import { FakeCompiler, type Invocation } from '../fixtures/fake-compiler.js';
import { until } from '../fixtures/until.js';

/** One compile at a time; a compiler's directory tells where it runs. */
const SERVER = ['--jobs', '1', '--unsafe-no-sandbox', '--scratch', OWN_STORE];

class Stage {
  readonly compiler = FakeCompiler.build(['gcc']);
  readonly host: BuildHost;
  readonly #aside: Invocation[] = [];

  constructor(t: Test) {
    this.host = new BuildHost(t);
    t.teardown(() => this.compiler.close());
    this.host.env['PATH'] = `${this.compiler.directory}:${this.host.env['PATH']}`;
  }

  /** Starts a compile of NAME.c and plays the local preprocessor; the source is the name. */
  async start(name: string, env: NodeJS.ProcessEnv = {}): Promise<Promise<Finished>[]> {
    writeFileSync(`${this.host.directory}/${name}.c`, 'int x;\n');
    const words = ['gcc', '-g', '-c', `${name}.c`];
    const finished = finish(this.host.spawn(this.host.tscc, words, { env }));
    const preprocessor = await this.#next(true);
    await preprocessor.stdout(name);
    await preprocessor.exit(0);
    // In a list, so that nobody waits for it.
    return [finished];
  }

  /** The next compiler that compiles. */
  next(): Promise<Invocation> {
    return this.#next(false);
  }

  /** One of the other kind that comes meanwhile is set aside. */
  async #next(preprocesses: boolean): Promise<Invocation> {
    const isWanted = ({ argv }: Invocation) => argv.includes('-E') === preprocesses;
    const at = this.#aside.findIndex(isWanted);
    if (at >= 0) return this.#aside.splice(at, 1)[0] as Invocation;
    for (;;) {
      const next = await this.compiler.nextInvocation();
      if (isWanted(next)) return next;
      this.#aside.push(next);
    }
  }

  /** Each server does one compile, so that all are up, have the compiler, and are trusted. */
  async warmUp(hosts: string): Promise<void> {
    for (const TSCC_HOSTS of hosts.split(' ')) {
      const [finished] = await this.start('x', { TSCC_HOSTS });
      await this.answer(await this.next());
      await finished;
    }
  }

  /** Number of the server on which it runs; undefined: here. */
  serverOf({ cwd }: Invocation): number | undefined {
    const at = /\.stores\/([0-9])\//.exec(cwd)?.[1];
    return at === undefined ? undefined : Number(at);
  }

  async answer(invocation: Invocation): Promise<void> {
    await invocation.write(invocation.valueOf('-o') ?? '', 'an object');
    await invocation.exit(0);
  }

  async answerHere(invocation: Invocation, name: string): Promise<void> {
    if (this.serverOf(invocation) !== undefined) throw new Error('not here');
    await invocation.write(`${name}.o`, 'an object');
    await invocation.exit(0);
  }

  async hostReports(): Promise<HostReport[]> {
    const { stdout } = await this.host.run(this.host.tscc, ['hosts', '--json']);
    return JSON.parse(stdout) as HostReport[];
  }
}

const SUCCESS = { status: 0, stdout: '', stderr: '' };

await t.test(
  'two servers die, the third one does it; then one more, and it is local',
  async (t) => {
    const stage = new Stage(t);
    const { host } = stage;
    const servers = await host.startServers(['127.0.0.1', '127.0.0.2', '127.0.0.3'], SERVER);
    const [finished] = await stage.start('x');
    const tried = new Set<number | undefined>();
    for (let n = 0; n < 2; n++) {
      const remote = await stage.next();
      tried.add(stage.serverOf(remote));
      servers.processes[stage.serverOf(remote) ?? -1]?.kill('SIGKILL');
      await remote.gone;
    }
    const last = await stage.next();
    t.strictSame(
      new Set([...tried, stage.serverOf(last)]),
      new Set([0, 1, 2]),
      'each server once, and then none again',
    );
    await stage.answer(last);
    t.strictSame(await finished, SUCCESS);
    t.match(await host.status(), {
      outcomes: { plain: 1, local: 0 },
      recovered: { 'server-lost': 2 },
    });
    const summary = await host.run(host.tscc, ['status']);
    t.match(summary.stdout, 'recovered: 2 × server-lost (another server did it)');
    const explained = await host.run(host.tscc, ['explain', 'x.o']);
    t.match(explained.stdout, /after 2 other servers failed\n {4}server-lost on 127/);

    const [second] = await stage.start('y');
    const only = await stage.next();
    servers.processes[stage.serverOf(only) ?? -1]?.kill('SIGKILL');
    await stage.answerHere(await stage.next(), 'y');
    t.match(await second, { status: 0 });
    t.match(await host.status(), {
      outcomes: { plain: 1, local: 1 },
      fallbacks: { 'server-lost': 1 },
    });
  },
);

await t.test('a straggler is raced, and the slower compiler dies', async (t) => {
  const stage = new Stage(t);
  const { host } = stage;
  await stage.warmUp((await host.startServers(['127.0.0.1', '127.0.0.2'], SERVER)).hosts);

  const began = performance.now();
  const [finished] = await stage.start('x');
  const straggler = await stage.next();
  const child = straggler.child();
  const racer = await stage.next();
  t.ok(performance.now() - began >= STRAGGLER.least, 'not before it is one');
  t.not(stage.serverOf(racer), stage.serverOf(straggler));
  await child;
  await racer.write(racer.valueOf('-o') ?? '', 'the object of the racer');
  await racer.exit(0);
  t.strictSame(await finished, SUCCESS);
  await straggler.gone;
  t.equal(readFileSync(`${host.directory}/x.o`, 'latin1'), 'the object of the racer');
  t.strictSame(host.leftovers(), []);
  const status = await host.status();
  t.match(status, { outcomes: { plain: 3, local: 0 }, races: { run: 1, won: 1 }, recovered: {} });
  const journal = readFileSync(`${host.directory}/.state/journal/${status.session}.jsonl`, 'utf8');
  const raced = [...parseJournal(journal)].filter((line) => 'race' in line);
  t.match(raced, [{ event: 'compile', choice: 'race', race: { isLater: true } }]);
  const explained = await host.run(host.tscc, ['explain', 'x.o']);
  t.match(explained.stdout, /raced: begun later than on 127.*, and done first/);
});

await t.test('a race that the first one wins', async (t) => {
  const stage = new Stage(t);
  const { host } = stage;
  await stage.warmUp((await host.startServers(['127.0.0.1', '127.0.0.2'], SERVER)).hosts);
  const [finished] = await stage.start('x');
  const straggler = await stage.next();
  const racer = await stage.next();
  await stage.answer(straggler);
  t.strictSame(await finished, SUCCESS);
  await racer.gone;
  t.match(await host.status(), { races: { run: 1, won: 0 } });
});

await t.test('a server that fails jobs is left alone, tried, and used again', async (t) => {
  const stage = new Stage(t);
  const { host } = stage;
  await host.startServers(['127.0.0.1'], SERVER);
  for (let n = 0; n < BREAKER.faults; n++) {
    const [finished] = await stage.start('x');
    await (await stage.next()).signal(11);
    await stage.answerHere(await stage.next(), 'x');
    t.match(await finished, { status: 0 });
  }
  const [report] = await stage.hostReports();
  t.match(report, { state: 'up', breaker: 'open', pauseReason: /3 faults in a row: signal 11/ });
  t.match(await host.status(), {
    fallbacks: { 'remote-killed': BREAKER.faults },
    hosts: { [report?.host ?? '']: { state: /^down: not used for a while/ } },
  });

  await until(async () => (await stage.hostReports())[0]?.pause === 0);
  const [finished] = await stage.start('x');
  await stage.answer(await stage.next());
  t.match(await finished, { status: 0 });
  t.match(await stage.hostReports(), [{ breaker: 'closed', pause: null, pauseReason: null }]);
  t.match(await host.status(), {
    outcomes: { plain: 1 },
    hosts: { [report?.host ?? '']: { state: 'up' } },
  });
});

await t.test(
  'two builds share a server: the small one need not wait for the big one',
  async (t) => {
    const stage = new Stage(t);
    const { host } = stage;
    await host.startServers(['127.0.0.1'], SERVER);
    const ends: Promise<Finished>[] = [];
    for (const name of ['a1', 'a2']) ends.push(...(await stage.start(name, { TSCC_SESSION: 'a' })));
    // The server's slot, and the job that waits there for it.
    let remote = await stage.next();
    for (const name of ['a3', 'a4']) ends.push(...(await stage.start(name, { TSCC_SESSION: 'a' })));
    ends.push(...(await stage.start('b1', { TSCC_SESSION: 'b' })));
    await until(async () => {
      const { stdout } = await host.run(host.tscc, ['top', '--json']);
      return (JSON.parse(stdout) as { queued: number }).queued === 3;
    });
    const order: string[] = [];
    for (let n = 0; n < 5; n++) {
      order.push((await remote.read(remote.argv.at(-1) ?? '')).toString());
      await stage.answer(remote);
      if (n < 4) remote = await stage.next();
    }
    t.strictSame(order, ['a1', 'a2', 'b1', 'a3', 'a4']);
    for (const end of await Promise.all(ends)) t.match(end, { status: 0 });
  },
);

await t.test('localhost/1 is one more host', async (t) => {
  const stage = new Stage(t);
  const { host } = stage;
  const { hosts } = await host.startServers(['127.0.0.1'], SERVER);
  const env = { TSCC_HOSTS: `${hosts} localhost/1` };
  const ends = [...(await stage.start('x', env)), ...(await stage.start('y', env))];
  const both = [await stage.next(), await stage.next()];
  t.strictSame(new Set(both.map((one) => stage.serverOf(one))), new Set([0, undefined]));
  for (const one of both) {
    if (stage.serverOf(one) === undefined) await stage.answerHere(one, one.argv.at(-1)?.[0] ?? '');
    else await stage.answer(one);
  }
  for (const end of await Promise.all(ends)) t.match(end, { status: 0 });
  t.match(await host.status(), {
    outcomes: { plain: 1, local: 1 },
    declines: { 'scheduled-local': 1 },
  });
});
