/** What became of the compiles of one file, told from the journal of a session. Pure. */
import { explainDecline, explainDemotion, FALLBACK_REASONS } from '../core/reasons.js';
import {
  CHOICES,
  type Choice,
  type JournalLine,
  type LocalReason,
  type Phases,
  type ServerFailure,
  type StragglerRace,
} from './events.js';
import { absolutePath, outputOf } from './output-name.js';

/** One compile of `tscc explain --json`; fields may be added. Times in milliseconds. */
export interface Explanation {
  /** Number of the command in its session. */
  readonly id: number;
  /** Since the epoch: when its outcome was known. */
  readonly time: number;
  readonly outcome: 'pump' | 'plain' | 'cache' | 'local' | 'failed';
  /** Why it is not pump: of a decline, a fallback or a demotion; null where there is none. */
  readonly reason: string | null;
  readonly reasonKind: 'decline' | 'fallback' | 'demotion' | null;
  /** The reason's text for people. */
  readonly meaning: string | null;
  /** More about it: the server's message, the path. */
  readonly detail: string | null;
  readonly host: string | null;
  readonly source: string;
  /** Null where the command does not name it and the journal does not either. */
  readonly output: string | null;
  readonly cwd: string;
  readonly argv: readonly string[];
  /** The session daemon that had it first ended without a verdict. */
  readonly askedAgain: boolean;
  /** Servers asked before the one that answered. */
  readonly retries: number;
  /** What they failed with. */
  readonly failures: readonly ServerFailure[];
  /** Of one that was started on a second server as well. */
  readonly race: StragglerRace | null;
  /** Why that host was taken: a name that stays, and text for people. */
  readonly choice: Choice | null;
  readonly choiceMeaning: string | null;
  /** Entries, in pump mode. */
  readonly closureSize: number | null;
  readonly healed: readonly string[];
  readonly stale: number;
  readonly bytes: { source: number; sent: number; received: number; output: number } | null;
  readonly cpu: { preprocess: number; remote: number } | null;
  /** Where the time from the request on went. */
  readonly phases: Partial<Phases> | null;
  /** Of a local compile: until it was allowed to start, and from there to its end. */
  readonly waited: number | null;
  readonly ran: number | null;
}

/** All compiles of a session whose source or output is `file`, the newest first. */
export function explainFile(lines: Iterable<JournalLine>, file: FilePattern): Explanation[] {
  const found: Explanation[] = [];
  /** Where in `found` the compiles are that run here. A session that is joined again counts anew. */
  const running = new Map<number, number>();
  for (const line of lines) {
    if (line.event === 'local-end') {
      const at = running.get(line.id);
      const local = at === undefined ? undefined : found[at];
      if (at !== undefined && local !== undefined) found[at] = { ...local, ran: line.ran };
      running.delete(line.id);
      continue;
    }
    const explanation = explanationOf(line);
    if (explanation === undefined) continue;
    const { id, cwd, source, output } = explanation;
    if (![source, output ?? ''].some((name) => name !== '' && file(absolutePath(cwd, name))))
      continue;
    if (line.event === 'local') running.set(id, found.length);
    found.push(explanation);
  }
  return found.toReversed();
}

/** Whether an absolute path is meant. */
export type FilePattern = (path: string) => boolean;

/** The file that `name` is in `cwd`. */
export function fileNamed(name: string, cwd: string): FilePattern {
  const wanted = absolutePath(cwd, name);
  return (path) => path === wanted;
}

/** Any file whose path ends so, by whole components: for a name that is not one of `cwd`. */
export function fileEnding(name: string): FilePattern {
  const end = absolutePath('/', name.replace(/^(?:\.\.?\/)+/, ''));
  return (path) => path.endsWith(end);
}

function explanationOf(line: JournalLine): Explanation | undefined {
  switch (line.event) {
    case 'compile':
      return {
        ...START,
        ...identity(line),
        outcome: line.outcome,
        ...(line.demotion === undefined
          ? {}
          : {
              reason: line.demotion,
              reasonKind: 'demotion',
              meaning: explainDemotion(line.demotion),
            }),
        host: line.host,
        output: line.output,
        retries: line.retries,
        failures: line.failures ?? [],
        race: line.race ?? null,
        choice: line.choice ?? null,
        choiceMeaning: line.choice === undefined ? null : CHOICES[line.choice],
        closureSize: line.closureSize ?? null,
        healed: line.healed ?? [],
        stale: line.stale ?? 0,
        bytes: {
          source: line.sourceBytes,
          sent: line.sentBytes,
          received: line.receivedBytes,
          output: line.outputBytes,
        },
        cpu: { preprocess: line.preprocessCpu, remote: line.remoteCpu },
        phases: line.phases,
      };
    case 'local':
    case 'failed':
      return {
        ...START,
        ...identity(line),
        outcome: line.event,
        ...reasonOf(line),
        detail: line.detail ?? null,
        output: outputOf(line.argv, line.source),
        waited: line.event === 'local' ? line.waited : null,
      };
    default:
      return undefined;
  }
}

const START = {
  reason: null,
  reasonKind: null,
  meaning: null,
  detail: null,
  host: null,
  retries: 0,
  failures: [],
  race: null,
  choice: null,
  choiceMeaning: null,
  closureSize: null,
  healed: [],
  stale: 0,
  bytes: null,
  cpu: null,
  phases: null,
  waited: null,
  ran: null,
} as const;

function identity(line: JournalLine & { readonly event: 'compile' | 'local' | 'failed' }) {
  const { id, time, source, cwd, argv, askedAgain = false } = line;
  return { id, time, source, cwd, argv, askedAgain };
}

function reasonOf(reason: LocalReason) {
  return 'decline' in reason
    ? ({
        reason: reason.decline,
        reasonKind: 'decline',
        meaning: explainDecline(reason.decline),
      } as const)
    : ({
        reason: reason.fallback,
        reasonKind: 'fallback',
        meaning: FALLBACK_REASONS[reason.fallback],
      } as const);
}
