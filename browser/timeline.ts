/// <reference types="uplot" />
// The timeline: a row for each slot, a bar for each command, drawn on uPlot's canvas, which has the
// axis, the cursor and the zoom.

interface TimelineData {
  /** This host is null. */
  readonly hosts: readonly (string | null)[];
  /** Names of colours too. */
  readonly outcomes: readonly string[];
  /** Milliseconds: what is shown, unless somebody has zoomed. */
  readonly begin: number;
  readonly until: number;
  /** By bar: what tells it from others, place of its host and outcome, slot, and when it held that, in milliseconds. */
  readonly id: readonly (string | number)[];
  readonly host: readonly number[];
  readonly outcome: readonly number[];
  readonly lane: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** A bar in words. */
  readonly describe: (at: number) => string;
}

interface Timeline {
  readonly chart: uPlot;
  /** Shows other bars. */
  update(data: TimelineData): void;
}

interface TimelineRow {
  readonly host: number;
  readonly lane: number;
  /** Places of its commands, by time. */
  readonly commands: number[];
}

const ROW_HEIGHT = 16;
const TIME_AXIS = 40;

function timelineRows({ host: hosts, lane: lanes, from }: TimelineData): TimelineRow[] {
  const rows = new Map<string, TimelineRow>();
  for (const [at, host] of hosts.entries()) {
    const lane = lanes[at] ?? 0;
    const key = `${host} ${lane}`;
    const row = rows.get(key) ?? { host, lane, commands: [] };
    rows.set(key, row);
    row.commands.push(at);
  }
  const sorted = [...rows.values()].toSorted((a, b) => a.host - b.host || a.lane - b.lane);
  for (const row of sorted) row.commands.sort((a, b) => (from[a] ?? 0) - (from[b] ?? 0));
  return sorted;
}

/** Room for the names of rows, the same in all charts of time, so that they stand below each other. */
function timeAxisRoom({ hosts }: Pick<TimelineData, 'hosts'>): number {
  const longest = Math.max(...hosts.map((name) => (name ?? 'this host').length));
  return Math.min(260, 20 + 7 * longest);
}

function timelineHeight(rows: readonly TimelineRow[]): number {
  return Math.max(1, rows.length) * ROW_HEIGHT + TIME_AXIS + 20;
}

/**
 * @param said tells the selected bar
 * @param sync key of the charts that zoom and point together
 */
function drawTimeline(
  first: TimelineData,
  container: HTMLElement,
  said: HTMLElement,
  sync: string,
): Timeline {
  let data = first;
  let rows = timelineRows(data);
  let selected: number | undefined;
  let selectedRow = 0;

  const label = (row: TimelineRow) =>
    row.lane === 0 ? (data.hosts[row.host] ?? 'this host') : `${row.lane + 1}`;

  const chart = new uPlot(
    {
      width: container.clientWidth,
      height: timelineHeight(rows),
      padding: [8, 16, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: sync, scales: ['x', null] }, drag: { x: true, y: false }, y: false },
      scales: {
        x: { time: false, range: (_chart, from, to) => [from, to] },
        y: { range: () => [Math.max(1, rows.length), 0] },
      },
      series: [{}, { show: true, paths: () => null, points: { show: false } }],
      axes: [
        {
          stroke: () => colour('quiet'),
          grid: { stroke: () => colour('line'), width: 1 },
          ticks: { stroke: () => colour('line') },
          values: (_chart, splits) =>
            splits.map((value) => `${Number((value / 1000).toFixed(3))} s`),
          size: TIME_AXIS,
        },
        {
          show: true,
          size: () => timeAxisRoom(data),
          grid: { show: false },
          ticks: { show: false },
          values: () => [],
        },
      ],
      hooks: { draw: [draw], setCursor: [point] },
    },
    [
      [data.begin, data.until],
      [0, 0],
    ],
    container,
  );

  function draw({ ctx, bbox }: uPlot): void {
    const scale = devicePixelRatio;
    const height = bbox.height / Math.max(1, rows.length);
    const from = chart.posToVal(0, 'x');
    const to = chart.posToVal(bbox.width / scale, 'x');
    const fills = data.outcomes.map((outcome) => colour(outcome));
    ctx.save();
    ctx.font = `${12 * scale}px system-ui, sans-serif`;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'right';
    for (const [place, row] of rows.entries()) {
      const top = bbox.top + place * height;
      if (row.lane === 0 && place > 0) {
        ctx.fillStyle = colour('line');
        ctx.fillRect(0, top, bbox.left + bbox.width, scale);
      }
      ctx.fillStyle = colour(row.lane === 0 ? 'ink' : 'quiet');
      ctx.fillText(label(row), bbox.left - 8 * scale, top + height / 2, bbox.left - 12 * scale);
    }
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const [place, row] of rows.entries()) {
      const top = bbox.top + place * height + scale;
      for (const at of row.commands) {
        const [begin, end] = [data.from[at] ?? 0, data.to[at] ?? 0];
        if (end < from || begin > to) continue;
        const x = chart.valToPos(begin, 'x', true);
        // Neighbours in one row stay apart where there is room.
        const width = Math.max(2 * scale, chart.valToPos(end, 'x', true) - x - scale);
        ctx.fillStyle = fills[data.outcome[at] ?? 0] ?? '';
        ctx.fillRect(x, top, width, height - 2 * scale);
        if (at !== selected) continue;
        ctx.strokeStyle = colour('ink');
        ctx.lineWidth = 2 * scale;
        ctx.strokeRect(x, top, width, height - 2 * scale);
      }
    }
    ctx.restore();
  }

  function select(at: number | undefined): void {
    if (at === selected) return;
    selected = at;
    said.textContent = at === undefined ? '' : data.describe(at);
    chart.redraw(false);
  }

  function point({ cursor }: uPlot): void {
    // Another chart's cursor moves this one too, and means no row.
    if (cursor.event === null || cursor.event === undefined) return;
    const { left = -1 } = cursor;
    if (left < 0) return;
    const top = cursor.event.clientY - chart.over.getBoundingClientRect().top;
    const row = Math.floor((top / chart.over.clientHeight) * rows.length);
    const found = commandAt(rows[row], chart.posToVal(left, 'x'));
    if (found === undefined) return;
    selectedRow = row;
    select(found);
  }

  /** The last that began by then, if it had not ended yet. */
  function commandAt(row: TimelineRow | undefined, time: number): number | undefined {
    const at = row?.commands.findLast((command) => (data.from[command] ?? 0) <= time);
    return at !== undefined && (data.to[at] ?? 0) >= time ? at : undefined;
  }

  container.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!pressed(event.key)) return;
    event.preventDefault();
  });

  /** Whether the key means something here. */
  function pressed(key: string): boolean {
    switch (key) {
      case 'ArrowLeft':
      case 'ArrowRight':
        return step(key === 'ArrowLeft' ? -1 : 1);
      case 'ArrowUp':
      case 'ArrowDown':
        return toRow(selectedRow + (key === 'ArrowUp' ? -1 : 1));
      case '+':
      case '-':
        return zoom(key === '+' ? 0.5 : 2);
      case '0':
        chart.setScale('x', { min: data.begin, max: data.until });
        return true;
      default:
        return false;
    }
  }

  function step(by: number): boolean {
    const row = rows[selectedRow];
    if (row === undefined) return false;
    const place = selected === undefined ? -1 : row.commands.indexOf(selected);
    const next = row.commands[place < 0 ? 0 : place + by];
    if (next !== undefined) show(next);
    return true;
  }

  function toRow(place: number): boolean {
    const row = rows[place];
    if (row === undefined) return true;
    selectedRow = place;
    const time = selected === undefined ? 0 : (data.from[selected] ?? 0);
    const nearest = row.commands.find((at) => (data.to[at] ?? 0) >= time);
    const next = nearest ?? row.commands.at(-1);
    if (next !== undefined) show(next);
    return true;
  }

  /** Selects a command, and moves the view where it is not in sight. */
  function show(at: number): void {
    const { min = data.begin, max = data.until } = chart.scales['x'] ?? {};
    const [begin, end] = [data.from[at] ?? 0, data.to[at] ?? 0];
    if (begin < min || end > max) {
      const width = Math.max(max - min, end - begin);
      const from = Math.max(data.begin, (begin + end - width) / 2);
      chart.setScale('x', { min: from, max: from + width });
    }
    select(at);
  }

  function zoom(by: number): boolean {
    const { min = data.begin, max = data.until } = chart.scales['x'] ?? {};
    const middle = selected === undefined ? (min + max) / 2 : (data.from[selected] ?? 0);
    const half = Math.max(0.5, ((max - min) * by) / 2);
    const from = Math.max(data.begin, middle - half);
    chart.setScale('x', { min: from, max: Math.min(data.until, from + 2 * half) });
    return true;
  }

  function update(next: TimelineData): void {
    const { min, max } = chart.scales['x'] ?? {};
    const isZoomed = min !== data.begin || max !== data.until;
    const height = timelineHeight(rows);
    const place = selected === undefined ? -1 : next.id.indexOf(data.id[selected] ?? '');
    data = next;
    rows = timelineRows(next);
    selected = place < 0 ? undefined : place;
    const row = rows.findIndex(({ commands }) => commands.includes(place));
    if (row >= 0) selectedRow = row;
    if (timelineHeight(rows) !== height) {
      chart.setSize({ width: chart.width, height: timelineHeight(rows) });
    }
    chart.setData(
      [
        [data.begin, data.until],
        [0, 0],
      ],
      !isZoomed,
    );
    if (isZoomed) chart.redraw(false, true);
  }

  return { chart, update };
}
