import { serveUnderLoad } from '../load.js';

// Larger than what malloc keeps for the next one, whatever it has learnt: each is fresh from the kernel.
function histogram(seed) {
  const bins = Buffer.allocUnsafeSlow(48 * 1024 * 1024);
  for (let at = seed; at < bins.length; at += 4096) bins[at] = 1;
  return bins[seed];
}

serveUnderLoad((_request, response) => response.end(String(histogram(7))), { ratePerSecond: 25 });
