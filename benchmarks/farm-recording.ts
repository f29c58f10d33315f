/**
 * What a simulated farm replays: the compiles of a real build, which runs once under the stand-in.
 * That notes each command, its time and what it printed; what it made is taken from the tree when
 * the build has ended.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { digestOf } from '../src/core/digest.js';
import type { CompileCommand } from '../src/toolchain/compile-command.js';
import { parseCommand } from '../src/toolchain/parse-command.js';
import { standInDirectory, withStandIn } from './farm-stand-in.js';
import { measure } from './measure.js';

/** One compile; strings are text: what is not UTF-8 is left out. */
export interface Recorded {
  /** Of its recording, and the value of its -frandom-seed. */
  readonly key: string;
  readonly cwd: string;
  /** As the build called it, without directories. */
  readonly compiler: string;
  readonly words: readonly string[];
  /** Absolute paths. */
  readonly output: string;
  readonly dependencyFile: string | undefined;
  /** Seconds. */
  readonly wall: number;
  readonly cpu: number;
}

export interface Recording {
  /** Command of the build. */
  readonly build: string;
  readonly compiles: readonly Recorded[];
  /** Commands that were not recorded, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** A command as the stand-in saw it; times in seconds. */
export interface Command {
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly wall: number;
  readonly cpu: number;
  readonly status: number;
  /** What it printed there. */
  readonly stderr: string;
}

type Part = 'object' | 'dependencies' | 'stderr';

const KEY_LENGTH = 16;

export const partOf = (directory: string, key: string, part: Part): string =>
  `${directory}/recorded/${key}.${part}`;

/** The recording that is kept in a directory; undefined: none is. */
export function keptRecording(directory: string): Recording | undefined {
  const file = `${directory}/recording.json`;
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Recording) : undefined;
}

/**
 * Builds and records. Throws when the build fails.
 *
 * @param directory takes the recording
 * @param project where the build runs, and where its tree stays for replays
 * @param say takes a line on what is happening
 */
export function record(
  directory: string,
  project: string,
  build: string,
  say: (line: string) => void,
): Recording {
  rmSync(`${directory}/recorded`, { recursive: true, force: true });
  mkdirSync(`${directory}/recorded`, { recursive: true });
  const log = `${directory}/commands`;
  rmSync(log, { force: true });
  const standIn = standInDirectory(directory, []);
  say(`${build} …`);
  const built = spawnSync('/bin/sh', ['-c', build], {
    cwd: project,
    env: { ...withStandIn(process.env, standIn), TSCC_FARM_LOG: log },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (built.status !== 0) {
    throw new Error(`the build ended with ${built.status}:\n${built.stdout}${built.stderr}`);
  }
  const commands = existsSync(log) ? parseLog(readFileSync(log, 'utf8')) : [];
  if (commands.length === 0) {
    throw new Error('the build called no compiler by its name along PATH: nothing is recorded');
  }
  say(`${commands.length} commands; keeping what they made …`);
  const leftOut: Record<string, number> = {};
  const leave = (why: string) => (leftOut[why] = (leftOut[why] ?? 0) + 1);
  // Of those that make the same file the last counts: it is what the tree was left with.
  const byOutput = new Map<string, Recorded>();
  for (const command of commands) {
    const compile = understand(command);
    if (typeof compile === 'string') {
      leave(compile);
      continue;
    }
    if (command.status !== 0) {
      leave('failed');
      continue;
    }
    const recorded = keep(directory, command, compile);
    if (byOutput.delete(recorded.output)) leave('made again later');
    byOutput.set(recorded.output, recorded);
  }
  const recording = { build, compiles: [...byOutput.values()], leftOut };
  writeFileSync(`${directory}/recording.json`, `${JSON.stringify(recording, null, 1)}\n`);
  return recording;
}

/** The stand-in's log; its fields are told in farm-stand-in.c. */
export function parseLog(text: string): Command[] {
  const fields = text.split('\0');
  const commands: Command[] = [];
  for (let at = 0; at + 1 < fields.length;) {
    const count = Number(fields[at]);
    const cwd = fields[at + 1] ?? '';
    at += 2 + count;
    const [wall, cpu, status] = fields.slice(at, at + 3).map(Number);
    commands.push({
      ...{ cwd, argv: fields.slice(at - count, at), status: status ?? Number.NaN },
      ...{ wall: (wall ?? Number.NaN) / 1e6, cpu: (cpu ?? Number.NaN) / 1e6 },
      stderr: fields[at + 3] ?? '',
    });
    at += 4;
  }
  return commands;
}

/** The compile that a command is, or why it is not replayed. */
function understand({ cwd, argv }: Command): CompileCommand | string {
  if ([cwd, ...argv].some((word) => /[\n\ufffd]/.test(word))) return 'has odd bytes';
  const parsed = parseCommand({
    argv,
    cwd,
    readResponseFile: () => undefined,
    environment: new Map(),
    family: /clang/.test(basename(argv[0] ?? '')) ? 'clang' : 'gcc',
  });
  if (parsed.kind === 'other') return 'compiles nothing';
  if (parsed.kind === 'decline') return parsed.reason;
  const { sideOutputs, namesOutput } = parsed.command;
  if (sideOutputs.length > 0) return 'makes more than an object';
  return namesOutput && !argv.includes('-o') ? 'its -o is no word of its own' : parsed.command;
}

/** Keeps what a compile left; throws when there is nothing and it cannot be done again. */
function keep(directory: string, command: Command, compile: CompileCommand): Recorded {
  const { cwd, argv, wall, cpu } = command;
  const key = digestOf([cwd, ...argv].join('\0')).slice(0, KEY_LENGTH);
  const [argv0 = '', ...given] = argv;
  const compiler = basename(argv0);
  const words = compile.namesOutput ? given : [...given, '-o', compile.output];
  const absolute = (path: string) => (path.startsWith('/') ? path : `${cwd}/${path}`);
  const output = absolute(compile.output);
  const own = compile.dependencies && absolute(compile.dependencies.path);
  const list = partOf(directory, key, 'dependencies');
  const run = (args: readonly string[]) =>
    measure([compiler, ...args].map(shellWord).join(' '), cwd, process.env);
  // Some builds take them away when they have been read.
  if (!existsSync(output) || (own !== undefined && !existsSync(own))) run(words);
  writeFileSync(partOf(directory, key, 'object'), readFileSync(output));
  writeFileSync(partOf(directory, key, 'stderr'), command.stderr);
  if (own !== undefined) writeFileSync(list, readFileSync(own));
  // A server asks for a list where the command does not.
  else
    run([...words.filter((word, n) => word !== '-o' && words[n - 1] !== '-o'), '-M', '-MF', list]);
  return { key, cwd, compiler, words, output, dependencyFile: own, wall, cpu };
}

export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
