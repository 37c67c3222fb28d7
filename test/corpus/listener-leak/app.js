import { EventEmitter } from 'node:events';
import { serveUnderLoad } from '../load.js';

const bus = new EventEmitter().setMaxListeners(0);

function subscribe(response) {
  bus.on('config', () => response.setHeader('x-config', '1'));
}

serveUnderLoad(
  (_request, response) => {
    for (let i = 0; i < 20; i += 1) subscribe(response);
    response.end('ok');
  },
  { ratePerSecond: 150 },
);
