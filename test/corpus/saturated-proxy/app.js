import { Agent, createServer, request as ask } from 'node:http';
import { startDownstream } from '../downstream.js';
import driver from '../driver.cjs';

const port = await startDownstream({ delayMs: 1 });
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const forward = (incoming, outgoing) => {
  const onward = ask(
    { port, host: '127.0.0.1', agent, path: incoming.url, method: incoming.method },
    (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    },
  );
  onward.on('error', () => outgoing.writeHead(502).end());
  incoming.pipe(onward);
};
const server = createServer(forward).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: Infinity, connections: 32, paths: ['/a', '/b'] });
