/**
 * The compiler run here: the launcher becomes it, and holds a slot until its connection closes or
 * its process is gone.
 */
import { DAEMON } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import type { RunRequest } from '../protocol/launcher-wire.js';
import type { LauncherConnection } from './launcher-connection.js';
import type { LocalSlots, Slot, SlotPool } from './local-slots.js';

export interface LocalRunContext {
  readonly slots: LocalSlots;
  readonly clock: Clock;
  /** Gives a test whether this very process still runs. */
  readonly watchProcess: (pid: number) => () => boolean;
}

export class LocalRun {
  readonly #launcher: LauncherConnection;
  readonly #request: Pick<RunRequest, 'pid' | 'environment'>;
  readonly #context: LocalRunContext;

  constructor(
    launcher: LauncherConnection,
    request: Pick<RunRequest, 'pid' | 'environment'>,
    context: LocalRunContext,
  ) {
    this.#launcher = launcher;
    this.#request = request;
    this.#context = context;
  }

  /** None for a command inside a compiler of ours: that one may hold the slot it would wait for. */
  slot(pool: SlotPool): Promise<Slot | undefined> {
    if (this.#request.environment.has('_TSCC_GUARD')) return Promise.resolve(undefined);
    return this.#context.slots.acquire(pool, this.#launcher.gone);
  }

  /** Lets the launcher become the compiler and waits until that has ended. */
  async exec(slot: Slot | undefined): Promise<void> {
    this.#launcher.stopBeats();
    this.#launcher.send({ kind: 'exec' });
    try {
      await this.#ended();
    } finally {
      slot?.release();
    }
  }

  /** The connection closes with its last holder; a child that outlives the compiler is no holder. */
  #ended(): Promise<void> {
    const { clock, watchProcess } = this.#context;
    const isAlive = watchProcess(this.#request.pid);
    const { gone } = this.#launcher;
    return new Promise((resolve) => {
      const check = () => {
        if (isAlive()) timer = clock.after(DAEMON.slotHolderCheck, check);
        else resolve();
      };
      let timer = clock.after(DAEMON.slotHolderCheck, check);
      const onGone = () => {
        timer.cancel();
        resolve();
      };
      if (gone.aborted) onGone();
      else gone.addEventListener('abort', onGone, { once: true });
    });
  }
}
