/**
 * Where a command shall run, as far as that can be told without talking to a server: the first
 * step of every command, and the only one of most.
 */
import { joinPath, type ByteString } from '../core/byte-string.js';
import { failure, success, type Result } from '../core/errors.js';
import type { DeclineReason, OtherKind } from '../core/reasons.js';
import type { Files } from '../platform/files.js';
import { LAUNCHER_WIRE_VERSION, type RunRequest } from '../protocol/launcher-wire.js';
import type { CompileCommand, ParsedCommand } from '../toolchain/compile-command.js';
import { parseCommand } from '../toolchain/parse-command.js';
import { plainObstacle } from '../toolchain/plain-mode.js';
import { pumpObstacle } from '../toolchain/pump-command.js';
import type { CompilerFamily } from '../toolchain/options/option-table.js';
import type { Toolchain } from '../toolchain/toolchain.js';
import type { HostList } from './host-list.js';
import type { HeaderCommand } from './precompiled-headers.js';
import { findOutputTarget, type OutputTarget } from './output-target.js';
import type { Settings } from './settings.js';

/** Where the compile's files will stand. */
export interface Targets {
  readonly output: OutputTarget;
  readonly dependencies: OutputTarget | undefined;
}

export type Decision =
  | { readonly kind: 'other'; readonly other: OtherKind }
  | {
      readonly kind: 'decline';
      readonly reason: DeclineReason;
      readonly source: ByteString;
      /** A precompiled header that servers can make as well. */
      readonly header?: HeaderCommand;
      /** A line for standard error, told once in a session. */
      readonly notice?: ByteString;
    }
  | RemoteDecision;

/** A compile that may go out, in at least one mode. */
export interface RemoteDecision {
  readonly kind: 'remote';
  readonly command: CompileCommand;
  readonly toolchain: Toolchain;
  readonly hosts: HostList;
  readonly targets: Targets;
  /** What stands in the way of each mode; never of both. */
  readonly obstacles: {
    readonly pump: DeclineReason | 'mode-plain' | undefined;
    readonly plain: DeclineReason | undefined;
  };
}

/** The part of `ToolchainProbe` that is needed here: it remembers what it has identified. */
export interface CompilerIdentifier {
  identify(compiler: ByteString, path: ByteString): Promise<Toolchain | DeclineReason>;
}

export interface DecisionContext {
  /** Mount namespace and root of the daemon, as the launcher writes them. */
  readonly world: ByteString;
  readonly files: Files;
  readonly compilers: CompilerIdentifier;
}

export async function decide(
  request: RunRequest,
  settings: Settings,
  hosts: Result<HostList, string>,
  context: DecisionContext,
): Promise<Decision> {
  const decline = (reason: DeclineReason, source: ByteString = '') =>
    ({ kind: 'decline', reason, source }) as const;
  if (request.version !== LAUNCHER_WIRE_VERSION) return decline('version-mismatch');

  // A foreign launcher's paths mean other files, so its command is parsed without reading any.
  const isForeign = request.world !== context.world;
  const guess = familyByName(request.compiler);
  const parsed = parse(request, guess, isForeign ? undefined : context.files);
  if (parsed.kind === 'other') return parsed;
  const source = parsed.kind === 'compile' ? parsed.command.source : parsed.source;
  if (isForeign) return decline('foreign-namespace', source);
  if (settings.mode === 'local') return decline('mode-local', source);
  if (parsed.kind === 'decline' && (parsed.header === undefined || settings.mode === 'plain')) {
    return decline(parsed.reason, source);
  }

  if (!hosts.ok) return { ...decline('bad-hosts', source), notice: hosts.error };
  if (hosts.value.remote.length === 0) {
    return decline(hosts.value.localhost > 0 ? 'scheduled-local' : 'no-hosts', source);
  }

  const toolchain = await context.compilers.identify(
    request.compiler,
    request.environment.get('PATH') ?? '',
  );
  if (typeof toolchain === 'string') return decline(toolchain, source);
  const exact =
    toolchain.family === guess ? parsed : parse(request, toolchain.family, context.files);
  if (exact.kind === 'other') return exact;
  if (exact.kind === 'decline') {
    const declined = decline(exact.reason, exact.source);
    const { header: made } = exact;
    if (made === undefined) return declined;
    return { ...declined, header: { command: made, toolchain, environment: request.environment } };
  }
  const { command } = exact;
  const obstacles = {
    pump: settings.mode === 'plain' ? 'mode-plain' : pumpObstacle(command, request.environment),
    plain: plainObstacle(command),
  } as const;
  if (obstacles.pump !== undefined && obstacles.plain !== undefined) {
    // The way that was wanted is the one to mend.
    return decline(obstacles.pump === 'mode-plain' ? obstacles.plain : obstacles.pump, source);
  }
  const targets = findTargets(command, request.cwd, context.files);
  if (!targets.ok) return decline(targets.error, source);
  return {
    kind: 'remote',
    command,
    toolchain,
    hosts: hosts.value,
    targets: targets.value,
    obstacles,
  };
}

function findTargets(
  command: CompileCommand,
  cwd: ByteString,
  files: Files,
): Result<Targets, DeclineReason> {
  const { source, family } = command;
  const path = joinPath(cwd, source);
  if (!files.canRead(path)) return failure('unreadable-input');
  const output = findOutputTarget(command.output, cwd, command.stage, family, files);
  if (!output.ok) return output;
  // Compilers refuse to write over their source; a rename would not.
  const existing = files.stat(output.value.path);
  if (existing !== undefined && existing.id === files.stat(path)?.id) {
    return failure('output-special');
  }
  if (command.dependencies === undefined) {
    return success({ output: output.value, dependencies: undefined });
  }
  const list = findOutputTarget(command.dependencies.path, cwd, 'dependencies', family, files);
  return list.ok ? success({ output: output.value, dependencies: list.value }) : list;
}

function parse(
  request: RunRequest,
  family: CompilerFamily,
  files: Files | undefined,
): ParsedCommand {
  return parseCommand({
    argv: request.argv,
    cwd: request.cwd,
    environment: request.environment,
    family,
    readResponseFile(path) {
      const absolute = joinPath(request.cwd, path);
      return files?.canRead(absolute) === true && files.stat(absolute)?.kind === 'file'
        ? files.read(absolute)
        : undefined;
    },
  });
}

/** Good enough to tell compiles from other commands; compiles are parsed again where it errs. */
export function familyByName(compiler: ByteString): CompilerFamily {
  return /clang[^/]*$/.test(compiler) ? 'clang' : 'gcc';
}
