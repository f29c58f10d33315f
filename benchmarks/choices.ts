/**
 * `npm run bench:choices`: the measurements behind docs/decisions/0002, 0004, 0005 and 0007, as one table.
 * Sources are made by the machine's own gcc and g++ from its own headers.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { brotliCompress, brotliCompressSync, deflateRawSync } from 'node:zlib';
import { BROTLI } from '../src/platform/compression.js';
import { measure, median } from './measure.js';

const C = '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n';
const CXX = '#include <vector>\n#include <map>\n#include <string>\n#include <iostream>\n';
const ROUNDS = 9;

const scratch = mkdtempSync(`${tmpdir()}/tscc-choices-`);
const compressInThread = promisify(brotliCompress);

/**
 * Milliseconds of this process's CPU time, threads included: the median of a few rounds after
 * some that make the code warm.
 */
async function cpu(times: number, work: () => unknown): Promise<number> {
  const rounds: number[] = [];
  for (let i = 0; i < 3 * times; i++) await work();
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < times; i++) await work();
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / 1000 / times);
  }
  return median(rounds);
}

function preprocess(compiler: string, file: string, option: string): Buffer {
  const args = ['-E', ...(option === '' ? [] : [option]), file];
  return execFileSync(compiler, args, { cwd: scratch, maxBuffer: 1 << 28 });
}

function say(what: string, figure: string): void {
  process.stdout.write(`| ${what} | ${figure} |\n`);
}

async function preprocessors(compiler: string, file: string): Promise<void> {
  for (const option of ['', '-fdirectives-only']) {
    const source = preprocess(compiler, file, option);
    const line = `for i in 1 2 3 4 5; do ${compiler} -E ${option} ${file} >/dev/null; done`;
    const runs = Array.from(
      { length: ROUNDS },
      () => measure(line, scratch, process.env).cpu * 200,
    );
    const packed = await cpu(10, () => brotliCompressSync(source, BROTLI));
    say(
      `${compiler} -E ${option}`.trim(),
      `${median(runs).toFixed(0)} ms CPU, ${kilobytes(source)} KB, ` +
        `${kilobytes(brotliCompressSync(source, BROTLI))} KB compressed in ${packed.toFixed(1)} ms`,
    );
  }
}

/** What a source costs to take in: in pages through a pipe, from a file, into memory used before. */
async function readings(source: Buffer): Promise<void> {
  const path = `${scratch}/source`;
  writeFileSync(path, source);
  const memory = Buffer.alloc(source.length);
  const readInto = () => {
    const file = openSync(path, 'r');
    readSync(file, memory, 0, memory.length, 0);
    closeSync(file);
  };
  const size = `${kilobytes(source)} KB`;
  const piped = async () => {
    const writer = spawn('dd', ['bs=4096', `if=${path}`], { stdio: ['ignore', 'pipe', 'ignore'] });
    const parts: Buffer[] = [];
    for await (const part of writer.stdout) parts.push(part as Buffer);
    return Buffer.concat(parts);
  };
  const [pipe, start] = [await cpu(10, piped), await cpu(10, starting)];
  say(`${size} through a pipe, page by page`, `${(pipe - start).toFixed(1)} ms`);
  say(
    `${size} from a file, fresh memory`,
    `${(await cpu(20, () => readFileSync(path))).toFixed(1)} ms`,
  );
  say(`${size} from a file, memory used before`, `${(await cpu(20, readInto)).toFixed(1)} ms`);
}

/** What starting the writer of `readings` costs, which is not to be counted. */
async function starting(): Promise<void> {
  const child = spawn('dd', ['count=0', 'if=/dev/zero'], { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const part of child.stdout) void part;
}

const kilobytes = (bytes: Uint8Array): string => (bytes.length / 1000).toFixed(0);

async function main(): Promise<void> {
  writeFileSync(`${scratch}/x.c`, C);
  writeFileSync(`${scratch}/x.cc`, CXX);
  const version = spawnSync('gcc', ['-dumpfullversion'], { encoding: 'utf8' }).stdout.trim();
  process.stdout.write(
    `gcc ${version}, Node.js ${process.version}\n\n| what | figure |\n|---|---|\n`,
  );

  await preprocessors('gcc', 'x.c');
  await preprocessors('g++', 'x.cc');

  const large = preprocess('g++', 'x.cc', '');
  for (const [name, pack] of [
    ['brotli 1', () => brotliCompressSync(large, BROTLI)],
    ['deflate 1', () => deflateRawSync(large, { level: 1 })],
  ] as const) {
    const ratio = (large.length / pack().length).toFixed(1);
    say(
      `${name}, ${kilobytes(large)} KB of C++`,
      `${ratio}×, ${(await cpu(5, pack)).toFixed(1)} ms`,
    );
  }

  const small = preprocess('gcc', 'x.c', '').subarray(0, 20_000);
  const thread = await cpu(50, () => compressInThread(small, BROTLI));
  const atOnce = await cpu(50, () => brotliCompressSync(small, BROTLI));
  say(
    'brotli 1, 20 KB of C',
    `${atOnce.toFixed(2)} ms at once, ${thread.toFixed(2)} ms in a thread`,
  );

  await readings(large);

  const path = `${scratch}/x.c`;
  const [sync, async_] = [await cpu(2000, () => statSync(path)), await cpu(500, () => stat(path))];
  say(
    'stat',
    `${(sync * 1000).toFixed(0)} µs at once, ${(async_ * 1000).toFixed(0)} µs in a thread`,
  );
}

try {
  await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
