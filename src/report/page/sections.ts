/** The parts of a report's page, each from what it shows. Pure; the live page can use them too. */
import type { BuildReport, BuildSummary } from '../analysis/build-report.js';
import { CHANGE_KINDS } from '../analysis/rebuilds.js';
import { SHARES, type Share, type Utilisation } from '../analysis/utilisation.js';
import { bytes, duration, percentage } from '../words.js';
import { html, type Fragment, type Html } from './html.js';
import { bar, table } from './table.js';

/** @param id also what the navigation links to */
export function section(id: string, title: string, lead: Fragment, body: Fragment): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    <p class="lead">${lead}</p>
    ${body}
  </section>`;
}

export function summary(wall: number, { compiles, outcomes, ...rest }: BuildSummary): Html {
  const { other, failed, cancelled, work, speedUp, bound } = rest;
  const tile = (value: Fragment, name: string, more: Fragment) =>
    html`<div class="tile">
      <dt>${name}</dt>
      <dd>
        <strong>${value}</strong>
        <span>${more}</span>
      </dd>
    </div>`;
  const list = Object.entries(outcomes).filter(([, n]) => n > 0);
  return html`<dl class="tiles">
    ${tile(duration(wall), 'wall time', `of ${duration(work)} of compiler time`)}
    ${tile(`${speedUp.toFixed(1)} ×`, 'speed-up', 'over one compile after the other, on one core')}
    ${tile(
      duration(bound.wall),
      'at best on this farm',
      bound.by === 'longest'
        ? html`<code>${bound.name}</code> alone takes that long`
        : 'with all slots at work all the time',
    )}
    ${tile(
      compiles,
      compiles === 1 ? 'compile' : 'compiles',
      [
        list.map(([name, n]) => `${n} ${name}`).join(', '),
        failed > 0 ? `, ${failed} failed` : '',
        cancelled > 0 ? `, ${cancelled} interrupted` : '',
        other > 0 ? `; ${other} other ${other === 1 ? 'command' : 'commands'}` : '',
      ].join(''),
    )}
  </dl>`;
}

/** The first few at once, the others on request. */
export function recommendations(list: BuildReport['recommendations']): Html {
  const shown = 3;
  if (list.length === 0) return html`<p>Nothing stands out.</p>`;
  const item = ({ title, why, gain }: BuildReport['recommendations'][number]) =>
    html`<li>
      <strong>${title}</strong>
      ${gain > 0 ? html`<span class="gain">up to ${duration(gain)}</span>` : ''}
      <p>${why}.</p>
    </li>`;
  const others = list.slice(shown);
  return html`<ol class="advice">
      ${list.slice(0, shown).map(item)}
    </ol>
    ${
      others.length === 0
        ? ''
        : html`<details>
            <summary>${others.length} more</summary>
            <ol class="advice" start="${shown + 1}">
              ${others.map(item)}
            </ol>
          </details>`
    }`;
}

/** A chart that the page's script draws, and how keys move in it. */
export function chart(id: string, label: string, keys: string): Html {
  return html`<figure>
    <div class="chart" id="${id}" role="group" aria-label="${label}" tabindex="0"></div>
    <figcaption>
      ${keys}
      <output id="${id}-selected" aria-live="polite"></output>
    </figcaption>
  </figure>`;
}

export function reasons(list: BuildReport['reasons']): Html {
  if (list.length === 0) return html`<p>All compiles went out in pump mode.</p>`;
  return table('Reasons, the costliest first', list, [
    { title: 'reason', cell: ({ name }) => html`<code>${name}</code>` },
    { title: 'kind', cell: ({ kind }) => kind },
    { title: 'compiles', cell: ({ count }) => count, isNumber: true },
    { title: 'time of this host', cell: ({ cost }) => duration(cost), isNumber: true },
    {
      title: 'what it means, what helps',
      cell: ({ meaning, detail }) =>
        detail === null ? meaning : html`${meaning}<br /><small>first: ${detail}</small>`,
    },
    {
      title: 'sources',
      cell: ({ examples, count }) =>
        html`<small>${examples.join(', ')}${count > examples.length ? ', …' : ''}</small>`,
    },
  ]);
}

export function hosts(list: BuildReport['hosts']): Html {
  if (list.length === 0) return html`<p>No compile went out.</p>`;
  return table(
    'Compile servers; queue, transfer and compile are means',
    list,
    [
      { title: 'host', cell: ({ name }) => name },
      { title: 'slots', cell: ({ slots }) => slots, isNumber: true },
      { title: 'compiles', cell: ({ compiles }) => compiles, isNumber: true },
      {
        title: 'busy',
        cell: ({ busy }) => html`${bar(busy, 'working')} ${percentage(busy)}`,
        isNumber: true,
      },
      { title: 'compiler time', cell: ({ cpu }) => duration(cpu), isNumber: true },
      { title: 'queue', cell: ({ queued }) => duration(queued), isNumber: true },
      { title: 'transfer', cell: ({ transfer }) => duration(transfer), isNumber: true },
      { title: 'compile', cell: ({ running }) => duration(running), isNumber: true },
      {
        title: 'slowness',
        cell: ({ stretch }) =>
          stretch >= 1.5
            ? html`<strong class="bad">${stretch.toFixed(1)} ×</strong>`
            : `${stretch.toFixed(1)} ×`,
        isNumber: true,
      },
      {
        title: 'sent, received',
        cell: ({ sentBytes, receivedBytes }) => `${bytes(sentBytes)}, ${bytes(receivedBytes)}`,
        isNumber: true,
      },
      {
        title: 'lost',
        cell: ({ losses, lastLoss }) =>
          losses === 0 ? 'never' : html`<strong class="bad">${losses} ×</strong> ${lastLoss}`,
      },
    ],
    200,
  );
}

/** What each share of the farm's time means, for people. */
export const SHARE_WORDS: Readonly<Record<Share, string>> = {
  full: 'at work, and compiles wait: more slots would help',
  working: 'at work, nothing waits',
  client: 'idle: compiles are prepared on the build host, on the wire, or put in place',
  nothing: 'idle: make has nothing to compile',
};

export function utilisation({ slots, shares, concurrency }: Utilisation): Html {
  if (slots === 0) return html`<p>No compile went out, so no server was used.</p>`;
  return html`${table(
      'Time of all slots',
      SHARES.map((share) => share),
      [
        { title: 'slots are', cell: (share) => SHARE_WORDS[share] },
        {
          title: 'share',
          cell: (share) => html`${bar(shares[share], share)} ${percentage(shares[share])}`,
          isNumber: true,
        },
      ],
    )}
    <p>${slots} slots; at most ${concurrency} commands were open at once.</p>`;
}

export function chain(list: BuildReport['chain'], wall: number): Html {
  const took = ({ start, end }: BuildReport['chain'][number]) => end - start;
  return table('From the first to the last', list, [
    { title: 'at', cell: ({ start }) => duration(start), isNumber: true },
    { title: 'command', cell: ({ name }) => html`<code>${name}</code>` },
    { title: 'outcome', cell: ({ outcome }) => outcome },
    { title: 'host', cell: ({ host }) => host ?? 'this host' },
    {
      title: 'took',
      cell: (link) =>
        html`${bar(wall === 0 ? 0 : took(link) / wall, 'working')} ${duration(took(link))}`,
      isNumber: true,
    },
    { title: 'gap before', cell: ({ gap }) => duration(gap), isNumber: true },
  ]);
}

export function headers(list: BuildReport['headers']): Html {
  if (list.length === 0) {
    return html`<p>No compile of this session told what it read: pump mode does.</p>`;
  }
  return table('Headers, the costliest first', list, [
    { title: 'header', cell: ({ path }) => html`<code>${path}</code>` },
    { title: 'bytes', cell: ({ size }) => bytes(size), isNumber: true },
    { title: 'compiler time by bytes', cell: ({ share }) => duration(share), isNumber: true },
    { title: 'touch this: compiles', cell: ({ compiles }) => compiles, isNumber: true },
    {
      title: 'touch this: compiler time',
      cell: ({ rebuild }) => duration(rebuild),
      isNumber: true,
    },
  ]);
}

export function rebuilds({ first, same, changed, unknown, causes }: BuildReport['rebuilds']): Html {
  if (same.compiles + changed + unknown === 0) {
    return html`<p>No compile of this session is in one of those before it.</p>`;
  }
  return html`<p>
      ${same.compiles} compiles (${duration(same.work)} of compiler time) had nothing changed: a
      compiler cache would have had them. ${changed} had something changed, ${first} are new, and of
      ${unknown} the journal does not tell: only pump mode says what was read.
    </p>
    ${
      causes.length === 0
        ? ''
        : table('What changed, the costliest first', causes, [
            { title: 'what', cell: ({ kind }) => CHANGE_KINDS[kind] },
            { title: 'which', cell: ({ name }) => html`<code>${name}</code>` },
            { title: 'compiles', cell: ({ compiles }) => compiles, isNumber: true },
            { title: 'compiler time', cell: ({ work }) => duration(work), isNumber: true },
            {
              title: 'outputs',
              cell: ({ examples, compiles }) =>
                html`<small
                  >${examples.join(', ')}${compiles > examples.length ? ', …' : ''}</small
                >`,
            },
          ])
    }`;
}

export function directories(list: BuildReport['directories'], wall: number): Html {
  if (list.length === 0) return html`<p>Nothing was compiled.</p>`;
  return table('Directories of outputs, the costliest first', list, [
    { title: 'directory', cell: ({ path }) => html`<code>${path}</code>` },
    { title: 'make level', cell: ({ level }) => level ?? '–', isNumber: true },
    { title: 'compiles', cell: ({ compiles }) => compiles, isNumber: true },
    { title: 'compiler time', cell: ({ work }) => duration(work), isNumber: true },
    { title: 'from', cell: ({ from }) => duration(from), isNumber: true },
    {
      title: 'open for',
      cell: ({ from, to }) =>
        html`${bar(wall === 0 ? 0 : (to - from) / wall, 'working')} ${duration(to - from)}`,
      isNumber: true,
    },
    { title: 'at once, mean', cell: ({ parallel }) => parallel.toFixed(1), isNumber: true },
  ]);
}

export function whatIf({ same, error, rows }: BuildReport['whatIf']): Html {
  if (same === null || error === null) return html`<p>No compile went out: nothing to replay.</p>`;
  const off = `${percentage(Math.abs(error))} ${error < 0 ? 'less' : 'more'}`;
  return html`${table('The same build on other farms', rows, [
      { title: 'hosts', cell: ({ hosts }) => hosts, isNumber: true },
      { title: 'slots', cell: ({ slots }) => slots, isNumber: true },
      { title: 'make -j', cell: ({ jobs }) => jobs, isNumber: true },
      { title: 'wall time', cell: ({ wall }) => duration(wall), isNumber: true },
      {
        title: 'if make had no order',
        cell: ({ unordered }) => duration(unordered),
        isNumber: true,
      },
    ])}
    <p>
      The replay of the farm as it was (${same.hosts} hosts, ${same.slots} slots) takes
      ${duration(same.wall)}: ${off} than the build did. Replays take each command’s times as they
      were: servers are like these, and this host keeps up.
    </p>`;
}

export function slowest(list: BuildReport['slowest']): Html {
  return table('Slowest compiles', list, [
    { title: 'output', cell: ({ name }) => html`<code>${name}</code>` },
    { title: 'outcome', cell: ({ outcome }) => outcome },
    { title: 'host', cell: ({ host }) => host ?? 'this host' },
    { title: 'took', cell: ({ start, end }) => duration(end - start), isNumber: true },
    { title: 'compiler time', cell: ({ work }) => duration(work), isNumber: true },
    { title: 'reason', cell: ({ reason }) => reason ?? '' },
  ]);
}

export function difference(found: BuildReport['difference'], wall: number): Html {
  if (found === null) return html`<p>There is no earlier session of this build.</p>`;
  const { session, common, compiles, moved, slower, commands, inputs } = found;
  const change = found.wall > 0 ? (wall - found.wall) / found.wall : 0;
  const code = (name: string) => html`<code>${name}</code>`;
  return html`<p>
      <code>${session}</code> took ${duration(found.wall)} for ${compiles} compiles, this one
      ${duration(wall)} (${percentage(Math.abs(change))} ${change < 0 ? 'less' : 'more'}); ${common}
      compiles are in both.
      ${commands.length > 0 ? `${commands.length} of them have another command now. ` : ''}
    </p>
    ${
      moved.length === 0
        ? ''
        : table('Here instead of there, or the other way round', moved, [
            { title: 'compile', cell: ({ name }) => code(name) },
            { title: 'then', cell: ({ before }) => before },
            { title: 'now', cell: ({ now }) => now },
            { title: 'reason', cell: ({ reason }) => reason ?? '' },
          ])
    }
    ${
      slower.length === 0
        ? ''
        : table('Slower', slower, [
            { title: 'compile', cell: ({ name }) => code(name) },
            { title: 'then', cell: ({ before }) => duration(before), isNumber: true },
            { title: 'now', cell: ({ now }) => duration(now), isNumber: true },
            { title: 'host', cell: ({ host }) => host ?? 'this host' },
          ])
    }
    ${
      inputs.length === 0
        ? ''
        : table('Files with another content', inputs, [
            { title: 'file', cell: ({ path }) => code(path) },
            { title: 'compiles that read it', cell: ({ compiles }) => compiles, isNumber: true },
          ])
    }`;
}
