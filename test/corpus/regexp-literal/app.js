import { serveUnderLoad } from '../load.js';

function isValidName(name) {
  return /^([a-z]+[ -]?)+$/i.test(name);
}

serveUnderLoad(
  (request, response) => {
    const name = request.url === '/long' ? `${'a'.repeat(22)}!` : 'Ada Lovelace';
    response.end(String(isValidName(name)));
  },
  { ratePerSecond: 40, paths: ['/', '/', '/', '/long'] },
);
