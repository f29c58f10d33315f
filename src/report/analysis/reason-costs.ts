/** What each reason for a compile to stay here, or not to go out in pump mode, cost. */
import type { BuildCommand, BuildModel, ReasonKind } from './build-model.js';
import { groupBy } from './group.js';

export interface ReasonCost {
  readonly kind: ReasonKind;
  readonly name: string;
  /** What it means, and what helps. */
  readonly meaning: string;
  readonly count: number;
  /** Milliseconds of this host: of a decline the compiler's, of a fallback with what was tried before, of a demotion the preprocessor's. */
  readonly cost: number;
  /** Of the first compile with a detail. */
  readonly detail: string | null;
  /** Sources, the first few. */
  readonly examples: readonly string[];
}

const EXAMPLES = 3;

/** The costliest first. */
export function reasonCosts(model: BuildModel): ReasonCost[] {
  const groups = groupBy(
    model.commands.flatMap((command) =>
      command.reason === null ? [] : [{ command, reason: command.reason }],
    ),
    ({ reason }) => `${reason.kind} ${reason.name}`,
  );
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const { kind, name, meaning } = first.reason;
      return {
        kind,
        name,
        meaning,
        count: group.length,
        cost: group.reduce((sum, { command }) => sum + costOf(command, kind), 0),
        detail: group.find(({ reason }) => reason.detail !== null)?.reason.detail ?? null,
        examples: group.slice(0, EXAMPLES).map(({ command }) => command.source),
      };
    })
    .toSorted((a, b) => b.cost - a.cost || b.count - a.count);
}

function costOf({ ran, start, busy, remote }: BuildCommand, kind: ReasonKind): number {
  switch (kind) {
    case 'decline':
      return ran;
    case 'fallback':
      return ran + busy.from - start;
    case 'demotion':
      return remote === null ? 0 : remote.phases.preprocessQueue + remote.phases.preprocess;
  }
}
