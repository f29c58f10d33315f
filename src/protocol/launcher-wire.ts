/**
 * Messages between launcher and session daemon, twin of native/launcher.h; the grammar is
 * docs/protocol.md §1. Pure: bytes to values and back.
 */
import { LAUNCHER } from '../core/limits.js';
import { toBytes, type ByteString } from '../core/byte-string.js';
import { bytesFrame, Fields, FieldWriter, MalformedFrame } from './field-codec.js';

export const LAUNCHER_WIRE_VERSION = 4;

export const FROM_LAUNCHER = {
  run: 0x01,
  preprocessed: 0x02,
  control: 0x04,
  committed: 0x05,
  leaving: 0x06,
} as const;

export const TO_LAUNCHER = {
  beat: 0x81,
  exec: 0x82,
  preprocess: 0x83,
  temporary: 0x84,
  stdout: 0x85,
  stderr: 0x86,
  done: 0x87,
  fail: 0x88,
  controlReply: 0x89,
} as const;

export const TAG = {
  version: 1,
  pid: 2,
  umask: 3,
  flags: 4,
  cwd: 5,
  world: 6,
  compiler: 7,
  word: 8,
  variable: 9,
  columns: 10,
  started: 11,
  status: 20,
  stderrBytes: 21,
  cpuMicroseconds: 22,
  errno: 23,
  failedTarget: 24,
  why: 25,
  into: 30,
  temporary: 31,
  renameFrom: 32,
  renameTo: 33,
  message: 34,
} as const;

const FLAG = { stderrIsTerminal: 1, askedAgain: 2 } as const;

/** A command as the launcher was started with it. */
export interface RunRequest {
  readonly version: number;
  readonly pid: number;
  /** File mode creation mask of the build. */
  readonly umask: number;
  readonly stderrIsTerminal: boolean;
  /** A daemon before this one had it, and ended without a verdict. */
  readonly isAskedAgain: boolean;
  /** Width of the terminal on standard input; 0 where there is none, or it has none. */
  readonly stdinColumns: number;
  /** When the launcher began: microseconds of the monotonic clock, the last 32 bits; 0: not told. */
  readonly started: number;
  /** Physical working directory (getcwd). */
  readonly cwd: ByteString;
  /** Mount namespace and root directory; see docs/protocol.md. */
  readonly world: ByteString;
  /** Absolute path of the compiler. */
  readonly compiler: ByteString;
  /** The command with argv[0] as the compiler shall see it. */
  readonly argv: readonly ByteString[];
  /** The environment variables that matter to tscc or to compilers. */
  readonly environment: ReadonlyMap<ByteString, ByteString>;
}

/** How a compiler that the launcher started for the daemon ended. */
export interface Preprocessed {
  /** Exit status, 128+n when signal n killed it. */
  readonly status: number;
  /** Bytes it printed on standard error. */
  readonly stderrBytes: number;
  /** The first of them: all, unless they are more than a frame to the launcher holds. */
  readonly stderr: Uint8Array;
  /** Its user and system time. */
  readonly cpuMicroseconds: number;
}

export type LeavingReason = 'interrupted' | 'daemon-silent' | 'cannot-preprocess';

export type FromLauncher =
  | { readonly kind: 'run'; readonly request: RunRequest }
  | { readonly kind: 'preprocessed'; readonly preprocessed: Preprocessed }
  | { readonly kind: 'control'; readonly json: Uint8Array }
  | { readonly kind: 'committed'; readonly errno: number; readonly target: ByteString }
  | { readonly kind: 'leaving'; readonly why: LeavingReason };

export type ToLauncher =
  | { readonly kind: 'beat' }
  | { readonly kind: 'exec' }
  | {
      readonly kind: 'preprocess';
      /** File to be made for its standard output. */
      readonly into: ByteString;
      readonly argv: readonly ByteString[];
      readonly temporaries: readonly ByteString[];
    }
  | { readonly kind: 'temporary'; readonly path: ByteString }
  | { readonly kind: 'stdout'; readonly bytes: Uint8Array }
  | { readonly kind: 'stderr'; readonly bytes: Uint8Array }
  | { readonly kind: 'done'; readonly status: number; readonly renames: readonly Rename[] }
  | { readonly kind: 'fail'; readonly status: number; readonly message: ByteString }
  | { readonly kind: 'control-reply'; readonly json: Uint8Array };

export interface Rename {
  readonly temporary: ByteString;
  readonly target: ByteString;
}

/** Throws MalformedFrame. */
export function decodeFromLauncher(type: number, body: Uint8Array): FromLauncher {
  switch (type) {
    case FROM_LAUNCHER.run:
      return { kind: 'run', request: decodeRun(new Fields(body)) };
    case FROM_LAUNCHER.preprocessed: {
      const fields = new Fields(body);
      return {
        kind: 'preprocessed',
        preprocessed: {
          status: fields.number(TAG.status),
          stderrBytes: fields.number(TAG.stderrBytes),
          stderr: toBytes(fields.strings(TAG.message).join('')),
          cpuMicroseconds: fields.number(TAG.cpuMicroseconds),
        },
      };
    }
    case FROM_LAUNCHER.control:
      return { kind: 'control', json: body };
    case FROM_LAUNCHER.committed: {
      const fields = new Fields(body);
      return {
        kind: 'committed',
        errno: fields.number(TAG.errno),
        target: fields.strings(TAG.failedTarget)[0] ?? '',
      };
    }
    case FROM_LAUNCHER.leaving:
      return { kind: 'leaving', why: leavingReason(new Fields(body).number(TAG.why)) };
    default:
      throw new MalformedFrame(`unknown frame type ${type} from a launcher`);
  }
}

export function encodeToLauncher(message: ToLauncher): Buffer {
  switch (message.kind) {
    case 'beat':
      return bytesFrame(TO_LAUNCHER.beat, new Uint8Array());
    case 'exec':
      return bytesFrame(TO_LAUNCHER.exec, new Uint8Array());
    case 'preprocess':
      return new FieldWriter()
        .add(TAG.into, message.into)
        .addAll(TAG.word, message.argv)
        .addAll(TAG.temporary, message.temporaries)
        .finish(TO_LAUNCHER.preprocess);
    case 'temporary':
      return bytesFrame(TO_LAUNCHER.temporary, Buffer.from(message.path, 'latin1'));
    case 'stdout':
      return outputFrames(TO_LAUNCHER.stdout, message.bytes);
    case 'stderr':
      return outputFrames(TO_LAUNCHER.stderr, message.bytes);
    case 'done': {
      const fields = new FieldWriter().add(TAG.status, message.status);
      for (const { temporary, target } of message.renames) {
        fields.add(TAG.renameFrom, temporary).add(TAG.renameTo, target);
      }
      return fields.finish(TO_LAUNCHER.done);
    }
    case 'fail':
      return new FieldWriter()
        .add(TAG.status, message.status)
        .add(TAG.message, message.message)
        .finish(TO_LAUNCHER.fail);
    case 'control-reply':
      return bytesFrame(TO_LAUNCHER.controlReply, message.json);
  }
}

/** As many frames as the launcher's bound on one of them asks for. */
function outputFrames(type: number, bytes: Uint8Array): Buffer {
  const room = LAUNCHER.frameBytes - 1;
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += room) {
    frames.push(bytesFrame(type, bytes.subarray(at, at + room)));
  }
  return Buffer.concat(frames);
}

function decodeRun(fields: Fields): RunRequest {
  const argv = fields.strings(TAG.word);
  if (argv.length === 0) throw new MalformedFrame('RUN without a command');
  const environment = new Map<ByteString, ByteString>();
  for (const variable of fields.strings(TAG.variable)) {
    const equals = variable.indexOf('=');
    if (equals < 1) throw new MalformedFrame('a variable without a name');
    environment.set(variable.slice(0, equals), variable.slice(equals + 1));
  }
  const flags = fields.number(TAG.flags);
  return {
    version: fields.number(TAG.version),
    pid: fields.number(TAG.pid),
    umask: fields.number(TAG.umask),
    stderrIsTerminal: (flags & FLAG.stderrIsTerminal) !== 0,
    isAskedAgain: (flags & FLAG.askedAgain) !== 0,
    stdinColumns: fields.number(TAG.columns),
    // A launcher of an older version, whose commands are served all the same, has none.
    started: fields.has(TAG.started) ? fields.number(TAG.started) : 0,
    cwd: fields.string(TAG.cwd),
    world: fields.string(TAG.world),
    compiler: fields.string(TAG.compiler),
    argv,
    environment,
  };
}

function leavingReason(code: number): LeavingReason {
  switch (code) {
    case 1:
      return 'interrupted';
    case 2:
      return 'daemon-silent';
    case 3:
      return 'cannot-preprocess';
    default:
      throw new MalformedFrame(`unknown reason ${code} for leaving`);
  }
}
