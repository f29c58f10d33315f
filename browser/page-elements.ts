/// <reference types="uplot" />
// What all pages use. These files are plain scripts that share one scope: a page that needs no network
// has no modules to import. src/platform/page-assets.ts puts together what each page needs.

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

function seconds(milliseconds: number): string {
  const value = milliseconds / 1000;
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

/** The value of a colour of the page's style, light or dark as it is now. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Draws charts anew when the window or the colours change. */
function followLooks(charts: readonly uPlot[]): void {
  addEventListener('resize', () => {
    for (const chart of charts) {
      const width = chart.root.parentElement?.clientWidth ?? chart.width;
      if (width !== chart.width) chart.setSize({ width, height: chart.height });
    }
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const chart of charts) chart.redraw(false, true);
  });
}
