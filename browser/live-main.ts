/// <reference types="uplot" />
// The live page: a view of this moment, and the timeline of compiles. All text goes in as text, never as
// HTML: names of files come from whoever wrote the project. The report in the frame is a page of its own.

const KEPT_SPANS = 4_000;

/** Phases in which the build's own host works; in others it waits, or thinks. */
const HERE = new Set(['local', 'preprocess', 'verify']);

let spans: readonly LiveSpan[] = [];
let latest: LiveState | undefined;
let liveChart: Timeline | undefined;
const reportButton = byId('report-show');
const reportFrame = byId('report-frame') as HTMLIFrameElement;
const shownTime = byId('window') as HTMLSelectElement;

function countsOf({ outcomes, failed, cancelled }: LiveBuild): string {
  const parts = Object.entries({ ...outcomes, failed, interrupted: cancelled });
  const shown = parts.filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name}`);
  return shown.length === 0 ? 'nothing compiled yet' : shown.join(', ');
}

function reasonsOf({ declines, fallbacks, demotions }: LiveBuild): string {
  const all = Object.entries({ ...demotions, ...declines, ...fallbacks });
  const largest = all.toSorted(([, a], [, b]) => b - a).slice(0, 4);
  return largest.map(([reason, n]) => `${n} × ${reason}`).join(', ');
}

function element(name: string, text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function fillTable(id: string, rows: readonly (readonly string[])[]): void {
  const made = rows.map((cells) => {
    const row = document.createElement('tr');
    row.append(...cells.map((cell) => element('td', cell)));
    return row;
  });
  byId(id)
    .querySelector('tbody')
    ?.replaceChildren(...made);
}

function showText(view: LiveState): void {
  const queued = view.queued === 0 ? '' : `, ${view.queued} queued`;
  byId('state').textContent = `${view.running} running${queued}`;
  byId('builds').replaceChildren(
    ...view.sessions.map((session) => {
      const wall = (session.ended ?? view.time) - (session.started ?? view.time);
      const reasons = reasonsOf(session);
      const state = session.ended === null ? 'for' : 'ended after';
      return element(
        'li',
        `${session.session} ${state} ${seconds(wall)}: ${countsOf(session)}` +
          (reasons === '' ? '' : ` (${reasons})`),
      );
    }),
  );
  fillTable(
    'hosts',
    view.hosts.map((host) => [
      host.name,
      host.reason === null ? host.state : `${host.state}: ${host.reason}`,
      `${host.mine} / ${host.slots ?? '?'}`,
      `${host.others ?? '?'}`,
      host.load === null ? '?' : host.load.toFixed(2),
    ]),
  );
  fillTable(
    'commands',
    view.commands.map((command) => [
      command.name,
      command.host ?? (HERE.has(command.phase) ? 'this host' : '–'),
      command.phase,
      seconds(command.elapsed),
    ]),
  );
}

function showTimeline(view: LiveState): void {
  const bars = liveTimeline(view, spans, Number(shownTime.value) * 1000);
  if (liveChart !== undefined) return liveChart.update(bars);
  liveChart = drawTimeline(bars, byId('timeline-chart'), byId('timeline-chart-selected'), 'live');
  followLooks([liveChart.chart]);
}

function showReport(): void {
  reportFrame.hidden = false;
  reportButton.textContent = 'Make it anew';
  // Loads it again, too.
  reportFrame.src = 'report';
}

/** One that is shown is the whole build's in the end. */
function followBuilds(before: LiveState | undefined, view: LiveState): void {
  const ended = (state: LiveState | undefined) =>
    (state?.sessions ?? []).filter((session) => session.ended !== null).map((one) => one.session);
  const known = new Set(ended(before));
  const hasNews = before !== undefined && ended(view).some((session) => !known.has(session));
  if (hasNews && !reportFrame.hidden) showReport();
}

const events = new EventSource('events');
events.addEventListener('message', ({ data }) => {
  const { view, ...news } = JSON.parse(String(data)) as LiveMessage;
  followBuilds(latest, view);
  latest = view;
  spans = (news.reset ? news.spans : [...spans, ...news.spans]).slice(-KEPT_SPANS);
  showText(view);
  showTimeline(view);
});
events.addEventListener('error', () => {
  byId('state').textContent =
    'not connected: where the daemon has ended, ask  tscc status --web  again';
});
reportButton.addEventListener('click', showReport);
shownTime.addEventListener('change', () => {
  if (latest !== undefined) showTimeline(latest);
});
