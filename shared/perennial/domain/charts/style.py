"""How charts look: the style sheet that a page with charts needs.

Colours are custom properties, so that a page can set its own; all have AA contrast for graphics on
a near-white and on a near-black page. Lines differ by their dashes, too.
"""

from __future__ import annotations

STYLE = """\
:root { --chart-ink: #24302c; --chart-soft: #5b6864; --chart-grid: #dde2de; --chart-track: #eef1ee;
  --chart-1: #20639b; --chart-2: #b3431e; --chart-3: #3b7a3e; --chart-4: #7b4fa3;
  --chart-bad: #b3261e; --chart-good: #3b7a3e; --chart-paper: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --chart-ink: #e6eae7; --chart-soft: #a3aeaa; --chart-grid: #343c39;
    --chart-track: #262d2b; --chart-1: #74b6e6; --chart-2: #f0987a; --chart-3: #8fcb8b;
    --chart-4: #c3a1e6;
    --chart-bad: #ff8a80; --chart-good: #8fcb8b; --chart-paper: #161a19; } }
.chart { display: block; box-sizing: border-box; overflow: visible; padding: 0 .8rem 0 3.6rem; }
.chart.bars { padding: 0 .2rem; }
.chart text { font: 12px/1 system-ui, sans-serif; fill: var(--chart-ink);
  font-variant-numeric: tabular-nums; }
.chart .quantity, .chart .mark-label { fill: var(--chart-soft); }
.chart .grid { stroke: var(--chart-grid); stroke-width: 1; }
.chart .axis { stroke: var(--chart-soft); stroke-width: 1; }
.chart .mark { stroke: var(--chart-soft); stroke-width: 1; stroke-dasharray: 2 3; }
.chart .limit-edge { stroke: var(--chart-paper); stroke-width: 6; }
.chart .limit { stroke: var(--chart-ink); stroke-width: 2; }
.chart .reach { stroke: transparent; stroke-width: 9; fill: transparent; pointer-events: all; }
.chart line.reach:hover { stroke: var(--chart-soft); stroke-opacity: .25; }
.chart .track { fill: var(--chart-track); }
.chart .bar { fill: var(--chart-1); }
.chart .bar.good { fill: var(--chart-good); }
.chart .bar.bad { fill: var(--chart-bad); }
.chart .bar.faint { fill: var(--chart-soft); }
.chart .line, .sparkline .line { fill: none; stroke-width: 2; stroke-linejoin: round;
  stroke-linecap: round; }
.series-1 { stroke: var(--chart-1); color: var(--chart-1); }
.series-2 { stroke: var(--chart-2); color: var(--chart-2); }
.series-3 { stroke: var(--chart-3); color: var(--chart-3); }
.series-4 { stroke: var(--chart-4); color: var(--chart-4); }
.line.series-2 { stroke-dasharray: 7 4; }
.line.series-3 { stroke-dasharray: 2 4; }
.line.series-4 { stroke-dasharray: 9 3 2 3; }
.chart .band { fill: currentColor; fill-opacity: .15; stroke: none; }
.chart .point { fill: var(--chart-paper); stroke-width: 2; }
.chart .dense .point { opacity: 0; }
.chart .points .point:hover { opacity: 1; fill: currentColor; stroke-width: 5; }
.sparkline { display: inline-block; vertical-align: middle; }
.sparkline .end { fill: var(--chart-1); }
.chart .wide { display: none; }
@media (min-width: 44rem) { .chart .wide { display: inline; } .chart .narrow { display: none; } }
@media print { .chart .wide { display: inline; } .chart .narrow { display: none; } }
@media (forced-colors: active) { .chart .bar { fill: CanvasText; } }
"""
