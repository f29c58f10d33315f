/**
 * Where a compiler looks for one named file, in its order: GCC's search_path_head and
 * _cpp_find_file, which Clang's lookups follow. Pure.
 */
import { directoryName, joinPath, type ByteString } from '../core/byte-string.js';
import type { HeaderForm } from './scanned-file.js';

/** How an open file was found: a number is the directory's place in the whole chain. */
export type Place =
  | number
  /** Beside the file that includes it, or in the working directory for -include. */
  | 'beside'
  /** The source itself, or a file named by an absolute path. */
  | 'nowhere';

/** A path that the compiler tries, and the place it would be found at. */
export interface Candidate {
  /** Absolute, as the compiler puts it together. */
  readonly path: ByteString;
  readonly place: Place;
}

/** The directories of a search path in one row: "x" begins at 0, <x> at `angleStart`. */
export interface Chain {
  readonly directories: readonly ByteString[];
  readonly angleStart: number;
  /** -I-: not beside the includer. */
  readonly withoutIncluder: boolean;
}

/** Of the file that names another. */
export interface Includer {
  /** As it was opened. */
  readonly path: ByteString;
  readonly place: Place;
}

export function* candidates(
  chain: Chain,
  form: HeaderForm,
  name: ByteString,
  next: boolean,
  includer: Includer,
): Generator<Candidate> {
  if (name === '') return;
  if (name.startsWith('/')) {
    yield { path: name, place: 'nowhere' };
    return;
  }
  let start = form === 'angle' ? chain.angleStart : 0;
  // Both compilers take #include_next for #include in what was not found on the search path.
  if (next && includer.place !== 'nowhere') {
    start = includer.place === 'beside' ? 0 : includer.place + 1;
  } else if (form === 'quote' && !chain.withoutIncluder) {
    yield { path: joinPath(directoryName(includer.path), name), place: 'beside' };
  }
  for (let place = start; place < chain.directories.length; place++) {
    yield { path: joinPath(chain.directories[place] ?? '/', name), place };
  }
}
