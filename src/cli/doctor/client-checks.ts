/** What `tscc doctor` checks on this host; docs/doctor.md tells of each. Pure. */
import type { HostList } from '../../client/host-list.js';
import type { Result } from '../../core/errors.js';
import { DOCTOR, INCLUDES } from '../../core/limits.js';
import { DECLINE_REASONS } from '../../core/reasons.js';
import { ok, warning, wrong, type Check, type Finding } from './check.js';

export interface ClientFacts {
  readonly version: string;
  /** Version of the node that runs this. */
  readonly node: string;
  /** Programs in bin/, and why one cannot be run. */
  readonly programs: readonly { readonly path: string; readonly failure: string | undefined }[];
  /** The variables that tscc reads, by name. */
  readonly variables: ReadonlyMap<string, string>;
  /** Of the state directory; the text says why there is none. */
  readonly state: Result<StateFacts, string>;
  /** The directory of sockets; undefined where there is none yet. */
  readonly sockets: DirectoryFacts & { readonly isThere: boolean };
  readonly daemon: DaemonFacts;
  readonly hosts: {
    /** The variable or file that has the list. */
    readonly origin: string | undefined;
    readonly list: Result<HostList, string>;
  };
  readonly key: KeyFacts | undefined;
  readonly inotify: {
    /** Null where the kernel does not tell. */
    readonly watches: number | null;
    readonly instances: number | null;
  };
  /** Most open files of a process of this user, that is of the session daemon. */
  readonly openFiles: number;
  readonly compilers: readonly CompilerFacts[];
  /** Where the command was given: mostly the tree that is built. */
  readonly tree: { readonly directory: string; readonly isLocal: boolean };
}

export interface DirectoryFacts {
  readonly directory: string;
  readonly isOwn: boolean;
  /** Permission bits. */
  readonly mode: number;
}

export interface StateFacts extends DirectoryFacts {
  /** The one that the environment asks for. */
  readonly wanted: string;
  /** Bytes. */
  readonly free: number;
  /** Milliseconds by which times of new files are off this host's clock. */
  readonly clockOff: number;
  /** Times of files have whole seconds. */
  readonly isCoarse: boolean;
  readonly isLocal: boolean;
}

export type DaemonFacts =
  | { readonly kind: 'none'; readonly hasFailed: boolean; readonly log: string }
  | { readonly kind: 'answers'; readonly version: string; readonly pid: number }
  | { readonly kind: 'silent'; readonly why: string };

export interface KeyFacts {
  readonly path: string;
  readonly failure: string | undefined;
}

export interface CompilerFacts {
  readonly name: string;
  readonly candidates: readonly { readonly path: string; readonly wrapper: string | undefined }[];
  /** Of the first real one: what it is, or the reason for which its compiles stay here. */
  readonly identity: { readonly is: string } | { readonly declined: string } | undefined;
}

export const CLIENT_CHECKS: readonly Check<ClientFacts>[] = [
  {
    name: 'node',
    run: ({ node }) =>
      isAtLeast(node, 20, 19)
        ? [ok(`Node.js ${node}`)]
        : [wrong(`Node.js ${node} is too old`, 'install Node.js 20.19 or newer')],
  },
  {
    name: 'programs',
    run({ programs }) {
      const broken = programs.filter(({ failure }) => failure !== undefined);
      if (broken.length === 0) return [ok(programs.map(({ path }) => lastOf(path)).join(', '))];
      return broken.map(({ path, failure }) =>
        wrong(
          `${path} cannot be run: ${failure}`,
          'npm run build in a clone; a package made for this processor elsewhere',
        ),
      );
    },
  },
  {
    name: 'settings',
    run({ variables }) {
      const found = SETTINGS.flatMap(({ variable, isGood, counts }) => {
        const value = variables.get(variable);
        if (value === undefined || value === '' || isGood.test(value)) return [];
        return [warning(`${variable}=${value} ${counts}`, `correct or unset ${variable}`)];
      });
      if (variables.get('TSCC_MODE') === 'local') {
        found.push(warning('TSCC_MODE=local: nothing goes out', 'unset TSCC_MODE'));
      }
      return found.length > 0 ? found : [ok(namesOf(variables))];
    },
  },
  {
    name: 'state',
    run({ state }) {
      if (!state.ok) return [wrong(state.error, 'set TSCC_DIR to a directory of yours')];
      const { directory, wanted, isOwn, mode } = state.value;
      if (!isOwn) return [wrong(`${directory} is not yours`, `chown it, or set TSCC_DIR`)];
      if ((mode & 0o022) !== 0) {
        const what = `${directory} can be written by others (mode ${octal(mode)})`;
        return [wrong(what, `chmod 700 ${directory}`)];
      }
      if (directory !== wanted) {
        const what = `${wanted} cannot be used, ${directory} takes its place`;
        return [warning(what, `make ${wanted} yours to write, or set TSCC_DIR`)];
      }
      return [ok(directory)];
    },
  },
  {
    name: 'disk',
    run({ state }) {
      if (!state.ok) return [];
      const { directory, free } = state.value;
      const what = `${mebibytes(free)} free for ${directory}`;
      if (free >= DOCTOR.stateFree) return [ok(what)];
      return [warning(what, 'remove old sessions in journal/ and mismatches/, or set TSCC_DIR')];
    },
  },
  {
    name: 'sockets',
    run({ sockets: { directory, isThere, isOwn, mode } }) {
      if (!isThere) return [ok(`${directory} (made when it is needed)`)];
      if (isOwn && (mode & 0o077) === 0) return [ok(directory)];
      const what = isOwn
        ? `${directory} is open to others (mode ${octal(mode)})`
        : `${directory} is not a directory of yours`;
      return [
        wrong(`${what}: no session daemon, all compiles run here`, 'remove it; tscc makes it anew'),
      ];
    },
  },
  {
    name: 'daemon',
    run({ daemon, version }) {
      switch (daemon.kind) {
        case 'none':
          return daemon.hasFailed
            ? [wrong('it could not be started when last tried', `read ${daemon.log}`)]
            : [ok('none runs; the first compile starts it')];
        case 'answers':
          return daemon.version === version
            ? [ok(`tscc ${version}, pid ${daemon.pid}`)]
            : [
                warning(
                  `tscc ${daemon.version} runs, this is ${version}`,
                  'tscc stop; the next compile starts the new one',
                ),
              ];
        case 'silent':
          return [
            warning(
              `it does not say its version (${daemon.why}): an older one, or stuck`,
              'tscc stop, and if it stays, kill it',
            ),
          ];
      }
    },
  },
  {
    name: 'hosts',
    run({ hosts: { origin, list } }) {
      if (!list.ok) return [wrong(list.error, 'correct the list; man tscc has its grammar')];
      const { remote } = list.value;
      if (remote.length > 0) {
        return [ok(`${remote.length} in ${origin}: ${remote.map(({ name }) => name).join(' ')}`)];
      }
      const what = origin === undefined ? 'there is no host list' : `${origin} names no server`;
      return [
        wrong(`${what}: all compiles run here`, 'set TSCC_HOSTS, or write ~/.config/tscc/hosts'),
      ];
    },
  },
  {
    name: 'key',
    run({ key }) {
      if (key === undefined) return [];
      if (key.failure === undefined) return [ok(key.path)];
      return [wrong(key.failure, `chmod 600 and chown it, or copy it anew from a server`)];
    },
  },
  {
    name: 'inotify',
    run({ inotify }) {
      return [
        ...few('user_watches', inotify.watches, DOCTOR.inotifyWatches, 524_288),
        ...few('user_instances', inotify.instances, DOCTOR.inotifyInstances, 512),
      ];
    },
  },
  {
    name: 'clock',
    run({ state }) {
      if (!state.ok) return [];
      const { directory, clockOff, isCoarse, isLocal } = state.value;
      const bound = isLocal ? INCLUDES.localTick : INCLUDES.foreignTick;
      if (Math.abs(clockOff) > bound) {
        const side = clockOff < 0 ? 'behind' : 'ahead of';
        return [
          wrong(
            `files in ${directory} get times ${Math.abs(Math.round(clockOff))} ms ${side} this host's clock`,
            'set the clocks of this host and of its file server by NTP',
          ),
        ];
      }
      if (!isCoarse) return [ok('times of files agree with the clock')];
      return [
        warning(
          `files in ${directory} have times in whole seconds: fresh ones are read again and again`,
          'set TSCC_DIR, and build, on a file system with finer times',
        ),
      ];
    },
  },
  {
    name: 'tree',
    run: ({ tree }) =>
      tree.isLocal
        ? [ok(`${tree.directory} is on a local file system`)]
        : [
            warning(
              `${tree.directory} is on a file system that others may write to: each header is ` +
                'looked at for each compile',
              'build on a local file system where that costs too much',
            ),
          ],
  },
  {
    name: 'descriptors',
    run({ openFiles }) {
      const what = `${openFiles} open files`;
      if (openFiles >= DOCTOR.openFiles) return [ok(what)];
      return [
        warning(`${what} are few for make -j`, `raise the hard limit: ulimit -Hn, limits.conf`),
      ];
    },
  },
  {
    name: 'compilers',
    run({ compilers }) {
      const there = compilers.filter(({ candidates }) => candidates.length > 0);
      if (there.length === 0) return [wrong('none along PATH', 'install gcc or clang')];
      return there.map(compilerFinding);
    },
  },
];

/** What values may be, and what another is taken for. */
const SETTINGS: readonly { variable: string; isGood: RegExp; counts: string }[] = [
  { variable: 'TSCC_MODE', isGood: /^(?:pump|plain|local)$/, counts: 'counts as pump' },
  { variable: 'TSCC_MIN_TIER', isGood: /^[0-3]$/, counts: 'counts as 3' },
  { variable: 'TSCC_VERIFY', isGood: /^[0-9]{1,9}$/, counts: 'counts as 0' },
  ...['IO_TIMEOUT', 'CONNECT_TIMEOUT'].map((name) => ({
    variable: `TSCC_${name}`,
    isGood: /^[0-9]*[1-9][0-9]*(?:\.[0-9]+)?$|^0*\.[0-9]*[1-9][0-9]*$/,
    counts: 'is no number of seconds: the default holds',
  })),
];

function compilerFinding({ name, candidates, identity }: CompilerFacts): Finding {
  const links = candidates.flatMap(({ path, wrapper }) => (wrapper === undefined ? [] : [path]));
  if (candidates.length === links.length) {
    return wrong(
      `${name} leads to tscc and its like only (${links.join(', ')}): there is no compiler behind`,
      `install ${name}, or remove the links`,
    );
  }
  const path = candidates.find(({ wrapper }) => wrapper === undefined)?.path ?? '';
  if (identity !== undefined && 'declined' in identity) {
    const { declined } = identity;
    const meaning = Object.entries(DECLINE_REASONS).find(([reason]) => reason === declined)?.[1];
    return warning(
      `${path} compiles here only: ${meaning ?? declined}`,
      `put the compiler itself before it on PATH, or name it`,
    );
  }
  const past = links.length === 0 ? '' : `, past ${links.join(', ')}`;
  return ok(`${path}${identity === undefined ? '' : `, ${identity.is}`}${past}`);
}

function few(name: string, value: number | null, enough: number, better: number): Finding[] {
  if (value === null) return [];
  const sysctl = `fs.inotify.max_${name}`;
  if (value >= enough) return [ok(`${sysctl} is ${value}`)];
  const what = `${sysctl} is ${value}: where they do not suffice, each header is looked at anew`;
  return [warning(what, `sysctl -w ${sysctl}=${better}, and in /etc/sysctl.d for good`)];
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [first = 0, second = 0] = version.split('.').map(Number);
  return first > major || (first === major && second >= minor);
}

function namesOf(variables: ReadonlyMap<string, string>): string {
  const set = [...variables].filter(([name]) => name.startsWith('TSCC_')).map(([name]) => name);
  return set.length === 0 ? 'none in the environment' : set.toSorted().join(' ');
}

const lastOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const octal = (mode: number) => mode.toString(8).padStart(4, '0');
export const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`;
