/**
 * The report's own script, kept as a string because it runs in the reader's browser. It reads what the page
 * holds and adds zoom, search, arrow keys and readings; it inserts text, never markup.
 */
import { TIME_LINES } from './time-line-script.js';

export const SCRIPT = String.raw`
'use strict';
(() => {
  // As formatValue in format.ts does it.
  const number = (value) => Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
  const scaled = (value, step, names) => {
    let index = 0;
    while (Math.abs(value) >= step && index < names.length - 1) { value /= step; index += 1; }
    return number(value) + ' ' + names[index];
  };
  const NANOSECONDS = { ms: 1e6, us: 1e3, ns: 1 };
  const format = (value, unit) => {
    if (unit === 'ratio') return number(value * 100) + ' %';
    if (unit === 'bytes' || unit === 'bytes/s') return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']) + unit.slice(5);
    if (value === 0 && unit in NANOSECONDS) return '0 ' + unit.replace('u', 'µ');
    if (unit in NANOSECONDS) return scaled(value * NANOSECONDS[unit], 1000, ['ns', 'µs', 'ms', 's']);
    if (unit === 'count' || unit === '') return number(value);
    return unit === 'count/s' ? number(value) + '/s' : number(value) + ' ' + unit;
  };

  for (const flame of document.querySelectorAll('.flame')) {
    const unit = flame.dataset.unit;
    const rows = JSON.parse(flame.querySelector('.flame-data').textContent);
    const elements = Array.from(flame.querySelectorAll('.f'));
    const detail = flame.querySelector('.flame-detail');
    const reset = flame.querySelector('.flame-reset');
    const search = flame.querySelector('input');
    const matches = flame.querySelector('.flame-matches');
    const hint = detail.textContent.trim();
    const [DEPTH, LEFT, WIDTH, TOTAL, SELF, PLACE] = [0, 1, 2, 3, 4, 5];
    const epsilon = 1e-9;
    const names = elements.map((element) => element.textContent.trim());
    let focus = 0;
    let zoomed = 0;

    const parentOf = (index) => {
      for (let i = index - 1; i >= 0; i -= 1) if (rows[i][DEPTH] < rows[index][DEPTH]) return i;
      return 0;
    };
    const show = (index) => {
      const row = rows[index];
      const share = (value) => (100 * value / rows[0][TOTAL]).toFixed(1) + ' %';
      detail.textContent = names[index] + (row[PLACE] ? '  ·  ' + row[PLACE] : '') +
        '  ·  self ' + format(row[SELF], unit) + ' (' + share(row[SELF]) + ')' +
        '  ·  total ' + format(row[TOTAL], unit) + ' (' + share(row[TOTAL]) + ')' +
        (row.length > 6 ? '  ·  then ' + format(row[6], unit) : '');
    };
    const zoom = (index) => {
      zoomed = index;
      const target = rows[index];
      const left = target[LEFT], width = target[WIDTH], right = left + width;
      rows.forEach((row, i) => {
        const style = elements[i].style;
        const caller = row[DEPTH] < target[DEPTH] && row[LEFT] <= left + epsilon && row[LEFT] + row[WIDTH] >= right - epsilon;
        const inside = row[DEPTH] >= target[DEPTH] && row[LEFT] >= left - epsilon && row[LEFT] + row[WIDTH] <= right + epsilon;
        elements[i].hidden = !caller && !inside;
        elements[i].classList.toggle('caller', caller && index !== 0);
        style.left = (caller ? 0 : (row[LEFT] - left) / width * 100) + '%';
        style.width = (caller ? 100 : row[WIDTH] / width * 100) + '%';
      });
      reset.hidden = index === 0;
    };
    const select = (index, move) => {
      elements[focus].tabIndex = -1;
      focus = index;
      elements[focus].tabIndex = 0;
      if (move) elements[focus].focus({ preventScroll: false });
      show(focus);
    };
    const sibling = (index, step) => {
      for (let i = index + step; i >= 0 && i < rows.length; i += step) {
        if (rows[i][DEPTH] === rows[index][DEPTH] && !elements[i].hidden) return i;
      }
      return index;
    };

    elements.forEach((element, index) => {
      element.removeAttribute('title');
      element.addEventListener('mouseenter', () => show(index));
      element.addEventListener('focus', () => show(index));
      element.addEventListener('click', () => { select(index, true); zoom(index); });
    });
    flame.querySelector('.flame-frames').addEventListener('mouseleave', () => { detail.textContent = hint; });
    flame.addEventListener('keydown', (event) => {
      if (event.target === search) {
        if (event.key === 'Escape') { search.value = ''; search.dispatchEvent(new Event('input')); }
        return;
      }
      let next = -1;
      if (event.key === 'ArrowDown') next = rows[focus + 1] && rows[focus + 1][DEPTH] > rows[focus][DEPTH] ? focus + 1 : focus;
      else if (event.key === 'ArrowUp') next = parentOf(focus);
      else if (event.key === 'ArrowRight') next = sibling(focus, 1);
      else if (event.key === 'ArrowLeft') next = sibling(focus, -1);
      else if (event.key === 'Home') next = 0;
      else if (event.key === 'Enter' || event.key === ' ') zoom(focus);
      else if (event.key === 'Escape') { zoom(zoomed === 0 ? 0 : parentOf(zoomed)); }
      else if (event.key === '/') search.focus();
      else return;
      event.preventDefault();
      if (next >= 0) select(next, true);
    });
    reset.addEventListener('click', () => { zoom(0); select(0, true); });
    search.addEventListener('input', () => {
      const needle = search.value.trim().toLowerCase();
      flame.classList.toggle('searching', needle !== '');
      let end = -1, total = 0, count = 0;
      rows.forEach((row, i) => {
        const hit = needle !== '' && (names[i] + ' ' + row[PLACE]).toLowerCase().includes(needle);
        elements[i].classList.toggle('hit', hit);
        if (!hit) return;
        count += 1;
        // A match below another match counts once.
        if (row[LEFT] >= end - epsilon) { total += row[WIDTH]; end = row[LEFT] + row[WIDTH]; }
      });
      matches.textContent = needle === '' ? '' : count + (count === 1 ? ' frame, ' : ' frames, ') + (total * 100).toFixed(1) + ' %';
    });
  }

  for (const chart of document.querySelectorAll('.chart[data-points]')) {
    const points = JSON.parse(chart.dataset.points);
    const plot = chart.querySelector('.plot');
    const caption = chart.querySelector('figcaption');
    const [value, label] = [caption.querySelector('b'), caption.querySelector('span')];
    const [mean, meanLabel] = [value.textContent, label.textContent];
    const dot = plot.appendChild(document.createElement('i'));
    dot.className = 'dot';
    dot.hidden = true;
    plot.addEventListener('mousemove', (event) => {
      const box = plot.querySelector('svg').getBoundingClientRect();
      const at = (event.clientX - box.left) / box.width * 100;
      let nearest = points[0];
      for (const point of points) if (Math.abs(point[0] - at) < Math.abs(nearest[0] - at)) nearest = point;
      dot.hidden = false;
      dot.style.left = nearest[0] + '%';
      dot.style.top = nearest[1] + '%';
      value.textContent = nearest[2];
      label.textContent = 'at ' + nearest[3];
    });
    plot.addEventListener('mouseleave', () => {
      dot.hidden = true;
      value.textContent = mean;
      label.textContent = meanLabel;
    });
  }
  ${TIME_LINES}
})();
`;
