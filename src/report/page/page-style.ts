/** How pages look, light and dark. No style stands in an attribute: the page's policy forbids it. */

/** Colours that can be told apart with any kind of colour vision (after Okabe and Ito). */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --raised: #f5f6f8; --ink: #1b1e23; --quiet: #5b626d; --line: #d9dde3;
  --accent: #005a9c; --bad: #b3261e;
  --pump: #0072b2; --plain: #c0508f; --cache: #00806a; --local: #c27c00;
  --other: #8b929c; --failed: #b3261e; --cancelled: #5b626d; --running: #a9b4c2;
  --full: #0b4f8a; --working: #5aa9dd; --client: #e0952b; --nothing: #d3d7dd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181c; --raised: #1f2329; --ink: #e7e9ec; --quiet: #a3abb6; --line: #363c45;
    --accent: #7cc4ff; --bad: #ff8a80;
    --pump: #56b4e9; --plain: #e08bbb; --cache: #35c4a3; --local: #f0b13c;
    --other: #868e99; --failed: #ff6f61; --cancelled: #a3abb6; --running: #5d6875;
    --full: #8fd0ff; --working: #3d87b8; --client: #f0b13c; --nothing: #3a414b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem; max-width: 84rem;
  background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 0 0 0.25rem; }
a { color: var(--accent); }
code { font: 0.92em ui-monospace, monospace; overflow-wrap: anywhere; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: 0.5rem; }
header p, .lead, figcaption, .more { color: var(--quiet); margin: 0.1rem 0 0.75rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; list-style: none; }
section { border-top: 1px solid var(--line); padding: 1.25rem 0; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 0.75rem; margin: 0; }
.tile { background: var(--raised); border-radius: 8px; padding: 0.75rem 1rem; }
.tile dt { color: var(--quiet); }
.tile dd { margin: 0; }
.tile strong { display: block; font-size: 1.7rem; line-height: 1.3; }
.tile span { color: var(--quiet); }
.advice { padding-left: 1.5rem; margin: 0; }
.advice li { margin-bottom: 0.5rem; }
.advice p { margin: 0; color: var(--quiet); overflow-wrap: anywhere; }
.gain { background: var(--raised); border-radius: 99px; padding: 0.05rem 0.6rem; margin-left: 0.4rem; white-space: nowrap; }
iframe { width: 100%; height: 80vh; border: 1px solid var(--line); border-radius: 8px; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; max-width: 100%; }
caption { text-align: left; color: var(--quiet); padding-bottom: 0.25rem; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 1.1rem 0.3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bad { color: var(--bad); }
.bar { width: 5rem; height: 0.5rem; margin-right: 0.5rem; display: inline-block; }
/* The bars of a column stand one below the other, however long their numbers are. */
.number .bar { float: left; margin-top: 0.45em; }
.bar .track { fill: var(--line); }
.bar .full { fill: var(--full); } .bar .working { fill: var(--working); }
.bar .client { fill: var(--client); } .bar .nothing { fill: var(--quiet); }
figure { margin: 0 0 0.75rem; }
.chart { position: relative; overflow: hidden; min-height: 4rem; }
.chart.tall { max-height: 75vh; overflow-y: auto; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; list-style: none; padding: 0; margin: 0 0 0.5rem; }
.legend svg { width: 0.8rem; height: 0.8rem; margin-right: 0.4rem; }
.swatch-pump { fill: var(--pump); } .swatch-plain { fill: var(--plain); }
.swatch-cache { fill: var(--cache); } .swatch-local { fill: var(--local); }
.swatch-other { fill: var(--other); } .swatch-failed { fill: var(--failed); }
.swatch-cancelled { fill: var(--cancelled); } .swatch-full { fill: var(--full); }
.swatch-working { fill: var(--working); } .swatch-client { fill: var(--client); }
.swatch-nothing { fill: var(--nothing); } .swatch-running { fill: var(--running); }
#builds { list-style: none; padding: 0; margin: 0 0 1rem; }
output { display: block; min-height: 1.5em; color: var(--ink); overflow-wrap: anywhere; }
.controls { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin: 0 0 0.5rem; }
button, input, select { font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: 0.25rem 0.7rem; }
input { width: 18rem; }
button:disabled { opacity: 0.45; }
.uplot, .u-title { color: var(--ink); }
.u-legend { color: var(--quiet); font-size: 13px; }
.u-legend th, .u-legend td { border: 0; padding: 0.1rem 0.4rem; }
`;
