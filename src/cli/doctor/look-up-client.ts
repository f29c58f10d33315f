/** Looks up what the checks of this host rest on. */
import { lstatSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isLoopback, keyFileFor } from '../../client/dial.js';
import { HostSource } from '../../client/host-source.js';
import { readSettings, type Settings } from '../../client/settings.js';
import { fromText, toText } from '../../core/byte-string.js';
import { describeError, failure, success, type Result } from '../../core/errors.js';
import { DOCTOR, LAUNCHER } from '../../core/limits.js';
import { isLocalFileSystem } from '../../include-server/file-facts.js';
import { realClock } from '../../platform/clock.js';
import { realFiles } from '../../platform/files.js';
import { run } from '../../platform/process.js';
import { VERSION } from '../../platform/version.js';
import { askDaemon } from '../../protocol/control.js';
import { readKeyFile } from '../../protocol/key-file.js';
import { socketDirectory, stateDirectories } from '../../protocol/state-paths.js';
import { realToolchainDeps } from '../../toolchain/toolchain-host.js';
import { ToolchainProbe, type Toolchain } from '../../toolchain/toolchain.js';
import { candidatesFor } from '../compilers.js';
import { environmentMap, findUserState, type UserState } from '../user-state.js';
import type {
  ClientFacts,
  CompilerFacts,
  DaemonFacts,
  DirectoryFacts,
  KeyFacts,
  SocketFacts,
  StateFacts,
} from './client-facts.js';

/** Those that builds call. */
const COMPILERS = ['cc', 'c++', 'gcc', 'g++', 'clang', 'clang++'];

/** How each program is seen to run: with these words and no input it ends with this status. */
const PROGRAMS: readonly { name: string; words: (state: string) => string[]; status: number }[] = [
  { name: 'tscc', words: () => [], status: 101 },
  { name: 'tscc-watch', words: (state) => [state], status: 0 },
  { name: 'tscc-runner', words: () => [], status: 0 },
];

export const BIN = fileURLToPath(new URL('../../../../bin', import.meta.url));

const uid = process.getuid?.() ?? 0;

/** The facts, and what is asked of servers with. */
export interface LookedUp {
  readonly facts: ClientFacts;
  readonly settings: Settings;
  /** Where a user's files are looked for even if no state directory can be used. */
  readonly stateDirectory: string;
  /** Of the real compilers, each once. */
  readonly toolchains: readonly Toolchain[];
}

export async function lookUpClient(): Promise<LookedUp> {
  const environment = process.env;
  const user = userState();
  const settings = readSettings(environmentMap(environment));
  const base = socketDirectory(environment, uid, isOwnDirectory);
  const wanted = stateDirectories(environment, base)[0] ?? base;
  const stateDirectory = user.ok ? user.value.stateDirectory : wanted;
  const source = new HostSource(fromText(stateDirectory), realFiles);
  const list = source.hostsFor(settings);
  const origin = source.originFor(settings);
  const { compilers, toolchains } = await lookUpCompilers(fromText(environment['PATH'] ?? ''));
  const remote = list.ok ? list.value.remote : [];
  const needsKey = remote.find(({ host }) => !isLoopback(host)) ?? remote[0];
  const keyFile =
    needsKey === undefined ? undefined : keyFileFor(needsKey, settings, stateDirectory, realFiles);
  const facts: ClientFacts = {
    version: VERSION,
    node: process.versions.node,
    programs: await Promise.all(PROGRAMS.map((one) => tryProgram(one, stateDirectory))),
    variables: variablesOf(environment),
    state: user.ok ? stateFacts(stateDirectory, realOf(wanted)) : user,
    sockets: socketFacts(base),
    daemon: user.ok ? await lookUpDaemon(user.value) : NO_DAEMON,
    hosts: {
      origin: origin === undefined ? undefined : toText(origin),
      list: list.ok ? list : failure(toText(list.error)),
    },
    key: keyFile === undefined ? undefined : await tryKey(keyFile),
    inotify: { watches: inotifyLimit('watches'), instances: inotifyLimit('instances') },
    openFiles: hardLimit(),
    compilers,
    tree: { directory: process.cwd(), isLocal: isLocalFileSystem(statfsSync('.').type) },
  };
  return { facts, settings, stateDirectory, toolchains };
}

const NO_DAEMON: DaemonFacts = { kind: 'none', hasFailed: false, log: '' };

function userState(): Result<UserState, string> {
  try {
    return success(findUserState());
  } catch (error) {
    return failure(describeError(error));
  }
}

async function tryProgram(
  { name, words, status }: (typeof PROGRAMS)[number],
  state: string,
): Promise<ClientFacts['programs'][number]> {
  const path = `${BIN}/${name}`;
  try {
    const ended = await run(path, words(state), { env: {}, timeout: DOCTOR.program });
    if (ended.status === status) return { path, failure: undefined };
    const printed = ended.stderr.toString().trim().replaceAll('\n', ' ');
    return { path, failure: `it ended with ${ended.status ?? ended.signal}: ${printed}` };
  } catch (error) {
    return { path, failure: describeError(error) };
  }
}

function variablesOf(environment: NodeJS.ProcessEnv): Map<string, string> {
  const pairs = Object.entries(environment).flatMap(([name, value]) =>
    /^(?:TSCC|DISTCC)_/.test(name) && value !== undefined ? [[name, value] as const] : [],
  );
  return new Map(pairs);
}

function stateFacts(directory: string, wanted: string): Result<StateFacts, string> {
  try {
    const disk = statfsSync(directory);
    return success({
      ...directoryFacts(directory),
      wanted,
      free: disk.bavail * disk.bsize,
      ...fileTimes(directory),
      isLocal: isLocalFileSystem(disk.type),
    });
  } catch (error) {
    // A full disk is what somebody is looking for.
    return failure(describeError(error));
  }
}

function directoryFacts(directory: string): DirectoryFacts {
  const { uid: owner, mode } = statSync(directory);
  return { directory, isOwn: owner === uid, mode: mode & 0o7777 };
}

/** How times of new files differ from this host's clock, and how fine they are. */
function fileTimes(directory: string): Pick<StateFacts, 'clockOff' | 'isCoarse'> {
  const path = `${directory}/.tscc-doctor-${process.pid}`;
  try {
    const before = realClock.now();
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    const after = realClock.now();
    const { mtimeNs } = statSync(path, { bigint: true });
    const time = Number(mtimeNs / 1_000n) / 1_000;
    const clockOff = time < before ? time - before : Math.max(0, time - after);
    // One in a thousand million of fine ones is taken for coarse, and the next run is right.
    const isCoarse = mtimeNs % 1_000_000_000n === 0n;
    // FAT cuts to two seconds.
    return { clockOff: isCoarse && clockOff > -2_000 ? 0 : clockOff, isCoarse };
  } finally {
    rmSync(path, { force: true });
  }
}

function socketFacts(directory: string): SocketFacts {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  const isThere = stat !== undefined;
  const isOwn = stat?.isDirectory() === true && stat.uid === uid;
  const isWritable = realFiles.canWrite(fromText(isThere ? directory : dirname(directory)));
  return { directory, isThere, isOwn, isWritable, mode: (stat?.mode ?? 0) & 0o7777 };
}

function isOwnDirectory(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === uid;
}

function realOf(path: string): string {
  return toText(realFiles.realPath(fromText(path)) ?? fromText(path));
}

async function lookUpDaemon({ socketPath, stateDirectory }: UserState): Promise<DaemonFacts> {
  const log = `${stateDirectory}/daemon.log`;
  try {
    const answer = await askDaemon(socketPath, { ask: 'version' });
    if (answer !== undefined) {
      const { version, pid } = answer as { readonly version: string; readonly pid: number };
      return { kind: 'answers', version, pid };
    }
  } catch (error) {
    return { kind: 'silent', why: describeError(error) };
  }
  const failed = realFiles.stat(fromText(socketPath.replace(/\.sock$/, '.failed')));
  const hasFailed = failed !== undefined && realClock.now() - failed.modified < LAUNCHER.startPause;
  return { kind: 'none', hasFailed, log };
}

async function tryKey(path: string): Promise<KeyFacts> {
  try {
    await readKeyFile(path, uid);
    return { path, failure: undefined };
  } catch (error) {
    return { path, failure: describeError(error) };
  }
}

function inotifyLimit(name: string): number | null {
  const path = `/proc/sys/fs/inotify/max_user_${name}`;
  return realFiles.canRead(path) ? Number(realFiles.read(path)) : null;
}

/** Node raises the soft limit to the hard one when it starts. */
function hardLimit(): number {
  const [, hard] =
    /^Max open files +\S+ +(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return hard === undefined || hard === 'unlimited' ? Infinity : Number(hard);
}

async function lookUpCompilers(path: string) {
  const probe = new ToolchainProbe(realToolchainDeps(() => {}));
  const compilers: CompilerFacts[] = [];
  const toolchains = new Map<string, Toolchain>();
  for (const name of COMPILERS) {
    const candidates = candidatesFor(name, path);
    const real = candidates.find(({ wrapper }) => wrapper === undefined);
    const identity = real === undefined ? undefined : await probe.identify(real.path, path);
    if (identity !== undefined && typeof identity !== 'string') {
      const known = toolchains.get(identity.digest);
      // `cc` is a link to gcc or clang; the better name is the later one.
      if (known === undefined || COMPILERS.slice(0, 2).includes(toText(known.name))) {
        toolchains.set(identity.digest, identity);
      }
    }
    compilers.push({
      name,
      candidates: candidates.map((one) => ({ ...one, path: toText(one.path) })),
      identity:
        identity === undefined
          ? undefined
          : typeof identity === 'string'
            ? { declined: identity }
            : { is: `${identity.family} ${identity.version} ${identity.target}` },
    });
  }
  return { compilers, toolchains: [...toolchains.values()] };
}
