import { serveUnderLoad } from '../load.js';

const events = Array.from({ length: 300 }, (_, i) => {
  const event = { [`field${i % 60}`]: i };
  event.weight = i;
  return event;
});

function totalWeight() {
  let total = 0;
  for (let round = 0; round < 4000; round += 1) {
    for (const event of events) {
      total += event.weight;
    }
  }
  return total;
}

serveUnderLoad((_request, response) => response.end(String(totalWeight())), { ratePerSecond: 15 });
