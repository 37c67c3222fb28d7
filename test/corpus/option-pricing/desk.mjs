import { parentPort, workerData } from 'node:worker_threads';

const STEPS = 60;

function simulatePath(spot, volatility) {
  let price = spot;
  for (let step = 0; step < STEPS; step += 1) {
    const u = Math.random() + Math.random() + Math.random() - 1.5;
    price *= 1 + 0.0001 + volatility * u;
  }
  return price;
}

function priceBatch(paths) {
  let payoff = 0;
  for (let i = 0; i < paths; i += 1) payoff += Math.max(0, simulatePath(100, 0.01) - workerData.strike);
  return payoff / paths;
}

let batch = 0;
function turn() {
  const price = priceBatch(20_000);
  batch += 1;
  parentPort.postMessage({ price, batch });
  setImmediate(turn);
}
turn();
