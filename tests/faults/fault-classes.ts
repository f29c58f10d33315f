/**
 * What may happen to a compile on its way, and what a build sees of it: docs/faults.md is made from
 * this table, and the campaign of `npm run test:faults` holds tscc to it. Numbers are those of the list
 * of faults that tscc was designed with; where a fault has several forms each has a row.
 */
import type { FallbackReason } from '../../src/core/reasons.js';

/** How a compile may end besides as it does without a fault. */
export type Ending =
  /** On a server, in whichever mode. */
  | 'remote'
  /** The launcher was killed, as the run wanted it. */
  | 'killed'
  /** The daemon was killed before it had written down what it had just done. */
  | 'unrecorded'
  /** Nothing can be put there: it was not tried remotely. */
  | 'output-unwritable'
  | 'preprocess-diagnostics'
  | FallbackReason;

export interface FaultClass {
  readonly number: number;
  readonly name: string;
  /** For people: what happens. */
  readonly what: string;
  /** For people: what becomes of the compile. */
  readonly outcome: string;
  /** With a server left that nothing happens to. */
  readonly elsewhere: readonly Ending[];
  /** Where no other server is left; `remote` where trying again helped. */
  readonly alone: readonly Ending[];
  /** Milliseconds from the fault to the end, besides those of a local compile. */
  readonly bound: number;
}

const REMOTE = ['remote'] as const;
const LOST = ['remote', 'server-lost', 'no-server'] as const;
const HERE = [
  'remote',
  'output-failed',
  'commit-failed',
  'output-unwritable',
  'preprocess-diagnostics',
] as const;
const FAILED = ['remote', 'server-failed', 'server-refused', 'server-lost', 'no-server'] as const;

/** What nothing may exceed: a stopped program is found out after WIRE.silence or LAUNCHER.silence. */
const SILENCE = 15_000;
const DEATH = 5_000;

const ELSEWHERE = 'Another server compiles it; with none left, this host does.';

export const FAULT_CLASSES = [
  {
    number: 1,
    name: 'server-down',
    what: 'A server does not run.',
    outcome: ELSEWHERE,
    elsewhere: REMOTE,
    alone: LOST,
    bound: DEATH,
  },
  {
    number: 2,
    name: 'black-hole',
    what: 'A server cannot be reached: packets to it vanish.',
    outcome: `${ELSEWHERE} Connecting takes 2 s at most, and nobody waits for it where another server is up.`,
    elsewhere: REMOTE,
    alone: LOST,
    bound: DEATH,
  },
  {
    number: 3,
    name: 'accepts-then-silent',
    what: 'Something accepts connections on the port and says nothing.',
    outcome: `${ELSEWHERE} The greeting may take 5 s.`,
    elsewhere: REMOTE,
    alone: LOST,
    bound: SILENCE,
  },
  {
    number: 4,
    name: 'reset-while-sending',
    what: 'The connection is reset while a job, its source or files that it needs are on their way.',
    outcome: ELSEWHERE,
    elsewhere: REMOTE,
    alone: LOST,
    bound: DEATH,
  },
  {
    number: 5,
    name: 'reset-in-result',
    what: 'The connection is reset in the middle of an answer.',
    outcome: ELSEWHERE,
    elsewhere: REMOTE,
    alone: LOST,
    bound: DEATH,
  },
  {
    number: 6,
    name: 'end-before-last-byte',
    what: 'The connection ends in good order, but before the last byte of a result.',
    outcome: ELSEWHERE,
    elsewhere: REMOTE,
    alone: LOST,
    bound: DEATH,
  },
  {
    number: 6,
    name: 'stall',
    what: 'Nothing arrives any more in either direction, and the connection stays open.',
    outcome: `${ELSEWHERE} It is given up for silence.`,
    elsewhere: REMOTE,
    alone: LOST,
    bound: SILENCE,
  },
  {
    number: 7,
    name: 'flipped-bit',
    what: 'A bit of an output, or with a key of anything, is another when it arrives.',
    outcome: `Digests do not agree, or TLS ends the connection. ${ELSEWHERE}`,
    elsewhere: REMOTE,
    alone: [...LOST, 'result-invalid'],
    bound: DEATH,
  },
  {
    number: 8,
    name: 'truncated-result',
    what: 'A result ends after some multiple of 4 KiB.',
    outcome: ELSEWHERE,
    elsewhere: REMOTE,
    alone: LOST,
    bound: DEATH,
  },
  {
    number: 9,
    name: 'frame-twice',
    what: 'A message arrives twice.',
    outcome: `It is passed over, or the connection ends with a word. ${ELSEWHERE}`,
    elsewhere: REMOTE,
    alone: [...LOST, 'result-invalid', 'server-refused', 'server-failed'],
    bound: SILENCE,
  },
  {
    number: 9,
    name: 'frames-swapped',
    what: 'A message overtakes the one before it.',
    outcome: `As above. ${ELSEWHERE}`,
    elsewhere: REMOTE,
    alone: [...LOST, 'result-invalid', 'server-refused', 'server-failed'],
    bound: SILENCE,
  },
  {
    number: 10,
    name: 'server-killed',
    what: 'A server dies (SIGKILL, power), with a compile on it or before.',
    outcome: ELSEWHERE,
    elsewhere: REMOTE,
    alone: LOST,
    bound: DEATH,
  },
  {
    number: 10,
    name: 'runner-killed',
    what: "A server's runner dies, and with it all compilers that it has started.",
    outcome: `The server ends, as it can run nothing. ${ELSEWHERE}`,
    elsewhere: REMOTE,
    alone: [...FAILED, 'remote-killed'],
    bound: DEATH,
  },
  {
    number: 11,
    name: 'server-stopped',
    what: 'A server stops to do anything (SIGSTOP, a frozen machine), and its connections stay.',
    outcome: `${ELSEWHERE} It is given up for silence.`,
    elsewhere: REMOTE,
    alone: LOST,
    bound: SILENCE,
  },
  {
    number: 12,
    name: 'server-drains',
    what: 'A server is told to end (SIGTERM).',
    outcome:
      'It finishes what it has. What it refuses goes elsewhere: another server compiles it, or this host.',
    elsewhere: REMOTE,
    alone: [...LOST, 'server-refused'],
    bound: DEATH,
  },
  {
    number: 13,
    name: 'empty-store',
    what: 'A server comes back with an empty store.',
    outcome: 'It asks for what it lacks, the compiler among it, and compiles.',
    elsewhere: REMOTE,
    alone: LOST,
    bound: SILENCE,
  },
  {
    number: 14,
    name: 'contents-vanish',
    what: "Contents vanish from a server's store between a question and their use.",
    outcome: `It asks for them again. ${ELSEWHERE}`,
    elsewhere: REMOTE,
    alone: FAILED,
    bound: SILENCE,
  },
  {
    number: 15,
    name: 'contents-damaged',
    what: "Contents in a server's store are damaged on its disk.",
    outcome: 'Digests do not agree: it drops them and asks for them again.',
    elsewhere: REMOTE,
    alone: FAILED,
    bound: SILENCE,
  },
  {
    number: 16,
    name: 'server-disk-full',
    what: "A server's disk is full.",
    outcome: `The job fails there with a word, and the server goes on. ${ELSEWHERE}`,
    elsewhere: REMOTE,
    alone: [...FAILED, 'remote-killed', 'compile-error', 'plain-diagnostics', 'remote-disagreed'],
    bound: SILENCE,
  },
  {
    number: 17,
    name: 'server-out-of-files',
    what: 'A server may open no more files.',
    outcome: `The job fails there with a word, and the server goes on. ${ELSEWHERE}`,
    elsewhere: REMOTE,
    alone: [...FAILED, 'remote-killed', 'result-invalid'],
    bound: SILENCE,
  },
  {
    number: 18,
    name: 'compiler-killed',
    what: 'The compiler on a server is killed (out of memory).',
    outcome: `It is no error of the source. ${ELSEWHERE}`,
    elsewhere: ['remote', 'remote-killed'],
    alone: ['remote', 'remote-killed'],
    bound: DEATH,
  },
  {
    number: 24,
    name: 'interrupted',
    what: 'The build is interrupted (SIGINT, SIGTERM, SIGHUP).',
    outcome:
      'The compiler on the server is dead within a second, and nothing is left beside the output.',
    elsewhere: ['killed', 'remote'],
    alone: ['killed', 'remote'],
    bound: DEATH,
  },
  {
    number: 25,
    name: 'launcher-killed',
    what: 'A launcher is killed (SIGKILL), at worst while it puts files in place.',
    outcome: 'As above: an output is there whole or not at all.',
    elsewhere: ['killed', 'remote'],
    alone: ['killed', 'remote'],
    bound: DEATH,
  },
  {
    number: 26,
    name: 'disk-full-here',
    what: 'The disk of the build is full, or its directory can only be read.',
    outcome:
      'The compiler runs here and says so in its own words; no part of an output is left by tscc.',
    elsewhere: HERE,
    alone: HERE,
    bound: DEATH,
  },
  {
    number: 27,
    name: 'daemon-killed',
    what: 'The session daemon is killed while up to 64 launchers wait for it.',
    outcome:
      'The first launcher starts another daemon, and each asks that one (`daemon-lost` in summary and journal). A second death makes it run its compiler, one per core at a time.',
    elsewhere: ['remote', 'unrecorded'],
    alone: ['remote', 'unrecorded'],
    bound: DEATH,
  },
  {
    number: 27,
    name: 'daemon-stopped',
    what: 'The session daemon does nothing more (SIGSTOP), at worst with a result in its hands.',
    outcome:
      'After 15 s of silence the launcher runs its compiler. A daemon that goes on later puts nothing in place.',
    elsewhere: ['remote', 'daemon-silent'],
    alone: ['remote', 'daemon-silent', ...LOST],
    bound: SILENCE,
  },
  {
    number: 28,
    name: 'stale-files',
    what: 'Socket, lock and files of a daemon that is no more lie about, and its number is another process.',
    outcome: 'A new daemon takes their place.',
    elsewhere: REMOTE,
    alone: REMOTE,
    bound: DEATH,
  },
  {
    number: 30,
    name: 'slow-and-lossy',
    what: 'The wire has 200 ms from end to end and back, and loses one packet in twenty.',
    outcome: 'Compiles take longer.',
    elsewhere: REMOTE,
    alone: LOST,
    bound: SILENCE,
  },
  {
    number: 31,
    name: 'all-full',
    what: 'All slots of all servers have jobs of somebody else.',
    outcome: 'The compile waits for its turn.',
    elsewhere: REMOTE,
    alone: REMOTE,
    bound: SILENCE,
  },
  {
    number: 32,
    name: 'slow-server',
    what: 'A server, its runner or a compiler stands still for some seconds and goes on.',
    outcome: 'The compile waits, or another server is quicker.',
    elsewhere: REMOTE,
    alone: REMOTE,
    bound: SILENCE,
  },
] as const satisfies readonly FaultClass[];

export type FaultName = (typeof FAULT_CLASSES)[number]['name'];

export function faultClass(name: FaultName): FaultClass {
  const found = FAULT_CLASSES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no class ${name}`);
  return found;
}
