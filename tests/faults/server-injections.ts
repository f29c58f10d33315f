/** Faults of servers: their processes, their stores, their disks and limits. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Passing } from '../fixtures/fault-proxy.js';
import { descendants } from '../fixtures/process-tree.js';
import { until } from '../fixtures/until.js';
import { isGone, signal, signalTo, type FaultServer } from './fault-scene.js';
import type { FaultStage } from './fault-stage.js';
import { EDGES, SERVER_MOMENTS, sendRest, sendUntil } from './moments.js';

/** Does something to a server at a moment of its wire, before a message, in it or behind it. */
function atServer(
  stage: FaultStage,
  act: (server: FaultServer, passing: Passing) => void,
  moments = SERVER_MOMENTS[stage.plan.mode],
): void {
  const edge = stage.random.pick(EDGES);
  const moment = stage.wait(moments);
  stage.arm({ ...moment, name: `${edge} ${moment.name}` }, (n, passing) => {
    sendUntil(edge, passing);
    const server = stage.servers[n];
    if (server !== undefined) act(server, passing);
    sendRest(edge, passing);
  });
}

/** What the wire shows nothing of: a compiler is at work, on one of the servers or, for `both`, on each. */
function whileCompiling(
  stage: FaultStage,
  act: (server: FaultServer, compiler: number) => void,
): void {
  const shared = { isDone: false };
  for (const server of stage.servers) {
    const mine = stage.plan.layout === 'both' ? { isDone: false } : shared;
    void strikeCompiler(stage, server, mine, act);
  }
}

async function strikeCompiler(
  stage: FaultStage,
  server: FaultServer,
  mine: { isDone: boolean },
  act: (server: FaultServer, compiler: number) => void,
): Promise<void> {
  while (!mine.isDone && !stage.isOver) {
    const found = descendants(server.process.pid ?? 0).find(({ name }) => name.startsWith('cc1'));
    if (found !== undefined) {
      mine.isDone = true;
      stage.strike('while compiling');
      return act(server, found.pid);
    }
    await setTimeout(20);
  }
}

export function serverKilled(stage: FaultStage): void {
  const act = ({ process: server }: FaultServer) => void server.kill('SIGKILL');
  if (stage.random.next() < 0.3) whileCompiling(stage, act);
  else atServer(stage, act);
}

export function runnerKilled(stage: FaultStage): void {
  const act = ({ process: server }: FaultServer) => {
    for (const { pid, name } of descendants(server.pid ?? 0)) {
      if (name === 'tscc-runner') return signalTo(pid, 'SIGKILL');
    }
  };
  // A server without a runner ends; where it does not, the run's end would find it useless.
  stage.owner.teardown(() => {
    for (const { process: server } of stage.servers) server.kill('SIGKILL');
  });
  if (stage.random.next() < 0.5) whileCompiling(stage, act);
  else atServer(stage, act);
}

export function serverStopped(stage: FaultStage): void {
  atServer(stage, (server) => signal(server, 'SIGSTOP'));
  stage.owner.teardown(() => {
    for (const server of stage.servers) signal(server, 'SIGCONT');
  });
}

export function serverDrains(stage: FaultStage): void {
  const act = ({ process: server }: FaultServer) => void server.kill('SIGTERM');
  if (stage.random.next() < 0.3) whileCompiling(stage, act);
  else atServer(stage, act);
}

export async function emptyStore(stage: FaultStage): Promise<void> {
  for (const [n, server] of stage.servers.entries()) {
    if (n > 0 && stage.plan.layout === 'two') continue;
    server.process.kill('SIGKILL');
    await until(() => isGone(server.process));
    await stage.scene.restart(server, true);
    const proxy = stage.proxies[n];
    if (proxy !== undefined) proxy.target = server.host;
  }
  stage.strike('before');
}

/** As the server's processes see it, which may have a disk of their own there. */
function seenStore({ process: { pid }, store }: FaultServer): string {
  return `/proc/${pid}/root${store}`;
}

/** Some of the contents of a store. */
function contents(stage: FaultStage, server: FaultServer): string[] {
  const blobs = `${seenStore(server)}/blobs-v1`;
  if (!existsSync(blobs)) return [];
  return readdirSync(blobs)
    .filter((name) => name.length === 64 && stage.random.next() < 0.3)
    .map((name) => `${blobs}/${name}`);
}

export function contentsVanish(stage: FaultStage): void {
  atServer(stage, (server) => {
    for (const path of contents(stage, server)) unlinkSync(path);
  });
}

export async function contentsDamaged(stage: FaultStage): Promise<void> {
  // On its disk: while it runs, nobody but it writes there, and digests are checked at the start.
  for (const [n, server] of stage.servers.entries()) {
    if (n > 0 && stage.plan.layout === 'two') continue;
    server.process.kill('SIGKILL');
    await until(() => isGone(server.process));
    const blobs = `${server.store}/blobs-v1`;
    for (const name of existsSync(blobs) ? readdirSync(blobs) : []) {
      if (name.length !== 64 || stage.random.next() > 0.3) continue;
      damage(stage, `${blobs}/${name}`);
    }
    await stage.scene.restart(server, false);
    const proxy = stage.proxies[n];
    if (proxy !== undefined) proxy.target = server.host;
  }
  stage.strike('before');
}

function damage(stage: FaultStage, path: string): void {
  const { size } = statSync(path);
  const way = stage.between(0, 3);
  if (way === 0) truncateSync(path, size >> 1);
  else if (way === 1) appendFileSync(path, 'x');
  else {
    const bytes = readFileSync(path);
    if (size > 0) bytes.writeUInt8(bytes.readUInt8(size >> 1) ^ 1, size >> 1);
    rmSync(path);
    writeFileSync(path, bytes);
  }
}

/** The server on a small disk has none left from some moment on. */
export function serverDiskFull(stage: FaultStage): void {
  const fill = (server: FaultServer) => {
    if (!server.isOnSmallDisk) return;
    const filler = `${seenStore(server)}/filler`;
    const zeroes = Buffer.alloc(1 << 20);
    stage.owner.teardown(() => rmSync(filler, { force: true }));
    try {
      for (let i = 0; i < 1_000; i++) appendFileSync(filler, zeroes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  };
  atServer(stage, fill);
}

export function serverOutOfFiles(stage: FaultStage): void {
  const limit = (pid: number, files: string) =>
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files}`]);
  atServer(stage, ({ process: { pid } }) => {
    if (pid === undefined) return;
    const before = execFileSync('prlimit', [
      ...['--pid', String(pid), '--nofile', '--noheadings', '--raw', '--output', 'SOFT,HARD'],
    ])
      .toString()
      .trim()
      .replace(/\s+/, ':');
    const used = readdirSync(`/proc/${pid}/fd`).length;
    stage.owner.teardown(() => existsSync(`/proc/${pid}`) && limit(pid, before));
    limit(pid, `${used + stage.between(0, 4)}:${before.split(':')[1] ?? ''}`);
  });
}

export function compilerKilled(stage: FaultStage): void {
  whileCompiling(stage, (_server, compiler) => signalTo(compiler, 'SIGKILL'));
}

export function slowServer(stage: FaultStage): void {
  const pause = (pids: readonly (number | undefined)[]) => {
    for (const pid of pids) signalTo(pid, 'SIGSTOP');
    const goOn = () => {
      for (const pid of pids) signalTo(pid, 'SIGCONT');
    };
    stage.owner.teardown(goOn);
    void setTimeout(stage.between(500, 4_000)).then(goOn);
  };
  const whom = stage.between(0, 3);
  if (whom === 0) return atServer(stage, ({ process: server }) => pause([server.pid]));
  whileCompiling(stage, ({ process: server }, compiler) => {
    const below = descendants(server.pid ?? 0);
    const runners = below.filter(({ name }) => name === 'tscc-runner').map(({ pid }) => pid);
    pause(whom === 1 ? runners : [compiler]);
  });
}

/** Somebody else has jobs on all slots, for a few seconds. */
export async function allFull(stage: FaultStage): Promise<void> {
  const { host } = stage.scene;
  const others = Array.from({ length: 3 * stage.servers.length }, (_, n) =>
    host.spawn(
      host.tscc,
      [
        ...['gcc', '-O3', '-funroll-all-loops', '-c', `${host.directory}/slow.c`],
        ...['-o', `.other/slow${n}.o`],
      ],
      {
        env: {
          TSCC_MODE: stage.plan.mode,
          TSCC_DIR: `${host.directory}/.other`,
          TSCC_HOSTS: stage.servers.map((server) => server.host).join(' '),
          TSCC_SESSION: 'other',
        },
      },
    ),
  );
  mkdirSync(`${host.directory}/.other`, { recursive: true });
  for (const other of others) {
    other.stdout?.resume();
    other.stderr?.resume();
  }
  stage.owner.teardown(async () => {
    await Promise.all(
      others.map(
        (other) =>
          new Promise<void>((resolve) => {
            if (other.exitCode !== null || other.signalCode !== null) resolve();
            else other.once('exit', () => resolve());
          }),
      ),
    );
    await host.run('tscc', ['stop'], { env: { TSCC_DIR: `${host.directory}/.other` } });
  });
  const end = performance.now() + 8_000;
  while (performance.now() < end && stage.scene.compilers().length < 2 * stage.servers.length) {
    await setTimeout(20);
  }
  stage.strike('before');
}
