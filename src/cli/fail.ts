/** The one way out of a command line tool that failed. */
import { describeError, EXIT, TsccError } from '../core/errors.js';

/** Prints one line and exits: 100–119 for an expected failure, with a stack for a fault of tscc. */
export function fail(program: string, error: unknown): never {
  if (error instanceof TsccError) {
    process.stderr.write(`${program}: ${error.message}\n`);
    process.exit(error.exitCode);
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : describeError(error);
  process.stderr.write(`${program}: ${text}\n`);
  process.exit(EXIT.failure);
}
