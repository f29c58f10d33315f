/**
 * npm run fuzz -- [--frames N] [--seed S] [--output NAME]
 *
 * Mutated frames through the parser, and through connections to a real tsccd, beside a witness that
 * talks to the same server in good order. Nothing but MalformedFrame may come out of the parser; the
 * server must go on, keep its size, and answer the witness all the time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { digestOf } from '../src/core/digest.js';
import { MalformedFrame } from '../src/protocol/field-codec.js';
import { WireSplitter } from '../src/protocol/framing.js';
import { decodeMessage, encodeMessage, WIRE_VERSION } from '../src/protocol/messages.js';
import { mutatedFrame } from '../tests/fixtures/mutated-frames.js';
import { SeededRandom } from '../tests/fixtures/seeded-random.js';
import { WireClient } from '../tests/fixtures/wire-client.js';
import { RUN_TSCCD } from './servers.js';

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    output: { type: 'string', default: 'benchmarks/results/fuzz' },
  },
});
const frames = Number(values.frames);
const random = new SeededRandom(Number(values.seed));
/** Frames on one connection: most connections end at their first bad one. */
const PER_CONNECTION = 20;
/** One of so many frames goes over a socket as well. */
const WIRE_SHARE = 10;

const HELLO = encodeMessage({
  kind: 'hello',
  protocol: WIRE_VERSION,
  version: 'fuzz',
  client: 'fuzz',
  features: [],
});

function parse(bytes: Buffer): 'taken' | 'malformed' | 'partial' {
  const splitter = new WireSplitter();
  try {
    const found = [...splitter.push(bytes)];
    for (const { type, job, body } of found) decodeMessage(type, job, body);
    return found.length === 0 ? 'partial' : 'taken';
  } catch (error) {
    if (error instanceof MalformedFrame) return 'malformed';
    throw error;
  }
}

function residentMiB(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

/** One hostile connection; resolves when the server has closed it, or it has said all. */
async function attack(port: number, count: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.resume();
  const closed = once(socket, 'close');
  if (random.next() < 0.9) socket.write(HELLO);
  for (let i = 0; i < count; i++) socket.write(mutatedFrame(random));
  socket.end();
  await closed;
}

const store = mkdtempSync(`${tmpdir()}/tscc-fuzz-`);
const [program, ...words] = RUN_TSCCD;
const tsccd = spawn(program, [...words, '--listen', '127.0.0.1:0', '--store', store], {
  stdio: ['ignore', 'pipe', 'ignore'],
  env: { PATH: '/usr/bin:/bin', HOME: store },
});
const [line] = (await once(tsccd.stdout, 'data')) as [Buffer];
const port = Number(/:(\d+)\n/.exec(line.toString())?.[1]);

const outcomes = { taken: 0, malformed: 0, partial: 0 };
const started = performance.now();
let onWire = 0;
let slowest = 0;
const witness = await WireClient.greeted(port, 'witness');
const before = residentMiB(tsccd.pid);
let largest = before;
for (let done = 0; done < frames; done++) {
  outcomes[parse(mutatedFrame(random))]++;
  if (done % (PER_CONNECTION * WIRE_SHARE) !== 0) continue;
  await attack(port, PER_CONNECTION);
  onWire += PER_CONNECTION;
  if (onWire % (PER_CONNECTION * 25) !== 0) continue;
  const asked = performance.now();
  await witness.knows(digestOf('no such compiler'), 'gcc');
  slowest = Math.max(slowest, performance.now() - asked);
  largest = Math.max(largest, residentMiB(tsccd.pid));
}
const seconds = (performance.now() - started) / 1000;
await witness.knows(digestOf('no such compiler'), 'gcc');
const after = residentMiB(tsccd.pid);
witness.close();
tsccd.kill('SIGTERM');
const [status] = (await once(tsccd, 'close')) as [number | null];
rmSync(store, { recursive: true, force: true });

const report = `# Fuzzing

\`npm run fuzz -- --frames ${frames} --seed ${values.seed}\`

| | |
|---|---|
| Frames through the parser | ${frames} |
| taken, malformed, not whole | ${outcomes.taken}, ${outcomes.malformed}, ${outcomes.partial} |
| More, over connections to tsccd | ${onWire} |
| Witness on the same server, slowest answer | ${slowest.toFixed(0)} ms |
| Server's memory before, largest, after | ${before}, ${largest}, ${after} MiB |
| Server's exit status after SIGTERM | ${status} |
| Seconds | ${seconds.toFixed(0)} |
`;
writeFileSync(`${values.output}.md`, report);
process.stdout.write(report);
process.exitCode = status === 0 ? 0 : 1;
