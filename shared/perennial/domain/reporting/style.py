"""How a report looks, on a screen and on paper."""

from __future__ import annotations

from perennial.domain.charts.style import STYLE as CHARTS

STYLE = (
    CHARTS
    + """\
:root { color-scheme: light dark; --warning: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --warning: #e3b341; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--chart-ink);
  background: var(--chart-paper); max-width: 58rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
.note { color: var(--chart-soft); font-size: .85rem; margin: .2rem 0; }
.health { border-left: 5px solid var(--chart-soft); padding: .3rem .8rem; margin: 1rem 0;
  font-size: .95rem; }
.health p { font-size: 1.2rem; font-weight: 600; margin: 0; }
.health ul { margin: .2rem 0; padding-left: 1.2rem; }
.health.bad { border-color: var(--chart-bad); } .health.attention { border-color: var(--warning); }
.health.good { border-color: var(--chart-good); }
.found { border: 1px solid var(--chart-grid); border-left-width: 5px; padding: .4rem .8rem;
  margin: .5rem 0; overflow-wrap: anywhere; }
.found.error { border-left-color: var(--chart-bad); }
.found.warning { border-left-color: var(--warning); }
.found p { margin: .1rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: .5rem 0; }
dt { color: var(--chart-soft); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .2rem .9rem .2rem 0;
  border-bottom: 1px solid var(--chart-grid); white-space: nowrap; }
td:last-child { white-space: normal; padding-right: 0; }
.told td:last-child { min-width: 19rem; }
th { color: var(--chart-soft); font-weight: 500; }
summary { cursor: pointer; color: var(--chart-soft); font-size: .85rem; }
details { margin: .3rem 0 1rem; } details .wide { max-height: 22rem; overflow-y: auto; }
code { font-size: .85rem; overflow-wrap: anywhere; }
@media print {
  :root { --chart-ink: #24302c; --chart-soft: #5b6864; --chart-grid: #dde2de;
    --chart-track: #eef1ee; --chart-paper: #fff; --chart-1: #20639b; --chart-2: #b3431e;
    --chart-bad: #b3261e; --chart-good: #3b7a3e; color-scheme: light; }
  body { margin: 0; max-width: none; font-size: 12px; }
  h2 { break-after: avoid; } svg, tr, .found { break-inside: avoid; } details { display: none; }
  .wide { overflow: visible; } td, th { white-space: normal; }
  .told td:last-child { min-width: 0; }
  .chart .track, .chart .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
)
