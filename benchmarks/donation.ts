/**
 * `npm run test:donation -- DIR [--minutes N] [--seed N]`: builds made at random, with tokens lent
 * while compiles are on two servers, by make as it is installed and by make 4.4.1 with both of its
 * jobservers. Of each build the exit status has to be that of the same build without tscc, and
 * make must not miss a token, nor have one too many; where a launcher or the session daemon is
 * killed meanwhile, it has to end, and as it would have without that.
 *
 * DIR keeps make 4.4.1, from Debian's sources (suite trixie) by way of the mirror that apt has.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { daemonPid } from './measure.js';
import { startServers } from './servers.js';

const bin = fileURLToPath(new URL('../../bin', import.meta.url));
/** Seconds; such a build takes a few. One that hangs ends with 124. */
const PATIENCE = 120;

type Harm = 'none' | 'launcher' | 'daemon';

interface Ended {
  readonly status: number | null;
  readonly words: string;
}

/** Numbers below a bound, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Debian's make-dfsg of trixie, built in the directory; answers the program. */
function newerMake(directory: string): string {
  const place = `${directory}/make-4.4.1`;
  const program = `${place}/make`;
  if (existsSync(program)) return program;
  const apt = `${directory}/apt`;
  for (const name of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(`${apt}/${name}`, { recursive: true });
  }
  const targets = execFileSync('apt-get', ['indextargets', '--format', '$(SITE) $(ORIGIN)']);
  const mirror = /^(\S+) Debian$/m.exec(targets.toString())?.[1];
  if (mirror === undefined) throw new Error('apt knows no mirror of Debian');
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(`${apt}/sources.list`, `deb-src [signed-by=${key}] ${mirror} trixie main\n`);
  const options = [
    `Dir::Etc::SourceList=${apt}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${apt}/lists`,
    `Dir::Cache=${apt}/cache`,
  ].flatMap((option) => ['-o', option]);
  const run = (command: string, args: readonly string[], cwd: string) =>
    execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  run('apt-get', [...options, '-qq', 'update'], directory);
  run('apt-get', [...options, '-qq', 'source', '--download-only', 'make-dfsg'], directory);
  run('sh', ['-c', 'tar -xf make-dfsg_4.4.1.orig.tar.xz'], directory);
  // Debian's sources are without the manual, which configure wants to see.
  mkdirSync(`${place}/doc`, { recursive: true });
  writeFileSync(`${place}/doc/Makefile.in`, 'all:\n');
  run('sh', ['-c', './configure -q && sh build.sh >build.log 2>&1'], place);
  return program;
}

/** Sources and makefiles of one build; answers the words for make. */
function writeBuild(place: string, random: (below: number) => number): string[] {
  const isIn = (of: number) => random(of) === 0;
  const parts = Array.from({ length: 1 + random(3) }, (_, n) => `part${n}`);
  for (const part of parts) {
    mkdirSync(`${place}/${part}`, { recursive: true });
    const names = Array.from({ length: 1 + random(8) }, (_, n) => `f${n}`);
    const isBroken = isIn(8);
    for (const [n, name] of names.entries()) {
      const lines = Array.from({ length: 1 + random(200) }, (_, k) => `int ${name}_${k} = ${k};\n`);
      const last = isBroken && n === 0 ? 'broken\n' : '';
      writeFileSync(`${place}/${part}/${name}.c`, `${lines.join('')}${last}`);
    }
    // Some that are done here: at once, or for as long as make may need a token back.
    const here = Array.from({ length: random(4) }, (_, n) => `here${n}`);
    const after = isIn(2) ? names.map((name) => `${name}.o`).join(' ') : '';
    const rules = here.map((name) => `${name}: ${after}\n\tsleep 0.${random(5)}\n`);
    const recipe = [
      '$(CC) -c -o $@ $<',
      '@$(CC) -c -o $@ $< 2>&1 | cat',
      ': ; $(CC) -c -o $@ $< && test -f $@',
      '$(CC) -c -o $@ $< & $(CC) -c -o $@.2.o $< & wait',
    ][random(4)];
    writeFileSync(
      `${place}/${part}/Makefile`,
      `all: ${names.map((name) => `${name}.o`).join(' ')} ${here.join(' ')}\n` +
        `%.o: %.c\n\t${recipe}\n${rules.join('')}.PHONY: all ${here.join(' ')}\n`,
    );
  }
  const all = parts.join(' ');
  writeFileSync(
    `${place}/Makefile`,
    `beside: ${all}\n${all}:\n\t$(MAKE) -C $@\n` +
      `loop:\n\tfor part in ${all}; do $(MAKE) -C $$part || exit; done\n.PHONY: beside loop ${all}\n`,
  );
  return [`-j${2 + random(3)}`, ...(isIn(2) ? ['-k'] : []), isIn(2) ? 'loop' : 'beside'];
}

function removeProducts(place: string): void {
  execFileSync('find', [place, '-name', '*.o', '-delete']);
}

/** Runs make, and `harm` meanwhile. */
async function build(
  command: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  harm?: () => Promise<void>,
): Promise<Ended> {
  const words = ['-k', '5', String(PATIENCE), ...command];
  const child = spawn('timeout', words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  }
  const ended = once(child, 'close') as Promise<[number | null]>;
  await harm?.();
  const [status] = await ended;
  return { status, words: printed };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    },
  });
  const [given] = positionals;
  if (given === undefined) throw new Error('usage: npm run test:donation -- DIR [--minutes N]');
  const directory = resolve(given);
  mkdirSync(directory, { recursive: true });
  const newer = newerMake(directory);
  const makes = [['make'], [newer], [newer, '--jobserver-style=pipe']] as const;
  const scratch = mkdtempSync(`${tmpdir()}/tscc-donation-`);
  const state = `${scratch}/state`;
  const servers = await startServers(['127.0.0.1', '127.0.0.2'], `${scratch}/stores`, [
    '--jobs',
    '4',
  ]);
  const common = {
    ...process.env,
    ...{ PATH: `${bin}:${process.env['PATH']}`, LC_ALL: 'C', MAKEFLAGS: undefined },
    ...{ TSCC_DIR: state, XDG_RUNTIME_DIR: scratch, TSCC_HOSTS: servers.hosts },
    ...{ TSCC_DONATE: '1', TSCC_DONATE_LOAD: '1000000' },
  };
  const end = performance.now() + Number(values.minutes) * 60_000;
  const tally: Record<Harm, number> = { none: 0, launcher: 0, daemon: 0 };
  let [notices, harmed] = [0, 0];
  const faults: string[] = [];
  try {
    for (let seed = Number(values.seed); performance.now() < end; seed++) {
      const random = randomNumbers(seed);
      const place = `${scratch}/build`;
      rmSync(place, { recursive: true, force: true });
      const words = writeBuild(place, random);
      const make = makes[random(makes.length)] ?? ['make'];
      const bare = await build([...make, ...words, 'CC=gcc'], place, common);
      const command = [...make, ...words, 'CC=tscc gcc'];
      for (const harm of ['none', random(2) === 0 ? 'launcher' : 'daemon'] as const) {
        removeProducts(place);
        const after = random(400);
        let isDone = false;
        const { status, words: told } = await build(command, place, common, async () => {
          if (harm === 'none') return;
          await setTimeout(after);
          isDone = kill(harm, state, place);
        });
        tally[harm]++;
        if (isDone) harmed++;
        const hasNotice = told.includes('INTERNAL');
        if (hasNotice) notices++;
        // A launcher that is killed fails its target, as a compiler would.
        const isRight = status === bare.status || (harm === 'launcher' && isDone && status === 2);
        if (!isRight || (hasNotice && !isDone)) {
          faults.push(`seed ${seed}, ${command.join(' ')}, ${harm}: ${status}, not ${bare.status}`);
          process.stdout.write(`${faults.at(-1)}\n${told}\n`);
        }
      }
    }
  } finally {
    spawnSync(`${bin}/tscc`, ['stop'], { env: common, stdio: 'ignore' });
    await servers.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
  const { none, launcher, daemon } = tally;
  process.stdout.write(
    `${none} builds undisturbed, ${launcher} with a launcher and ${daemon} with the daemon killed ` +
      `(${harmed} in time; ${notices} notices of make); ${faults.length} faults\n`,
  );
  process.exitCode = faults.length === 0 ? 0 : 1;
}

/** False: there was nobody to kill any more, or yet. */
function kill(harm: 'launcher' | 'daemon', state: string, place: string): boolean {
  const pids =
    harm === 'daemon'
      ? [existsSync(`${state}/daemon.log`) ? daemonPid(state) : 0]
      : launchersIn(place);
  const [pid = 0] = pids;
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
    return pid > 0;
  } catch {
    return false; // it has just ended by itself
  }
}

/** Launchers, and no compilers that they have become, whose directory is in a place. */
function launchersIn(place: string): number[] {
  const found = spawnSync('pgrep', ['-x', 'tscc'], { encoding: 'utf8' }).stdout.split('\n');
  return found
    .filter(Boolean)
    .map(Number)
    .filter((pid) => {
      const look = spawnSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' });
      return look.stdout.startsWith(place);
    });
}

await main();
