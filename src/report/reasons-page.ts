/** docs/reasons.md, made from the tables so that it cannot say something else. Pure. */
import { DECLINE_REASONS, FALLBACK_REASONS, HOST_DEMOTIONS, OTHER_KINDS } from '../core/reasons.js';

export function reasonsPage(): string {
  return [
    '# Why a compile stays here',
    '',
    'Made by `node scripts/write-reasons.mjs`. `tscc status` counts these by name.',
    '',
    '## Declines: never tried remotely',
    '',
    ...table(DECLINE_REASONS),
    '| `option:NAME` | tscc does not send this option out: it is unknown, or runs, loads or reads something |',
    '| `environment:NAME` | this variable changes what the compiler does in a way that tscc does not carry |',
    '',
    '## Demotions: plain instead of pump mode',
    '',
    'Each is for one compile. Besides these, a reason of the table above that only stands in the way',
    'of pump mode.',
    '',
    ...table(HOST_DEMOTIONS),
    '',
    '## Fallbacks: tried remotely, then compiled here',
    '',
    'With `TSCC_FALLBACK=0` these are errors.',
    '',
    ...table(FALLBACK_REASONS),
    '',
    '## Other commands',
    '',
    'They compile no source file, run here, and are counted under `other`. A command that …',
    '',
    ...table(OTHER_KINDS),
    '',
  ].join('\n');
}

function table(texts: Readonly<Record<string, string>>): string[] {
  const rows = Object.entries(texts).map(([name, text]) => `| \`${name}\` | ${text} |`);
  return ['| reason | meaning |', '|---|---|', ...rows];
}
