/**
 * Two clients of one server, with different files at the same paths, compile again and again while
 * their headers come and go; what a compile only asks for must be there, or not be there, as here.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import type { SessionStatus } from '../../src/report/statistics.js';
import { BuildHost } from '../fixtures/build-host.js';
import { ProbedTree } from '../fixtures/probed-tree.js';

/** Compiles of each client; more for who has the time: TSCC_TEST_ROUNDS=5000 TSCC_TEST_SEED=7. */
const ROUNDS = Number(process.env['TSCC_TEST_ROUNDS'] ?? 40);
const SEED = Number(process.env['TSCC_TEST_SEED'] ?? 1);

const UNSHARE = process.getuid?.() === 0 ? ['-m'] : ['-m', '--map-root-user'];
const canUnshare = spawnSync('unshare', [...UNSHARE, 'mount', '-t', 'tmpfs', 'none', '/mnt']);

/** A shell that stays, so that all of a client's commands are in one mount namespace. */
class Shell {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    this.#child = spawn('env', ['-u', 'NODE_OPTIONS', ...command], { env, stdio: [...stdio] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** What it prints, and its exit status at the end. */
  async run(line: string): Promise<string> {
    this.#child.stdin.write(`{ ${line}\n} 2>&1; s=$?; echo; echo "status $s"\n`);
    let printed = '';
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`the shell ended: ${printed}`);
      printed += `${value}\n`;
      if (/^status \d+$/.test(value)) return printed;
    }
  }

  end(): void {
    this.#child.stdin.end();
  }
}

interface Client {
  readonly shell: Shell;
  readonly tree: ProbedTree;
  /** Where its files are for us. */
  readonly files: string;
  /** Compiles that succeed here. */
  compiled: number;
}

const host = new BuildHost(t);
await host.startServers(['127.0.0.1'], ['--jobs', '2']);
const work = `${host.directory}/work`;
mkdirSync(work);

function makeClient(name: string, files: string, seed: number, command: readonly string[]): Client {
  const env = {
    ...host.env,
    TSCC_MODE: 'pump',
    TSCC_DIR: `${host.directory}/${name}`,
    TSCC_SESSION: name,
  };
  const tree = new ProbedTree(files, seed);
  const shell = new Shell(command, env);
  t.teardown(async () => {
    await shell.run('tscc stop');
    shell.end();
  });
  return { shell, tree, files, compiled: 0 };
}

async function compareOnce(t: Test, client: Client, round: number): Promise<void> {
  const { shell, tree, files } = client;
  const options = tree.edit();
  const compile = `${options} -MD -MT x.o -MF x.d -c x.c -o x.o`;
  const read = () => ['x.o', 'x.d'].map((name) => hexOf(`${files}/${name}`));
  const printed = [await shell.run(`rm -f x.o x.d; gcc ${compile}`)];
  const made = [read()];
  printed.push(await shell.run(`rm -f x.o x.d; tscc gcc ${compile}`));
  made.push(read());
  if (printed[0]?.endsWith('status 0\n') === true) client.compiled++;
  const isSame = printed[0] === printed[1] && made[0]?.join() === made[1]?.join();
  if (isSame) return;
  t.fail(`seed ${SEED}, round ${round}: gcc ${compile}`, {
    printed,
    depends: made.map((files) => Buffer.from(files[1] ?? '', 'hex').toString('latin1')),
    where: files,
    differ: ['x.o', 'x.d'].filter((_, n) => made[0]?.[n] !== made[1]?.[n]),
    history: tree.history.slice(-30),
  });
}

const hexOf = (path: string) => (existsSync(path) ? readFileSync(path, 'hex') : 'none');

await t.test('objects are as local', async (t) => {
  const clients = [makeClient('one', work, SEED, ['sh'])];
  if (canUnshare.status === 0) {
    const other = `${host.directory}/other`;
    const inside = `mount --bind '${other}' '${work}' && exec sh`;
    const command = ['unshare', ...UNSHARE, 'sh', '-c', inside];
    mkdirSync(other);
    clients.push(makeClient('two', other, SEED + 1000, command));
  }
  await Promise.all(clients.map(({ shell }) => shell.run(`cd '${work}'`)));
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(clients.map((client) => compareOnce(t, client, round)));
  }
  for (const [n, name] of ['one', 'two'].slice(0, clients.length).entries()) {
    const told = await clients[n]?.shell.run(`tscc status --json --session ${name}`);
    const status = JSON.parse(told?.replace(/\nstatus \d+\n$/, '') ?? '') as SessionStatus;
    const { outcomes, fallbacks, declines, demotions } = status;
    t.comment(JSON.stringify({ outcomes, fallbacks, declines, demotions }));
    t.equal(outcomes.pump, clients[n]?.compiled, `${name}: all that can be compiled went out`);
    t.equal(outcomes.plain, 0);
  }
});
