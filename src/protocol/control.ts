/**
 * What the command line tools ask a session daemon, as JSON in CONTROL and CONTROL-REPLY frames
 * (docs/protocol.md §1). Both ends are of one version: a tool that meets an older daemon is told.
 */
import { connect } from 'node:net';
import { describeError } from '../core/errors.js';
import { MalformedFrame, FrameSplitter, bytesFrame } from './field-codec.js';
import { FROM_LAUNCHER, TO_LAUNCHER } from './launcher-wire.js';

export type ControlRequest =
  /** Status of a session; without a name of the newest one. */
  | { readonly ask: 'status'; readonly session?: string }
  /** tscc-pump: the build is over. Answers the session's final status. */
  | { readonly ask: 'end-session'; readonly session: string }
  /** Answers `version` of tscc and `pid`. */
  | { readonly ask: 'version' }
  /** What happens now: a LiveView. Does not keep the daemon from ending when it is idle. */
  | { readonly ask: 'live' }
  /** The live page, whose server starts if need be. Answers its `url`. */
  | { readonly ask: 'web' }
  /** Ends the daemon once its running commands have ended. Answers their number and its `pid`. */
  | { readonly ask: 'stop' };

export type ControlReply =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

/** A daemon's answer can hold a status with many hosts; far below this. */
const REPLY_BYTES = 4 * 1024 * 1024;

export function decodeControlRequest(json: Uint8Array): ControlRequest {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(json).toString('utf8'));
  } catch {
    throw new MalformedFrame('a CONTROL request is not JSON');
  }
  if (typeof value !== 'object' || value === null || !('ask' in value)) {
    throw new MalformedFrame('a CONTROL request asks nothing');
  }
  const session = 'session' in value ? value.session : undefined;
  switch (value.ask) {
    case 'version':
      return { ask: 'version' };
    case 'stop':
    case 'live':
    case 'web':
      return { ask: value.ask };
    case 'status':
      return typeof session === 'string' ? { ask: 'status', session } : { ask: 'status' };
    case 'end-session':
      if (typeof session !== 'string') throw new MalformedFrame('end-session names no session');
      return { ask: 'end-session', session };
    default:
      throw new MalformedFrame('a CONTROL request of a kind that this version does not know');
  }
}

/**
 * Asks the daemon behind a socket. Undefined when there is none; rejects when it answers nothing
 * or an error.
 */
export function askDaemon(socketPath: string, request: ControlRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const splitter = new FrameSplitter(REPLY_BYTES);
    socket.on('connect', () => {
      socket.write(bytesFrame(FROM_LAUNCHER.control, Buffer.from(JSON.stringify(request))));
    });
    socket.on('data', (bytes: Buffer) => {
      try {
        for (const { type, body } of splitter.push(bytes)) {
          if (type !== TO_LAUNCHER.controlReply) continue;
          const reply = JSON.parse(Buffer.from(body).toString('utf8')) as ControlReply;
          socket.end();
          if (reply.ok) resolve(reply.value);
          else reject(new Error(reply.message));
        }
      } catch (cause) {
        const why = `the session daemon's answer makes no sense: ${describeError(cause)}`;
        reject(new Error(why, { cause }));
        socket.destroy();
      }
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
    socket.on('close', () => reject(new Error('the session daemon closed the connection')));
  });
}
