import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { createServer } from 'node:http';
import driver from '../driver.cjs';

/** A name server that takes its time: answers every A question with 127.0.0.1 after 200 ms. */
const nameServer = createSocket('udp4', (message, { port, address }) => {
  const question = message.subarray(12, message.indexOf(0, 12) + 5);
  const header = Buffer.from(message.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 6);
  header.writeUInt16BE(0, 8);
  header.writeUInt16BE(0, 10);
  const answer = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
  setTimeout(() => nameServer.send(Buffer.concat([header, question, answer]), port, address), 200);
}).bind(0, '127.0.0.1');
await once(nameServer, 'listening');

const resolver = new Resolver({ timeout: 2000, tries: 1 });
resolver.setServers([`127.0.0.1:${nameServer.address().port}`]);

const discovery = {
  // Asks again for every request.
  async locate(service) {
    const [address] = await resolver.resolve4(`${service}.internal`);
    return address;
  },
};

const server = createServer(async (_request, response) => {
  response.end(await discovery.locate('rates'));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 20 });
