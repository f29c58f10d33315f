/**
 * From the directories that a command names to those that are searched: what GCC's incpath.cc and
 * Clang's InitHeaderSearch.cpp do before the first file is read. #include_next goes on where the
 * last file was found, so that places and duplicates must be exactly theirs.
 *
 * Four chains are searched in this order; #include "x" begins with the first, <x> with the second:
 *
 *   quote            bracket       system                          after
 *   -iquote          -I, CPATH     -isystem, *_INCLUDE_PATH,       -idirafter
 *                                  the compiler's own
 */
import type { ByteString } from '../core/byte-string.js';
import type { CompilerFamily } from '../toolchain/options/option-table.js';
import type { LookAtDirectory } from '../platform/directory-look.js';

/** Absolute directories as the command names them, whether they are there or not. */
export interface SearchChains {
  readonly quote: readonly ByteString[];
  readonly bracket: readonly ByteString[];
  readonly system: readonly ByteString[];
  readonly after: readonly ByteString[];
}

export type MergedChains =
  | {
      readonly kind: 'merged';
      readonly quote: readonly ByteString[];
      readonly angle: readonly ByteString[];
      readonly missing: readonly ByteString[];
      /** There, and left out because another name of the same directory is in. */
      readonly duplicates: readonly ByteString[];
    }
  /** One directory under two names: which one Clang opens files by differs by version. */
  | { readonly kind: 'two-names' }
  /** A compiler objects to this one: a file, or a directory that it cannot look at. */
  | { readonly kind: 'obstructed'; readonly directory: ByteString };

interface Entry {
  readonly path: ByteString;
  readonly identity: string;
  /** Place in the chain as given. */
  readonly index: number;
}

export function mergeChains(
  chains: SearchChains,
  family: CompilerFamily,
  look: LookAtDirectory,
): MergedChains {
  const missing = new Set<ByteString>();
  /** Identity by path, of all that are there. */
  const names = new Map<ByteString, string>();
  let obstructed: ByteString | undefined;
  const present = (chain: readonly ByteString[]): Entry[] =>
    chain.flatMap((path, index) => {
      const found = look(path);
      if (found.kind === 'directory') {
        names.set(path, found.identity);
        return [{ path, identity: found.identity, index }];
      }
      if (found.kind === 'absent') missing.add(path);
      else obstructed ??= path;
      return [];
    });

  const system = unique(present([...chains.system, ...chains.after]), new Set());
  const inSystem = new Set(system.map(({ identity }) => identity));
  // A directory of the user's that is the system's too keeps the system's place.
  const bracket = unique(present(chains.bracket), inSystem);
  const angle = [...bracket, ...system];
  const quote = unique(present(chains.quote), family === 'gcc' ? inSystem : new Set());
  const last = quote.at(-1);
  // GCC drops the last of this chain if the next one begins with it; the last as given, since it
  // decides before it has seen that what follows is not there.
  if (
    family === 'gcc' &&
    last?.index === chains.quote.length - 1 &&
    last.identity === angle[0]?.identity
  ) {
    quote.pop();
  }
  if (obstructed !== undefined) return { kind: 'obstructed', directory: obstructed };
  if (family === 'clang' && names.size > new Set(names.values()).size) return { kind: 'two-names' };
  const searched = new Set([...paths(quote), ...paths(angle)]);
  return {
    kind: 'merged',
    quote: paths(quote),
    angle: paths(angle),
    missing: [...missing],
    duplicates: [...names.keys()].filter((path) => !searched.has(path)),
  };
}

/** The first of each, without those in `excluded`. */
function unique(entries: readonly Entry[], excluded: ReadonlySet<string>): Entry[] {
  const seen = new Set(excluded);
  return entries.filter(({ identity }) => {
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  });
}

const paths = (entries: readonly Entry[]): ByteString[] => entries.map(({ path }) => path);
