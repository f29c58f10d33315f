/**
 * GNU make's jobserver as its children know it: where it is, and which make a launcher works for.
 * Pure.
 */
import type { ByteString } from '../core/byte-string.js';
import { DONATION } from '../core/limits.js';
import type { ProcessIdentity } from '../platform/process-table.js';
import type { JobserverAddress } from '../platform/token-pipe.js';

const MAKES: ReadonlySet<string> = new Set(['make', 'gmake']);
const SHELLS: ReadonlySet<string> = new Set(['sh', 'dash', 'bash', 'ksh', 'mksh', 'zsh', 'ash']);

/**
 * The jobserver that MAKEFLAGS names; undefined where make runs one job at a time, or any number.
 * Of several the last counts, but for `-2,-2`, with which make 4.4 tells a child that it does not
 * get the descriptors.
 */
export function jobserverAddress(makeFlags: ByteString): JobserverAddress | undefined {
  // Behind ` -- ` are variables, which may hold anything.
  const [options = ''] = makeFlags.split(' -- ', 1);
  let found: JobserverAddress | undefined;
  for (const [, value = ''] of options.matchAll(OPTION)) {
    const [, read, write] = /^([0-9]{1,9}),([0-9]{1,9})$/.exec(value) ?? [];
    if (value.startsWith('fifo:/')) {
      // Quoted as any word of MAKEFLAGS.
      const path = value.slice('fifo:'.length).replaceAll(/\\(.)|\$(\$)/g, '$1$2');
      found = { kind: 'fifo', path };
    } else if (read !== undefined && write !== undefined) {
      found = { kind: 'pipe', read: Number(read), write: Number(write) };
    }
  }
  return found;
}

const OPTION = /(?<![^ ])--jobserver-(?:auth|fds)=((?:\\.|[^\\ ])*)/g;

export interface Recipe {
  /** Process id of the make that runs it. */
  readonly make: number;
  /** Process id of make's own child: a shell, or the launcher itself. */
  readonly child: number;
}

/**
 * The make that waits for a process, if nothing but shells waits between them: a shell does nothing
 * meanwhile, and what else may be there does who knows what with the token.
 */
export function recipeOf(
  pid: number,
  identify: (pid: number) => ProcessIdentity | undefined,
): Recipe | undefined {
  let child = pid;
  let parent = identify(pid)?.parent;
  for (let shells = 0; parent !== undefined && shells <= DONATION.shells; shells++) {
    const above = identify(parent);
    if (above === undefined) return undefined;
    if (MAKES.has(above.name)) return { make: parent, child };
    if (!SHELLS.has(above.name)) return undefined;
    child = parent;
    parent = above.parent;
  }
  return undefined;
}
