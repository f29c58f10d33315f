// What a report's page has for its script: src/report/page/report-page.ts writes it.

interface CommandColumns {
  readonly id: readonly number[];
  readonly name: readonly string[];
  /** Place in `outcomes`. */
  readonly outcome: readonly number[];
  /** Place in `hosts`; 0 is this host. */
  readonly host: readonly number[];
  readonly lane: readonly number[];
  /** Milliseconds since the build began: request, end, and when a slot was held. */
  readonly start: readonly number[];
  readonly end: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly reason: readonly (string | null)[];
}

interface ReportData {
  readonly session: string;
  readonly wall: number;
  readonly outcomes: readonly string[];
  readonly hosts: readonly (string | null)[];
  readonly slots: number;
  readonly commands: CommandColumns;
  /** Slots, by share and part of the wall time. */
  readonly utilisation: readonly (readonly number[])[];
  readonly shares: readonly string[];
  /** Hosts, wall time, wall time without make's order. */
  readonly whatIf: readonly (readonly [number, number | null, number | null])[];
}

function readReport(): ReportData {
  return JSON.parse(byId('report-data').textContent ?? '') as ReportData;
}

/** What a command is, in words. */
function describeCommand({ commands, outcomes, hosts }: ReportData, at: number): string {
  const host = hosts[commands.host[at] ?? 0] ?? 'this host';
  const reason = commands.reason[at] ?? null;
  const took = (commands.end[at] ?? 0) - (commands.start[at] ?? 0);
  return [
    `${commands.name[at]}: ${outcomes[commands.outcome[at] ?? 0]} on ${host}`,
    `took ${seconds(took)} from ${seconds(commands.start[at] ?? 0)}`,
    ...(reason === null ? [] : [reason]),
  ].join(', ');
}
