/** What `tscc doctor` checks on this host; docs/doctor.md tells of each. Pure. */
import { INCLUDES } from '../../core/include-limits.js';
import { DOCTOR } from '../../core/limits.js';
import { isNewEnough } from '../../platform/node-version.js';
import { ok, warning, wrong, type Check, type Finding } from './check.js';
import type { ClientFacts, SocketFacts } from './client-facts.js';
import { compilerFinding } from './compiler-check.js';
import { settingsFindings } from './settings-check.js';

export const CLIENT_CHECKS: readonly Check<ClientFacts>[] = [
  {
    name: 'node',
    run: ({ node }) =>
      isNewEnough(node)
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
    run: ({ variables }) => settingsFindings(variables),
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
    run: ({ sockets }) => [socketFinding(sockets)],
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

/** What is wrong with it leaves each launcher alone: without a daemon it runs the compiler. */
function socketFinding({ directory, isThere, isOwn, isWritable, mode }: SocketFacts): Finding {
  const lost = 'no session daemon, all compiles run here';
  if (isThere && !isOwn) {
    return wrong(
      `${directory} is not a directory of yours: ${lost}`,
      'remove it; tscc makes it anew',
    );
  }
  if (isThere && (mode & 0o077) !== 0) {
    const what = `${directory} is open to others (mode ${octal(mode)}): ${lost}`;
    return wrong(what, 'remove it; tscc makes it anew');
  }
  if (isWritable) return ok(isThere ? directory : `${directory} (made when it is needed)`);
  const what = isThere ? `${directory} cannot be written` : `${directory} cannot be made`;
  return wrong(`${what}: ${lost}`, 'correct or unset XDG_RUNTIME_DIR, or chmod it');
}

function few(name: string, value: number | null, enough: number, better: number): Finding[] {
  if (value === null) return [];
  const sysctl = `fs.inotify.max_${name}`;
  if (value >= enough) return [ok(`${sysctl} is ${value}`)];
  const what = `${sysctl} is ${value}: where they do not suffice, each header is looked at anew`;
  return [warning(what, `sysctl -w ${sysctl}=${better}, and in /etc/sysctl.d for good`)];
}

const lastOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const octal = (mode: number) => mode.toString(8).padStart(4, '0');
export const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`;
