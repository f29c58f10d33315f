/** What is inlined into pages: uPlot, as its package has it, and the scripts in browser/. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PageAssets } from '../report/page/report-page.js';

/** In the order in which they need one another. */
const SCRIPTS = ['report-data', 'timeline', 'charts', 'command-list', 'report-main'];

export function readPageAssets(): PageAssets {
  const chart = dirname(createRequire(import.meta.url).resolve('uplot'));
  const browser = fileURLToPath(new URL('../../browser', import.meta.url));
  const scripts = SCRIPTS.map((name) => readFileSync(`${browser}/${name}.js`, 'utf8'));
  return {
    chartScript: readFileSync(`${chart}/uPlot.iife.min.js`, 'utf8'),
    chartStyle: readFileSync(`${chart}/uPlot.min.css`, 'utf8'),
    pageScript: `(() => {\n${scripts.join('\n')}})();`,
  };
}
