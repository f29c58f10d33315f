/// <reference types="uplot" />
// Draws a report's charts.

const report = readReport();
const timeline = drawTimeline(
  {
    ...report.commands,
    begin: 0,
    until: Math.max(1, report.wall),
    hosts: report.hosts,
    outcomes: report.outcomes,
    describe: (at) => describeCommand(report, at),
  },
  byId('timeline-chart'),
  byId('timeline-chart-selected'),
  'time',
);
followLooks(
  [timeline.chart, drawUtilisation(report, 'time'), drawWhatIf(report)].filter(
    (chart) => chart !== undefined,
  ),
);
listCommands(report);
