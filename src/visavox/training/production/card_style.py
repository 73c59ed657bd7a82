"""What the cards look like, by day and by night."""

STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1d1f23;--quiet:#61656e;
--line:#e3e1db;--good:#1a7048;--good-soft:#e2f2e9;--bad:#b3261e;--bad-soft:#fbe6e4;
--open:#8a5a00;--open-soft:#fcf0d9;--fused:#2456c4;--face:#c2590b;--voice:#0e8074;
--own:#2456c4;--others:#9aa0ab}
@media (prefers-color-scheme:dark){:root{--paper:#15171b;--card:#1d2025;--ink:#eceae5;
--quiet:#a2a7b1;--line:#33373e;--good:#6fd3a2;--good-soft:#173527;--bad:#ff9a92;--bad-soft:#41201e;
--open:#f0c067;--open-soft:#3a2e16;--fused:#8fb4ff;--face:#ffa766;--voice:#62d3c5;--own:#8fb4ff;
--others:#6c727d}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:980px;margin:0 auto;padding:28px 20px 48px}
h1,h2,h3,p{margin:0}
h1{font-size:30px;line-height:1.15;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:17px}h3{font-size:13px;margin:16px 0 6px;color:var(--quiet);font-weight:600}
header{display:flex;justify-content:space-between;align-items:flex-end;gap:16px}
.over{color:var(--quiet);font-size:13px}
.lead{margin:10px 0 0}.quiet{color:var(--quiet);margin-top:2px}
.badge{padding:5px 16px;border-radius:99px;font-weight:650;font-size:15px;white-space:nowrap}
.badge.good{background:var(--good-soft);color:var(--good)}
.badge.bad{background:var(--bad-soft);color:var(--bad)}
.banner{background:var(--open-soft);color:var(--open);border-radius:10px;padding:9px 14px;
margin-bottom:22px;font-weight:550}
section,figure{background:var(--card);border:1px solid var(--line);border-radius:14px;
padding:18px 20px;margin:18px 0 0}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:14px}
.numbers div{display:flex;flex-direction:column}
.numbers b{font-size:24px;line-height:1.2;font-variant-numeric:tabular-nums}
.numbers span{color:var(--quiet);font-size:13px}
.said{margin:0;padding:0;list-style:none}
.said li{padding:3px 0 3px 24px;position:relative}
.said li::before{position:absolute;left:2px;font-weight:700}
.said.good li::before{content:"✓";color:var(--good)}
.said.bad li::before{content:"✕";color:var(--bad)}
.said.open li::before{content:"?";color:var(--open)}
.wide{overflow-x:auto;margin:10px -6px 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:8px 9px;text-align:right;border-top:1px solid var(--line);vertical-align:top}
thead th{border:0;font-size:12.5px;color:var(--quiet);font-weight:600;line-height:1.25;
vertical-align:bottom}
th:first-child{text-align:left}tbody th{font-weight:600}
td span,td small{white-space:nowrap}td small.why{white-space:normal}
td small{display:block;color:var(--quiet);font-size:12px;line-height:1.3}
.tag{display:inline-block;padding:0 8px;border-radius:99px;font-size:12px;line-height:1.6;
background:var(--good-soft);color:var(--good);white-space:nowrap}
.tag.open{background:var(--open-soft);color:var(--open)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:18px;
padding:0;border:0;background:none}
figure{margin:0}svg{display:block;width:100%;height:auto;margin-top:8px}
svg text{fill:var(--quiet);font-size:11.5px;font-family:inherit}
.mid{text-anchor:middle}.end,.note{text-anchor:end}
svg text.axis{fill:var(--ink);font-size:12px}
.grid{stroke:var(--line)}.guide{stroke:var(--quiet);stroke-dasharray:2 4;opacity:.6}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.line.fused{stroke:var(--fused);stroke-width:2.6}.line.face{stroke:var(--face)}
.line.voice{stroke:var(--voice)}
.bar.own{fill:var(--own);opacity:.78}.bar.others{fill:var(--others);opacity:.75}
line.threshold{stroke:var(--ink);stroke-dasharray:5 3}svg text.threshold{fill:var(--ink)}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0 0;padding:0;list-style:none;
color:var(--quiet);font-size:13px}
.legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;
vertical-align:-1px}
.legend .fused{background:var(--fused)}.legend .face{background:var(--face)}
.legend .voice{background:var(--voice)}.legend .own{background:var(--own)}
.legend .others{background:var(--others)}
dl{display:grid;grid-template-columns:minmax(110px,max-content) 1fr;gap:5px 18px;margin:10px 0 0}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere;font:13.5px/1.6 ui-monospace,Menlo,Consolas,monospace}
a{color:var(--fused)}
details{margin-top:14px}summary{cursor:pointer;color:var(--quiet)}
body>details{max-width:980px;margin:10px auto;padding:0 20px}
body>details>summary{font-size:17px;font-weight:600;color:var(--ink)}
.ids{columns:3 180px;margin:8px 0 0;padding-left:18px;font:12.5px/1.6 ui-monospace,monospace;
overflow-wrap:anywhere}
@media (max-width:560px){h1{font-size:24px}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}}
@media print{body{background:none}section,figure{break-inside:avoid}}
"""
