/** Faults of the wire between client and server. */
import { setTimeout } from 'node:timers/promises';
import type { Passing } from '../fixtures/fault-proxy.js';
import { startBlackHole } from './fault-scene.js';
import type { FaultStage } from './fault-stage.js';
import {
  ANSWERING,
  EDGES,
  SENDING,
  SERVER_MOMENTS,
  sendRest,
  sendUntil,
  type Edge,
} from './moments.js';

export type Injection = (stage: FaultStage) => void | Promise<void>;

/** Length, type and job. */
const HEADER = 9;

function victims({ plan, proxies }: FaultStage) {
  return plan.layout === 'two' ? proxies.slice(0, 1) : proxies;
}

export function serverDown(stage: FaultStage): void {
  for (const proxy of victims(stage)) proxy.close();
  stage.strike('before');
}

export async function blackHole(stage: FaultStage): Promise<void> {
  const hole = await startBlackHole(stage.owner);
  const others = stage.plan.layout === 'two' ? stage.proxies.slice(1).map(({ host }) => host) : [];
  stage.scene.host.env['TSCC_HOSTS'] = [hole, ...others].join(' ');
  stage.strike('before');
}

export function acceptsThenSilent(stage: FaultStage): void {
  for (const proxy of victims(stage)) {
    proxy.isSilent = true;
    proxy.fault = ({ connection }) => connection.stall();
  }
  stage.strike('before');
}

/** Sends a part of a message and then does something to its connection. */
function cut(edge: Edge, act: (passing: Passing) => void) {
  return (_server: number, passing: Passing) => {
    sendUntil(edge, passing);
    act(passing);
  };
}

/** A moment and the part of its message that passes, told by one name. */
function edged(stage: FaultStage, moments: Parameters<FaultStage['wait']>[0], edges = EDGES) {
  const edge = stage.random.pick(edges);
  const moment = stage.wait(moments);
  return { edge, moment: { ...moment, name: `${edge} ${moment.name}` } };
}

export function resetWhileSending(stage: FaultStage): void {
  const { edge, moment } = edged(stage, SENDING[stage.plan.mode]);
  stage.arm(
    moment,
    cut(edge, ({ connection }) => connection.reset()),
  );
}

export function resetInResult(stage: FaultStage): void {
  const { edge, moment } = edged(stage, ANSWERING[stage.plan.mode], ['before', 'inside']);
  stage.arm(
    moment,
    cut(edge, ({ connection }) => connection.reset()),
  );
}

export function stall(stage: FaultStage): void {
  const { edge, moment } = edged(stage, SERVER_MOMENTS[stage.plan.mode]);
  stage.arm(
    moment,
    cut(edge, ({ connection }) => connection.stall()),
  );
}

export function endBeforeLastByte(stage: FaultStage): void {
  const chunk = ANSWERING[stage.plan.mode].slice(-1);
  stage.arm(stage.wait(chunk), (_server, { connection, way, bytes }) => {
    connection.send(way, bytes.subarray(0, -1));
    connection.stall();
    connection.end();
  });
}

/** All passes until a multiple of 4 KiB of what comes back. */
export function truncatedResult(stage: FaultStage): void {
  const block = 4096 * stage.between(1, 24);
  const answer = stage.wait(ANSWERING[stage.plan.mode].slice(0, 1), 2_000);
  /** The one that answers first, where the others are to stay whole. */
  let victim: number | undefined;
  for (const [n, proxy] of stage.proxies.entries()) {
    const isTime = answer.waits();
    let hasBegun = false;
    let passed = 0;
    proxy.fault = (passing) => {
      const { way, bytes, connection } = passing;
      if (isTime(passing)) {
        victim ??= n;
        hasBegun ||= victim === n || stage.plan.layout !== 'two';
      }
      if (way === 'up' || !hasBegun) return connection.send(way, bytes);
      const room = block - passed;
      passed += bytes.length;
      connection.send(way, bytes.subarray(0, Math.max(0, room)));
      if (bytes.length < room) return;
      stage.strike(`after ${block} bytes`);
      connection.stall();
      connection.end();
    };
  }
}

export function flippedBit(stage: FaultStage): void {
  const { isKeyed, mode } = stage.plan;
  // Without a key nothing guards but digests of contents: an output's first bytes are in a chunk.
  const moment = isKeyed ? stage.wait(SERVER_MOMENTS[mode]) : stage.wait(ANSWERING[mode].slice(-1));
  stage.arm(moment, (_server, { connection, way, bytes }) => {
    const flipped = Buffer.from(bytes);
    const from = isKeyed ? 0 : HEADER;
    const at = stage.between(from, isKeyed ? bytes.length : Math.min(bytes.length, from + 64));
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << stage.between(0, 8)), at);
    connection.send(way, flipped);
  });
}

export function frameTwice(stage: FaultStage): void {
  stage.arm(stage.wait(SERVER_MOMENTS[stage.plan.mode]), (_server, passing) => {
    sendUntil('after', passing);
    sendUntil('after', passing);
  });
}

/** The message goes out behind the next one of its direction, or alone when none comes. */
export function framesSwapped(stage: FaultStage): void {
  const moment = stage.wait(SERVER_MOMENTS[stage.plan.mode]);
  let held: Passing | undefined;
  const release = () => {
    if (held !== undefined) sendRest('before', held);
    held = undefined;
  };
  stage.arm(moment, (_server, passing) => {
    held = passing;
    void setTimeout(200).then(release);
  });
  for (const proxy of stage.proxies) {
    const armed = proxy.fault;
    proxy.fault = async (passing) => {
      const isNext = held?.connection === passing.connection && held.way === passing.way;
      await armed?.(passing);
      if (isNext) release();
    };
  }
}

/** In order, each as late as the wire's length and what was lost on it make it. */
export function slowAndLossy(stage: FaultStage): void {
  const ONE_WAY = 100;
  const AGAIN = 300;
  stage.strike('all along');
  for (const proxy of stage.proxies) {
    const due = new WeakMap<object, { up: number; down: number }>();
    proxy.fault = ({ connection, way, bytes }) => {
      const last = due.get(connection) ?? { up: 0, down: 0 };
      due.set(connection, last);
      const lost = stage.random.next() < 0.05 ? AGAIN : 0;
      last[way] = Math.max(last[way], performance.now() + ONE_WAY + lost);
      void setTimeout(last[way] - performance.now()).then(() => connection.send(way, bytes));
    };
  }
}
