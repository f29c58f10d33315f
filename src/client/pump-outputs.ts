/** The files that a compile in pump mode leaves: where they will stand, and writing them beside. */
import type { Files } from '../platform/files.js';
import { pumpOutputs, type PumpOutput } from '../toolchain/pump-command.js';
import type { CompileOutputs, PendingOutput } from './compile-outputs.js';
import type { CompileSteps } from './compile-steps.js';
import { fallback, RunLocally } from './compile-verdict.js';
import type { RemoteDecision } from './decision.js';
import type { LauncherConnection } from './launcher-connection.js';
import { findOutputTarget, type OutputTarget } from './output-target.js';

export interface WantedOutput {
  readonly output: PumpOutput;
  readonly target: OutputTarget;
}

/** The object first. Throws RunLocally where one has no fitting place. */
export function findOutputs(
  { command, targets }: RemoteDecision,
  files: Files,
): readonly WantedOutput[] {
  return pumpOutputs(command).map((output) => {
    switch (output.kind) {
      case 'main':
        return { output, target: targets.output };
      case 'dependencies':
        if (targets.dependencies === undefined) {
          throw new Error('Internal error: a dependency file without a target');
        }
        return { output, target: targets.dependencies };
      case 'side': {
        const { cwd, family } = command;
        const target = findOutputTarget(output.path, cwd, 'side', family, files);
        if (!target.ok) throw new RunLocally({ decline: target.error });
        return { output, target: target.value };
      }
    }
  });
}

/**
 * Writes what came back beside where it will stand; the launcher is told of each file before.
 *
 * @param outputs of `wanted` from last to first: the object comes last into its place
 * @returns those that there are
 */
export async function writeOutputs(
  bytesOf: ReadonlyMap<number, Uint8Array>,
  wanted: readonly WantedOutput[],
  outputs: CompileOutputs,
  launcher: LauncherConnection,
  steps: CompileSteps,
): Promise<readonly PendingOutput[]> {
  const made: PendingOutput[] = [];
  for (const [place, pending] of outputs.all.entries()) {
    const index = wanted.length - 1 - place;
    const bytes = bytesOf.get(index);
    if (bytes === undefined) {
      if (wanted[index]?.output.isRequired !== true) continue;
      throw fallback('result-invalid', 'a success without its output');
    }
    launcher.send({ kind: 'temporary', path: pending.temporary });
    await steps.written(outputs.write(pending, bytes));
    made.push(pending);
  }
  return made;
}
