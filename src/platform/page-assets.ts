/** What is inlined into pages: uPlot, as its package has it, and the scripts in browser/. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In the order in which they need one another. */
const REPORT_SCRIPTS = [
  'page-elements',
  'report-data',
  'timeline',
  'charts',
  'command-list',
  'report-main',
];
const LIVE_SCRIPTS = ['page-elements', 'timeline', 'live-data', 'live-main'];

export interface PageAssets {
  readonly chartScript: string;
  readonly chartStyle: string;
  readonly pageScript: string;
}

export function readReportAssets(): PageAssets {
  return { ...readChart(), pageScript: readScripts(REPORT_SCRIPTS) };
}

/** Those of the live page, and its markup. */
export function readLiveAssets(): PageAssets & { readonly html: string } {
  const html = readFileSync(new URL('../../../browser/live.html', import.meta.url), 'utf8');
  return { ...readChart(), html, pageScript: readScripts(LIVE_SCRIPTS) };
}

function readChart(): Pick<PageAssets, 'chartScript' | 'chartStyle'> {
  const chart = dirname(createRequire(import.meta.url).resolve('uplot'));
  return {
    chartScript: readFileSync(`${chart}/uPlot.iife.min.js`, 'utf8'),
    chartStyle: readFileSync(`${chart}/uPlot.min.css`, 'utf8'),
  };
}

function readScripts(names: readonly string[]): string {
  const browser = fileURLToPath(new URL('../../browser', import.meta.url));
  const scripts = names.map((name) => readFileSync(`${browser}/${name}.js`, 'utf8'));
  return `(() => {\n${scripts.join('\n')}})();`;
}
