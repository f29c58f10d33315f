/**
 * The stand-in compiler of a simulated farm (twin: farm-stand-in.c): built, with recordings at its
 * end, and under the name of every compiler of this machine.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../../benchmarks/farm-stand-in.c', import.meta.url));
const MAGIC = 'tscc farm 000001';
const COMPILER = /^([A-Za-z0-9_.]+-)*(gcc|g\+\+|cc|c\+\+|clang|clang\+\+)(-[0-9.]+)?$/;

export interface StoredRecording {
  /** 16 characters of ASCII. */
  readonly key: string;
  readonly microseconds: number;
  /** Files: the object, the dependency file, what was printed to standard error. */
  readonly parts: readonly [string, string, string];
}

/** Makes a directory of compilers that know these recordings; answers its path. */
export function standInDirectory(place: string, recordings: readonly StoredRecording[]): string {
  const directory = `${place}/compilers`;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const program = `${directory}/stand-in`;
  const args = ['-std=gnu11', '-O2', '-o', program, SOURCE];
  // Static where libc.a exists: it starts faster, and less is measured that is no part of tscc.
  if (spawnSync('cc', ['-static', ...args], { stdio: 'ignore' }).status !== 0) {
    execFileSync('cc', args, { stdio: 'inherit' });
  }
  append(program, recordings);
  for (const name of compilerNames()) symlinkSync('stand-in', `${directory}/${name}`);
  return directory;
}

/** An environment whose PATH finds the stand-in first. */
export function withStandIn(env: NodeJS.ProcessEnv, directory: string): NodeJS.ProcessEnv {
  return { ...env, PATH: `${directory}:${env['PATH'] ?? ''}` };
}

function append(program: string, recordings: readonly StoredRecording[]): void {
  let at = statSync(program).size;
  const index: Buffer[] = [];
  for (const { key, microseconds, parts } of recordings) {
    const numbers = [microseconds];
    for (const file of parts) {
      const content = readFileSync(file);
      appendFileSync(program, content);
      numbers.push(at, content.length);
      at += content.length;
    }
    index.push(Buffer.from(key, 'latin1'), integers(numbers));
  }
  const end = [Buffer.from(MAGIC, 'latin1'), integers([at, recordings.length])];
  appendFileSync(program, Buffer.concat([...index, ...end]));
}

/** 64 bits each, little-endian. */
function integers(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [n, value] of values.entries())
    bytes.writeBigUInt64LE(BigInt(Math.round(value)), 8 * n);
  return bytes;
}

/** Of all compilers along PATH: distcc asks servers for other names of one than the build does. */
function compilerNames(): Set<string> {
  const directories = (process.env['PATH'] ?? '').split(':').filter((name) => existsSync(name));
  const names = directories.flatMap((directory) => readdirSync(directory));
  return new Set(names.filter((name) => COMPILER.test(name)));
}
