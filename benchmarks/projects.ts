/**
 * `npm run bench:projects -- [--plain] DIR [NAME…]`: real projects, from Debian's sources, built twice
 * in the same place: by make with the compiler, and by make through tscc on eight servers on this
 * machine, in pump mode unless told otherwise. Prints what became of every compile and whether the
 * files are the same. The last run of each project is kept in benchmarks/results/projects.json, and
 * projects.md beside it is the table (projects-plain for plain mode). Journals stay in DIR. Ends with
 * status 1 when a build fails, a file differs (in plain mode: debug information apart), a compile
 * prints something that the local build does not, or, in pump mode, is not done in it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf } from '../src/core/digest.js';
import type { SessionStatus } from '../src/report/statistics.js';
import { fetchSources } from './fetch-sources.js';
import { cpuOfDaemon, daemonPid, peakMemory, sum } from './measure.js';
import { PROJECTS, type Project } from './project-list.js';
import { startServers } from './servers.js';
import { counts, table, type Cells } from './table.js';
import { uploadsOf, worstRatio, type Upload } from './upload-budget.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ADDRESSES = Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 1}`);
const JOBS = 16;

const isPlain = process.argv[2] === '--plain';
const [directory, ...names] = process.argv.slice(isPlain ? 3 : 2);

/** What one build left. */
interface Built {
  /** Seconds of the build step alone, without configuring and checking. */
  readonly wall: number;
  /** Relative path → digest of every object and dependency file. */
  readonly objects: ReadonlyMap<string, string>;
  /** Plain mode: the same for objects with debug information, without it, since columns differ. */
  readonly stripped: ReadonlyMap<string, string>;
  readonly dependencyFiles: ReadonlyMap<string, string>;
  readonly stderr: string;
}

interface Row {
  readonly project: Project;
  readonly local: Built;
  readonly remote: Built;
  readonly status: SessionStatus;
  readonly uploads: readonly Upload[];
  /** Milliseconds per compile, and the most memory in MiB. */
  readonly daemon: { readonly cpu: number; readonly memory: number };
}

/**
 * A server that must be sent some megabytes is sent at most this many times as much. For less, the
 * names of what it has already weigh more than the contents that it has not.
 */
const UPLOAD_LIMIT = { ratio: 1.2, from: 1e6 };

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Builds a fresh copy in `place`, which is the same for both builds: objects may name it. */
function build(
  project: Project,
  pristine: string,
  place: string,
  compilers: { readonly cc: string; readonly cxx: string; readonly jobs: number },
  env: NodeJS.ProcessEnv,
): Built {
  rmSync(place, { recursive: true, force: true });
  cpSync(pristine, place, { recursive: true, verbatimSymlinks: true });
  const run = (line: string): { readonly wall: number; readonly stderr: string } => {
    const began = performance.now();
    const done = spawnSync('/bin/sh', ['-c', line], {
      cwd: place,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: {
        ...env,
        LC_ALL: 'C',
        CC: compilers.cc,
        CXX: compilers.cxx,
        JOBS: String(compilers.jobs),
        FLAGS: project.flags ?? '',
        HERE: `${root}benchmarks`,
      },
    });
    if (done.status !== 0) {
      const tail = `${done.stdout}\n${done.stderr}`.split('\n').slice(-30).join('\n');
      throw new Error(`${project.name}: ${line}\nfailed with ${done.status}:\n${tail}`);
    }
    return { wall: (performance.now() - began) / 1000, stderr: done.stderr };
  };
  if (project.configure !== undefined) run(project.configure);
  const { wall, stderr } = run(project.build);
  const files = outputs(place);
  run(project.check);
  return { wall, stderr, ...files };
}

function outputs(place: string) {
  const names = readdirSync(place, { recursive: true, encoding: 'utf8' });
  const digests = (isWanted: RegExp, read: (path: string) => Buffer | undefined) =>
    new Map(
      names
        .filter((name) => isWanted.test(name) && statSync(`${place}/${name}`).isFile())
        .flatMap((name) => {
          const content = read(`${place}/${name}`);
          return content === undefined ? [] : [[name, digestOf(content)] as const];
        }),
    );
  return {
    objects: digests(/\.l?o$/, (path) => readFileSync(path)),
    stripped: isPlain ? digests(/\.l?o$/, withoutDebug) : new Map<string, string>(),
    dependencyFiles: digests(/\.d$/, (path) => readFileSync(path)),
  };
}

/** An object without its debug information; undefined when it has none. */
function withoutDebug(path: string): Buffer | undefined {
  if (!readFileSync(path).includes('.debug_info')) return undefined;
  execFileSync('objcopy', ['--strip-debug', path, `${path}.stripped`]);
  return readFileSync(`${path}.stripped`);
}

function differing(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  const names = new Set([...a.keys(), ...b.keys()]);
  return [...names].filter((name) => a.get(name) !== b.get(name));
}

/** What the build through tscc printed on standard error and the local one did not. */
function surprises(row: Row): string[] {
  const expected = new Set(row.local.stderr.split('\n'));
  return row.remote.stderr.split('\n').filter((line) => !expected.has(line));
}

function compilesOf({ outcomes }: SessionStatus): number {
  return sum(Object.values(outcomes));
}

/** What each server was sent, against what it had to be sent. */
function uploadLines({ project, uploads }: Row): string[] {
  const kilobytes = (bytes: number) => (bytes / 1000).toFixed(0);
  return uploads.map(
    ({ host, sent, contents, needed }) =>
      `${project.name}: ${host} was sent ${kilobytes(sent)} kB, ${kilobytes(contents)} kB of it ` +
      `files, and needed ${kilobytes(needed)} kB: ${(sent / needed).toFixed(2)}`,
  );
}

/** Of jobs alone, and of the contents of headers and compilers. */
function traffic({ sentBytes, uploads, outcomes, hosts }: SessionStatus): string {
  const compiles = Math.max(1, outcomes.pump + outcomes.plain);
  const servers = Math.max(1, Object.keys(hosts).length);
  const jobs = (sentBytes - uploads.sentBytes) / compiles / 1000;
  const upload = uploads.sentBytes / servers / 1e6;
  return `${jobs.toFixed(1)} kB, ${upload.toFixed(1)} MB`;
}

function same(local: ReadonlyMap<string, string>, remote: ReadonlyMap<string, string>): string {
  const all = new Set([...local.keys(), ...remote.keys()]).size;
  return all === 0 ? '–' : `${all - differing(local, remote).length} of ${all}`;
}

function cellsOf({ project, local, remote, status, uploads, daemon }: Row): Cells {
  const { outcomes, declines, fallbacks, demotions, healed, stale, other } = status;
  const ofMode: Cells = isPlain
    ? { 'with -g, debug information apart': same(local.stripped, remote.stripped) }
    : {
        'healed, stale': `${healed}, ${stale}`,
        'sent ÷ needed, worst server': worstRatio(uploads).toFixed(2),
      };
  return {
    project: project.title,
    compiles: String(compilesOf(status)),
    outcomes: counts(outcomes),
    'reasons for local or plain compiles': counts({ ...declines, ...fallbacks, ...demotions }),
    'other commands': counts(other),
    'objects identical': same(local.objects, remote.objects),
    'dependency files identical': same(local.dependencyFiles, remote.dependencyFiles),
    ...ofMode,
    'bytes sent per compile, uploaded per server': traffic(status),
    'daemon: CPU per compile, memory': `${daemon.cpu.toFixed(1)} ms, ${daemon.memory.toFixed(0)} MiB`,
    'wall: make -j2, through tscc': `${local.wall.toFixed(1)} s, ${remote.wall.toFixed(1)} s`,
  };
}

function page(results: Readonly<Record<string, Cells>>): string {
  const projects = PROJECTS.filter(({ name }) => results[name] !== undefined);
  const compiler = execFileSync('gcc', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
  return `# Real projects through tscc, in ${isPlain ? 'plain' : 'pump'} mode

Made by \`npm run bench:projects -- ${isPlain ? '--plain ' : ''}DIR\`. Each project is built twice in the same directory, by
\`make -j2\` with gcc and by \`make -j${JOBS}\` with \`CC="tscc gcc"\` on eight servers at 127.0.0.1–127.0.0.8,
whose stores are empty at its start; then its own check is run. Sources are Debian's, without its
patches, and those of LevelDB from npm.
${
  isPlain
    ? 'Objects with `-g` may differ in debug information (columns), and are compared without it too.'
    : 'A server needs the sources that it compiles, and once each other file that it lacks, compressed.'
}

${compiler}; ${cpus().length} cores, which make, tscc, all servers and whoever else works there share: wall times
say that builds end, not what more machines would give.

${table(projects.map(({ name }) => results[name] ?? {}))}

${projects.map(explain).join('\n')}
`;
}

function explain({ title, flags, configure, build: line, check, local = {} }: Project): string {
  const lines = [configure, line].flatMap((part) => (part === undefined ? [] : `\`${part}\``));
  const given = flags === undefined ? '' : ` with FLAGS \`${flags}\``;
  const because = Object.entries(local).map(
    ([reason, { count, why }]) => ` ${count} ${reason} is right: ${why}.`,
  );
  return `- **${title}**: ${lines.join(', ')}${given}; check: \`${check}\`.${because.join('')}`;
}

/** Adds a row to those of earlier runs. */
function keepResults(row: Row): void {
  const results = `${root}benchmarks/results`;
  const name = isPlain ? 'projects-plain' : 'projects';
  mkdirSync(results, { recursive: true });
  const earlier = existsSync(`${results}/${name}.json`)
    ? (JSON.parse(readFileSync(`${results}/${name}.json`, 'utf8')) as Record<string, Cells>)
    : {};
  const all = { ...earlier, [row.project.name]: cellsOf(row) };
  writeFileSync(`${results}/${name}.json`, `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(`${results}/${name}.md`, page(all));
}

async function main(directory: string, names: readonly string[]): Promise<boolean> {
  const wanted = PROJECTS.filter(({ name }) => names.length === 0 || names.includes(name));
  const unknown = names.filter((name) => PROJECTS.every((project) => project.name !== name));
  if (unknown.length > 0) {
    const known = PROJECTS.map(({ name }) => name).join(', ');
    throw new Error(`no project ${unknown.join(', ')}; there are ${known}`);
  }
  const scratch = mkdtempSync(`${tmpdir()}/tscc-projects-`);
  const plainEnv: NodeJS.ProcessEnv = { ...process.env, PATH: `${root}bin:${process.env['PATH']}` };
  const mode = isPlain ? 'plain' : 'pump';
  const tsccEnv = {
    ...plainEnv,
    TSCC_MODE: mode,
    TSCC_DIR: `${scratch}/state`,
    XDG_RUNTIME_DIR: scratch,
  };
  const rows: Row[] = [];
  for (const project of wanted) {
    // What an earlier project has sent must not be there already.
    const store = `${scratch}/stores-${project.name}`;
    const servers = await startServers(ADDRESSES, store);
    try {
      say(`${project.title} …`);
      const pristine = fetchSources(project, directory);
      const place = `${directory}/build/${project.name}`;
      const local = build(project, pristine, place, { cc: 'gcc', cxx: 'g++', jobs: 2 }, plainEnv);
      const env = { ...tsccEnv, TSCC_HOSTS: servers.hosts, TSCC_SESSION: project.name };
      const through = { cc: 'tscc gcc', cxx: 'tscc g++', jobs: JOBS };
      const remote = build(project, pristine, place, through, env);
      const status = JSON.parse(
        execFileSync('tscc', ['status', '--json', '--session', project.name], {
          env,
          encoding: 'utf8',
        }),
      ) as SessionStatus;
      const stores = servers.hosts.split(' ').map((host, n) => [host, `${store}/${n}`] as const);
      const journal = `${scratch}/state/journal/${project.name}.jsonl`;
      const pid = daemonPid(`${scratch}/state`);
      const row: Row = {
        project,
        local,
        remote,
        status,
        uploads: isPlain ? [] : uploadsOf(journal, new Map(stores)),
        daemon: { cpu: (cpuOfDaemon(pid) * 1000) / compilesOf(status), memory: peakMemory(pid) },
      };
      rows.push(row);
      for (const line of uploadLines(row)) say(line);
      keepResults(row);
    } finally {
      execFileSync(`${root}bin/tscc`, ['stop'], { env: tsccEnv, stdio: 'ignore' });
      await servers.stop();
      const journals = `${scratch}/state/journal`;
      // There is none when the local build has failed.
      if (existsSync(journals)) cpSync(journals, `${directory}/journal`, { recursive: true });
    }
  }
  say(`\n${table(rows.map(cellsOf))}`);
  rmSync(scratch, { recursive: true, force: true });
  return rows.map((row) => isClean(row)).every(Boolean);
}

/** Compiles that were not done in pump mode, unless the project says that they are not to be. */
function strays({ project, status }: Row): string[] {
  const reasons = { ...status.declines, ...status.fallbacks, ...status.demotions };
  const told = Object.entries(reasons)
    .filter(([reason, count]) => count > (project.local?.[reason]?.count ?? 0))
    .map(([reason, count]) => `${count} compiles not in pump mode: ${reason}`);
  const broken = status.failed + status.cancelled;
  return broken === 0 ? told : [...told, `${broken} compiles failed or were interrupted`];
}

/** What pump mode gets over, and should not have to. */
function flaws({ status, uploads }: Row): string[] {
  const missed = status.healed === 0 ? [] : [`${status.healed} files were missed by a server`];
  const { ratio, from } = UPLOAD_LIMIT;
  const excess = uploads.filter(({ sent, needed }) => needed > from && sent > ratio * needed);
  return [
    ...missed,
    ...excess.map(
      ({ host, sent, needed }) => `${host} was sent ${sent} bytes, and needed ${needed}`,
    ),
  ];
}

/** Tells what is wrong with a project's build. */
function isClean(row: Row): boolean {
  const { project, local, remote } = row;
  const complaints = [
    ...(local.objects.size === 0 ? ['no object was made'] : []),
    ...differing(local.objects, remote.objects)
      .filter((name) => !local.stripped.has(name))
      .map((name) => `${name} differs`),
    ...differing(local.stripped, remote.stripped).map((name) => `${name} differs in code or data`),
    ...(isPlain ? [] : [...strays(row), ...flaws(row)]),
    ...differing(local.dependencyFiles, remote.dependencyFiles).map((name) => `${name} differs`),
    ...surprises(row).map((line) => `printed: ${line}`),
  ];
  for (const complaint of complaints) say(`${project.name}: ${complaint}`);
  return complaints.length === 0;
}

if (directory === undefined) {
  say('usage: npm run bench:projects -- [--plain] DIR [NAME…]   (DIR keeps sources and builds)');
  process.exitCode = 2;
} else if (!(await main(resolve(directory), names))) {
  process.exitCode = 1;
}
