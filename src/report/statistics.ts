/**
 * The counters of one session: a fold over its events. `SessionStatus` is the stable schema of
 * `tscc status --json`.
 */
import { REPORT } from '../core/limits.js';
import type { OtherKind } from '../core/reasons.js';
import type { JournalLine, LocalReason, Outcome, VerifyVerdict } from './events.js';

export interface HostStatus {
  /** Compiles whose result came from this host. */
  readonly compiles: number;
  /** Milliseconds of processor time its compilers used. */
  readonly remoteCpu: number;
  /** Bytes on the wire to and from it. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** `up`, or `down: why`. */
  readonly state: string;
}

export interface Uploads {
  readonly files: number;
  readonly bytes: number;
  /** Bytes on the wire. */
  readonly sentBytes: number;
}

export interface Headers {
  readonly created: number;
  readonly changed: number;
  /** The last ones by path, the newest last. */
  readonly files: Readonly<Record<string, HeaderHistory>>;
}

export interface HeaderHistory {
  /** Times that it was seen to come, or to be another than before. */
  readonly created: number;
  readonly changed: number;
  /** Milliseconds since the epoch. */
  readonly last: number;
}

export interface SessionStatus {
  readonly schema: 1;
  readonly session: string;
  /** Milliseconds since the epoch; null before the first event. */
  readonly started: number | null;
  /** Null while the session is open. */
  readonly ended: number | null;
  /** Time of the newest event. */
  readonly lastEvent: number | null;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Compiles that were never tried remotely, by reason. */
  readonly declines: Readonly<Record<string, number>>;
  /** Compiles that were tried remotely and then done locally, by reason. */
  readonly fallbacks: Readonly<Record<string, number>>;
  /** Compiles that went out in plain instead of pump mode, by reason. */
  readonly demotions: Readonly<Record<string, number>>;
  /** Headers that a server missed, and that were then sent: each is a fault of the include server. */
  readonly healed: number;
  /**
   * Failures of servers that another server made good, by reason; `daemon-lost`: commands that were asked
   * again, since the session daemon that had them ended without a verdict.
   */
  readonly recovered: Readonly<Record<string, number>>;
  /** Compiles that were started on a second server too, and those that were done there first. */
  readonly races: { readonly run: number; readonly won: number };
  /** Results dropped because a file that the compile reads changed meanwhile. */
  readonly stale: number;
  /** Remote compiles that lent make's token to its jobserver meanwhile. */
  readonly lentTokens: number;
  /** Remote compiles by how well their server sealed them off: a tier of docs/security.md. */
  readonly tiers: Readonly<Record<string, number>>;
  /** Remote compiles that were done here too and compared, mismatches included: TSCC_VERIFY. */
  readonly verified: number;
  readonly mismatches: number;
  /** Those that were to be compared and could not be, by reason. */
  readonly unverified: Readonly<Record<string, number>>;
  /** Contents of headers and compilers sent to servers that lacked them. */
  readonly uploads: Uploads;
  /** Headers that came or changed while the build ran. */
  readonly headers: Headers;
  /** Commands that compile no source file, by kind. */
  readonly other: Readonly<Partial<Record<OtherKind, number>>>;
  /** Compiles that failed with their fallback reason because of TSCC_FALLBACK=0. */
  readonly failed: number;
  /** Commands that were interrupted and have no outcome. */
  readonly cancelled: number;
  readonly hosts: Readonly<Record<string, HostStatus>>;
  /** Milliseconds: sum over all remote compiles. */
  readonly preprocessCpu: number;
  readonly remoteCpu: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export function emptyStatus(session: string): SessionStatus {
  return {
    schema: 1,
    session,
    started: null,
    ended: null,
    lastEvent: null,
    outcomes: { pump: 0, plain: 0, cache: 0, local: 0 },
    declines: {},
    fallbacks: {},
    demotions: {},
    healed: 0,
    recovered: {},
    races: { run: 0, won: 0 },
    stale: 0,
    lentTokens: 0,
    tiers: {},
    verified: 0,
    mismatches: 0,
    unverified: {},
    uploads: { files: 0, bytes: 0, sentBytes: 0 },
    headers: { created: 0, changed: 0, files: {} },
    other: {},
    failed: 0,
    cancelled: 0,
    hosts: {},
    preprocessCpu: 0,
    remoteCpu: 0,
    sentBytes: 0,
    receivedBytes: 0,
  };
}

/** The status after one more event. */
export function addEvent(before: SessionStatus, line: JournalLine): SessionStatus {
  const status = {
    ...before,
    started: before.started ?? line.time,
    lastEvent: line.time,
    recovered: 'askedAgain' in line ? increment(before.recovered, 'daemon-lost') : before.recovered,
  };
  switch (line.event) {
    case 'session-start':
      // A session that tscc-pump opened may be joined again after the daemon was restarted.
      return { ...status, ended: null };
    case 'session-end':
      return { ...status, ended: line.time };
    case 'compile':
      return {
        ...status,
        outcomes: { ...status.outcomes, [line.outcome]: status.outcomes[line.outcome] + 1 },
        demotions:
          line.demotion === undefined
            ? status.demotions
            : increment(status.demotions, line.demotion),
        healed: status.healed + (line.healed?.length ?? 0),
        recovered: (line.failures ?? []).reduce<Readonly<Record<string, number>>>(
          (counts, { reason }) => increment(counts, reason),
          status.recovered,
        ),
        races:
          line.race === undefined
            ? status.races
            : {
                run: status.races.run + 1,
                won: status.races.won + (line.race.isLater ? 1 : 0),
              },
        stale: status.stale + (line.stale ?? 0),
        lentTokens: status.lentTokens + (line.lentToken === true ? 1 : 0),
        tiers: line.tier === undefined ? status.tiers : increment(status.tiers, `${line.tier}`),
        preprocessCpu: status.preprocessCpu + line.preprocessCpu,
        remoteCpu: status.remoteCpu + line.remoteCpu,
        sentBytes: status.sentBytes + line.sentBytes,
        receivedBytes: status.receivedBytes + line.receivedBytes,
        hosts: withHost(status, line.host, (host) => ({
          ...host,
          compiles: host.compiles + 1,
          remoteCpu: host.remoteCpu + line.remoteCpu,
          sentBytes: host.sentBytes + line.sentBytes,
          receivedBytes: host.receivedBytes + line.receivedBytes,
        })),
      };
    case 'local': {
      const outcomes = { ...status.outcomes, local: status.outcomes.local + 1 };
      return withReason({ ...status, outcomes }, line);
    }
    case 'failed':
      return withReason({ ...status, failed: status.failed + 1 }, line);
    case 'verify':
      return withVerdict(status, line.verdict);
    case 'local-end':
    case 'environment':
    case 'files':
      return status;
    case 'other':
      return { ...status, other: increment(status.other, line.kind) };
    case 'cancelled':
      return { ...status, cancelled: status.cancelled + 1 };
    case 'upload':
      return {
        ...status,
        uploads: {
          files: status.uploads.files + line.count,
          bytes: status.uploads.bytes + line.bytes,
          sentBytes: status.uploads.sentBytes + line.encodedBytes,
        },
        sentBytes: status.sentBytes + line.encodedBytes,
        hosts: withHost(status, line.host, (host) => ({
          ...host,
          sentBytes: host.sentBytes + line.encodedBytes,
        })),
      };
    case 'header':
      return { ...status, headers: withHeader(status.headers, line.path, line.change, line.time) };
    case 'host': {
      const state = line.state === 'up' ? 'up' : `down: ${line.detail}`;
      return { ...status, hosts: withHost(status, line.host, (host) => ({ ...host, state })) };
    }
    default:
      // An event of a newer version in a journal that this version reads.
      return status;
  }
}

function withReason(status: SessionStatus, reason: LocalReason): SessionStatus {
  return 'decline' in reason
    ? { ...status, declines: increment(status.declines, reason.decline) }
    : { ...status, fallbacks: increment(status.fallbacks, reason.fallback) };
}

function withVerdict(status: SessionStatus, verdict: VerifyVerdict): SessionStatus {
  switch (verdict) {
    case 'same':
      return { ...status, verified: status.verified + 1 };
    case 'mismatch':
      return { ...status, verified: status.verified + 1, mismatches: status.mismatches + 1 };
    default:
      return { ...status, unverified: increment(status.unverified, verdict) };
  }
}

function withHeader(
  headers: Headers,
  path: string,
  change: 'created' | 'changed',
  time: number,
): Headers {
  const { [path]: known, ...others } = headers.files;
  const before = known ?? { created: 0, changed: 0 };
  const files = { ...others, [path]: { ...before, [change]: before[change] + 1, last: time } };
  const [oldest] = Object.keys(files);
  if (oldest !== undefined && Object.keys(files).length > REPORT.headers) delete files[oldest];
  return { ...headers, [change]: headers[change] + 1, files };
}

const NEW_HOST: HostStatus = {
  compiles: 0,
  remoteCpu: 0,
  sentBytes: 0,
  receivedBytes: 0,
  state: 'up',
};

function withHost(
  status: SessionStatus,
  name: string,
  change: (host: HostStatus) => HostStatus,
): Record<string, HostStatus> {
  return { ...status.hosts, [name]: change(status.hosts[name] ?? NEW_HOST) };
}

function increment<K extends string>(
  counts: Readonly<Partial<Record<K, number>>>,
  key: K,
): Record<K, number> {
  return { ...counts, [key]: (counts[key] ?? 0) + 1 };
}
