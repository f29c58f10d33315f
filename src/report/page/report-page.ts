/** A report as one HTML file that needs nothing else: no network, no other file. Pure. */
import { createHash } from 'node:crypto';
import type { PageAssets } from '../../platform/page-assets.js';
import type { BuildReport } from '../analysis/build-report.js';
import { SHARES } from '../analysis/utilisation.js';
import { duration } from '../words.js';
import { html, Html, jsonScript, type Fragment } from './html.js';
import { PAGE_STYLE } from './page-style.js';
import * as parts from './sections.js';

const OUTCOMES = ['pump', 'plain', 'cache', 'local', 'other', 'failed', 'cancelled'] as const;

export function reportPage(report: BuildReport, assets: PageAssets): string {
  const style = `${assets.chartStyle}\n${PAGE_STYLE}`;
  const scripts = [assets.chartScript, assets.pageScript];
  for (const text of [style, ...scripts]) requireInline(text);
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.map(sourceHash).join(' ')}`,
    `style-src ${sourceHash(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${report.session}: tscc report</title>
        ${new Html(`<style>${style}</style>`)}
      </head>
      <body>
        ${body(report)}
        <script type="application/json" id="report-data">
          ${jsonScript(chartData(report))}
        </script>
        ${scripts.map((script) => new Html(`<script>${script}</script>`))}
      </body>
    </html> `;
  return page.text;
}

function body(report: BuildReport): Html {
  const sections = sectionsOf(report);
  const { session, started, wall, isOpen, tscc } = report;
  const when = new Date(started).toISOString().replace('T', ' ').slice(0, 19);
  return html`<a class="skip" href="#advice">To the recommendations</a>
    <header>
      <h1>Build ${session}</h1>
      <p>
        ${when} UTC, ${duration(wall)}${isOpen ? ', and it goes on' : ''}; tscc ${tscc}. Made by
        <code>tscc report</code>; this file needs no network.
      </p>
    </header>
    <main>
      ${parts.summary(wall, report.summary)}
      <nav aria-label="Parts of this report">
        <ul>
          ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
        </ul>
      </nav>
      ${sections.map(({ id, title, lead, content }) => parts.section(id, title, lead, content))}
    </main>`;
}

interface Section {
  readonly id: string;
  readonly title: string;
  /** The question that it answers. */
  readonly lead: Fragment;
  readonly content: Fragment;
}

function sectionsOf(report: BuildReport): Section[] {
  const { wall } = report;
  return [
    {
      id: 'advice',
      title: 'What to do',
      lead: 'What would help most, with what it may save of the wall time.',
      content: parts.recommendations(report.recommendations),
    },
    {
      id: 'timeline',
      title: 'Timeline',
      lead: 'Where did the time go? Each row is a slot of a host, each bar a command.',
      content: [
        legend(OUTCOMES, (outcome) => outcome),
        parts.chart(
          'timeline-chart',
          'Timeline of all commands by host and slot; the table of commands has the same',
          'Drag to zoom, double-click for all. Keys: ← → command, ↑ ↓ row, + − zoom, 0 all.',
        ),
      ],
    },
    {
      id: 'utilisation',
      title: 'Use of the servers',
      lead: 'Were the servers at work, and if not, was it make, this host, or too few of them?',
      content: [
        legend(SHARES, (share) => parts.SHARE_WORDS[share]),
        parts.chart(
          'utilisation-chart',
          'Slots by what they did over time; the table below has the sums',
          '',
        ),
        parts.utilisation(report.utilisation),
      ],
    },
    {
      id: 'reasons',
      title: 'Why compiles stayed here',
      lead: 'Which compiles did not go out, or not in pump mode, and what did that cost?',
      content: parts.reasons(report.reasons),
    },
    {
      id: 'hosts',
      title: 'Hosts',
      lead: 'Is a host slow or flaky? Slowness is wall time per processor time, against all hosts.',
      content: parts.hosts(report.hosts),
    },
    {
      id: 'chain',
      title: 'What the end waited for',
      lead:
        'The commands that ended one after the other until the build was done, in make’s order: ' +
        'what is shorter here is shorter in the whole.',
      content: parts.chain(report.chain, wall),
    },
    {
      id: 'slowest',
      title: 'Slowest compiles',
      lead: 'Which compiles took longest, from the request to the object in place?',
      content: parts.slowest(report.slowest),
    },
    {
      id: 'headers',
      title: 'Headers',
      lead: 'Which headers cost most, and how much is compiled again when one of them is touched?',
      content: parts.headers(report.headers),
    },
    {
      id: 'rebuilds',
      title: 'Why compiled again',
      lead: 'Which inputs have changed since an earlier session, and what was compiled again for each?',
      content: parts.rebuilds(report.rebuilds),
    },
    {
      id: 'directories',
      title: 'Directories',
      lead: 'Which part of the tree took the time, and which did make take one after the other?',
      content: parts.directories(report.directories, wall),
    },
    {
      id: 'what-if',
      title: 'Other farms',
      lead: 'What would other numbers of hosts give?',
      content: [
        parts.chart(
          'what-if-chart',
          'Wall time by number of hosts; the table below has the same',
          '',
        ),
        parts.whatIf(report.whatIf),
      ],
    },
    {
      id: 'difference',
      title: 'Since the session before',
      lead: 'What is other than last time?',
      content: parts.difference(report.difference, wall),
    },
    {
      id: 'commands',
      title: 'All commands',
      lead: 'What became of a file? tscc explain FILE tells more of one.',
      content: html`<div id="command-list">
        <noscript>This list and the charts need JavaScript.</noscript>
      </div>`,
    },
  ];
}

function legend<K extends string>(kinds: readonly K[], words: (kind: K) => string): Html {
  return html`<ul class="legend">
    ${kinds.map(
      (kind) =>
        html`<li>
          <svg viewBox="0 0 8 8" aria-hidden="true">
            <rect class="swatch-${kind}" width="8" height="8" /></svg
          >${words(kind)}
        </li>`,
    )}
  </ul>`;
}

/** What the page's script draws, by columns: ten thousand commands stay small. */
function chartData({ session, wall, commands, hosts, utilisation, whatIf }: BuildReport) {
  const names = [null, ...hosts.map(({ name }) => name)];
  return {
    session,
    wall,
    outcomes: OUTCOMES,
    hosts: names,
    slots: utilisation.slots,
    commands: {
      id: commands.map(({ id }) => id),
      name: commands.map(({ name }) => name),
      outcome: commands.map(({ outcome }) => OUTCOMES.indexOf(outcome)),
      host: commands.map(({ host }) => Math.max(0, names.indexOf(host))),
      lane: commands.map(({ lane }) => lane),
      start: commands.map(({ start }) => tenths(start)),
      end: commands.map(({ end }) => tenths(end)),
      from: commands.map(({ from }) => tenths(from)),
      to: commands.map(({ to }) => tenths(to)),
      reason: commands.map(({ reason }) => reason),
    },
    utilisation: SHARES.map((share) => utilisation.series.map((part) => tenths(part[share]))),
    shares: SHARES,
    whatIf: whatIf.rows.map(({ hosts, wall, unordered }) => [hosts, wall, unordered]),
  };
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

/** For a Content-Security-Policy: only this very text may run, or style the page. */
function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function requireInline(text: string): void {
  if (/<\/(?:script|style)|<!--/i.test(text)) {
    throw new Error('Internal error: an asset of the page cannot stand in it');
  }
}
