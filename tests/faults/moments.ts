/** States of the two wires, by the message that ends them, and faults that wait for one. */
import { FRAME } from '../../src/protocol/framing.js';
import { FROM_LAUNCHER, TO_LAUNCHER } from '../../src/protocol/launcher-wire.js';
import type { Fault, Passing, Way } from '../fixtures/fault-proxy.js';

export interface Moment {
  readonly name: string;
  readonly way: Way;
  readonly type: number;
}

const up = (name: string, type: number): Moment => ({ name, way: 'up', type });
const down = (name: string, type: number): Moment => ({ name, way: 'down', type });

/** Between client and server, until a compile is on its way. */
const GREETING = [
  up('hello', FRAME.hello),
  down('welcome', FRAME.welcome),
  down('state', FRAME.state),
];

/** What a client sends for a compile; contents are asked for by a server that is new to it. */
export const SENDING: Readonly<Record<'pump' | 'plain', readonly Moment[]>> = {
  pump: [up('entries', FRAME.entries), up('pump-job', FRAME.pumpJob), up('chunk', FRAME.chunk)],
  plain: [
    up('toolchain-query', FRAME.toolchainQuery),
    up('job', FRAME.job),
    up('chunk', FRAME.chunk),
  ],
};

export const ANSWERING: Readonly<Record<'pump' | 'plain', readonly Moment[]>> = {
  pump: [down('pump-result', FRAME.pumpResult), down('chunk', FRAME.chunk)],
  plain: [down('result', FRAME.result), down('chunk', FRAME.chunk)],
};

export const SERVER_MOMENTS: Readonly<Record<'pump' | 'plain', readonly Moment[]>> = {
  pump: [...GREETING, ...SENDING.pump, ...ANSWERING.pump],
  plain: [...GREETING, ...SENDING.plain, ...ANSWERING.plain],
};

/** Between launcher and daemon. */
export const LAUNCHER_MOMENTS: Readonly<Record<'pump' | 'plain', readonly Moment[]>> = {
  pump: [
    up('run', FROM_LAUNCHER.run),
    down('temporary', TO_LAUNCHER.temporary),
    down('done', TO_LAUNCHER.done),
    up('committed', FROM_LAUNCHER.committed),
  ],
  plain: [
    up('run', FROM_LAUNCHER.run),
    down('preprocess', TO_LAUNCHER.preprocess),
    up('preprocessed', FROM_LAUNCHER.preprocessed),
    down('done', TO_LAUNCHER.done),
    up('committed', FROM_LAUNCHER.committed),
  ],
};

/** Before a message, in its middle, or after it. */
export type Edge = 'before' | 'inside' | 'after';

export const EDGES: readonly Edge[] = ['before', 'inside', 'after'];

/** Whether a message is the one that a fault waits for. */
export type Waits = (passing: Passing) => boolean;

export const atMoment =
  ({ way, type }: Moment): Waits =>
  (passing) =>
    passing.way === way && passing.type === type;

/** After so many bytes in one direction, on one connection: what can be told of TLS. */
export function afterBytes(way: Way, bytes: number): Waits {
  const passed = new WeakMap<object, number>();
  return (passing) => {
    if (passing.way !== way) return false;
    const before = passed.get(passing.connection) ?? 0;
    passed.set(passing.connection, before + passing.bytes.length);
    return before + passing.bytes.length > bytes;
  };
}

/** Passes all on until it is time, then strikes once, with the message not yet passed on. */
export function onceAt(waits: Waits, strike: (passing: Passing) => void | Promise<void>): Fault {
  let isDone = false;
  return (passing) => {
    if (isDone || !waits(passing)) return passing.connection.send(passing.way, passing.bytes);
    isDone = true;
    return strike(passing);
  };
}

/** Sends as much of a message as is to pass before the fault. */
export function sendUntil(edge: Edge, { connection, way, bytes }: Passing): void {
  const size = { before: 0, inside: bytes.length >> 1, after: bytes.length }[edge];
  connection.send(way, bytes.subarray(0, size));
}

export function sendRest(edge: Edge, { connection, way, bytes }: Passing): void {
  const size = { before: 0, inside: bytes.length >> 1, after: bytes.length }[edge];
  connection.send(way, bytes.subarray(size));
}
