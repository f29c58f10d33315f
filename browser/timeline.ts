/// <reference types="uplot" />
// The timeline: a row for each slot, a bar for each command, drawn on uPlot's canvas, which has the
// axis, the cursor and the zoom.

interface TimelineRow {
  readonly host: number;
  readonly lane: number;
  /** Places of its commands, by time. */
  readonly commands: number[];
}

const ROW_HEIGHT = 16;
const TIME_AXIS = 40;

function timelineRows({ commands }: ReportData): TimelineRow[] {
  const rows = new Map<string, TimelineRow>();
  for (const [at, host] of commands.host.entries()) {
    const lane = commands.lane[at] ?? 0;
    const key = `${host} ${lane}`;
    const row = rows.get(key) ?? { host, lane, commands: [] };
    rows.set(key, row);
    row.commands.push(at);
  }
  const sorted = [...rows.values()].toSorted((a, b) => a.host - b.host || a.lane - b.lane);
  for (const row of sorted) {
    row.commands.sort((a, b) => (commands.from[a] ?? 0) - (commands.from[b] ?? 0));
  }
  return sorted;
}

/** Room for the names of rows, the same in all charts of time, so that they stand below each other. */
function timeAxisRoom({ hosts }: ReportData): number {
  const longest = Math.max(...hosts.map((name) => (name ?? 'this host').length));
  return Math.min(260, 20 + 7 * longest);
}

/** @param sync key of the charts that zoom and point together */
function drawTimeline(report: ReportData, sync: string): uPlot {
  const container = byId('timeline-chart');
  const said = byId('timeline-chart-selected');
  const rows = timelineRows(report);
  const { commands } = report;
  let selected: number | undefined;
  let selectedRow = 0;

  const label = (row: TimelineRow) =>
    row.lane === 0 ? (report.hosts[row.host] ?? 'this host') : `${row.lane + 1}`;

  const chart = new uPlot(
    {
      width: container.clientWidth,
      height: rows.length * ROW_HEIGHT + TIME_AXIS + 20,
      padding: [8, 16, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: sync, scales: ['x', null] }, drag: { x: true, y: false }, y: false },
      scales: {
        x: { time: false, range: (_chart, from, to) => [from, to] },
        y: { range: () => [rows.length, 0] },
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
          size: timeAxisRoom(report),
          grid: { show: false },
          ticks: { show: false },
          values: () => [],
        },
      ],
      hooks: { draw: [draw], setCursor: [point] },
    },
    [
      [0, Math.max(1, report.wall)],
      [0, 0],
    ],
    container,
  );

  function draw({ ctx, bbox }: uPlot): void {
    const scale = devicePixelRatio;
    const height = bbox.height / rows.length;
    const from = chart.posToVal(0, 'x');
    const to = chart.posToVal(bbox.width / scale, 'x');
    const fills = report.outcomes.map((outcome) => colour(outcome));
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
        const [begin, end] = [commands.from[at] ?? 0, commands.to[at] ?? 0];
        if (end < from || begin > to) continue;
        const x = chart.valToPos(begin, 'x', true);
        // Neighbours in one row stay apart where there is room.
        const width = Math.max(2 * scale, chart.valToPos(end, 'x', true) - x - scale);
        ctx.fillStyle = fills[commands.outcome[at] ?? 0] ?? '';
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
    said.textContent = at === undefined ? '' : describeCommand(report, at);
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
    const at = row?.commands.findLast((command) => (commands.from[command] ?? 0) <= time);
    return at !== undefined && (commands.to[at] ?? 0) >= time ? at : undefined;
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
        chart.setScale('x', { min: 0, max: Math.max(1, report.wall) });
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
    const time = selected === undefined ? 0 : (commands.from[selected] ?? 0);
    const nearest = row.commands.find((at) => (commands.to[at] ?? 0) >= time);
    const next = nearest ?? row.commands.at(-1);
    if (next !== undefined) show(next);
    return true;
  }

  /** Selects a command, and moves the view where it is not in sight. */
  function show(at: number): void {
    const { min = 0, max = report.wall } = chart.scales['x'] ?? {};
    const [begin, end] = [commands.from[at] ?? 0, commands.to[at] ?? 0];
    if (begin < min || end > max) {
      const width = Math.max(max - min, end - begin);
      const from = Math.max(0, (begin + end - width) / 2);
      chart.setScale('x', { min: from, max: from + width });
    }
    select(at);
  }

  function zoom(by: number): boolean {
    const { min = 0, max = report.wall } = chart.scales['x'] ?? {};
    const middle = selected === undefined ? (min + max) / 2 : (commands.from[selected] ?? 0);
    const half = Math.max(0.5, ((max - min) * by) / 2);
    const from = Math.max(0, middle - half);
    chart.setScale('x', { min: from, max: Math.min(Math.max(1, report.wall), from + 2 * half) });
    return true;
  }

  return chart;
}
