/**
 * The session daemon: takes launchers and command line tools from its socket, ends when idle or
 * when told to. What happens to a command is CommandRun's affair.
 *
 *   serving ── idle for DAEMON.idleExit, or no command left after `stop` ──▶ ended
 *      └─────── stop, newer launcher ──▶ ending ── no command left ─────────▶ ended
 *
 * While it ends new launchers find its socket no more. Those that it has go on as if nothing had
 * happened.
 */
import type { Duplex } from 'node:stream';
import { describeError } from '../core/errors.js';
import { DAEMON } from '../core/limits.js';
import { LIVE } from '../core/live-limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import {
  decodeControlRequest,
  type ControlReply,
  type ControlRequest,
} from '../protocol/control.js';
import { MalformedFrame } from '../protocol/field-codec.js';
import {
  LAUNCHER_WIRE_VERSION,
  type FromLauncher,
  type RunRequest,
} from '../protocol/launcher-wire.js';
import { liveSession, type LiveView } from '../report/live.js';
import { readStatus, listSessions, type JournalStore } from '../report/journal.js';
import { CommandRun, type CommandRunContext } from './command-run.js';
import { LauncherConnection, LauncherGone } from './launcher-connection.js';
import type { Sessions } from './sessions.js';
import { readSettings } from './settings.js';

export interface SessionDaemonContext extends CommandRunContext {
  /** Version of tscc, for people. */
  readonly version: string;
  readonly stateDirectory: string;
  readonly journals: JournalStore;
  readonly sessions: Sessions;
  /** The page that shows the build as it happens; `close` when it was never opened does nothing. */
  readonly livePage: { readonly open: () => Promise<string>; readonly close: () => void };
  /** Takes the socket off its path, so that the next launcher starts another daemon. */
  readonly leaveSocket: () => void;
  /** Everything has ended; the process may exit. */
  readonly onEnd: () => void;
}

export class SessionDaemon {
  readonly #context: SessionDaemonContext;
  readonly #clock: Clock;
  readonly #commands = new Set<CommandRun>();
  #connections = 0;
  /** Monotonic time; who only looks on does not count. */
  #lastUse: number;
  #isEnding = false;
  #hasEnded = false;
  #idle: Timer | undefined;

  constructor(context: SessionDaemonContext) {
    this.#context = context;
    this.#clock = context.clock;
    this.#lastUse = this.#clock.monotonic();
    this.#restartIdleTimer();
  }

  /** Serves one connection. Never rejects. */
  async accept(stream: Duplex): Promise<void> {
    this.#connections++;
    this.#idle?.cancel();
    let isUse = true;
    const launcher = new LauncherConnection(stream, this.#clock);
    try {
      const first = await launcher.next();
      const question = first.kind === 'control' ? decodeControlRequest(first.json) : undefined;
      isUse = question?.ask !== 'live';
      if (question === undefined) await this.#serve(launcher, first);
      else await this.#reply(launcher, question);
    } catch (error) {
      // Whoever connects and says nothing, or nonsense, has gone; that concerns nobody else.
      if (!(error instanceof LauncherGone) && !(error instanceof MalformedFrame)) {
        this.#context.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
      launcher.close();
    } finally {
      this.#connections--;
      if (isUse) this.#lastUse = this.#clock.monotonic();
      this.#restartIdleTimer();
      if (this.#isEnding) this.#endIfDone();
    }
  }

  /** What happens now. */
  view(): LiveView {
    const { sessions, farm, slots, clock, donations } = this.#context;
    const shown = new Set(sessions.all());
    if (shown.size === 0 && sessions.newest !== undefined) shown.add(sessions.newest);
    return {
      schema: 1,
      time: clock.now(),
      daemon: process.pid,
      sessions: [...shown].map(({ journal, active }) => liveSession(journal.counted, active)),
      queued: farm.queued,
      hosts: farm.view(),
      local: {
        compile: slots.view('compile'),
        preprocess: slots.view('preprocess'),
        other: slots.view('other'),
      },
      tokens: donations.view(),
      running: this.#commands.size,
      // A set has them in the order in which they came.
      commands: [...this.#commands].slice(0, LIVE.commands).map((command) => command.view()),
    };
  }

  /** New launchers start another daemon; the commands that are here already finish. */
  stop(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#context.leaveSocket();
    this.#endIfDone();
  }

  async #serve(launcher: LauncherConnection, first: FromLauncher): Promise<void> {
    switch (first.kind) {
      case 'run':
        return this.#run(launcher, first.request);
      case 'control':
      case 'preprocessed':
      case 'committed':
      case 'leaving':
        throw new MalformedFrame(`a connection that begins with ${first.kind}`);
    }
  }

  async #run(launcher: LauncherConnection, request: RunRequest): Promise<void> {
    const { sessions } = this.#context;
    const settings = readSettings(request.environment);
    const session = sessions.of(settings.session, settings.journal);
    // Another version was installed meanwhile: make room for its daemon, as soon as we can.
    if (request.version !== LAUNCHER_WIRE_VERSION) this.stop();
    const command = new CommandRun(launcher, request, settings, session, this.#context);
    this.#commands.add(command);
    await command.run();
    this.#commands.delete(command);
    if (session.isImplicit) sessions.restartIdleTimer();
  }

  async #reply(launcher: LauncherConnection, question: ControlRequest): Promise<void> {
    const reply = await this.#answer(question);
    launcher.send({ kind: 'control-reply', json: Buffer.from(JSON.stringify(reply)) });
    launcher.close();
  }

  async #answer(request: ControlRequest): Promise<ControlReply> {
    const { sessions, livePage } = this.#context;
    switch (request.ask) {
      case 'status': {
        const status = this.#status(request.session);
        return status === undefined
          ? { ok: false, message: `there is no session '${request.session ?? ''}'` }
          : { ok: true, value: status };
      }
      case 'end-session': {
        const session = sessions.get(request.session);
        sessions.end(request.session);
        // One without a journal on disk is known by nobody else.
        const status = session?.journal.status ?? this.#status(request.session);
        return { ok: true, value: status ?? null };
      }
      case 'version':
        return { ok: true, value: { version: this.#context.version, pid: process.pid } };
      case 'live':
        return { ok: true, value: this.view() };
      case 'web':
        if (this.#isEnding) return { ok: false, message: 'the session daemon is ending' };
        try {
          return { ok: true, value: { url: await livePage.open() } };
        } catch (error) {
          return { ok: false, message: `the live page cannot be served: ${describeError(error)}` };
        }
      case 'stop':
        // After the answer has gone out.
        this.#clock.after(0, () => this.stop());
        return { ok: true, value: { commands: this.#connections - 1, pid: process.pid } };
    }
  }

  #status(name: string | undefined) {
    const { sessions, stateDirectory, journals } = this.#context;
    const newest = sessions.newest;
    if (newest !== undefined && (name === undefined || name === newest.name)) {
      return newest.journal.status;
    }
    const session = name === undefined ? undefined : sessions.get(name);
    if (session !== undefined) return session.journal.status;
    const wanted = name ?? listSessions(stateDirectory, journals)[0];
    return wanted === undefined ? undefined : readStatus(stateDirectory, wanted, journals);
  }

  #restartIdleTimer(): void {
    this.#idle?.cancel();
    if (this.#connections > 0 || this.#isEnding) return;
    const unused = this.#clock.monotonic() - this.#lastUse;
    this.#idle = this.#clock.after(Math.max(0, DAEMON.idleExit - unused), () => this.stop());
  }

  #endIfDone(): void {
    if (this.#connections > 0 || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#idle?.cancel();
    this.#context.sessions.endAll();
    this.#context.livePage.close();
    this.#context.farm.close('the session daemon ends');
    this.#context.onEnd();
  }
}
