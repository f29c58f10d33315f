/**
 * Why compiles were done again: what each rests on, against the last compile of the same output, in
 * this session or one before. tscc keeps no objects; this is what a store of them would have missed.
 */
import { isOfObject } from '../compile-key.js';
import { compilesOf, workOf, type BuildCommand, type BuildModel } from './build-model.js';
import { isSource } from './header-costs.js';

export const CHANGE_KINDS = {
  source: 'its source',
  preprocessed: 'its preprocessed source',
  file: 'a file that it reads',
  'new-file': 'a file that it did not read before',
  'gone-file': 'a file that it does not read any more',
  command: 'the command',
  compiler: 'the compiler',
  variable: 'a variable',
} as const;

export interface Change {
  readonly kind: keyof typeof CHANGE_KINDS;
  /** The file, the words of the command, the compiler or the variable. */
  readonly name: string;
}

export type Again =
  /** No session that was looked at has it. */
  | { readonly kind: 'first' }
  /** Nothing that it rests on is other than then. */
  | { readonly kind: 'same'; readonly session: string }
  | { readonly kind: 'changed'; readonly session: string; readonly changes: readonly Change[] }
  /** The journals do not tell: only pump mode says what was read. */
  | { readonly kind: 'unknown'; readonly session: string };

/** Changes that several compiles have in common. */
export interface RebuildCause extends Change {
  readonly compiles: number;
  /** Compiler time of these compiles, milliseconds. */
  readonly work: number;
  /** Outputs, the first few. */
  readonly examples: readonly string[];
}

export interface Rebuilds {
  readonly first: number;
  readonly changed: number;
  readonly unknown: number;
  readonly same: { readonly compiles: number; readonly work: number };
  /** The costliest first; a compile counts for each of its changes. */
  readonly causes: readonly RebuildCause[];
}

const EXAMPLES = 3;

/** A compile, and the model that knows its files. */
interface Place {
  readonly model: BuildModel;
  readonly command: BuildCommand;
}

/** @param earlier the newest first; no more of them are asked for than needed */
export function rebuilds(model: BuildModel, earlier: Iterable<BuildModel>): Rebuilds {
  const counts = { first: 0, changed: 0, unknown: 0 };
  const same = { compiles: 0, work: 0 };
  const causes = new Map<
    string,
    Change & { compiles: number; work: number; examples: readonly string[] }
  >();
  for (const [command, again] of whyAgain(model, earlier)) {
    if (again.kind === 'same') {
      same.compiles++;
      same.work += workOf(command);
      continue;
    }
    counts[again.kind]++;
    for (const change of again.kind === 'changed' ? again.changes : []) {
      const key = `${change.kind} ${change.name}`;
      const cause = causes.get(key) ?? { ...change, compiles: 0, work: 0, examples: [] };
      cause.compiles++;
      cause.work += workOf(command);
      if (cause.examples.length < EXAMPLES) cause.examples = [...cause.examples, command.name];
      causes.set(key, cause);
    }
  }
  const list = [...causes.values()].toSorted((a, b) => b.work - a.work);
  return { ...counts, same, causes: list };
}

/** Of each compile that has an output, in their order. */
export function whyAgain(
  model: BuildModel,
  earlier: Iterable<BuildModel>,
): Map<BuildCommand, Again> {
  const compiles = compilesOf(model).filter(({ output }) => output !== '');
  const answers = new Map<BuildCommand, Again>(
    compiles.map((command) => [command, { kind: 'first' }]),
  );
  /** The first of each output, whose last one before is in another session. */
  const wanted = new Map<string, BuildCommand>();
  const last = new Map<string, BuildCommand>();
  for (const command of compiles) {
    const key = keyOf(command);
    const before = last.get(key);
    if (before === undefined) wanted.set(key, command);
    else answers.set(command, compare({ model, command }, { model, command: before }));
    last.set(key, command);
  }
  if (wanted.size === 0) return answers;
  for (const before of earlier) {
    for (const command of compilesOf(before).toReversed()) {
      const key = keyOf(command);
      const now = wanted.get(key);
      if (now === undefined) continue;
      answers.set(now, compare({ model, command: now }, { model: before, command }));
      wanted.delete(key);
    }
    if (wanted.size === 0) break;
  }
  return answers;
}

function keyOf({ cwd, output }: BuildCommand): string {
  return `${cwd}\0${output}`;
}

function compare(now: Place, before: Place): Again {
  const { session } = before.model;
  const [a, b] = [before.command.inputs, now.command.inputs];
  if (a.key !== null && a.key === b.key) return { kind: 'same', session };
  const changes = [
    ...commandChanges(before.command.argv, now.command.argv),
    ...(a.toolchain !== null && b.toolchain !== null && a.toolchain !== b.toolchain
      ? [{ kind: 'compiler', name: now.command.argv[0] ?? '' } as const]
      : []),
    ...variableChanges(a.variables, b.variables),
    ...sourceChanges(before, now),
    ...fileChanges(before, now),
  ];
  return changes.length === 0
    ? { kind: 'unknown', session }
    : { kind: 'changed', session, changes };
}

/** Words that only one of them has, as `before → now`. */
function commandChanges(before: readonly string[], now: readonly string[]): Change[] {
  const gone = without(before, now);
  const come = without(now, before);
  if (gone.length + come.length > 0) {
    return [{ kind: 'command', name: `${gone.join(' ') || '–'} → ${come.join(' ') || '–'}` }];
  }
  return before.join('\0') === now.join('\0') ? [] : [{ kind: 'command', name: 'another order' }];
}

function without(words: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return words.filter((word) => {
    const at = left.indexOf(word);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

type Variables = BuildCommand['inputs']['variables'];

function variableChanges(before: Variables, now: Variables): Change[] {
  if (before === null || now === null) return [];
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => isOfObject(name) && before[name] !== now[name])
    .map((name) => ({ kind: 'variable', name }));
}

/** Of one mode: plain mode knows the source only after preprocessing, and nothing that it includes. */
function sourceChanges({ command: before }: Place, { command: now }: Place): Change[] {
  const [a, b] = [before.inputs.source, now.inputs.source];
  if (a === null || b === null || a === b || before.outcome !== now.outcome) return [];
  return [{ kind: now.outcome === 'plain' ? 'preprocessed' : 'source', name: now.source }];
}

function fileChanges(before: Place, now: Place): Change[] {
  const [a, b] = [filesOf(before), filesOf(now)];
  if (a.size === 0 || b.size === 0) return [];
  const changed: Change[] = [];
  const come: Change[] = [];
  for (const [path, digest] of b) {
    const then = a.get(path);
    if (then === undefined) come.push({ kind: 'new-file', name: path });
    else if (then !== digest) changed.push({ kind: 'file', name: path });
  }
  // What a changed file names is its consequence.
  if (changed.length > 0 || sourceChanges(before, now).length > 0) return changed;
  const gone = [...a.keys()].filter((path) => !b.has(path));
  return [...come, ...gone.map((name): Change => ({ kind: 'gone-file', name }))];
}

/** Path → digest, besides the source. */
function filesOf({ model, command }: Place): Map<string, string> {
  const files = new Map<string, string>();
  for (const at of command.inputs.reads) {
    const [path, , digest] = model.files[at] ?? [];
    if (path === undefined || digest === undefined || isSource(path, command.source)) continue;
    files.set(path, digest);
  }
  return files;
}
