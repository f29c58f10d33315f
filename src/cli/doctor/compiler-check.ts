/** What a name of a compiler leads to along PATH. Pure. */
import { DECLINE_REASONS } from '../../core/reasons.js';
import { ok, warning, wrong, type Finding } from './check.js';
import type { CompilerFacts } from './client-facts.js';

export function compilerFinding({ name, candidates, identity }: CompilerFacts): Finding {
  const links = candidates.flatMap(({ path, wrapper }) => (wrapper === undefined ? [] : [path]));
  if (candidates.length === links.length) {
    return wrong(
      `${name} leads to tscc and its like only (${links.join(', ')}): there is no compiler behind`,
      `install ${name}, or remove the links`,
    );
  }
  const path = candidates.find(({ wrapper }) => wrapper === undefined)?.path ?? '';
  if (identity !== undefined && 'declined' in identity) {
    const { declined } = identity;
    const meaning = Object.entries(DECLINE_REASONS).find(([reason]) => reason === declined)?.[1];
    return warning(
      `${path} compiles here only: ${meaning ?? declined}`,
      `put the compiler itself before it on PATH, or name it`,
    );
  }
  const past = links.length === 0 ? '' : `, past ${links.join(', ')}`;
  return ok(`${path}${identity === undefined ? '' : `, ${identity.is}`}${past}`);
}
