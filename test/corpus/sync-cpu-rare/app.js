import { serveUnderLoad } from '../load.js';

function countPrimes(limit) {
  let count = 0;
  for (let n = 2; n < limit; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) {
      if (n % d === 0) {
        prime = false;
        break;
      }
    }
    if (prime) count += 1;
  }
  return count;
}

serveUnderLoad(
  (request, response) => {
    response.end(request.url === '/primes' ? String(countPrimes(250_000)) : 'ok');
  },
  { ratePerSecond: 20, paths: ['/', '/', '/', '/', '/', '/', '/', '/', '/', '/primes'] },
);
