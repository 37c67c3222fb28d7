import { createServer } from 'node:http';
import driver from '../driver.cjs';

const entities = { amp: '&', lt: '<', gt: '>', quot: '"' };
const document = Array.from({ length: 9000 }, (_, i) => `<i n="${i}">a &amp; b &lt; c ${i}</i>`).join('');
function unescape(text) {
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '&') {
      out += text[at];
      continue;
    }
    const end = text.indexOf(';', at);
    out += entities[text.slice(at + 1, end)] ?? text.slice(at, end + 1);
    at = end;
  }
  return out;
}
const server = createServer((_request, response) => response.end(String(unescape(document).length)));
driver.drive(server.listen(0, '127.0.0.1'), { ratePerSecond: 40 });
