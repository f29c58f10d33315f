/** `tscc closure`: every file that a compile may read, and what names it. */
import { fromText, joinPath, toText, type ByteString } from '../core/byte-string.js';
import { EXIT, TsccError } from '../core/errors.js';
import type { HeaderClosure } from '../include-server/header-closure.js';
import type { GraphNode } from '../include-server/include-graph.js';
import { realIncludeServer } from '../include-server/include-host.js';
import type { FileRequest } from '../include-server/scanned-file.js';
import { realClock } from '../platform/clock.js';
import { realFiles } from '../platform/files.js';
import type { CompileCommand } from '../toolchain/compile-command.js';
import { parseCommand } from '../toolchain/parse-command.js';
import { realToolchainDeps } from '../toolchain/toolchain-host.js';
import { ToolchainProbe, type Toolchain } from '../toolchain/toolchain.js';
import { findCompilers } from './compilers.js';
import { environmentMap } from './user-state.js';

/** What `--json` prints: a stable schema. */
export interface ClosureReport {
  readonly schema: 1;
  readonly source: string;
  readonly files: readonly {
    /** Real path. */
    readonly path: string;
    readonly digest: string;
    /** Seconds since the epoch. */
    readonly mtime: number;
    readonly mode: number;
    /** The file that names it and how; null for what the command line names. */
    readonly namedBy: string | null;
    readonly as: string | null;
  }[];
  readonly directories: readonly string[];
  readonly symlinks: Readonly<Record<string, string>>;
  readonly absent: readonly string[];
}

/** @param given options of this command, then the source and the compiler's arguments */
export async function printClosure(given: readonly string[]): Promise<void> {
  const { json, compiler, words } = readOptions(given);
  const environment = environmentMap(process.env);
  const path = environment.get('PATH') ?? '';
  const source = words.find((word) => !word.startsWith('-')) ?? '';
  const name = compiler ?? (/\.(cc|cp|cxx|cpp|c\+\+|C|CPP|ii|mm)$/.test(source) ? 'g++' : 'gcc');
  const [program] = name.includes('/') ? [fromText(name)] : findCompilers([name], path);
  if (program === undefined) {
    throw new TsccError(`compiler '${name}' not found along PATH`, EXIT.compilerMissing);
  }
  const note = (message: string) => process.stderr.write(`tscc: ${message}\n`);
  const toolchain = await new ToolchainProbe(realToolchainDeps(note)).identify(program, path);
  if (typeof toolchain === 'string') {
    throw new TsccError(`${name}: ${toolchain}`, EXIT.badArguments);
  }
  const command = commandOf(words, name, toolchain, environment);
  const include = realIncludeServer(realClock, undefined, note);
  try {
    const answer = await include.server.closureOf(command, toolchain, environment);
    if (answer.kind === 'not-covered') {
      const { reason, detail } = answer.why;
      throw new TsccError(`not covered: ${reason}: ${toText(detail)}`, EXIT.failure);
    }
    process.stdout.write(json ? jsonOf(answer.closure) : treeOf(answer.closure));
  } finally {
    await include.close();
  }
}

function readOptions(given: readonly string[]) {
  const words = [...given];
  let json = false;
  let compiler: string | undefined;
  for (;;) {
    if (words[0] === '--json') json = true;
    else if (words[0]?.startsWith('--compiler=') === true) compiler = words[0].slice(11);
    else return { json, compiler, words };
    words.shift();
  }
}

function commandOf(
  words: readonly string[],
  name: string,
  toolchain: Toolchain,
  environment: ReadonlyMap<ByteString, ByteString>,
): CompileCommand {
  const cwd = fromText(process.cwd());
  const stage = words.includes('-c') || words.includes('-S') ? [] : ['-c'];
  const parsed = parseCommand({
    argv: [name, ...stage, ...words].map(fromText),
    cwd,
    environment,
    family: toolchain.family,
    readResponseFile: (path) =>
      realFiles.canRead(joinPath(cwd, path)) ? realFiles.read(joinPath(cwd, path)) : undefined,
  });
  switch (parsed.kind) {
    case 'compile':
      return parsed.command;
    case 'decline':
      throw new TsccError(`this compile stays local: ${parsed.reason}`, EXIT.failure);
    case 'other':
      throw new TsccError('usage: tscc closure [--json] SOURCE [ARGUMENT…]', EXIT.badArguments);
  }
}

function jsonOf(closure: HeaderClosure): string {
  const { files } = closure;
  /** A file that is found at two places of the search path is one file all the same. */
  const told = new Set<ByteString>();
  const report: ClosureReport = {
    schema: 1,
    source: toText(closure.source.file.path),
    files: [...closure.reached].flatMap(([{ file }, arrival]) => {
      const content = files.get(file.path);
      const isTold = told.has(file.path);
      told.add(file.path);
      return content === undefined || isTold
        ? []
        : [
            {
              path: toText(file.path),
              digest: content.digest,
              mtime: content.mtime,
              mode: content.mode,
              namedBy: arrival === undefined ? null : toText(arrival.from.path),
              as: arrival === undefined ? null : toText(describe(arrival.request)),
            },
          ];
    }),
    directories: [...closure.directories].map(toText).toSorted(),
    symlinks: Object.fromEntries(
      [...closure.symlinks].map(([link, target]) => [toText(link), toText(target)]),
    ),
    absent: [...closure.absences].map(toText).toSorted(),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** Each file below the one that brought it in. */
function treeOf(closure: HeaderClosure): string {
  const { reached } = closure;
  const below = new Map<GraphNode | undefined, GraphNode[]>();
  for (const [node, arrival] of reached) {
    const siblings = below.get(arrival?.from) ?? [];
    siblings.push(node);
    below.set(arrival?.from, siblings);
  }
  const lines: string[] = [];
  const print = (node: GraphNode, depth: number) => {
    const request = reached.get(node)?.request;
    const how = request === undefined ? '' : `  ${describe(request)}`;
    lines.push(toText(`${'  '.repeat(depth)}${node.path}${how}`));
    for (const child of below.get(node) ?? []) print(child, depth + 1);
  };
  for (const root of below.get(undefined) ?? []) print(root, 0);
  const files = closure.files.size;
  return `${lines.join('\n')}\n${files} files, ${closure.directories.size} directories\n`;
}

/** A request as a source writes it. */
function describe(request: FileRequest): ByteString {
  if (request.kind === 'computed') return `#${request.what} ${request.text}`;
  if (request.kind === 'assembler') return `.incbin/.include "${request.name}"`;
  if (request.kind === 'line') return `#line "${request.name}"`;
  const name = request.form === 'quote' ? `"${request.name}"` : `<${request.name}>`;
  switch (request.kind) {
    case 'include':
      return `#include${request.next ? '_next' : ''} ${name}`;
    case 'probe':
      return `__has_include${request.next ? '_next' : ''}(${name})`;
    case 'embed':
      return `#embed ${name}`;
  }
}
