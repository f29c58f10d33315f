/**
 * What options do to the directories that headers are looked for in, for the rows of all tables:
 * GCC's chapter "Directory Options", Clang's "Include path management", and what their drivers'
 * specs look at when they choose a multilib.
 */

export type SearchEffect =
  /** Names a directory whose place among the others follows from the documented rules. */
  | 'directory'
  /** Changes the directories that the compiler has by itself; it can be asked for those alone. */
  | 'default'
  /** Only the compiler knows what comes of it, beside all the others. */
  | 'whole'
  /** Directories that are searched in another way: frameworks. */
  | 'foreign';

const EFFECTS: readonly (readonly [SearchEffect, string])[] = [
  ['directory', '-I -iquote -isystem -idirafter'],
  ['default', '--sysroot --sysroot= -isysroot -imultilib --target='],
  ['default', '-nostdinc -nostdinc++ -nobuiltininc -nostdlibinc -stdlib= --stdlib='],
  // Clang then goes out from its own name as called, not from the file that this leads to.
  ['default', '-no-canonical-prefixes'],
  // The language is part of every question, and so is its standard.
  ['default', '-std= -ansi'],
  // Beside the machine's own switches, these have multilibs of their own on some targets.
  ['default', '-pthread -pthreads -fexceptions -fno-exceptions -frtti -fno-rtti -fsanitize='],
  // Prefixes that are the compiler's unless given, in order with the other directories.
  ['whole', '-iprefix -iwithprefix -iwithprefixbefore -isystem-after'],
  ['foreign', '-iframework'],
];

/** By name, but for the switches of the machine. */
export const SEARCH_EFFECTS: ReadonlyMap<string, SearchEffect> = new Map(
  EFFECTS.flatMap(([effect, names]) => names.split(' ').map((name) => [name, effect])),
);

/** @param name of an option in the table; any -m may select a multilib, with headers of its own. */
export function searchEffect(name: string): SearchEffect | undefined {
  return SEARCH_EFFECTS.get(name) ?? (name.startsWith('-m') ? 'default' : undefined);
}
