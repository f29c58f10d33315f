/**
 * Errors that tscc itself reports (never those of a compiler), and its exit codes.
 *
 * Every message says what happened, where, and what to do about it, in one line.
 */
export { errnoCode, isShortage } from '../platform/errno.js';

/** Exit codes of tscc's own failures; the numbers are distcc's, so that scripts keep working. */
export const EXIT = {
  /** Anything without a number of its own. */
  failure: 100,
  badArguments: 101,
  bindFailed: 102,
  connectFailed: 103,
  compilerCrashed: 104,
  outOfMemory: 105,
  badHostSpec: 106,
  ioError: 107,
  truncated: 108,
  protocolError: 109,
  compilerMissing: 110,
  recursion: 111,
  setUidFailed: 112,
  accessDenied: 113,
  busy: 114,
  noSuchFile: 115,
  noHosts: 116,
  gone: 117,
  timeout: 118,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An expected failure with a one-line message for people and an exit code for scripts. */
export class TsccError extends Error {
  override readonly name = 'TsccError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The outcome of an operation whose failure is an ordinary event. */
export type Result<T, E = TsccError> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export const success = <T>(value: T): Result<T, never> => ({ ok: true, value });
export const failure = <E>(error: E): Result<never, E> => ({ ok: false, error });

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new Error(`Internal error: unexpected ${JSON.stringify(value)}`);
}

/** Message of anything thrown, for a log line or as part of a longer message. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
