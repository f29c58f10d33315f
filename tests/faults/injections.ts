/** How each class of faults is brought about, and what a run with it needs. */
import type { SeededRandom } from '../fixtures/seeded-random.js';
import * as client from './client-injections.js';
import type { FaultName } from './fault-classes.js';
import type { Layout } from './fault-stage.js';
import * as server from './server-injections.js';
import type { Mode } from './sources.js';
import * as wire from './wire-injections.js';

export const INJECTIONS: Readonly<Record<FaultName, wire.Injection>> = {
  'server-down': wire.serverDown,
  'black-hole': wire.blackHole,
  'accepts-then-silent': wire.acceptsThenSilent,
  'reset-while-sending': wire.resetWhileSending,
  'reset-in-result': wire.resetInResult,
  'end-before-last-byte': wire.endBeforeLastByte,
  stall: wire.stall,
  'flipped-bit': wire.flippedBit,
  'truncated-result': wire.truncatedResult,
  'frame-twice': wire.frameTwice,
  'frames-swapped': wire.framesSwapped,
  'server-killed': server.serverKilled,
  'runner-killed': server.runnerKilled,
  'server-stopped': server.serverStopped,
  'server-drains': server.serverDrains,
  'empty-store': server.emptyStore,
  'contents-vanish': server.contentsVanish,
  'contents-damaged': server.contentsDamaged,
  'server-disk-full': server.serverDiskFull,
  'server-out-of-files': server.serverOutOfFiles,
  'compiler-killed': server.compilerKilled,
  interrupted: client.interrupted,
  'launcher-killed': client.launcherKilled,
  'disk-full-here': client.diskFullHere,
  'daemon-killed': client.daemonKilled,
  'daemon-stopped': client.daemonStopped,
  'stale-files': client.staleFiles,
  'slow-and-lossy': wire.slowAndLossy,
  'all-full': server.allFull,
  'slow-server': server.slowServer,
};

export interface Needs {
  readonly mode?: Mode;
  readonly layouts?: readonly Layout[];
  readonly sources?: readonly string[];
  /** How many at once. */
  readonly compiles?: (random: SeededRandom) => number;
  /** Messages must be told apart, which a key forbids. */
  readonly isReadable?: true;
  /** The server on a disk of its own. */
  readonly smallDisk?: true;
}

const ONE = () => 1;

export const NEEDS: { readonly [name in FaultName]?: Needs } = {
  'frame-twice': { isReadable: true },
  'frames-swapped': { isReadable: true },
  'truncated-result': { sources: ['large'] },
  'empty-store': { mode: 'pump' },
  'contents-vanish': { mode: 'pump' },
  'contents-damaged': { mode: 'pump' },
  'server-disk-full': { smallDisk: true, layouts: ['one', 'two'] },
  'server-out-of-files': { layouts: ['one', 'two'] },
  'compiler-killed': { sources: ['slow'] },
  'slow-server': { sources: ['slow'] },
  interrupted: { compiles: ONE },
  'launcher-killed': { compiles: ONE },
  'disk-full-here': { compiles: ONE, sources: ['small', 'large'] },
  'daemon-killed': { compiles: (random) => random.pick([1, 3, 3, 3]) },
};
