/**
 * Memory that clients fill by what they tell, which each may do up to limits of its own, but not all
 * at once. Where it runs short, the origin that takes most gives up its largest connection.
 */

/** One connection's part. */
export interface Share {
  /** It takes so many bytes now. May end some connection, also this one. */
  holds(bytes: number): void;
  /** It takes nothing any more. */
  close(): void;
}

interface Part {
  readonly origin: string;
  readonly giveUp: (why: string) => void;
  bytes: number;
}

export class SharedRoom {
  readonly #most: number;
  readonly #parts = new Set<Part>();
  readonly #ofOrigin = new Map<string, number>();
  #total = 0;

  /** @param most bytes that all may take together */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * @param origin as `originOf` has it
   * @param giveUp ends the connection whose part this is
   */
  open(origin: string, giveUp: (why: string) => void): Share {
    const part: Part = { origin, giveUp, bytes: 0 };
    this.#parts.add(part);
    return {
      holds: (bytes) => {
        if (!this.#parts.has(part)) return;
        this.#change(part, bytes);
        this.#makeRoom();
      },
      close: () => this.#remove(part),
    };
  }

  #makeRoom(): void {
    while (this.#total > this.#most) {
      const [origin] = largest([...this.#ofOrigin], ([, bytes]) => bytes) ?? [];
      const ofOrigin = [...this.#parts].filter((part) => part.origin === origin);
      const part = largest(ofOrigin, ({ bytes }) => bytes);
      if (part === undefined) return;
      this.#remove(part);
      part.giveUp(
        `clients have told more than ${this.#most} bytes of what they have, you the most`,
      );
    }
  }

  #remove(part: Part): void {
    if (!this.#parts.delete(part)) return;
    this.#change(part, 0);
  }

  #change(part: Part, bytes: number): void {
    const difference = bytes - part.bytes;
    part.bytes = bytes;
    this.#total += difference;
    const ofOrigin = (this.#ofOrigin.get(part.origin) ?? 0) + difference;
    if (ofOrigin === 0) this.#ofOrigin.delete(part.origin);
    else this.#ofOrigin.set(part.origin, ofOrigin);
  }
}

function largest<T>(all: readonly T[], size: (one: T) => number): T | undefined {
  let most: T | undefined;
  for (const one of all) if (most === undefined || size(one) > size(most)) most = one;
  return most;
}
