/** Faults of the build host: launchers, the session daemon, its files and its disk. */
import { writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Passing } from '../fixtures/fault-proxy.js';
import { until } from '../fixtures/until.js';
import { signalTo } from './fault-scene.js';
import type { FaultStage } from './fault-stage.js';
import { atMoment, EDGES, LAUNCHER_MOMENTS, sendRest, sendUntil } from './moments.js';

/** Does something at a moment of the first launcher that comes to it, before a message, in it or behind it. */
async function atLauncher(stage: FaultStage, act: (passing: Passing) => void): Promise<void> {
  const proxy = await stage.scene.proxyDaemon(stage.owner);
  const edge = stage.random.pick(EDGES);
  const moment = stage.random.pick(LAUNCHER_MOMENTS[stage.plan.mode]);
  const isTime = atMoment(moment);
  let isDone = false;
  proxy.fault = (passing) => {
    if (isDone || !isTime(passing)) return passing.connection.send(passing.way, passing.bytes);
    isDone = true;
    sendUntil(edge, passing);
    stage.strike(`${edge} ${moment.name}`);
    act(passing);
    sendRest(edge, passing);
  };
}

function killLaunchers(stage: FaultStage, signal: NodeJS.Signals): void {
  for (const pid of stage.launchers) signalTo(pid, signal);
}

/** Some time into the compile on the server, if it comes so far. */
async function onceCompiling(stage: FaultStage, act: () => void): Promise<void> {
  while (!stage.isOver) {
    if (stage.scene.compilers().length > 0) {
      stage.strike('while compiling');
      return act();
    }
    await setTimeout(20);
  }
}

export async function interrupted(stage: FaultStage): Promise<void> {
  const signal = stage.random.pick(['SIGINT', 'SIGTERM', 'SIGHUP'] as const);
  const act = () => killLaunchers(stage, signal);
  if (stage.random.next() < 0.5) await atLauncher(stage, act);
  else void onceCompiling(stage, act);
}

export async function launcherKilled(stage: FaultStage): Promise<void> {
  const act = () => killLaunchers(stage, 'SIGKILL');
  if (stage.random.next() < 0.8) await atLauncher(stage, act);
  else void onceCompiling(stage, act);
}

export async function daemonKilled(stage: FaultStage): Promise<void> {
  const pid = await stage.scene.startDaemon();
  await atLauncher(stage, () => {
    process.kill(pid, 'SIGKILL');
    stage.scene.uncoverDaemon();
  });
}

export async function daemonStopped(stage: FaultStage): Promise<void> {
  const pid = await stage.scene.startDaemon();
  await atLauncher(stage, () => void process.kill(pid, 'SIGSTOP'));
  stage.owner.teardown(() => signalTo(pid, 'SIGCONT'));
}

/** As a daemon leaves them that is killed; its number is this process's now. */
export async function staleFiles(stage: FaultStage): Promise<void> {
  const pid = await stage.scene.startDaemon();
  process.kill(pid, 'SIGKILL');
  await until(() => !isAlive(pid));
  const stem = stage.scene.socket.slice(0, -'.sock'.length);
  if (stage.random.next() < 0.5) writeFileSync(`${stem}.lock`, String(process.pid));
  if (stage.random.next() < 0.5) writeFileSync(`${stem}.source-stale`, 'int x');
  const log = `${stage.scene.host.directory}/.state/daemon.log`;
  writeFileSync(log, `serves, pid ${process.pid}\n`, { flag: 'a' });
  stage.strike('before');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export async function diskFullHere(stage: FaultStage): Promise<void> {
  const { scene, random } = stage;
  const area = await scene.smallArea(stage.lastOwner);
  if (random.next() < 0.25) area.makeReadOnly();
  else area.leaveFree(stage.between(0, 30) * 1024);
  stage.strike('before');
}
