/**
 * Starts compilers through tscc-runner (twin: native/runner.h, grammar: docs/protocol.md §3). One
 * runner process serves all jobs; when it dies its running compilers are killed, their jobs fail,
 * and the next start gets a new one.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { toText, type ByteString } from '../core/byte-string.js';
import { describeError, errnoCode, unreachable } from '../core/errors.js';
import { SERVER } from '../core/limits.js';
import { Fields, FieldWriter, FrameSplitter, MalformedFrame } from '../protocol/field-codec.js';

const TO_RUNNER = { start: 0x01, kill: 0x02, probe: 0x03 } as const;
const FROM_RUNNER = { started: 0x81, ended: 0x82, failed: 0x83 } as const;

const START_TAG = {
  id: 1,
  program: 2,
  word: 3,
  variable: 4,
  cwd: 5,
  stdout: 6,
  stderr: 7,
  cpuSeconds: 8,
  memory: 9,
  fileBytes: 10,
  openFiles: 11,
  nice: 12,
  layer: 13,
  upper: 14,
  work: 15,
  mount: 16,
  scratch: 17,
  sandbox: 18,
  readable: 19,
  processes: 20,
  user: 21,
  terminal: 22,
} as const;

const ANSWER_TAG = {
  id: 1,
  pid: 2,
  status: 3,
  signal: 4,
  cpuMicroseconds: 5,
  maxRssKiB: 6,
  errno: 7,
  what: 8,
} as const;

/** What bounds a compiler besides its limits: what the kernel is asked to refuse it. */
export interface Barriers {
  /** Files but those that it may open. */
  readonly landlock: boolean;
  /** System calls that no compiler needs. */
  readonly seccomp: boolean;
}

export const NO_BARRIERS: Barriers = { landlock: false, seccomp: false };
export const ALL_BARRIERS: Barriers = { landlock: true, seccomp: true };

/**
 * A root of its own for a compiler: layers on top of one another, and nothing else of the host. All
 * are directories of the host; upper is the job's own and empty but for what it shall show. Removed
 * when the compile has ended, never before.
 */
export interface RootSpec {
  /** Read-only, the top first. The last holds what stands for devices and /.tscc (job-root.ts). */
  readonly layers: readonly ByteString[];
  /** Over them; takes what the compiler writes. */
  readonly upper: ByteString;
  readonly seal: NamespaceSeal | SupervisorSeal;
}

/** An overlay in namespaces: no network, no other process, programs of the root's own. */
export interface NamespaceSeal {
  readonly kind: 'namespaces';
  /** For overlayfs: the job's own, empty, on the file system of upper. */
  readonly work: ByteString;
  /** An empty directory where the root is mounted, seen by the compiler's processes only. */
  readonly mount: ByteString;
  /** Inside, Landlock allows all files: they are the job's. */
  readonly barriers: Barriers;
}

/** All system calls that name files are answered as in the root (decision 27); all barriers stand. */
export interface SupervisorSeal {
  readonly kind: 'supervisor';
  /** Real paths of the host's programs and libraries that are what the root has there: only these run. */
  readonly programs: readonly ByteString[];
}

/** Without a root of its own: what a compiler may open. */
export interface Confinement {
  readonly barriers: Barriers;
  /** Files, and directories with all below, that it may read and run; it may write in its cwd. */
  readonly readable: readonly ByteString[];
  /** Number of the user and group that it becomes, the server's own if it is left out. */
  readonly user?: number;
}

/** Files for what is printed; they must not exist yet. Paths of the host, with a root too. */
export interface Streams {
  readonly stdout: ByteString;
  readonly stderr: ByteString;
}

/** A compiler to start. With a root, its program and directory are paths in there. */
export interface CompileSpec extends Streams {
  readonly root?: RootSpec;
  /** Without a root; none if it is left out. */
  readonly confinement?: Confinement;
  /** Absolute path. */
  readonly program: ByteString;
  /** Its argv, argv[0] first. */
  readonly words: readonly ByteString[];
  readonly environment: ReadonlyMap<string, ByteString>;
  readonly cwd: ByteString;
  /** Added to the server's own niceness. */
  readonly nice: number;
  /** Whether it shall take its standard error for a terminal. */
  readonly terminal?: boolean;
}

/** A canary. */
export interface ProbeSpec extends Streams {
  /**
   * Its layers must have files /shown and /hidden, and a whiteout over /hidden; the canary leaves
   * /new and no /shown in `upper`, or a whiteout for it.
   */
  readonly root?: RootSpec;
  readonly confinement?: Confinement;
  readonly cwd: ByteString;
  /** Files of the host that it must not get at; in a root they must not be there. */
  readonly forbidden: readonly ByteString[];
}

/** How a compiler ended. */
export interface CompileEnd {
  /** Exit status, 128+n when signal n killed it. */
  readonly status: number;
  /** Signal that killed it, 0 for none. */
  readonly signal: number;
  /** User and system time, its children's included. */
  readonly cpuMicroseconds: number;
  readonly maxRssKiB: number;
}

export interface RunningCompile {
  /** Rejects with an Error whose message says why it could not be run to its end. */
  readonly ended: Promise<CompileEnd>;
  /** SIGKILL to its process group, or to all in its root; `ended` tells when it is dead. */
  kill(): void;
}

interface Pending {
  /** Process group, known once it runs. */
  pid: number | undefined;
  readonly resolve: (end: CompileEnd) => void;
  readonly reject: (error: Error) => void;
}

type Process = ChildProcessByStdio<Writable, Readable, Readable>;

export class Runner {
  readonly #program: string;
  readonly #log: (line: string) => void;
  readonly #pending = new Map<number, Pending>();
  #process: Process | undefined;
  #lastId = 0;
  #closed = false;

  /**
   * @param program path of tscc-runner
   * @param log takes a line when the runner has trouble
   */
  constructor(program: string, log: (line: string) => void) {
    this.#program = program;
    this.#log = log;
  }

  /** Process id of the runner, undefined when none runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** With a root, `ended` resolves when nothing that ran in it is left. */
  start(spec: CompileSpec): RunningCompile {
    const id = ++this.#lastId;
    return this.#send(id, encodeStart(id, spec));
  }

  /**
   * Sends a canary in a compiler's place, which tries to break out. Rejects with an Error that tells
   * what could not be done, or what it got at.
   */
  async probe(spec: ProbeSpec): Promise<void> {
    const id = ++this.#lastId;
    const { ended } = this.#send(id, encodeProbe(id, spec));
    const { status } = await ended;
    if (status !== 0) throw new Error(`the probe was killed (${status})`);
  }

  #send(id: number, frame: Buffer): RunningCompile {
    const ended = new Promise<CompileEnd>((resolve, reject) => {
      this.#pending.set(id, { pid: undefined, resolve, reject });
    });
    if (this.#closed) {
      this.#fail(id, 'the server is closing');
    } else if (frame.length > SERVER.runnerFrameBytes) {
      this.#fail(id, `a command of ${frame.length} bytes is more than a process can have`);
    } else {
      this.#process ??= this.#spawn();
      this.#process.stdin.write(frame);
    }
    return { ended, kill: () => this.#kill(id) };
  }

  /** Kills every compiler and ends the runner; resolves when it is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#process;
    if (child === undefined) return;
    const gone = once(child, 'close');
    // The end of its standard input tells the runner to kill all groups and exit.
    child.stdin.end();
    await gone;
  }

  #kill(id: number): void {
    if (!this.#pending.has(id)) return;
    this.#process?.stdin.write(new FieldWriter().add(START_TAG.id, id).finish(TO_RUNNER.kill));
  }

  #spawn(): Process {
    // Detached: an interrupt at the terminal is the server's to deal with.
    const child = spawn(this.#program, [], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const splitter = new FrameSplitter(SERVER.runnerFrameBytes);
    child.stdout.on('data', (bytes: Buffer) => {
      try {
        for (const { type, body } of splitter.push(bytes)) this.#receive(type, new Fields(body));
      } catch (error) {
        if (!(error instanceof MalformedFrame)) throw error;
        this.#log(`the runner sent a malformed frame: ${error.message}`);
        child.kill('SIGKILL');
      }
    });
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => this.#log(text.trimEnd()));
    // Its death is told by 'close'; that nobody reads from it any more is no further news.
    child.stdin.on('error', () => undefined);
    let cause: string | undefined;
    child.on('error', (error) => (cause = `'${this.#program}' cannot be run: ${error.message}`));
    child.on('close', (code, signal) => {
      this.#lose(cause ?? `the runner ended (${signal ?? `exit status ${code}`})`);
    });
    return child;
  }

  #receive(type: number, fields: Fields): void {
    const id = fields.number(ANSWER_TAG.id);
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new MalformedFrame(`an answer for the unknown compile ${id}`);
    switch (type) {
      case FROM_RUNNER.started:
        pending.pid = fields.number(ANSWER_TAG.pid);
        return;
      case FROM_RUNNER.ended:
        this.#pending.delete(id);
        pending.resolve({
          status: fields.number(ANSWER_TAG.status),
          signal: fields.number(ANSWER_TAG.signal),
          cpuMicroseconds: Number(fields.bigNumber(ANSWER_TAG.cpuMicroseconds)),
          maxRssKiB: fields.number(ANSWER_TAG.maxRssKiB),
        });
        return;
      case FROM_RUNNER.failed: {
        const what = toText(fields.string(ANSWER_TAG.what));
        this.#fail(id, `could not ${what}: ${errnoName(fields.number(ANSWER_TAG.errno))}`);
        return;
      }
      default:
        throw new MalformedFrame(`unknown frame type ${type}`);
    }
  }

  #fail(id: number, message: string): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.reject(new Error(message));
  }

  #lose(message: string): void {
    this.#process = undefined;
    if (!this.#closed) this.#log(`${message}; compiles it ran: ${this.#pending.size}, which fail`);
    for (const [id, { pid }] of this.#pending) {
      if (pid !== undefined) killGroup(pid, this.#log);
      this.#fail(id, message);
    }
  }
}

function encodeStart(id: number, spec: CompileSpec): Buffer {
  const variables = Array.from(spec.environment, ([name, value]) => `${name}=${value}`);
  const start = new FieldWriter()
    .add(START_TAG.id, id)
    .add(START_TAG.program, spec.program)
    .addAll(START_TAG.word, spec.words)
    .addAll(START_TAG.variable, variables)
    .add(START_TAG.nice, spec.nice)
    .add(START_TAG.terminal, spec.terminal === true ? 1 : 0);
  return addSurroundings(start, spec).finish(TO_RUNNER.start);
}

function encodeProbe(id: number, spec: ProbeSpec): Buffer {
  const probe = new FieldWriter().add(START_TAG.id, id).addAll(START_TAG.word, spec.forbidden);
  return addSurroundings(probe, spec).finish(TO_RUNNER.probe);
}

function addSurroundings(fields: FieldWriter, spec: CompileSpec | ProbeSpec): FieldWriter {
  const { root, confinement } = spec;
  fields
    .add(START_TAG.cwd, spec.cwd)
    .add(START_TAG.stdout, spec.stdout)
    .add(START_TAG.stderr, spec.stderr)
    .add(START_TAG.cpuSeconds, SERVER.jobCpuSeconds)
    .add(START_TAG.memory, BigInt(SERVER.jobMemory))
    .add(START_TAG.fileBytes, BigInt(SERVER.jobFile))
    .add(START_TAG.openFiles, SERVER.jobOpenFiles)
    .add(START_TAG.processes, SERVER.jobProcesses);
  if (root !== undefined) {
    fields.addAll(START_TAG.layer, root.layers).add(START_TAG.upper, root.upper);
    return addSeal(fields, root.seal);
  }
  if (confinement === undefined) return fields;
  if (confinement.user !== undefined) fields.add(START_TAG.user, confinement.user);
  return fields
    .add(START_TAG.sandbox, bits(confinement.barriers))
    .addAll(START_TAG.readable, confinement.readable);
}

function addSeal(fields: FieldWriter, seal: RootSpec['seal']): FieldWriter {
  switch (seal.kind) {
    case 'namespaces':
      return fields
        .add(START_TAG.work, seal.work)
        .add(START_TAG.mount, seal.mount)
        .add(START_TAG.scratch, BigInt(SERVER.jobScratch))
        .add(START_TAG.sandbox, bits(seal.barriers));
    case 'supervisor':
      return fields
        .add(START_TAG.sandbox, bits(ALL_BARRIERS))
        .addAll(START_TAG.readable, seal.programs);
    default:
      return unreachable(seal);
  }
}

function bits({ landlock, seccomp }: Barriers): number {
  return (landlock ? 1 : 0) + (seccomp ? 2 : 0);
}

/** A runner that was killed could not take its compilers along. */
function killGroup(pid: number, log: (line: string) => void): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: the group is gone already, as it should be.
    if (errnoCode(error) !== 'ESRCH') log(`cannot kill compiler ${pid}: ${describeError(error)}`);
  }
}

function errnoName(errno: number): string {
  const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0];
  return name ?? `errno ${errno}`;
}
