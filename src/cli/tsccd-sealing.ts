/** How a server seals jobs off, and where they have their files, found out by trying. */
import { describeError, EXIT, TsccError } from '../core/errors.js';
import { PUMP } from '../core/limits.js';
import { realClock } from '../platform/clock.js';
import { JobDirectories } from '../server/job-directory.js';
import type { ProgramSource } from '../server/host-programs.js';
import { JobRoots } from '../server/job-root.js';
import { openPump, type OpenPump } from '../server/pump-service.js';
import type { Runner } from '../server/runner.js';
import { NO_SANDBOX, Sandbox, type SandboxState } from '../server/sandbox.js';
import { scratchInMemory } from '../server/scratch.js';
import type { LogLevel } from '../server/log.js';
import type { Settings } from './tsccd-options.js';

export interface Sealing {
  readonly sandbox: SandboxState;
  /** Of running jobs. */
  readonly directories: JobDirectories;
  /** Undefined where jobs cannot have roots of their own. */
  readonly pump: OpenPump | undefined;
  /** Ends the canary's rounds. */
  stop(): void;
  /** Removes what is only this server's; nothing may run any more. */
  close(): Promise<void>;
}

/** Puts a line of the server itself into the log. */
export type Say = (what: string, level?: LogLevel) => void;

type Needs = Pick<Settings, 'jobs' | 'nice' | 'scratch' | 'storeSize' | 'unsafeNoSandbox'>;

/**
 * Rejects with a TsccError when a directory cannot be used, or jobs cannot be sealed off and must be.
 *
 * @param store a directory of this user's
 * @param programs those of this host that pump jobs may run
 */
export async function openSealing(
  store: string,
  given: Needs,
  runner: Runner,
  say: Say,
  programs: ProgramSource,
): Promise<Sealing> {
  const places = scratchPlaces(store, given, say);
  if (given.unsafeNoSandbox) {
    const directories = await openDirectories(places[0], say);
    const close = () => directories.close();
    return { sandbox: NO_SANDBOX, directories, pump: undefined, stop: () => undefined, close };
  }
  try {
    const roots = await JobRoots.open(store, programs);
    const { sandbox, directories, place } = await measure(places, runner, roots, say);
    if (sandbox.tier < 1) {
      await directories.close();
      throw new TsccError(
        `compilers cannot be sealed off on this host: ${sandbox.missing.join('; ')}; give ` +
          '--unsafe-no-sandbox where every client may read what this user can',
        EXIT.failure,
      );
    }
    // Precompiled headers stay for long, and are large.
    const inStore: Place = { option: 'store', path: store };
    const kept = place.path === store ? directories : await openDirectories(inStore, say);
    const { storeSize, nice } = given;
    const around = { roots, nice, runner, directories: kept, clock: realClock, log: say };
    const pump =
      sandbox.pump === 'none' ? undefined : await openPump(store, storeSize, around, say);
    return {
      sandbox,
      directories,
      pump,
      stop: sandbox.keepTrying(realClock, (news) => say(news, 'error')),
      async close() {
        await pump?.close();
        await directories.close();
        if (kept !== directories) await kept.close();
      },
    };
  } catch (error) {
    // The canary's runner would keep this process alive.
    await runner.close();
    throw error instanceof TsccError ? error : unusable({ option: 'store', path: store }, error);
  }
}

interface Place {
  readonly option: 'store' | 'scratch';
  readonly path: string;
}

/** Where jobs could have their files, the best first. */
function scratchPlaces(store: string, given: Needs, say: Say): readonly [Place, ...Place[]] {
  if (given.scratch !== undefined) return [{ option: 'scratch', path: given.scratch }];
  const inStore: Place = { option: 'store', path: store };
  const memory = scratchInMemory(given.jobs, process.getuid?.() ?? 0);
  if ('path' in memory) return [{ option: 'scratch', path: memory.path }, inStore];
  say(`jobs have their files in the store: ${memory.why}`);
  return [inStore];
}

interface Measured {
  readonly sandbox: Sandbox;
  readonly directories: JobDirectories;
  readonly place: Place;
}

/** Tries the places until roots can be made in one; the last is taken as it is. */
async function measure(
  places: readonly Place[],
  runner: Runner,
  roots: JobRoots,
  say: Say,
): Promise<Measured> {
  for (const [at, place] of places.entries()) {
    const directories = await openDirectories(place, say);
    const sandbox = await Sandbox.measure(runner, directories, roots);
    if (sandbox.tier === PUMP.tier || at === places.length - 1) {
      return { sandbox, directories, place };
    }
    say(`no roots for jobs in ${place.path}: ${sandbox.missing.join('; ')}`);
    await directories.close();
  }
  throw new Error('no place to try');
}

async function openDirectories(place: Place, say: Say): Promise<JobDirectories> {
  try {
    return await JobDirectories.open(place.path, say);
  } catch (error) {
    throw unusable(place, error);
  }
}

/** What stands in the way of a directory that was given, or is the default. */
export function unusable({ option, path }: Place, error: unknown): TsccError {
  const why = describeError(error);
  return new TsccError(
    `the ${option} ${path} cannot be used: ${why}; give another with --${option}`,
    EXIT.ioError,
  );
}
