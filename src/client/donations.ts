/**
 * Tokens of make's jobserver, lent to it while a launcher waits for another host: make starts one
 * more job meanwhile. So `make -j2` keeps a farm busy, and a sub-make uses what another one waits
 * with. Why so: docs/decisions/0023-tokens-lent-while-waiting.md.
 */
import { DONATION } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import type { ProcessIdentity } from '../platform/process-table.js';
import type { FoundTokens, JobserverAddress, TokenPipe } from '../platform/token-pipe.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import { jobserverAddress, recipeOf } from './jobserver.js';
import { LentTokens } from './lent-tokens.js';
import type { Settings } from './settings.js';

export interface DonationsContext {
  readonly clock: Clock;
  readonly cores: number;
  /** Of this host, in the last minute. */
  readonly load: () => number;
  /** Free bytes. */
  readonly memory: () => number;
  readonly identify: (pid: number) => ProcessIdentity | undefined;
  readonly find: (address: JobserverAddress, make: number) => FoundTokens | undefined;
  readonly open: (path: FoundTokens['path']) => TokenPipe | undefined;
}

/** A token that was lent. */
export interface Donation {
  /** To be called once; resolves when it is back, or is owed. `gone`: of the launcher. */
  takeBack(gone: AbortSignal): Promise<void>;
}

export class Donations {
  readonly #context: DonationsContext;
  readonly #jobservers = new Map<string, LentTokens>();
  /** Children of makes that lend: the launchers of one recipe have one token together. */
  readonly #children = new Set<number>();

  constructor(context: DonationsContext) {
    this.#context = context;
  }

  /** For who looks on: tokens in jobservers, and those of them that nobody waits with any more. */
  view(): { readonly lent: number; readonly owed: number } {
    let lent = 0;
    let owed = 0;
    for (const jobserver of this.#jobservers.values()) {
      lent += jobserver.lent;
      owed += jobserver.debt;
    }
    return { lent, owed };
  }

  /** Undefined: it is not wanted, there is no jobserver, or this host is busy enough. */
  lend(
    { pid, environment }: Pick<RunRequest, 'pid' | 'environment'>,
    { donate, donateLoad }: Pick<Settings, 'donate' | 'donateLoad'>,
  ): Donation | undefined {
    if (!donate) return undefined;
    const { identify, find } = this.#context;
    const address = jobserverAddress(environment.get('MAKEFLAGS') ?? '');
    const recipe = address && recipeOf(pid, identify);
    if (address === undefined || recipe === undefined) return undefined;
    const { make, child } = recipe;
    if (this.#children.has(child) || this.#isShort(donateLoad)) return undefined;
    const found = find(address, make);
    const jobserver = found && this.#jobserverOf(found);
    if (jobserver === undefined) return undefined;
    this.#children.add(child);
    jobserver.lend();
    return {
      takeBack: (gone) => {
        this.#children.delete(child);
        return jobserver.takeBack(gone);
      },
    };
  }

  #isShort(most: number | undefined): boolean {
    const { load, memory, cores } = this.#context;
    return (
      this.#children.size >= DONATION.tokens ||
      load() > (most ?? cores * DONATION.loadPerCore) ||
      memory() < DONATION.memory
    );
  }

  #jobserverOf({ id, path }: FoundTokens): LentTokens | undefined {
    const known = this.#jobservers.get(id);
    if (known !== undefined) return known;
    const pipe = this.#context.open(path);
    if (pipe === undefined) return undefined;
    const made = new LentTokens(pipe, this.#context.clock, () => this.#jobservers.delete(id));
    this.#jobservers.set(id, made);
    return made;
  }
}
