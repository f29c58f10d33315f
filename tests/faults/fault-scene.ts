/** Servers, a build host and its daemon, of which anything may be killed, stopped and brought back. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { startServers, OWN_STORE, type Servers } from '../../benchmarks/servers.js';
import { MiB } from '../../src/core/byte-units.js';
import { describeError } from '../../src/core/errors.js';
import { askDaemon, type ControlRequest } from '../../src/protocol/control.js';
import { formatKey, generateKey } from '../../src/protocol/key-file.js';
import { socketPath } from '../../src/protocol/state-paths.js';
import { BuildHost, type Finished } from '../fixtures/build-host.js';
import { FaultProxy, LAUNCHER_WIRE, NO_FRAMES, SERVER_WIRE } from '../fixtures/fault-proxy.js';
import { descendants } from '../fixtures/process-tree.js';
import { until } from '../fixtures/until.js';
import { flagsOf, HEADER, SOURCES, type Mode } from './sources.js';

const UNSHARE = ['unshare', ...(process.getuid?.() === 0 ? ['-m'] : ['-m', '--map-root-user'])];
/** Room for a store with one compiler. */
const SMALL_DISK = 320 * MiB;

/** Why the disks of a few megabytes that some faults need cannot be had here. */
export const cannotMount =
  spawnSync('/usr/bin/env', [...UNSHARE, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status !== 0 &&
  'mounting is not permitted here';

/** What a local compile gives. */
export interface Expected extends Finished {
  readonly object: Buffer | undefined;
  readonly dependencies: Buffer | undefined;
  /** Milliseconds. */
  readonly wall: number;
}

export interface FaultServer {
  readonly index: number;
  /** `ADDRESS:PORT`; another one after each start. */
  host: string;
  process: ChildProcess;
  readonly store: string;
  readonly isOnSmallDisk: boolean;
}

export class FaultScene {
  readonly host: BuildHost;
  readonly isKeyed: boolean;
  readonly servers: FaultServer[] = [];
  readonly #endings: (() => unknown)[] = [];
  readonly #started: Servers[] = [];
  readonly #expected = new Map<string, Expected>();
  #keyFile: string | undefined;
  #uncover = () => {};
  /** Where outputs go. */
  #area: Area = { name: 'out', root: '', before: [], env: {} };

  private constructor(isKeyed: boolean) {
    this.isKeyed = isKeyed;
    this.host = new BuildHost(this.owner);
  }

  /** Whom fixtures end with. */
  get owner() {
    return { teardown: (end: () => unknown) => void this.#endings.push(end) };
  }

  /** Two servers, and a third on a disk of its own where that can be had and is asked for. */
  static async start(isKeyed: boolean, withSmallDisk: boolean): Promise<FaultScene> {
    const scene = new FaultScene(isKeyed);
    const { directory } = scene.host;
    if (isKeyed) {
      scene.#keyFile = `${directory}/key`;
      writeFileSync(scene.#keyFile, formatKey(generateKey()), { mode: 0o600 });
      scene.host.env['TSCC_KEY_FILE'] = scene.#keyFile;
    }
    mkdirSync(`${directory}/out`);
    writeFileSync(`${directory}/h.h`, HEADER);
    for (const [name, { text }] of Object.entries(SOURCES)) {
      writeFileSync(`${directory}/${name}.c`, text);
    }
    for (const index of withSmallDisk ? [0, 1, 2] : [0, 1]) await scene.#add(index);
    await scene.startDaemon();
    return scene;
  }

  /** Everything ends. */
  async close(): Promise<void> {
    for (const server of this.servers) signal(server, 'SIGCONT');
    const [removeAll, ...others] = this.#endings.splice(0);
    for (const end of others) await end();
    for (const servers of this.#started) await servers.stop();
    await removeAll?.();
  }

  async #add(index: number): Promise<void> {
    const isOnSmallDisk = index === 2;
    const store = `${this.host.directory}/.stores/${index}/0`;
    mkdirSync(store, { recursive: true });
    const { host, child } = await this.#start(index, store, isOnSmallDisk);
    this.servers.push({ index, host, process: child, store, isOnSmallDisk });
  }

  async #start(index: number, store: string, isOnSmallDisk: boolean) {
    const mount = `mount -t tmpfs -o size=${SMALL_DISK} none '${store}' && exec "$0" "$@"`;
    const { PATH, HOME } = this.host.env;
    const servers = await startServers(
      [`127.0.0.${index + 1}`],
      store.slice(0, -2),
      [
        ...['--jobs', '2', '--scratch', OWN_STORE],
        ...(this.#keyFile === undefined ? [] : ['--key-file', this.#keyFile]),
      ],
      { PATH, HOME },
      isOnSmallDisk ? [...UNSHARE, 'sh', '-c', mount] : [],
    );
    const [child] = servers.processes;
    if (child === undefined) throw new Error('no server was started');
    this.#started.push(servers);
    return { host: servers.hosts, child };
  }

  /** A server that was killed, on another port. @param isEmpty whether it has lost its store */
  async restart(server: FaultServer, isEmpty: boolean): Promise<void> {
    if (isEmpty) {
      rmSync(server.store, { recursive: true, force: true });
      mkdirSync(server.store, { recursive: true });
    }
    const { host, child } = await this.#start(server.index, server.store, server.isOnSmallDisk);
    server.host = host;
    server.process = child;
  }

  /** Those that died in a run come back; those that were stopped go on. */
  async heal(): Promise<void> {
    for (const server of this.servers) {
      const { process: child } = server;
      signal(server, 'SIGCONT');
      if (child.killed || isGone(child)) {
        await until(() => isGone(child));
        await this.restart(server, false);
      }
    }
  }

  /** A proxy before each of these servers, which the build host takes for its servers. */
  async proxies(servers: readonly FaultServer[], owner = this.owner): Promise<FaultProxy[]> {
    const framing = this.isKeyed ? NO_FRAMES : SERVER_WIRE;
    const list = await Promise.all(
      servers.map(({ host }) => FaultProxy.start(owner, host, { framing })),
    );
    this.host.env['TSCC_HOSTS'] = list.map(({ host }) => host).join(' ');
    return list;
  }

  get state(): string {
    return this.#area.env['TSCC_DIR'] ?? `${this.host.directory}/.state`;
  }

  /** Of the session daemon. */
  get socket(): string {
    return socketPath(`${this.host.directory}/tscc`, realpathSync(this.state));
  }

  /** Undefined where none runs. */
  async daemonPid(): Promise<number | undefined> {
    if (!existsSync(this.state)) return undefined;
    const answer = await this.#ask({ ask: 'version' });
    return answer === undefined ? undefined : (answer as { readonly pid: number }).pid;
  }

  async startDaemon(): Promise<number> {
    await this.host.run('tscc', ['gcc', '--version']);
    const pid = await this.daemonPid();
    if (pid === undefined) throw new Error('no daemon was started');
    return pid;
  }

  /** Has the daemon write down what it knows of a session. */
  async flush(session: string): Promise<void> {
    await this.#ask({ ask: 'status', session });
  }

  /** Undefined where no daemon answers. */
  async #ask(request: ControlRequest): Promise<unknown> {
    try {
      return await askDaemon(this.socket, request);
    } catch (error) {
      // It was killed while it was asked, or its launchers before it had heard of them.
      const isGone = /ECONNRESET|EPIPE|closed the connection|^there is no session/;
      if (!isGone.test(describeError(error))) throw error;
      return undefined;
    }
  }

  /** Stands between all launchers and the daemon, until its owner ends. */
  async proxyDaemon(owner: FaultProxyOwner): Promise<FaultProxy> {
    await this.startDaemon();
    const path = this.socket;
    const behind = `${path}.behind`;
    renameSync(path, behind);
    const proxy = await FaultProxy.start(owner, behind, { framing: LAUNCHER_WIRE, path });
    this.#uncover = () => {
      this.#uncover = () => {};
      proxy.refuse();
      renameSync(behind, path);
    };
    owner.teardown(() => {
      this.#uncover();
      proxy.close();
    });
    return proxy;
  }

  /** New launchers find the daemon itself, or what a killed one has left. */
  uncoverDaemon(): void {
    this.#uncover();
  }

  /**
   * Outputs go to a directory on a disk of 128 KiB, until its owner ends. It is in a mount namespace of
   * its own, and so is a daemon.
   */
  async smallArea(owner: FaultProxyOwner): Promise<SmallArea> {
    const { directory } = this.host;
    const place = `${directory}/full`;
    mkdirSync(place, { recursive: true });
    const mount = `mount -t tmpfs -o size=128k none '${place}' && echo ready && exec cat`;
    const holder = spawn('env', [...UNSHARE, 'sh', '-c', mount], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    for await (const line of createInterface(holder.stdout)) if (line === 'ready') break;
    const enter = ['nsenter', `--target=${holder.pid}`, '--mount', `--wdns=${directory}`];
    if (process.getuid?.() !== 0) enter.push('--user', '--preserve-credentials');
    const root = `/proc/${holder.pid}/root`;
    const usual = this.#area;
    this.#area = { name: 'full', root, before: enter, env: { TSCC_DIR: `${directory}/.full` } };
    const inside = (words: readonly string[]) => {
      const [program = '', ...rest] = [...enter, ...words];
      execFileSync(program, rest, { env: this.host.env });
    };
    owner.teardown(async () => {
      const { before, env } = this.#area;
      await this.host.run('env', [...before, this.host.tscc, 'stop'], { env });
      this.#area = usual;
      holder.kill('SIGKILL');
    });
    return {
      makeReadOnly: () => inside(['mount', '-o', 'remount,ro', place]),
      leaveFree: (bytes) =>
        writeFileSync(`${root}${place}/filler`, Buffer.alloc(128 * 1024 - bytes)),
    };
  }

  words(name: string, mode: Mode): string[] {
    const { directory } = this.host;
    const stem = `${this.#area.name}/${name}`;
    const files = ['-MD', '-MF', `${stem}.d`, '-c', `${directory}/${name}.c`];
    return ['gcc', ...flagsOf(name, mode), ...files, '-o', `${stem}.o`];
  }

  spawn(name: string, mode: Mode, env: NodeJS.ProcessEnv): ChildProcess {
    const { before, env: own } = this.#area;
    const [program = '', ...words] = [...before, this.host.tscc, ...this.words(name, mode)];
    return this.host.spawn(program, words, { env: { TSCC_MODE: mode, ...own, ...env } });
  }

  /** A compile without tscc; once for all runs of a scene. */
  async expected(name: string, mode: Mode): Promise<Expected> {
    const { name: area, before } = this.#area;
    const key = `${name} ${mode}`;
    const known = this.#expected.get(key);
    if (known !== undefined && area === 'out') return known;
    const [program = '', ...words] = [...before, ...this.words(name, mode)];
    const began = performance.now();
    const finished = await this.host.run(program, words);
    const wall = performance.now() - began;
    const made = {
      ...finished,
      object: this.read(`${name}.o`),
      dependencies: this.read(`${name}.d`),
      wall,
    };
    if (area === 'out') this.#expected.set(key, made);
    this.clearOutputs();
    return made;
  }

  /** An output of the newest compile; undefined when there is none. */
  read(name: string): Buffer | undefined {
    const path = `${this.#outputs}/${name}`;
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  get #outputs(): string {
    return `${this.#area.root}${this.host.directory}/${this.#area.name}`;
  }

  /** Names of what lies where outputs go. */
  outputs(): string[] {
    return readdirSync(this.#outputs).filter((name) => name !== 'filler');
  }

  clearOutputs(): void {
    for (const name of this.outputs()) rmSync(`${this.#outputs}/${name}`);
  }

  /** Processes that servers started for compiles: none is left when no compile runs. */
  compilers(): number[] {
    return this.servers.flatMap(({ process: { pid } }) =>
      pid === undefined
        ? []
        : descendants(pid)
            .filter(({ name }) => /^(?:gcc|cc1|as|x86_64)/.test(name))
            .map((seen) => seen.pid),
    );
  }
}

/** A directory for outputs, and how to get to it. */
interface Area {
  readonly name: 'out' | 'full';
  /** Before its path, to look into it from here. */
  readonly root: string;
  /** Words before a command there. */
  readonly before: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface SmallArea {
  makeReadOnly(): void;
  leaveFree(bytes: number): void;
}

export interface FaultProxyOwner {
  teardown(end: () => unknown): void;
}

/** Stops a server or has it go on: `kill` would count it as killed. */
export function signal({ process: { pid } }: FaultServer, name: 'SIGSTOP' | 'SIGCONT'): void {
  signalTo(pid, name);
}

/** To a process that may have ended by itself. */
export function signalTo(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function isGone({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Where nothing answers: its queue of connections is full, so that the kernel drops whoever knocks. */
export async function startBlackHole(owner: FaultProxyOwner): Promise<string> {
  const program = `const s = require('net').createServer();
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      console.log(s.address().port);
      process.kill(process.pid, 'SIGSTOP');
    });`;
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  owner.teardown(() => child.kill('SIGKILL'));
  for await (const port of createInterface(child.stdout)) {
    for (let i = 0; i < 4; i++) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      owner.teardown(() => socket.destroy());
    }
    return `127.0.0.1:${port}`;
  }
  throw new Error('the black hole did not start');
}
