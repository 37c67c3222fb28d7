import { serveUnderLoad } from '../load.js';

async function drain(count) {
  let done = 0;
  while (done < count) {
    await null;
    done += 1;
  }
  return done;
}

serveUnderLoad(async (_request, response) => response.end(String(await drain(120_000))), {
  ratePerSecond: 30,
});
