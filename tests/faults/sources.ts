/** What is compiled while things go wrong: one source for each way in which a compile may end by itself. */
import type { Ending } from './fault-classes.js';

export type Mode = 'pump' | 'plain';

export interface Source {
  readonly text: string;
  /** How it ends without a fault. */
  readonly natural: Readonly<Record<Mode, Ending>>;
}

/** Hardly compressible, so that its object is some chunks on the wire. */
function letters(count: number): string {
  let state = 12345;
  let text = '';
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    text += 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-'[state >>> 26];
  }
  return text;
}

const LINES = Array.from({ length: 300 }, (_, n) => `"${letters(1_500).slice(n % 7)}"`).join('\n');

const REMOTE = { pump: 'remote', plain: 'remote' } as const;

export const SOURCES: Readonly<Record<string, Source>> = {
  small: {
    text: '#include <stdio.h>\n#include "h.h"\nint small(void) { return printf("%d", N); }\n',
    natural: REMOTE,
  },
  warns: {
    text: '#include "h.h"\nint warns(int x) { int unused = N; return x; }\n',
    natural: { pump: 'remote', plain: 'plain-diagnostics' },
  },
  wrong: {
    text: '#include "h.h"\nint wrong(void) { return nothing + N; }\n',
    natural: { pump: 'compile-error', plain: 'plain-diagnostics' },
  },
  large: {
    text: `#include "h.h"\nconst char large[] =\n${LINES};\n`,
    natural: REMOTE,
  },
  slow: {
    text: `#include "h.h"
${Array.from({ length: 60 }, (_, n) => `int f${n}(int *a, int n) { for (int i = 1; i < n; i++) a[i] = a[i - 1] * ${n} + N; return a[n - 1]; }`).join('\n')}
`,
    natural: REMOTE,
  },
};

export const HEADER = '#define N 3\n';

/** `-g` in plain mode is not what a local compile gives, and said to be so. */
export function flagsOf(name: string, mode: Mode): string[] {
  const optimisation = name === 'slow' ? ['-O3', '-funroll-all-loops'] : ['-O1'];
  return [...optimisation, '-Wall', ...(mode === 'pump' ? ['-g'] : [])];
}
