/** How much memory compiles took at their peak, to guess what the next one will. Pure, bounded. */
import { putNewest } from '../core/newest.js';
import { ADMISSION } from '../core/scheduling-limits.js';
import type { WireOption } from '../protocol/plain-messages.js';

/** What compiles are told apart by. */
export interface MemoryKeys {
  /** This very source with this compiler. */
  readonly unit: string;
  /** All with options and a language that decide most of it. */
  readonly kind: string;
}

/** Options that change by multiples what a compile takes. */
const HEAVY = /^-(?:O|g|flto)/;

/**
 * @param unit names the source and its compiler
 * @param language or the source's suffix
 */
export function memoryKeys(
  unit: string,
  language: string,
  options: readonly WireOption[],
): MemoryKeys {
  const heavy = options.filter(([name]) => HEAVY.test(name)).map((option) => option.join(''));
  return { unit, kind: [language, ...heavy].join(' ') };
}

export class MemoryUse {
  /** Bytes; those used last are the last. */
  readonly #units = new Map<string, number>();
  readonly #kinds = new Map<string, number>();

  /** Bytes: what it took last time with some room, else what its kind takes, or any compile. */
  predict({ unit, kind }: MemoryKeys): number {
    const known = this.#units.get(unit);
    if (known !== undefined) return known * ADMISSION.room;
    return this.#kinds.get(kind) ?? ADMISSION.unknown;
  }

  /** @param bytes of the largest process of a compile that has ended */
  learn({ unit, kind }: MemoryKeys, bytes: number): void {
    putNewest(this.#units, unit, bytes, ADMISSION.units);
    const before = this.#kinds.get(kind) ?? bytes;
    // Nearly the largest of late: a kind is asked for where one of its units may be another such.
    const faded = before + ADMISSION.fading * (bytes - before);
    putNewest(this.#kinds, kind, Math.max(bytes, faded), ADMISSION.units);
  }
}
