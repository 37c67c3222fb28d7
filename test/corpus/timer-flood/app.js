import { serveUnderLoad } from '../load.js';

let expired = 0;

function watchSession() {
  for (let i = 0; i < 1500; i += 1) {
    setTimeout(
      () => {
        expired += 1;
      },
      200 + (i % 700),
    );
  }
}

serveUnderLoad(
  (_request, response) => {
    watchSession();
    response.end(String(expired));
  },
  { ratePerSecond: 120 },
);
