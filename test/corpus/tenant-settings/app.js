import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import driver from '../driver.cjs';

class Settings extends EventEmitter {
  #values = { theme: 'light', pageSize: 50, locale: 'de-AT' };

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  get(name) {
    return this.#values[name];
  }

  update(change) {
    this.#values = { ...this.#values, ...change };
    this.emit('change', change);
  }
}

const settings = new Settings();

class RequestContext {
  constructor(request) {
    this.url = new URL(request.url, 'http://tenant');
    this.startedAt = Date.now();
    this.locale = settings.get('locale');
    this.pageSize = settings.get('pageSize');
    this.log = [];
  }

  note(message) {
    this.log.push(`${Date.now() - this.startedAt} ${message}`);
  }
}

/** A request sees changed settings at once, also while it is under way. */
function openContext(request) {
  const context = new RequestContext(request);
  settings.on('change', (change) => {
    if (change.locale !== undefined) context.locale = change.locale;
    if (change.pageSize !== undefined) context.pageSize = change.pageSize;
  });
  return context;
}

const pages = {
  '/orders': (context) => {
    context.note('orders');
    return Array.from({ length: context.pageSize }, (_, i) => ({ id: i, label: `order ${i}` }));
  },
  '/profile': (context) => {
    context.note('profile');
    return { locale: context.locale };
  },
};

const server = createServer((request, response) => {
  const context = openContext(request);
  const page = pages[context.url.pathname];
  response.statusCode = page === undefined ? 404 : 200;
  response.end(JSON.stringify(page?.(context) ?? null));
}).listen(0, '127.0.0.1');
setInterval(() => settings.update({ pageSize: 40 + (Date.now() % 20) }), 2000);
driver.drive(server, { ratePerSecond: 150, paths: ['/orders', '/profile'] });
