import { createServer } from 'node:http';
import driver from '../driver.cjs';

/** Events come from many tills, each of which sends its own fields, in its own order, before the common ones. */
const EXTRAS = [
  'till',
  'clerk',
  'voucher',
  'coupon',
  'scanner',
  'lane',
  'shift',
  'printer',
  'drawer',
  'kiosk',
  'app',
  'web',
  'phone',
  'agent',
  'bonus',
  'card',
  'tax',
  'tip',
  'bag',
  'deposit',
  'refund',
  'gift',
  'staff',
  'table',
  'room',
  'pump',
  'gate',
  'ticket',
];

function decode(number) {
  const event = {};
  const extra = number % EXTRAS.length;
  event[EXTRAS[extra]] = number;
  if (extra % 2 === 0) event[EXTRAS[(extra + 5) % EXTRAS.length]] = 'x';
  event.amount = 5 + (number % 90);
  event.quantity = 1 + (number % 4);
  event.rate = 1 + (number % 3);
  event.status = number % 3;
  event.store = number % 40;
  return event;
}

const journal = Array.from({ length: 150_000 }, (_, i) => decode(i * 13));

function pointsOf(events, store) {
  let points = 0;
  for (let i = 0; i < events.length; i += 1) {
    const event = events[i];
    if (event.store === store || event.status !== 2) points += event.amount * event.quantity * event.rate;
  }
  return points;
}

const routes = {
  points: (store) => ({ store, points: pointsOf(journal, store) }),
  newest: () => journal.at(-1),
  size: () => ({ size: journal.length }),
};

let served = 0;
const server = createServer((request, response) => {
  const [, name, argument] = request.url.split('/');
  const route = routes[name];
  if (route === undefined) return response.writeHead(404).end();
  served += 1;
  journal[served % journal.length] = decode(served * 29);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(route(Number(argument))));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 60, paths: ['/points/4', '/points/17', '/newest/0', '/points/31'] });
