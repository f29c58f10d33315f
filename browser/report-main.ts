/// <reference types="uplot" />
// Draws a report's charts, and draws them anew when the window or the colours change.

const report = readReport();
const charts = [
  drawTimeline(report, 'time'),
  drawUtilisation(report, 'time'),
  drawWhatIf(report),
].filter((chart) => chart !== undefined);
listCommands(report);

addEventListener('resize', () => {
  for (const chart of charts) {
    const width = chart.root.parentElement?.clientWidth ?? chart.width;
    if (width !== chart.width) chart.setSize({ width, height: chart.height });
  }
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts) chart.redraw(false, true);
});
