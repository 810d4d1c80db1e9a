"""How the spend page looks, beyond what all pages share."""

from __future__ import annotations

_COLORS = "".join(f".{name} {{ fill: var(--{name}); background-color: var(--{name}); }} " for name in
                  ("s0", "s1", "s2", "s3", "s4", "s5", "s6", "bar"))  # fmt: skip
STYLE = f"""
{_COLORS}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .7rem; margin: 1.2rem 0 0; }}
.card {{ background: var(--panel); border-radius: 6px; padding: .7rem .9rem; }} .card dd {{ margin: 0; overflow-wrap: anywhere; }}
.card dt {{ color: var(--dim); font-size: .85rem; }} .card .dim {{ font-size: .85rem; line-height: 1.35; margin-top: .15rem; }}
.figure {{ font-size: 1.3rem; line-height: 1.3; font-variant-numeric: tabular-nums; }}
.main .figure {{ font-size: 1.75rem; font-weight: 600; }}
.chart {{ display: grid; grid-template-columns: 3.7rem minmax(0, 1fr); }} .plot {{ overflow: visible; }}
.grid {{ stroke: var(--faint); stroke-width: 1; shape-rendering: crispEdges; }}
.hit {{ fill: transparent; }} .slot:hover .hit {{ fill: var(--band); }} .unknown {{ font-weight: 700; fill: var(--ink); }}
.strip {{ width: 9rem; margin: .35rem 0; }} .whole {{ width: 100%; }} .track {{ fill: var(--faint); }}
.used {{ fill: var(--bar); background-color: var(--bar); }} .over {{ fill: var(--bad); background-color: var(--bad); }}
.reserved {{ fill: var(--bar); fill-opacity: .45; }} .ok-part {{ fill: var(--ok); }}
.range {{ fill: var(--bar); fill-opacity: .3; background-color: color-mix(in srgb, var(--bar) 30%, transparent); }}
.expected {{ stroke: var(--bar); stroke-width: 2.5; background-color: var(--bar); }}
.limit {{ stroke: var(--bad); stroke-width: 2; stroke-dasharray: 4 3; background-color: var(--bad); }}
.legend {{ display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .9rem; margin: .3rem 0 0; }}
.legend > span {{ display: flex; align-items: baseline; }}
.key {{ flex: none; display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; margin-right: .4rem; }}
.key.expected, .key.limit {{ width: .2rem; height: .9rem; vertical-align: -.1rem; border-radius: 0; }}
details {{ margin-top: .8rem; }} summary {{ color: var(--dim); }} footer {{ margin-top: 3rem; font-size: .85rem; }}
ul {{ padding-left: 1.2rem; }} li {{ overflow-wrap: anywhere; margin: .2rem 0; }}
td:last-child:not(.n) {{ min-width: 14rem; overflow-wrap: anywhere; }}
td bdi, th bdi {{ display: inline-block; max-width: 22rem; overflow-wrap: break-word; }}
@media (max-width: 34rem) {{ .odd {{ display: none; }} .cards {{ grid-template-columns: 1fr 1fr; }}
  .card:not(.main) .figure {{ font-size: 1.05rem; }} .card.main {{ grid-column: 1 / -1; }} .share {{ display: none; }}
  td bdi, th bdi {{ max-width: 11rem; }} }}
"""
