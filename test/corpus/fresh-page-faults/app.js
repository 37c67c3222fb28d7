import { serveUnderLoad } from '../load.js';

function histogram(seed) {
  const bins = Buffer.allocUnsafeSlow(24 * 1024 * 1024);
  for (let at = seed; at < bins.length; at += 4096) bins[at] = 1;
  return bins[seed];
}

serveUnderLoad((_request, response) => response.end(String(histogram(7))), { ratePerSecond: 40 });
