/** Whether the variables that tscc reads make sense. Pure. */
import { ok, warning, type Finding } from './check.js';

const POSITIVE = /^[0-9]*[1-9][0-9]*(?:\.[0-9]+)?$|^0*\.[0-9]*[1-9][0-9]*$/;
/** What values may be, and what another is taken for. */
const SETTINGS: readonly { variable: string; isGood: RegExp; counts: string }[] = [
  { variable: 'TSCC_MODE', isGood: /^(?:pump|plain|local)$/, counts: 'counts as pump' },
  { variable: 'TSCC_MIN_TIER', isGood: /^[0-3]$/, counts: 'counts as 3' },
  { variable: 'TSCC_VERIFY', isGood: /^[0-9]{1,9}$/, counts: 'counts as 0' },
  {
    variable: 'TSCC_DONATE_LOAD',
    isGood: POSITIVE,
    counts: 'is no load: the default holds',
  },
  ...['IO_TIMEOUT', 'CONNECT_TIMEOUT'].map((name) => ({
    variable: `TSCC_${name}`,
    isGood: POSITIVE,
    counts: 'is no number of seconds: the default holds',
  })),
];

/** @param variables by name, TSCC's and distcc's */
export function settingsFindings(variables: ReadonlyMap<string, string>): readonly Finding[] {
  const found = SETTINGS.flatMap(({ variable, isGood, counts }) => {
    const value = variables.get(variable);
    if (value === undefined || value === '' || isGood.test(value)) return [];
    return [warning(`${variable}=${value} ${counts}`, `correct or unset ${variable}`)];
  });
  if (variables.get('TSCC_MODE') === 'local') {
    found.push(warning('TSCC_MODE=local: nothing goes out', 'unset TSCC_MODE'));
  }
  return found.length > 0 ? found : [ok(namesOf(variables))];
}

function namesOf(variables: ReadonlyMap<string, string>): string {
  const set = [...variables].filter(([name]) => name.startsWith('TSCC_')).map(([name]) => name);
  return set.length === 0 ? 'none in the environment' : set.toSorted().join(' ');
}
