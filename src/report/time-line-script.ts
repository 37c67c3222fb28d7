/**
 * The part of the page's script that puts charts of uPlot's in the place of the drawn time lines: one pointer for all
 * charts of a run, and dragging zooms them together. uPlot because it draws dozens of charts at once in a few
 * milliseconds, needs nothing else, and is 51 KB (MIT). The drawings stay for paper and for browsers without scripts.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Of uPlot, for the page: its script defines the global of that name. */
export interface UPlotAssets {
  readonly script: string;
  readonly style: string;
}

/** Reads 53 KB from the package's folder. */
export function uPlotAssets(): UPlotAssets {
  const { resolve } = createRequire(import.meta.url);
  const read = (file: string) => readFileSync(resolve(`uplot/dist/${file}`), 'utf8').trim();
  return { script: read('uPlot.iife.min.js'), style: read('uPlot.min.css') };
}

/** Goes where `format(value, unit)` is in scope. Does nothing on a page without time lines. */
export const TIME_LINES = String.raw`
  const HEIGHT = 128;
  const BINARY_STEPS = Array.from({ length: 60 }, (_, power) => 2 ** power);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

  const drawTimeLine = (chart, { value, label, mean, meanLabel }, group, zoomed) => {
    const { unit, bounds, at, values } = JSON.parse(chart.querySelector('.series').textContent);
    const plot = chart.querySelector('.plot');
    [value.textContent, label.textContent] = [mean, meanLabel];
    const axis = { stroke: colour('soft'), font: '11px sans-serif', ticks: { show: false }, grid: { stroke: colour('line'), width: 1 } };
    const drawn = new uPlot({
      width: plot.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false }, sync: { key: group, scales: ['x', null] } },
      scales: { x: { time: false }, y: { range: bounds } },
      axes: [
        { ...axis, size: 24, space: 70, values: (_, splits) => splits.map((each) => format(each, 'ms')) },
        { ...axis, size: 62, space: 26, values: (_, splits) => splits.map((each) => format(each, unit)),
          ...(unit.startsWith('bytes') && { incrs: BINARY_STEPS }) },
      ],
      series: [{}, { stroke: colour('accent'), fill: colour('accent') + '1a', width: 1.6, points: { show: false } }],
      hooks: {
        setCursor: [({ cursor }) => {
          const seen = cursor.idx != null && cursor.left >= 0;
          value.textContent = seen ? format(values[cursor.idx], unit) : mean;
          label.textContent = seen ? 'at ' + format(at[cursor.idx], 'ms') : meanLabel;
        }],
        setScale: [(u, scale) => {
          if (scale === 'x') zoomed(u.scales.x.min > at[0] || u.scales.x.max < at[at.length - 1]);
        }],
      },
    }, [at, values], plot);
    drawn.root.setAttribute('role', 'img');
    drawn.root.setAttribute('aria-label', plot.querySelector('svg').getAttribute('aria-label'));
    return drawn;
  };

  document.querySelectorAll('.time-lines').forEach((lines, index) => {
    const bar = document.createElement('p');
    bar.className = 'time-line-bar quiet';
    const hint = bar.appendChild(document.createElement('span'));
    hint.textContent = 'Point at a chart to read all of them; drag to zoom all of them.';
    const reset = bar.appendChild(document.createElement('button'));
    reset.type = 'button';
    reset.textContent = 'Whole run';
    reset.hidden = true;
    lines.before(bar);
    const charts = Array.from(lines.querySelectorAll('.chart'));
    const captions = charts.map((chart) => {
      const [value, label] = chart.querySelectorAll('figcaption b, figcaption span');
      return { value, label, mean: value.textContent, meanLabel: label.textContent };
    });
    const zoomed = (is) => { reset.hidden = !is; };
    let drawn = [];
    const draw = () => {
      drawn.forEach((each) => each.destroy());
      drawn = charts.map((chart, i) => {
        chart.classList.add('drawn');
        return drawTimeLine(chart, captions[i], 'run-' + index, zoomed);
      });
    };
    draw();
    reset.addEventListener('click', () => {
      drawn.forEach((each) => each.setScale('x', { min: each.data[0][0], max: each.data[0][each.data[0].length - 1] }));
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
    const resized = new ResizeObserver(() => {
      charts.forEach((chart, i) => {
        const width = chart.querySelector('.plot').clientWidth;
        if (width > 0 && width !== drawn[i].width) drawn[i].setSize({ width, height: HEIGHT });
      });
    });
    resized.observe(lines);
  });
`;
