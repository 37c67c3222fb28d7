/** The report's style sheet: system fonts, two themes by the reader's preference, a print form. */
export const STYLE = `
:root{
  --paper:#f5f6f4;--card:#fff;--ink:#171b19;--soft:#5b645f;--line:#dde1dd;--wash:#eceeea;
  --accent:#0a6b5e;--accent-wash:#e0efec;--good:#13795b;--bad:#b3372a;--warn:#b26a00;--info:#3d6a9e;
  --critical:#9d1c2b;--high:#c8472b;--medium:#b87700;--low:#3d6a9e;
  --o-user:#e8a13a;--o-dependency:#b9a3d8;--o-node:#9dbfd6;--o-native:#c3cac5;--o-gc:#d98f86;--frame-ink:#1c1408;
  --mono:ui-monospace,"SF Mono","JetBrains Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
  --sans:"Inter",ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
}
@media(prefers-color-scheme:dark){:root{
  --paper:#111413;--card:#191d1b;--ink:#e7ebe8;--soft:#98a39d;--line:#2b312e;--wash:#222725;
  --accent:#5cc7b2;--accent-wash:#17302b;--good:#55c596;--bad:#ee8574;--warn:#e3ab4f;--info:#85b2e2;
  --critical:#f2707c;--high:#ef8562;--medium:#e3ab4f;--low:#85b2e2;
  --o-user:#d9923a;--o-dependency:#8d78b3;--o-node:#5f88a3;--o-native:#59625d;--o-gc:#a85f57;--frame-ink:#fff;
}}
*{box-sizing:border-box}
html{scroll-padding-top:3.5rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 var(--sans)}
.wrap{max-width:1160px;margin:0 auto;padding:0 28px}
[hidden]{display:none!important}
code,pre{font-family:var(--mono);font-size:.9em}
code{overflow-wrap:anywhere}
small{font-size:12px;color:var(--soft)}
.quiet{color:var(--soft)}
.visually-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.masthead{background:var(--card);border-bottom:1px solid var(--line);padding:34px 0 30px}
.eyebrow{margin:0 0 18px;display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;color:var(--soft)}
.eyebrow b{color:var(--accent);font-weight:650}
h1{margin:0;font-size:clamp(25px,3.6vw,38px);line-height:1.18;letter-spacing:-.018em;font-weight:680;max-width:26em;text-wrap:balance;overflow-wrap:anywhere}
.target{margin:12px 0 0;color:var(--soft)}
.lead{margin:14px 0 0;max-width:46em;font-size:16.5px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:1px;margin:28px 0 0;background:var(--line);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.figures div{display:flex;flex-direction:column-reverse;justify-content:flex-end;background:var(--card);padding:14px 18px}
.figures dt{color:var(--soft);font-size:13px}
.figures dd{margin:0;font-size:25px;font-weight:640;letter-spacing:-.015em;font-variant-numeric:tabular-nums}
nav{position:sticky;top:0;z-index:5;background:var(--card);border-bottom:1px solid var(--line)}
nav .wrap{display:flex;gap:24px;overflow-x:auto;scrollbar-width:none}
nav a{flex:none;padding:11px 0;color:var(--soft);text-decoration:none;font-size:14px}
nav a:hover,nav a:focus-visible{color:var(--ink)}
section{padding:44px 0 0}
h2{margin:0 0 18px;font-size:21px;letter-spacing:-.01em;font-weight:660}
h3{margin:0;font-size:17px;line-height:1.35;font-weight:640}
table{border-collapse:collapse;width:100%;font-size:14px}
th{font-weight:550;color:var(--soft);text-align:left;font-size:13px}
th,td{padding:7px 12px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
caption{text-align:left;font-weight:640;padding:0 0 6px}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.number small{display:block}
.scroll{overflow-x:auto}
details{margin-top:14px}
summary{cursor:pointer;color:var(--soft);font-size:14px}
summary:hover{color:var(--ink)}
.finding{display:grid;grid-template-columns:auto 1fr;gap:0 20px;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:24px 26px 24px 22px;margin:0 0 16px}
.finding>.finding-body:only-child{grid-column:1/-1}
.s-critical{--tone:var(--critical)}.s-high{--tone:var(--high)}.s-medium{--tone:var(--medium)}.s-low{--tone:var(--low)}.s-info{--tone:var(--soft)}
.finding-number{width:34px;height:34px;border-radius:50%;background:var(--tone);color:var(--card);display:grid;place-items:center;font-weight:680;font-variant-numeric:tabular-nums}
.finding-body{min-width:0}
.finding-meta{display:flex;flex-wrap:wrap;gap:2px 16px;margin:0 0 5px;font-size:13px;align-items:baseline}
.severity{color:var(--tone);font-weight:680}
.place{margin:6px 0 0}
.place code{background:var(--wash);padding:3px 8px;border-radius:6px;display:inline-block}
.evidence{margin:16px 0 0}
.evidence td:first-child{width:58%}
.meter{width:26%;min-width:120px}
.meter span{position:relative;display:block;height:8px;margin-top:8px;background:var(--wash);border-radius:4px}
.meter i{position:absolute;inset:0 auto 0 0;background:var(--tone);border-radius:4px}
.meter b{position:absolute;top:-4px;bottom:-4px;width:2px;background:var(--ink)}
.todo{margin:18px 0 0;padding:16px 18px;background:var(--accent-wash);border-radius:10px}
.todo p{margin:8px 0 0}
.todo .todo-title{margin:0;font-weight:600}
.todo-title span{color:var(--accent);margin-right:10px}
.change{display:grid;gap:12px;margin-top:12px}
.change figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;overflow:hidden;min-width:0}
.change figcaption{padding:6px 14px;font-size:13px;font-weight:600;border-bottom:1px solid var(--line)}
.change pre{white-space:pre-wrap;overflow-wrap:anywhere}
.change .line{grid-column:1/-1}
.before figcaption{color:var(--bad)}.after figcaption{color:var(--good)}
pre{margin:0;padding:12px 14px;overflow-x:auto;line-height:1.5;tab-size:2}
pre.command{margin-top:10px;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line);border-radius:8px}
.template{margin-top:10px}.template pre{margin-top:8px;background:var(--card);border:1px solid var(--line);border-radius:8px}
.outcome{color:var(--good)}
.ruled-out dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 18px;margin:10px 0 0;font-size:14px}
.ruled-out dd{margin:0}
.flame{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px}
.flame-bar{display:flex;flex-wrap:wrap;gap:10px 16px;align-items:center;margin-bottom:12px;font-size:13px}
.flame input{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:7px;padding:6px 10px;width:250px;max-width:100%}
.flame button{font:inherit;color:var(--accent);background:none;border:1px solid var(--line);border-radius:7px;padding:6px 12px;cursor:pointer}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;margin-left:auto;color:var(--soft)}
.legend i,.swatch{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px}
.o-user{background:var(--o-user)}.o-dependency{background:var(--o-dependency)}.o-node{background:var(--o-node)}.o-native{background:var(--o-native)}.o-gc{background:var(--o-gc)}
.d-same{background:var(--o-native)}.d-more1{background:#f0c9bd}.d-more2{background:#ea9f8b}.d-more3{background:#e0674f}.d-less1{background:#c5d9ee}.d-less2{background:#97bde3}.d-less3{background:#5c97d3}
.f[class*=" d-"]{color:#1c1408}.more{color:var(--bad)}.less{color:var(--info)}
.tree{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 18px;font-size:13px;overflow-x:auto}
.tree summary,.tree-leaf{white-space:nowrap;line-height:1.9;cursor:default}.tree summary{cursor:pointer}
.tree details>details,.tree details>.tree-leaf{margin-left:22px}.tree-leaf{padding-left:15px}
.tree-bytes{display:inline-block;min-width:78px;text-align:right;font-variant-numeric:tabular-nums}.tree-share{display:inline-block;min-width:60px;text-align:right;color:var(--soft);margin-right:12px;font-variant-numeric:tabular-nums}
.tree i{display:inline-block;width:9px;height:9px;border-radius:3px;margin-right:7px}
.lanes{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 18px 10px;margin-bottom:8px}
.lane{display:grid;grid-template-columns:minmax(90px,170px) 1fr 62px;gap:14px;align-items:center;font-size:13px;padding:3px 0}
.lane-name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.lane-share{text-align:right;font-variant-numeric:tabular-nums}
.lane svg{display:block;width:100%;height:26px;background:var(--wash);border-radius:3px}
path.lane-cpu{fill:var(--accent)}path.lane-ready{fill:var(--warn)}i.lane-cpu{background:var(--accent)}i.lane-ready{background:var(--warn)}
.lanes-legend{margin:0 0 16px;font-size:13px}
.flame-frames{position:relative;overflow:hidden}
.f{position:absolute;height:20px;padding:0 5px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;font:12px/20px var(--mono);color:var(--frame-ink);border-right:1px solid var(--card);border-radius:2px;cursor:pointer;min-width:1px}
.f:hover{filter:brightness(1.08)}
.f:focus-visible{outline:2px solid var(--ink);outline-offset:-2px}
.f.caller{opacity:.55}
.searching .f:not(.hit){opacity:.22}
.flame-detail{margin:12px 0 0;min-height:1.55em;font-size:13px;color:var(--soft);font-family:var(--mono);overflow-wrap:anywhere}
.share{white-space:nowrap;font-variant-numeric:tabular-nums}
.share span{display:inline-block;width:110px;height:8px;border-radius:4px;background:var(--wash);margin-right:10px;vertical-align:1px}
.share i{display:block;height:100%;border-radius:4px;background:var(--accent)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:16px}
.chart{margin:0;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 16px 10px}
.chart figcaption{display:flex;gap:8px;align-items:baseline;font-size:13px;font-variant-numeric:tabular-nums}
.chart figcaption code{margin-right:auto}
.chart .plot{position:relative;height:104px;margin-top:12px}
.chart svg{width:100%;height:100%;display:block;overflow:visible}
.chart .grid{stroke:var(--line);fill:none;vector-effect:non-scaling-stroke}
.chart .line{stroke:var(--accent);stroke-width:1.6;fill:none;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.chart .area{fill:var(--accent);opacity:.1}
.y-high,.y-low{position:absolute;right:0;font-size:11px;color:var(--soft);background:var(--card);padding:0 0 0 4px;line-height:1;z-index:1}
.y-high{top:-5px}.y-low{bottom:-5px}
.chart.drawn .plot{height:auto;min-height:128px;margin:8px -6px 0}.chart.drawn .plot>:not(.uplot),.chart.drawn .x-axis{display:none}
.time-line-bar{display:flex;gap:14px;align-items:center;min-height:30px;margin:0 0 10px;font-size:13px}
.u-select{background:var(--accent);opacity:.14}.u-hz .u-cursor-x,.u-vt .u-cursor-y{border-right:1px solid var(--soft)}
.dot{position:absolute;width:9px;height:9px;margin:-4.5px;border-radius:50%;background:var(--accent);border:2px solid var(--card);pointer-events:none}
.chart.wide{margin:12px 0 18px}.chart.wide .plot{height:230px;margin-right:58px}
.y-tick{position:absolute;left:100%;transform:translateY(-50%);font-size:11px;color:var(--soft);padding-left:8px;white-space:nowrap}
.x-ticks{position:relative;height:16px;margin:8px 58px 0 0;font-size:11px;color:var(--soft)}.x-ticks span{position:absolute;transform:translateX(-50%);white-space:nowrap}.x-ticks span:first-child{transform:none}
.x-axis{display:flex;justify-content:space-between;font-size:11px;color:var(--soft);margin-top:7px}
.optimization-group{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:22px 24px;margin-bottom:16px}
.optimization-group>p{margin:4px 0 16px}
.forest-axis,.forest-row{display:grid;grid-template-columns:minmax(150px,27%) 1fr minmax(170px,23%);gap:0 22px;align-items:center}
.forest-axis{font-size:12px;color:var(--soft);padding-bottom:4px;border-bottom:1px solid var(--line)}
.forest-axis .track{height:18px}
.forest-row{padding:11px 0;border-bottom:1px solid var(--line)}
.forest-row.nested{padding:6px 0;font-size:13px}
.forest-row.nested .forest-label{padding-left:18px;color:var(--soft)}
.forest-label small,.forest-value small{display:block}
.forest-label{min-width:0;overflow-wrap:anywhere}
.forest-value{font-variant-numeric:tabular-nums}
.forest-value b{font-weight:600}
.track{position:relative;align-self:stretch;min-height:22px}
.track i,.track .tick{position:absolute}
.tick{transform:translateX(-50%);white-space:nowrap}
.band{top:-11px;bottom:-11px;background:var(--wash)}
.one{top:-11px;bottom:-11px;width:1px;background:var(--soft)}
.interval{top:50%;height:2px;margin-top:-1px;min-width:2px;background:var(--tone)}
.interval::before,.interval::after{content:"";position:absolute;top:-4px;height:10px;width:2px;background:var(--tone)}
.interval::after{right:0}
.point{top:50%;margin-top:-6px;width:12px;height:12px;margin-left:-6px;border-radius:50%;background:var(--tone);border:2px solid var(--card)}
.point.open{background:var(--card);border-color:var(--tone)}
.v-faster{--tone:var(--good)}.v-slower{--tone:var(--bad)}.v-equivalent{--tone:var(--info)}.v-inconclusive{--tone:var(--warn)}
.forest-row.muted{--tone:var(--soft);color:var(--soft)}
.unmeasured{margin:14px 0 0;padding-left:20px}
.metrics{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:26px 36px;align-items:start}
.metrics td{padding:5px 0}
.missing{margin-top:26px}
.conditions th{width:210px;padding-right:20px}
.warnings{color:var(--warn);padding-left:20px}
footer{margin-top:56px;padding:22px 0 40px;border-top:1px solid var(--line);font-size:13px}
@media(max-width:720px){
  .wrap{padding:0 16px}
  .finding{grid-template-columns:1fr;gap:12px;padding:18px}
  .forest-axis,.forest-row{grid-template-columns:1fr;gap:6px}
  .forest-axis>span{display:none}
  .evidence td{display:block;width:auto!important;border:0;padding:2px 0;text-align:left}
  .evidence tr{display:block;padding:8px 0;border-bottom:1px solid var(--line)}
  .legend{margin-left:0}
  .conditions th,.conditions td{display:block;width:auto;border:0;padding:2px 0}
}
@media print{nav,.flame-bar input,.time-line-bar,.chart.drawn .uplot{display:none}.chart.drawn .plot{height:104px;min-height:0;margin:12px 0 0}.chart.drawn .plot>:not(.uplot){display:block}.chart.drawn .x-axis{display:flex}body{background:#fff}.finding,.optimization-group,.chart{break-inside:avoid}}
`;
