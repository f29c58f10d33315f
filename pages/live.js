// The live page. It shows what the daemon tells in its events (src/client/live-feed.ts): a view of
// this moment, and the bars of compiles that have ended. All text goes in as text, never as HTML:
// names of files come from whoever wrote the project.
const KEPT_SPANS = 4_000;
const ROW = 9;
const LABEL = 140;
const MARGIN = 4;
const OUTCOMES = ['pump', 'plain', 'cache', 'local', 'running'];

/** Phases in which the build's own host works; in others it waits, or thinks. */
const HERE = new Set(['local', 'preprocess', 'verify']);

const byId = (id) => document.getElementById(id);
const seconds = (milliseconds) => (milliseconds / 1000).toFixed(1);

let view;
let spans = [];
/** What was drawn last, for the pointer: {left, right, top, span}. */
let drawn = [];

function countsOf({ outcomes, failed, cancelled }) {
  const parts = Object.entries({ ...outcomes, failed, interrupted: cancelled });
  const shown = parts.filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name}`);
  return shown.length === 0 ? 'nothing compiled yet' : shown.join(', ');
}

function reasonsOf({ declines, fallbacks, demotions }) {
  const all = Object.entries({ ...demotions, ...declines, ...fallbacks });
  const largest = all.toSorted(([, a], [, b]) => b - a).slice(0, 4);
  return largest.map(([reason, n]) => `${n} × ${reason}`).join(', ');
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function fill(table, rows) {
  const made = rows.map((cells) => {
    const row = document.createElement('tr');
    row.append(...cells.map((cell) => element('td', cell)));
    return row;
  });
  byId(table)
    .querySelector('tbody')
    .replaceChildren(...made);
}

function showText() {
  const queued = view.queued === 0 ? '' : `, ${view.queued} queued`;
  byId('state').textContent = `${view.running} running${queued}`;
  byId('builds').replaceChildren(
    ...view.sessions.map((session) => {
      const wall = (session.ended ?? view.time) - (session.started ?? view.time);
      const reasons = reasonsOf(session);
      const state = session.ended === null ? 'for' : 'ended after';
      return element(
        'li',
        `${session.session} ${state} ${seconds(wall)} s: ${countsOf(session)}` +
          (reasons === '' ? '' : ` (${reasons})`),
      );
    }),
  );
  fill(
    'hosts',
    view.hosts.map((host) => [
      host.name,
      host.reason === null ? host.state : `${host.state}: ${host.reason}`,
      `${host.mine} / ${host.slots ?? '?'}`,
      `${host.others ?? '?'}`,
      host.load === null ? '?' : host.load.toFixed(2),
    ]),
  );
  fill(
    'commands',
    view.commands.map((command) => [
      command.name,
      command.host ?? (HERE.has(command.phase) ? 'here' : '–'),
      command.phase,
      seconds(command.elapsed),
    ]),
  );
}

/** Bars of compiles that run now: they end where the timeline does. */
function runningSpans() {
  return view.commands
    .filter(({ kind, phase }) => kind === 'compile' && (phase === 'remote' || phase === 'local'))
    .map((command) => ({
      session: command.session,
      source: command.name,
      host: command.host,
      outcome: 'running',
      reason: null,
      start: view.time - command.inPhase,
      end: view.time,
    }));
}

/** Host → rows of bars, each bar in the first row that is free when it begins. */
function rowsByHost(shown) {
  const hosts = new Map();
  for (const span of shown.toSorted((a, b) => a.start - b.start)) {
    const name = span.host ?? 'here';
    const rows = hosts.get(name) ?? [];
    hosts.set(name, rows);
    const free = rows.find((row) => row.at(-1).end <= span.start);
    if (free === undefined) rows.push([span]);
    else free.push(span);
  }
  return [...hosts].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function showTimeline() {
  const canvas = byId('timeline');
  const wanted = Number(byId('window').value) * 1000;
  const known = [...spans, ...runningSpans()];
  const first = known.reduce((least, { start }) => Math.min(least, start), view.time - 1_000);
  const from = wanted === 0 ? first : Math.max(first, view.time - wanted);
  const hosts = rowsByHost(known.filter(({ end }) => end > from));
  const rows = hosts.reduce((sum, [, lanes]) => sum + lanes.length, 0);
  const width = canvas.clientWidth;
  const height = Math.max(40, rows * ROW + hosts.length * MARGIN + 20);
  const scale = window.devicePixelRatio;
  canvas.style.height = `${height}px`;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  context.scale(scale, scale);
  const colours = getComputedStyle(document.documentElement);
  const colour = (name) => colours.getPropertyValue(`--${name}`);
  const perMillisecond = (width - LABEL) / (view.time - from);
  context.font = '11px system-ui, sans-serif';
  drawn = [];
  let top = MARGIN;
  for (const [name, lanes] of hosts) {
    context.fillStyle = colour('ink');
    context.fillText(name, 4, top + ROW, LABEL - 8);
    for (const lane of lanes) {
      for (const span of lane) {
        const left = LABEL + Math.max(0, span.start - from) * perMillisecond;
        const right = LABEL + (span.end - from) * perMillisecond;
        context.fillStyle = colour(span.outcome);
        context.fillRect(left, top, Math.max(1, right - left - 0.5), ROW - 1);
        drawn.push({ left, right: Math.max(right, left + 1), top, span });
      }
      top += ROW;
    }
    top += MARGIN;
  }
  context.fillStyle = colour('faint');
  context.fillText(`${seconds(view.time - from)} s ago`, LABEL, height - 5);
  context.textAlign = 'right';
  context.fillText('now', width - 4, height - 5);
}

function show() {
  if (view === undefined) return;
  showText();
  showTimeline();
}

byId('timeline').addEventListener('mousemove', ({ offsetX, offsetY }) => {
  const hit = drawn.find(
    ({ left, right, top }) =>
      offsetX >= left && offsetX < right && offsetY >= top && offsetY < top + ROW,
  );
  if (hit === undefined) return;
  const { source, host, outcome, reason, start, end } = hit.span;
  const why = reason === null ? '' : ` (${reason})`;
  byId('pointed').textContent =
    `${source}: ${outcome}${why}, ${host ?? 'here'}, ${seconds(end - start)} s`;
});
byId('window').addEventListener('change', show);
window.addEventListener('resize', show);
byId('legend').replaceChildren(
  ...OUTCOMES.map((outcome) => {
    const entry = element('span', outcome);
    entry.className = outcome;
    return entry;
  }),
);

const events = new EventSource('events');
events.addEventListener('message', ({ data }) => {
  const message = JSON.parse(data);
  view = message.view;
  spans = (message.reset ? message.spans : [...spans, ...message.spans]).slice(-KEPT_SPANS);
  show();
});
events.addEventListener('error', () => {
  byId('state').textContent =
    'not connected: where the daemon has ended, ask  tscc status --web  again';
});
