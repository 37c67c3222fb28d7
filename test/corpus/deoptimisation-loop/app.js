import { serveUnderLoad } from '../load.js';

const rows = Array.from({ length: 20_000 }, (_, i) => ({ value: i % 100 }));
const odd = [{ value: '7' }, { value: 0.5 }];
let templates = 0;

function compileTemplate() {
  const body = `/* ${(templates += 1)} */ let sum = 0; for (const row of rows) sum += row.value * 3; return sum;`;
  return new Function('rows', body);
}
function total() {
  const template = compileTemplate();
  let sum = 0;
  for (let i = 0; i < 6; i += 1) sum += template(rows) + template(odd).length;
  return sum;
}

serveUnderLoad((_request, response) => response.end(String(total())), { ratePerSecond: 70 });
