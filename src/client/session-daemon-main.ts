/**
 * Entry of the session daemon's process, started by a launcher with the listening socket as
 * descriptor 3: `session-daemon-main.js --state DIR --socket PATH`. Puts the parts together.
 */
import '../platform/node-version.js';
import { randomBytes } from 'node:crypto';
import { lstatSync, readlinkSync, statSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fromText, toText } from '../core/byte-string.js';
import { DAEMON } from '../core/limits.js';
import { LIVE } from '../core/live-limits.js';
import { compress } from '../platform/compression.js';
import { realClock } from '../platform/clock.js';
import { realFiles } from '../platform/files.js';
import { availableMemory, loadAverage } from '../platform/host-load.js';
import { startPiped } from '../platform/piped-process.js';
import { run } from '../platform/process.js';
import { processIdentity, processStart } from '../platform/process-table.js';
import { findTokens, openTokens } from '../platform/token-pipe.js';
import { VERSION } from '../platform/version.js';
import { environmentOf } from '../protocol/state-paths.js';
import { Journal, removeOldJournals } from '../report/journal.js';
import { realIncludeServer } from '../include-server/include-host.js';
import { LocaleFiles } from '../toolchain/locale-files.js';
import { TerminalFiles } from '../toolchain/terminal-files.js';
import { realToolchainDeps } from '../toolchain/toolchain-host.js';
import { ToolchainProbe } from '../toolchain/toolchain.js';
import { BlobSource } from './blob-source.js';
import { CompileTimes } from './compile-times.js';
import { CompilerFiles } from './compiler-files.js';
import { dialHost } from './dial.js';
import { Donations } from './donations.js';
import { Farm } from './farm.js';
import { HostSource } from './host-source.js';
import { KeptMismatches } from './kept-mismatches.js';
import { KeptRecipes } from './kept-recipes.js';
import { LivePages } from './live-pages.js';
import { LocalSlots } from './local-slots.js';
import { PrecompiledHeaders } from './precompiled-headers.js';
import { ServerLink } from './server-link.js';
import { SessionDaemon } from './session-daemon.js';
import { SessionReport } from './session-report.js';
import { newSessionName } from './session-name.js';
import { Sessions } from './sessions.js';
import { SourceBuffers } from './source-buffers.js';
import { removeStaleSources } from './stale-sources.js';

const WATCH = fileURLToPath(new URL('../../../bin/tscc-watch', import.meta.url));

/** Descriptor on which the launcher hands the listening socket over. */
const LISTENING = 3;

const { values } = parseArgs({
  options: { state: { type: 'string' }, socket: { type: 'string' } },
});
const { state: stateDirectory, socket: socketPath } = values;
if (stateDirectory === undefined || socketPath === undefined) {
  throw new Error('usage: session-daemon-main.js --state DIR --socket PATH (started by tscc)');
}

function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message}\n`);
}

/** As the launcher writes it (docs/protocol.md, field 6). */
function ownWorld(): string {
  const root = statSync('/', { bigint: true });
  let namespace = '-';
  try {
    namespace = readlinkSync('/proc/self/ns/mnt');
  } catch (error) {
    log(`/proc is not there (${String(error)}): every launcher without it is like us`);
  }
  return `${namespace} ${root.dev} ${root.ino}`;
}

const cores = availableParallelism();
const slots = new LocalSlots({
  compile: cores,
  // They mix waiting for the disk with computing, and hold up remote compiles; distcc takes 8.
  preprocess: Math.max(4, 2 * cores),
  other: cores,
});

const sessions = new Sessions(
  (name, isKept) => new Journal(stateDirectory, name, realFiles, realClock, log, isKept),
  newSessionName,
  realClock,
  VERSION,
);

const includes = realIncludeServer(realClock, () => startPiped(WATCH, [stateDirectory]), log, {
  onHeader(change, path) {
    for (const session of sessions.all()) {
      session.record({ event: 'header', change, path: toText(path) });
    }
  },
  onReady: (entries) => farm.announce(entries),
});

const compilerDeps = realToolchainDeps(log, includes.voucher);

const blobs = new BlobSource({
  readBytes: (path) => realFiles.readBytes(path),
  compress,
});

const times = new CompileTimes(fromText(stateDirectory), { files: realFiles, log });

const clientId = randomBytes(8).toString('hex');
const farm = new Farm(
  (host, settings, farm) =>
    new ServerLink(host, {
      dial: () => dialHost(host, settings, stateDirectory, realFiles),
      clock: realClock,
      compress,
      version: VERSION,
      clientId,
      random: Math.random,
      pump: {
        world: includes.server,
        blobs,
        compress,
        onUpload(count, bytes, encodedBytes) {
          for (const session of sessions.all()) {
            session.record({ event: 'upload', host: host.name, count, bytes, encodedBytes });
          }
        },
      },
      onChange: () => farm.changed(),
      onUpOrDown(state, detail) {
        log(`host ${host.name} is ${state}: ${detail}`);
        for (const session of sessions.all()) {
          session.record({ event: 'host', host: host.name, state, detail });
        }
      },
    }),
  { localSlots: slots, clock: realClock, times, random: Math.random },
);

/** 16 characters that no other compile of this daemon has, nor one of a daemon before it. */
const uniquePrefix = randomBytes(4).toString('hex');
let uniqueCount = 0;
function unique(): string {
  uniqueCount++;
  return uniquePrefix + uniqueCount.toString(16).padStart(8, '0');
}

/** Beside the socket, which is on a file system in memory where the user has one. */
const sourceStem = `${socketPath.replace(/\.sock$/, '')}.source-`;

const compilers = new ToolchainProbe(compilerDeps);
const compilerFiles = new CompilerFiles(new LocaleFiles(compilerDeps));
const server = createServer({ pauseOnConnect: false });
const ownInode = lstatSync(socketPath).ino;

const livePages: LivePages = new LivePages({
  clock: realClock,
  sessions,
  view: () => daemon.view(),
  onBuildEnd: () => report.outdate(),
  async makePage(context) {
    // Hardly any daemon serves one: its code, and node's for HTTP, would cost each one's start.
    const [{ LivePage }, { readLiveAssets }, { PAGE_STYLE }] = await Promise.all([
      import('./live-page.js'),
      import('../platform/page-assets.js'),
      import('../report/page/page-style.js'),
    ]);
    const { html, chartScript, chartStyle, pageScript } = readLiveAssets();
    return new LivePage({
      ...context,
      clock: realClock,
      source: {
        html,
        style: `${chartStyle}\n${PAGE_STYLE}`,
        script: `${chartScript}\n${pageScript}`,
      },
      report: () => report.page(),
      log,
    });
  },
});

const report = new SessionReport(async () => {
  const script = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  const ended = await run(process.execPath, [script, 'report', '--output', '-'], {
    env: environmentOf(stateDirectory, socketPath),
    timeout: LIVE.reportTime,
    outputLimit: LIVE.reportBytes,
  });
  if (ended.status !== 0) throw new Error(ended.stderr.toString().trim() || 'it took too long');
  return ended.stdout.toString();
}, realClock);

const daemon = new SessionDaemon({
  version: VERSION,
  stateDirectory,
  journals: realFiles,
  sessions,
  world: ownWorld(),
  hosts: new HostSource(fromText(stateDirectory), realFiles),
  files: realFiles,
  buffers: new SourceBuffers(),
  includes: includes.server,
  compilerFiles,
  terminals: new TerminalFiles(compilerDeps),
  precompiled: new PrecompiledHeaders({
    files: realFiles,
    includes: includes.server,
    compilerFiles,
    compilers,
    kept: new KeptRecipes(fromText(stateDirectory), { files: realFiles, version: VERSION, log }),
  }),
  donations: new Donations({
    clock: realClock,
    cores,
    load: loadAverage(realClock),
    memory: availableMemory(realClock),
    identify: processIdentity,
    find: findTokens,
    open: openTokens,
  }),
  compilers,
  farm,
  slots,
  clock: realClock,
  sourceStem: fromText(sourceStem),
  unique,
  mismatches: new KeptMismatches(fromText(stateDirectory), {
    files: realFiles,
    clock: realClock,
    unique,
    log,
  }),
  watchProcess(pid) {
    const start = processStart(pid);
    return () => start !== undefined && processStart(pid) === start;
  },
  log,
  livePage: livePages,
  leaveSocket() {
    // Not when another daemon has taken the path over.
    if (lstatSync(socketPath, { throwIfNoEntry: false })?.ino === ownInode) unlinkSync(socketPath);
  },
  onEnd() {
    times.flush();
    log('ends');
    // The last answers are still on their way out; nothing else holds the process.
    setImmediate(() => process.exit());
  },
});

removeOldJournals(stateDirectory, DAEMON.keptSessions, realFiles);
removeStaleSources(sourceStem, realFiles, realClock);
server.on('connection', (socket) => void daemon.accept(socket));
server.listen({ fd: LISTENING });
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => daemon.stop());
}
log(`tscc ${VERSION} serves ${socketPath}, pid ${process.pid}`);
