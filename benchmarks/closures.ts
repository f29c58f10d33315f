/**
 * `npm run bench:closures -- DIR [NAME…]`: closures of real projects against the compilers' own
 * word. Each project of project-list.ts (its sources are fetched and kept below DIR) is built once
 * with a compiler that notes its commands; then, for each compile, the closure must hold
 * every file of `-M` and every file that strace sees the preprocessor open or find under a
 * directory of its search path. Prints surplus and cost; ends with status 1 when a file is missing.
 * Node has the flags with which the launcher starts the daemon (docs/decisions/0014).
 * The last run of each project is kept in benchmarks/results/closures.json, the table beside it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromText, joinPath, toText, type ByteString } from '../src/core/byte-string.js';
import type { ClosureAnswer } from '../src/include-server/include-server.js';
import { realIncludeServer, type RealIncludeServer } from '../src/include-server/include-host.js';
import { realClock } from '../src/platform/clock.js';
import { startPiped } from '../src/platform/piped-process.js';
import type { CompileCommand } from '../src/toolchain/compile-command.js';
import { parseCommand } from '../src/toolchain/parse-command.js';
import { preprocessArguments } from '../src/toolchain/plain-mode.js';
import { realToolchainDeps } from '../src/toolchain/toolchain-host.js';
import { ToolchainProbe, type Toolchain } from '../src/toolchain/toolchain.js';
import { CLOSURE_PROJECTS, type ClosureProject } from './closure-projects.js';
import { median } from './measure.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const WATCH = `${root}bin/tscc-watch`;
/** Kernel-wide, what the preprocessor opens besides sources and headers. */
const NO_INPUT = /^\/(proc|dev|sys|etc|tmp\/cc)|\.so(\.|$)|\/locale\/|\/(specs|cc1|cc1plus|as)$/;

interface Unit {
  readonly command: CompileCommand;
  readonly toolchain: Toolchain;
}

interface Row {
  readonly title: string;
  readonly units: number;
  readonly notCovered: Readonly<Record<string, number>>;
  /** Means per unit. */
  readonly closureFiles: number;
  readonly dependencyFiles: number;
  readonly missing: readonly string[];
  /** Milliseconds of CPU per unit: nothing known; all known and watched; all known and looked at. */
  readonly cold: number;
  readonly watched: number;
  readonly stat: number;
  /** MiB: the most that a process needs which answers the whole project, Node.js included. */
  readonly memory: number;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const environment = new Map(
  Object.entries(process.env).map(([name, value]) => [fromText(name), fromText(value ?? '')]),
);

/** Builds once with a compiler that writes down what it is asked; gives the compiles. */
async function record(project: ClosureProject, scratch: string): Promise<Unit[]> {
  const log = `${scratch}/commands`;
  writeFileSync(log, '');
  const [cc, cxx] = project.compilers ?? ['gcc', 'g++'];
  const recorder = (compiler: string) => {
    const path = `${scratch}/${compiler}`;
    writeFileSync(
      path,
      `#!/bin/bash\n{ flock 9; printf '%s\\0' "$PWD" ${compiler} "$@" '' >&9; } 9>>'${log}'\n` +
        `[ -n "$RECORD_ONLY" ] || exec /usr/bin/${compiler} "$@"\n`,
    );
    chmodSync(path, 0o755);
    return path;
  };
  const env = {
    ...process.env,
    CC: recorder(cc),
    CXX: recorder(cxx),
    JOBS: String(cpus().length),
  };
  const built = spawnSync('bash', ['-ec', project.build], {
    cwd: project.directory(),
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (built.status !== 0) throw new Error(`${project.title}: ${built.stderr.slice(-2000)}`);
  const probe = new ToolchainProbe(realToolchainDeps(say));
  const units: Unit[] = [];
  for (const words of readFileSync(log, 'latin1').split('\0\0')) {
    const [cwd, compiler, ...args] = words.split('\0');
    if (cwd === undefined || compiler === undefined) continue;
    const toolchain = await probe.identify(`/usr/bin/${compiler}`, environment.get('PATH') ?? '');
    if (typeof toolchain === 'string') throw new Error(toolchain);
    const parsed = parseCommand({
      argv: [compiler, ...args],
      cwd,
      environment,
      family: toolchain.family,
      readResponseFile: (path) => readFileSync(joinPath(cwd, path), 'latin1'),
    });
    if (parsed.kind !== 'compile') continue;
    // What a configure script tried is gone.
    const { command } = parsed;
    if (existsSync(toText(joinPath(cwd, command.source)))) units.push({ command, toolchain });
  }
  return units;
}

/** Real paths that -M names, and those that strace saw. */
function oracle({ command, toolchain }: Unit): ByteString[] {
  const run = (program: string, args: readonly string[]) =>
    spawnSync(program, args, {
      cwd: command.cwd,
      encoding: 'latin1',
      maxBuffer: 1 << 30,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const [, ...preprocess] = preprocessArguments(command, undefined);
  const rule = run(toolchain.compiler, [...preprocess, '-M']).stdout;
  const named = rule
    .slice(rule.indexOf(':') + 1)
    .replaceAll('\\\n', ' ')
    .split(/(?<!\\)\s+/)
    .map((name) => name.replaceAll(/\\([ #])/g, '$1').replaceAll('$$', '$'));
  const traced = run('strace', [
    ...[
      '-f',
      '-qq',
      '-s',
      '4096',
      '-e',
      'trace=open,openat,stat,newfstatat,access',
      '-o',
      '/dev/stderr',
    ],
    ...[toolchain.compiler, ...preprocess],
  ]).stderr;
  const seen = [...traced.matchAll(/^[^"\n]*"([^"\n]+)"[^\n]* = ([0-9]+)/gm)]
    .filter(([line]) => !line.includes('O_DIRECTORY') && !line.includes('S_IFDIR'))
    .filter(([line]) => !line.includes('O_WRONLY') && !line.includes('O_RDWR'))
    .map(([, path]) => path ?? '');
  return [...new Set([...named, ...seen])]
    .filter((path) => path !== '')
    .map((path) => joinPath(command.cwd, path));
}

const realPaths = new Map<ByteString, ByteString | undefined>();
function realPath(path: ByteString): ByteString | undefined {
  let real = realPaths.get(path);
  if (real === undefined && !realPaths.has(path)) {
    const found = spawnSync('realpath', ['-e', toText(path)], { encoding: 'utf8' });
    real = found.status === 0 ? fromText(found.stdout.trimEnd()) : undefined;
    realPaths.set(path, real);
  }
  return real;
}

/** CPU of one pass over all units, in milliseconds per unit. */
async function pass(include: RealIncludeServer, units: readonly Unit[]) {
  const answers: ClosureAnswer[] = [];
  const before = process.cpuUsage();
  for (const { command, toolchain } of units) {
    answers.push(await include.server.closureOf(command, toolchain, environment));
  }
  const { user, system } = process.cpuUsage(before);
  return { answers, cost: (user + system) / 1000 / units.length };
}

/** In a process of its own, since memory that was used before may be used again. */
function memoryOf(units: readonly Unit[], scratch: string): number {
  const path = `${scratch}/units.json`;
  writeFileSync(path, JSON.stringify(units));
  const answer = [fileURLToPath(import.meta.url), '--answer', path];
  return Number(
    execFileSync(process.execPath, [...process.execArgv, ...answer], { encoding: 'utf8' })
      .split('\n')
      .at(-2),
  );
}

async function answerAll(path: string): Promise<void> {
  const units = JSON.parse(readFileSync(path, 'utf8')) as Unit[];
  const watching = realIncludeServer(realClock, () => startPiped(WATCH, [dirname(path)]), say);
  await pass(watching, units);
  await watching.close();
  say((process.resourceUsage().maxRSS / 1024).toFixed(0));
}

async function measureProject(project: ClosureProject): Promise<Row> {
  const scratch = mkdtempSync(`${tmpdir()}/tscc-closures-`);
  try {
    const units = await record(project, scratch);
    const newServer = () => realIncludeServer(realClock, () => startPiped(WATCH, [scratch]), say);
    // Servers that know nothing, in a process whose code is warm, as a daemon's is for most of a build.
    const cold: number[] = [];
    for (let i = 0; i < 2; i++) {
      const fresh = newServer();
      cold.push((await pass(fresh, units)).cost);
      await fresh.close();
    }
    const watching = newServer();
    const first = await pass(watching, units);
    cold.push(first.cost);
    await pass(watching, units);
    const warm: number[] = [];
    for (let i = 0; i < 5; i++) warm.push((await pass(watching, units)).cost);
    await watching.close();
    const looking = realIncludeServer(realClock, undefined, say);
    await pass(looking, units);
    const looked: number[] = [];
    for (let i = 0; i < 3; i++) looked.push((await pass(looking, units)).cost);

    const notCovered: Record<string, number> = {};
    const missing = new Set<string>();
    let [files, dependencies, covered] = [0, 0, 0];
    for (const [at, unit] of units.entries()) {
      const answer = first.answers[at];
      if (answer?.kind !== 'closure') {
        const reason = answer?.why.reason ?? 'none';
        notCovered[reason] = (notCovered[reason] ?? 0) + 1;
        continue;
      }
      const closure = answer.closure.files;
      const wanted = new Set(
        oracle(unit).flatMap((path) => {
          const real = NO_INPUT.test(path) ? undefined : realPath(path);
          return real === undefined || NO_INPUT.test(real) ? [] : [real];
        }),
      );
      wanted.delete(realPath(unit.toolchain.compiler) ?? '');
      covered++;
      files += closure.size;
      dependencies += wanted.size;
      for (const path of wanted) {
        if (!closure.has(path)) missing.add(`${toText(unit.command.source)}: ${toText(path)}`);
      }
    }
    return {
      title: project.title,
      units: units.length,
      notCovered,
      closureFiles: files / covered,
      dependencyFiles: dependencies / covered,
      missing: [...missing],
      cold: median(cold),
      watched: median(warm),
      stat: median(looked),
      memory: memoryOf(units, scratch),
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const [directory, ...names] = process.argv.slice(2);
  const [units] = names;
  if (directory === '--answer' && units !== undefined) return answerAll(units);
  if (directory === undefined) throw new Error('usage: npm run bench:closures -- DIR [NAME…]');
  execFileSync('strace', ['-V'], { stdio: 'ignore' });
  const path = `${root}benchmarks/results/closures.json`;
  const rows = new Map<string, Row>(
    existsSync(path)
      ? Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, Row>)
      : [],
  );
  for (const project of CLOSURE_PROJECTS(resolve(directory))) {
    if (names.length > 0 && !names.includes(project.name)) continue;
    const row = await measureProject(project);
    rows.set(project.name, row);
    for (const file of row.missing) say(`missing in ${project.title}: ${file}`);
    if (row.missing.length > 0) process.exitCode = 1;
  }
  writeFileSync(path, `${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`);
  const table = [
    '| | units | not covered | files seen | closure | missing | cold | warm, watched | warm, looked at | memory |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...[...rows.values()].map((row) => {
      const { title, units, notCovered, dependencyFiles, closureFiles, missing } = row;
      const reasons = Object.entries(notCovered).map(([reason, n]) => `${n} ${reason}`);
      const cells = [title, units, reasons.join(', ') || 0, dependencyFiles.toFixed(0)];
      cells.push(closureFiles.toFixed(0), missing.length);
      cells.push(...[row.cold, row.watched, row.stat].map((ms) => `${ms.toFixed(2)} ms`));
      return `| ${cells.join(' | ')} | ${row.memory.toFixed(0)} MiB |`;
    }),
    '',
    'Files are means per unit, times CPU per unit of the include server alone: medians of three servers',
    'that know nothing, and of passes of one that knows all, watched or looking at each file again.',
    '',
  ].join('\n');
  writeFileSync(`${root}benchmarks/results/closures.md`, table);
  say(table);
}

await main();
