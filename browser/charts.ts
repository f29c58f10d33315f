/// <reference types="uplot" />
// The other charts: what the slots did over time, and what other farms would give.

const CHART_HEIGHT = 220;

function drawUtilisation(report: ReportData, sync: string): uPlot | undefined {
  if (report.slots === 0) return undefined;
  const container = byId('utilisation-chart');
  const parts = report.utilisation[0]?.length ?? 0;
  // One more than there are parts, so that the last one has its width.
  const times = Array.from({ length: parts + 1 }, (_, part) => (part * report.wall) / parts);
  // Each curve has the ones below it in it, so the last is drawn first.
  const sums: number[][] = [];
  for (const [at, share] of report.utilisation.entries()) {
    const values = [...share, share.at(-1) ?? 0];
    sums.push(values.map((value, part) => value + (sums[at - 1]?.[part] ?? 0)));
  }
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  if (stepped === undefined) throw new Error('this uPlot draws no steps');
  const series = report.shares.map((share): uPlot.Series => ({
    label: share,
    stroke: () => colour(share),
    fill: () => colour(share),
    width: 0,
    points: { show: false },
    paths: stepped,
    value: (_chart, _sum, at, index) =>
      index === null ? '–' : `${(report.utilisation[at - 1]?.[index] ?? 0).toFixed(1)} slots`,
  }));
  return named(
    new uPlot(
      {
        width: container.clientWidth,
        height: CHART_HEIGHT,
        padding: [8, 16, 0, 0],
        cursor: { sync: { key: sync, scales: ['x', null] }, drag: { x: true, y: false } },
        scales: {
          x: { time: false, range: (_chart, from, to) => [from, to] },
          y: { range: () => [0, report.slots] },
        },
        series: [
          { label: 'time', value: (_chart, time) => (time === null ? '–' : seconds(time)) },
          ...series,
        ],
        bands: series.slice(1).map((_, at) => ({ series: [at + 2, at + 1] as [number, number] })),
        axes: [
          axis((value) => `${Number((value / 1000).toFixed(3))} s`, TIME_AXIS),
          axis((value) => `${value} slots`, timeAxisRoom(report)),
        ],
      },
      [times, ...sums],
      container,
    ),
  );
}

function drawWhatIf(report: ReportData): uPlot | undefined {
  if (report.whatIf.length === 0) return undefined;
  const container = byId('what-if-chart');
  const column = (at: 1 | 2) =>
    report.whatIf.map((row) => {
      const wall = row[at];
      return wall === null ? null : wall / 1000;
    });
  const line = (label: string, name: string): uPlot.Series => ({
    label,
    stroke: () => colour(name),
    width: 2,
    points: { show: true, size: 7, fill: () => colour(name) },
    value: (_chart, value) => (value === null ? '–' : `${value.toFixed(1)} s`),
  });
  return named(
    new uPlot(
      {
        width: container.clientWidth,
        height: CHART_HEIGHT,
        padding: [8, 40, 0, 0],
        scales: {
          x: { time: false, distr: 3, log: 2 },
          y: { range: (_c, _low, high) => [0, high * 1.1] },
        },
        series: [
          { label: 'hosts', value: (_chart, value) => (value === null ? '–' : `${value}`) },
          line('wall time', 'accent'),
          line('if make had no order', 'client'),
        ],
        axes: [
          axis((value) => `${value} ${value === 1 ? 'host' : 'hosts'}`, TIME_AXIS),
          axis((value) => `${value} s`, 70),
        ],
      },
      [report.whatIf.map(([hosts]) => hosts), column(1), column(2)],
      container,
    ),
  );
}

/** uPlot's legend is a table, and has no name. */
function named(chart: uPlot): uPlot {
  chart.root.querySelector('.u-legend')?.setAttribute('aria-label', 'Values at the pointer');
  return chart;
}

/** @param size pixels that it takes */
function axis(text: (value: number) => string, size: number): uPlot.Axis {
  return {
    stroke: () => colour('quiet'),
    grid: { stroke: () => colour('line'), width: 1 },
    ticks: { stroke: () => colour('line') },
    size,
    values: (_chart, splits) =>
      splits.map((value: number | null) => (value === null ? '' : text(value))),
  };
}
