/** docs/faults.md, made from the table of fault classes. Pure. */
import { FAULT_CLASSES, type Ending, type FaultClass } from './fault-classes.js';

const HEAD = `# What happens when …

Whatever goes wrong between \`make\` and a server, a compile ends as it would without tscc: the same
object, the same words, the same exit status, or nothing where it was interrupted. What each fault
costs has a bound, and what was done about it has a name in the summary, in \`tscc status\` and in the
journal ([reasons.md](reasons.md) explains the names; \`tscc explain FILE\` tells them for one file).

*At most* is the time from the fault to the end of the compile, besides that of a local compile.
*Named* are the reasons where this host compiles because no other server is left. With another server
left, the compile goes there.

`;

const TAIL = `
A daemon that is killed has not written down what it did in its last 200 ms; neither is a command
in the journal that had two daemons killed under it, and ran here. A server that is given up is tried again by itself.

\`npm run test:faults -- --minutes N\` brings all of this about at random moments and compares what comes of
it with local compiles; its report is [benchmarks/results/faults.md](../benchmarks/results/faults.md). The table is
written by \`node scripts/write-faults.mjs\` from \`tests/faults/fault-classes.ts\`, which the tests share.
`;

const UNNAMED: ReadonlySet<Ending> = new Set(['remote', 'killed', 'unrecorded']);

function row({ what, outcome, alone, bound }: FaultClass): string {
  const reasons = alone.filter((ending) => !UNNAMED.has(ending));
  const named = reasons.length === 0 ? '–' : reasons.map((reason) => `\`${reason}\``).join(', ');
  return `| ${what} | ${outcome} | ${named} | ${bound / 1000} s |`;
}

export function faultsPage(): string {
  const rows = FAULT_CLASSES.map(row).join('\n');
  return `${HEAD}| what happens | what becomes of the compile | named | at most |\n|---|---|---|---|\n${rows}\n${TAIL}`;
}
