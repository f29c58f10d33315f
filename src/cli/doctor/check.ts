/** What a check of `tscc doctor` is: facts in, findings out. Pure. */

/** What is not well always comes with what mends it. */
export type Finding =
  | { readonly status: 'ok'; readonly what: string }
  | { readonly status: 'warning' | 'wrong'; readonly what: string; readonly fix: string };

export interface Check<Facts> {
  /** Stable: scripts and docs/doctor.md know it by this. */
  readonly name: string;
  /** Nothing where the facts leave nothing to check. */
  readonly run: (facts: Facts) => readonly Finding[];
}

/** A finding of `tscc doctor --json`. */
export interface Diagnosis {
  /** `here`, or the host as the list names it. */
  readonly where: string;
  readonly check: string;
  readonly status: Finding['status'];
  readonly what: string;
  readonly fix: string | null;
}

export const ok = (what: string): Finding => ({ status: 'ok', what });
export const warning = (what: string, fix: string): Finding => ({ status: 'warning', what, fix });
export const wrong = (what: string, fix: string): Finding => ({ status: 'wrong', what, fix });

export function examine<Facts>(
  where: string,
  checks: readonly Check<Facts>[],
  facts: Facts,
): Diagnosis[] {
  return checks.flatMap(({ name, run }) =>
    run(facts).map((finding) => ({
      where,
      check: name,
      status: finding.status,
      what: finding.what,
      fix: finding.status === 'ok' ? null : finding.fix,
    })),
  );
}

/** The worst of them decides. */
export function overall(diagnoses: readonly Diagnosis[]): Finding['status'] {
  const has = (status: Finding['status']) => diagnoses.some((one) => one.status === status);
  return has('wrong') ? 'wrong' : has('warning') ? 'warning' : 'ok';
}

/** One line each, and a last one with their numbers. */
export function diagnosisLines(diagnoses: readonly Diagnosis[]): string[] {
  const widest = Math.max(0, ...diagnoses.map(({ where }) => where.length));
  const lines = diagnoses.map(({ where, check, status, what, fix }) => {
    const line = `${status.padEnd(7)}  ${where.padEnd(widest)}  ${check}: ${what}`;
    return fix === null ? line : `${line}; fix: ${fix}`;
  });
  const count = (status: Finding['status']) =>
    diagnoses.filter((one) => one.status === status).length;
  const warnings = count('warning') === 1 ? 'warning' : 'warnings';
  return [...lines, `${count('ok')} ok, ${count('warning')} ${warnings}, ${count('wrong')} wrong`];
}
